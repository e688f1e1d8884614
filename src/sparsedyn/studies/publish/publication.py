"""A study to be published, in the directory of its run or as it was kept, and what is kept of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparsedyn.studies.cells import Cell
from sparsedyn.studies.document import Document
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy, is_kept, is_kept_file, read_kept, write_kept


@dataclass(frozen=True)
class Publication:
    """A study in `directory`, and what publishing asks of its kind.

    `cells` lists those that a finished study has, none while that is not known yet; `read` reads the directory of a
    run; `document` and `kept` are the report on a study, and the study with no more than the report needs.
    """

    spec: AnyStudySpec
    directory: Path
    cells: Callable[[], Sequence[Any]]
    read: Callable[[], StoredStudy[Any]]
    document: Callable[[StoredStudy[Any]], Document]
    kept: Callable[[StoredStudy[Any]], StoredStudy[Any]]

    @property
    def is_bare(self) -> bool:
        """Whether the directory is that of a page which was published once, without what it was made from."""
        files = [path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*") if path.is_file()]
        lacks = not (self.directory / "results.parquet").is_file() and not is_kept(self.directory)
        return lacks and "run.json" in files and all(map(is_kept_file, files))

    def keep(self, folder: Path) -> StoredStudy[Any]:
        """Write to the empty `folder` what the page is made from, and return the study as it is read from there."""
        spec = Store(self.directory).spec_file.read_text(encoding="utf-8")
        study = self.study()
        if not is_kept(self.directory):
            # As typed a command may name folders of the machine; this is the same run wherever it is typed.
            run = {**study.run, "command": command(self.spec).text} if study.run else {}
            study = self.kept(replace(study, run=run))
        write_kept(study, spec, folder)
        return read_kept(folder, self.spec)

    def study(self) -> StoredStudy[Any]:
        """Return what is stored; raises `StudyError` for a study that is not finished or has lost files."""
        if is_kept(self.directory):
            return read_kept(self.directory, self.spec)
        cells = self.cells()
        if not cells:
            raise StudyError(
                f"{self.directory}: expected a finished study; its search is still going on. Finish it first: "
                f"sparsedyn study resume {self.directory}"
            )
        _check_none_missing(Store(self.directory), cells)
        return self.read()


def _check_none_missing(store: Store, cells: Sequence[Cell]) -> None:
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if missing:
        folder = store.directory
        raise StudyError(
            f"{folder}: expected a finished study; {len(missing)} of {len(cells)} cells are missing, the first is "
            f"{missing[0]!r}. Finish it first: sparsedyn study resume {folder}"
        )
