"""Equations of all states by networks that are fitted to derivatives, and forms of a user's own beside them."""

from collections.abc import Sequence
from typing import NamedTuple

from sparsedyn.estimators._progress import search_bar
from sparsedyn.estimators.equation._expressions import Equation
from sparsedyn.estimators.equation._forms import Fate, Form
from sparsedyn.estimators.equation._plant_units import PlantUnits
from sparsedyn.estimators.equation._right_hand_sides import Task, judged_form, right_hand_side
from sparsedyn.estimators.equation._search import Found
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.estimators.equation._tables import homogeneous


class ByNetworks(NamedTuple):
    """Candidates for every state's equation, the chosen first, the searches, and how forms fared."""

    equations: list[list[Equation]]
    found: list[Found | None]
    fates: list[Fate]


def by_networks(
    settings: Search,
    task: Task,
    forms: Sequence[Form],
    units: PlantUnits | None,
    titles: Sequence[str],
    progress: bool | None,
) -> ByNetworks:
    """Search for the equation of every state; a bar of progress has the state's title."""
    equations: list[list[Equation]] = []
    searches: list[Found | None] = []
    fates: list[Fate] = []
    for state, title in enumerate(titles):
        with search_bar(title, progress) as on_progress:
            found, search = right_hand_side(settings, task, state, on_progress=on_progress)
        if units is not None:
            found = homogeneous(found, units.columns, units.rate(task.names[state])) or found
        for form in forms:
            if form.equation == state:
                one, fate = judged_form(task, form, settings.seed)
                fates.append(fate)
                found = found if one is None else [*found, one]
        equations.append(sorted(found, key=lambda one: one.score))
        searches.append(search)
    return ByNetworks(equations, searches, fates)
