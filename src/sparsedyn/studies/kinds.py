"""Run, resume, report and publish studies of any kind: here, and nowhere else, it is told which."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sparsedyn.studies.cellwise import runner as cellwise_runner
from sparsedyn.studies.comparison import runner
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.events import OnEvent
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.publish.pages import write_pages
from sparsedyn.studies.publish.publication import Publication
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.autoencoders import kind as autoencoders
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.claims.page import claims_pages
from sparsedyn_papers.comparisons.report import comparison_document, kept_comparison
from sparsedyn_papers.equations.kind import EQUATIONS
from sparsedyn_papers.equations.spec import EquationsSpec

CELLWISE: dict[type, Kind] = {EquationsSpec: EQUATIONS, AutoencodersSpec: autoencoders.kind()}
"""Studies that are run cell by cell; all others are comparisons, whose cells are trained together."""


def run(
    spec: AnyStudySpec,
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    members: int | None = None,
    seed: int | None = None,
) -> Path:
    """Run `spec` in `directory` and return the report's path; `members` and `seed` override the spec's own.

    A directory that holds the same study is gone on with: finished cells stay as they are, training resumes
    from its checkpoint, and the results are those of an uninterrupted run to the last bit. Raises
    `StudyError` for a directory of anything else, `StudyInterrupted` on Ctrl-C.
    """
    spec = spec.replaced(members=members, seed=seed)
    if isinstance(spec, StudySpec):
        return runner.run(spec, directory, on_event=on_event)
    return cellwise_runner.run(CELLWISE[type(spec)], spec, directory, on_event=on_event)


def resume(directory: str | Path, *, on_event: OnEvent | None = None) -> Path:
    """Go on with the study that `directory` holds; see `run`."""
    return run(Store(Path(directory)).spec(), directory, on_event=on_event)


def report(directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew, draw its report again, and return the report's path."""
    spec = Store(Path(directory)).spec()
    if isinstance(spec, StudySpec):
        return runner.report(spec, directory)
    return cellwise_runner.report(CELLWISE[type(spec)], spec, directory)


def read(directory: str | Path) -> StoredStudy[Any]:
    """Return what is stored of the study in `directory`, that of its run or one of what was kept of it.

    Raises `StudyError` for a study that is not finished or has lost files.
    """
    return _publication(Store(Path(directory)).spec(), Path(directory)).study()


def publish(
    directories: Sequence[str | Path],
    output: str | Path,
    *,
    results: str | Path | None = None,
    tell: Callable[[str], None] = print,
) -> list[Path]:
    """Write a page with its pictures for every finished study, and one page of all claims; return the files written.

    Into `output` go `NAME.md` and `NAME/*.png` of each study, and `claims.md`; pictures that an earlier page shows and
    that are not drawn any more are removed. With `results`, what the pages are made from goes to `results/NAME`, from
    which the same pages can be published again: some megabytes for a comparison of techniques, some hundred kilobytes
    for a study of equation learners. Equal folders give equal bytes. The page of a study of which only record and
    claims were kept stays as it is, and `tell` is given a message that says so. Raises `StudyError`, before anything
    is written, for a folder that is not a finished study or has lost files, for two of one name, and for places that
    are files or hold something else (see `check_places`).
    """
    folders = [Path(directory) for directory in directories]
    studies = {folder: _publication(Store(folder).spec(), folder) for folder in folders}
    target = None if results is None else Path(results)
    return write_pages(studies, Path(output), target, overview=claims_pages, own=("index", "claims"), tell=tell)


def _publication(spec: AnyStudySpec, directory: Path) -> Publication:
    store = Store(directory)
    if isinstance(spec, StudySpec):
        return Publication(
            spec,
            directory,
            cells=lambda: runner.cells_in(store, spec),
            read=lambda: runner.stored(store, spec),
            document=comparison_document,
            kept=kept_comparison,
        )
    kind = CELLWISE[type(spec)]
    return Publication(
        spec,
        directory,
        cells=lambda: kind.cells(spec),
        read=lambda: cellwise_runner.stored(kind, store, spec),
        document=kind.document,
        kept=kind.kept,
    )
