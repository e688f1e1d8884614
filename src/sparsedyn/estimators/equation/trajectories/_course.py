"""How far a search is: it is counted in fits, since no search ends by a clock."""

from collections.abc import Callable, Mapping

OnProgress = Callable[[float, str], None]
POLYNOMIALS, TOGETHER, CONSTANTS = "polynomials", "equations together", "constants"
"""Stages of a search beside those of single equations."""


class Course:
    """Stages of a search, each with the fits that it may take, and what is to be told of it after every fit."""

    def __init__(self, on_progress: OnProgress | None = None) -> None:
        self._say = on_progress
        self._plan: dict[str, int] = {}
        self._note, self._fits = "", 0

    def plan(self, stages: Mapping[str, int]) -> None:
        """Begin a search of these stages, in this order."""
        self._plan = dict(stages)
        self.enter(next(iter(self._plan)))

    def enter(self, stage: str) -> None:
        """Begin a stage; others may have been left out."""
        self._note, self._fits = stage, 0
        self._told()

    def fitted(self) -> None:
        """Count a fit."""
        self._fits += 1
        self._told()

    def _told(self) -> None:
        if self._say is None or self._note not in self._plan:
            return
        names = list(self._plan)
        before = sum(self._plan[name] for name in names[: names.index(self._note)])
        here = min(self._fits, self._plan[self._note])
        self._say((before + here) / sum(self._plan.values()), self._note)
