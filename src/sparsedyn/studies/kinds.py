"""Run, resume, report and publish studies of any kind: here, and nowhere else, it is told which."""

from collections.abc import Sequence
from pathlib import Path

from sparsedyn.studies.cellwise import runner as cellwise_runner
from sparsedyn.studies.comparison import runner
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.events import OnEvent
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.publish import cellwise as publish_cellwise
from sparsedyn.studies.publish import comparison as publish_comparison
from sparsedyn.studies.publish.publication import Publication
from sparsedyn.studies.publish.write import write_pages
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.store import Store
from sparsedyn_papers.autoencoders import kind as autoencoders
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
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


def publish(directories: Sequence[str | Path], output: str | Path, *, results: str | Path | None = None) -> list[Path]:
    """Write a page with its pictures for every finished study, and one page of all claims; return the files written.

    Into `output` go `NAME.md` and `NAME/*.png` of each study, and `claims.md`; pictures that an earlier page shows and
    that are not drawn any more are removed. With `results`, what the pages are made from goes to `results/NAME`, from
    which the same pages can be published again: some megabytes for a comparison of techniques, some hundred kilobytes
    for a study of equation learners. Equal folders give equal bytes. Raises `StudyError`, before anything is written,
    for a folder that is not a finished study or has lost files, for two of one name, and for places that are files or
    hold something else (see `check_places`).
    """
    folders = [Path(directory) for directory in directories]
    studies = {folder: _publication(Store(folder).spec(), folder) for folder in folders}
    return write_pages(studies, Path(output), None if results is None else Path(results))


def _publication(spec: AnyStudySpec, directory: Path) -> Publication:
    if isinstance(spec, StudySpec):
        return publish_comparison.publication(spec, directory)
    return publish_cellwise.publication(CELLWISE[type(spec)], spec, directory)
