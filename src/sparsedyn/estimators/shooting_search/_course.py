"""How far a search is: it is counted in fits, since no search ends by a clock, and bounded by its arithmetic."""

from collections.abc import Callable, Mapping

OnProgress = Callable[[float, str], None]
POLYNOMIALS, TOGETHER, CONSTANTS = "polynomials", "equations together", "constants"
"""Stages of a search beside those of single equations."""
MOST = 2e5
"""Steps of integration, times what is integrated, per row (of at least `ROWS`), after which a search adds nothing more.

Fast motions take many steps; of others, a search takes a tenth of that.
"""
ROWS = 150
EARLY = 0.6
"""Share of this that is left to equations together."""


class Course:
    """Stages of a search, each with the fits that it may take, and what is to be told of it after every fit."""

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self._say = on_progress
        self._plan: dict[str, int] = {}
        self._note, self._fits = "", 0
        self._work = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether the search has taken as much arithmetic as it may."""
        return self._work > (MOST if self._note == TOGETHER else (1 - EARLY) * MOST)

    def plan(self, stages: Mapping[str, int]) -> None:
        """Begin a search of these stages, in this order."""
        self._plan, self._work = dict(stages), 0.0
        self.enter(next(iter(self._plan)))

    def enter(self, stage: str) -> None:
        """Begin a stage; others may have been left out."""
        self._note, self._fits = stage, 0
        self._told()

    def fitted(self) -> None:
        """Count a fit."""
        self._fits += 1
        self._told()

    def worked(self, passes: int, substeps: int, unknowns: int, rows: float) -> None:
        """Count passes over all rows with so many steps in each, and sensitivities by so many unknowns."""
        self._work += passes * substeps * unknowns * min(1.0, rows / ROWS)

    def _told(self) -> None:
        if self._say is None or self._note not in self._plan:
            return
        names = list(self._plan)
        before = sum(self._plan[name] for name in names[: names.index(self._note)])
        here = min(self._fits, self._plan[self._note])
        self._say((before + here) / sum(self._plan.values()), self._note)
