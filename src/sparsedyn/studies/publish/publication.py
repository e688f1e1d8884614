"""What publishing asks of a study, whatever its kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparsedyn.studies.cells import Cell
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.picture import Picture
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store
from sparsedyn_papers.claims.verdicts import Verdict


@dataclass(frozen=True)
class Draft:
    """A page: its Markdown, the pictures that it links to, still to be drawn, and verdicts on the study's claims."""

    text: str
    pictures: Sequence[Picture]
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class Publication:
    """A study in its folder: `check` raises `StudyError` unless it is finished and whole, `slim` writes what its page
    is made from to an empty folder, `draft` makes the page from such a folder alone.
    """

    spec: AbstractStudySpec
    check: Callable[[], None]
    slim: Callable[[Path], None]
    draft: Callable[[Path], Draft]


def check_none_missing(store: Store, cells: Sequence[Cell]) -> None:
    """Raise `StudyError` where a study has cells that are not finished."""
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if missing:
        folder = store.directory
        raise StudyError(
            f"{folder}: expected a finished study; {len(missing)} of {len(cells)} cells are missing, the first is "
            f"{missing[0]!r}. Finish it first: sparsedyn study resume {folder}"
        )
