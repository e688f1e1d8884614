"""Which cells show their forecasts over time: sixteen such pictures would bury the page."""

from sparsedyn.studies.page.answer import best_row
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.spec import StudySpec


def shown_fans(contents: Contents, spec: StudySpec) -> dict[str, str]:
    """Return the cells whose forecasts are shown, and the paper's figure that each belongs to.

    They are the cells of the panels of forecasts; without any, the most and the least stable cell.
    """
    named = {cell: panel.figure for panel in spec.panels if panel.kind == "fan" for cell in panel.cells}
    known = {cell: figure for cell, figure in named.items() if cell in contents.looks}
    if known:
        return known
    longest = contents.at(contents.horizons[-1])
    ends = (best_row(longest, "diverged"), int(longest["diverged"].fillna(-1.0).argmax()))
    return {str(longest["cell"].iloc[i]): "" for i in ends if i is not None}


def fan_panels(spec: StudySpec) -> list[int]:
    """Return the numbers, from 1, of the panels of forecasts: bars and violins of them are not shown."""
    return [i for i, panel in enumerate(spec.panels, 1) if panel.kind == "fan"]
