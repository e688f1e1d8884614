"""A study to be published, in the directory of its run or as it was kept, and what is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparsedyn.studies.cells import Cell
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.kinds import kind_of
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy, is_kept, is_kept_file, read_finished, read_kept, write_kept


@dataclass(frozen=True)
class Publication:
    """A study in a `directory`, that of its run or one of what was kept of it, to be published."""

    spec: AbstractStudySpec
    directory: Path
    kind: Kind

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
            # The command as typed may name local folders; this is the same run without them.
            run = {**study.run, "command": command(self.spec).text} if study.run else {}
            study = self.kind.kept(replace(study, run=run))
        write_kept(study, spec, folder)
        return read_kept(folder, self.spec)

    def study(self) -> StoredStudy[Any]:
        """Return what is stored; raises `StudyError` for a study that is not finished or has lost files."""
        if is_kept(self.directory):
            return read_kept(self.directory, self.spec)
        store = Store(self.directory)
        cells = self.kind.cells(self.spec, store)
        if not cells:
            raise StudyError(
                f"{self.directory}: expected a finished study; its search is not finished. Finish it first: "
                f"sparsedyn study resume {self.directory}"
            )
        _check_none_missing(store, cells)
        return read_finished(store, self.kind.files, self.spec, cells)


def publication(directory: Path) -> Publication:
    """Return the study in a directory, to be published."""
    spec = stored_spec(directory)
    return Publication(spec, directory, kind_of(spec))


def _check_none_missing(store: Store, cells: Sequence[Cell]) -> None:
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if missing:
        folder = store.directory
        raise StudyError(
            f"{folder}: expected a finished study; {len(missing)} of {len(cells)} cells are missing, the first is "
            f"{missing[0]!r}. Finish it first: sparsedyn study resume {folder}"
        )
