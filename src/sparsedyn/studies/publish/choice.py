"""Which cells show their forecasts over time: sixteen such pictures would bury the page."""

from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.page.answer import most_and_least_stable
from sparsedyn.studies.page.contents import Contents


def shown_fans(contents: Contents, spec: StudySpec) -> dict[str, str]:
    """Return the cells whose forecasts are shown, and the paper's figure that each belongs to.

    They are the cells of the panels of forecasts; without any, the most and the least stable cell.
    """
    named = {cell: panel.figure for panel in spec.panels if panel.kind == "fan" for cell in panel.cells}
    known = {cell: figure for cell, figure in named.items() if cell in contents.looks}
    if known:
        return known
    return dict.fromkeys(most_and_least_stable(contents.at(contents.horizons[-1])), "")
