"""Publishing a comparison of sparsification techniques."""

from functools import partial
from pathlib import Path

from sparsedyn.studies.comparison.runner import cells_in
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.contents import read_contents
from sparsedyn.studies.page.published import published_markdown
from sparsedyn.studies.publish.page import chosen_pictures, page
from sparsedyn.studies.publish.publication import Draft, Publication, check_none_missing
from sparsedyn.studies.publish.slim import slim
from sparsedyn.studies.store import Store
from sparsedyn_papers.claims.verdicts import verdicts, verdicts_markdown


def publication(spec: StudySpec, directory: Path) -> Publication:
    """Return how the comparison in `directory` is published."""
    return Publication(
        spec,
        check=partial(check_finished, spec, directory),
        slim=partial(slim, directory, spec),
        draft=partial(draft, spec),
    )


def draft(spec: StudySpec, room: Path) -> Draft:
    """Return the page of the study whose slim folder is `room`."""
    contents = read_contents(room)
    chosen = chosen_pictures(contents, spec)
    found = verdicts(spec, contents.cells)
    published = published_markdown(contents) if spec.published is not None else ""
    return Draft(page(contents, spec, chosen, published, verdicts_markdown(found)), chosen, found)


def check_finished(spec: StudySpec, directory: Path) -> None:
    """Raise `StudyError` for a study that is not finished or has lost files."""
    store = Store(directory)
    cells = cells_in(store, spec)
    if not cells:
        raise StudyError(
            f"{directory}: expected a finished study; its search is still going on. Finish it first: "
            f"sparsedyn study resume {directory}"
        )
    check_none_missing(store, cells)
    store.check_cells()
    stored = set(read_contents(directory).results["cell"])
    absent = [cell.label for cell in cells if cell.label not in stored]
    if absent:
        raise StudyError(
            f"{directory}: expected every cell in results.parquet; {absent[0]!r} is not in it. Collect the results "
            f"again: sparsedyn study report {directory}"
        )
