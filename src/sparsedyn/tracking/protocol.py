"""What a tracking service is to this package: runs with parameters, metrics, figures and artifacts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class TrackedRun(Protocol):
    """A run that is being recorded."""

    @property
    def finished(self) -> bool:
        """Whether it was finished before: then nothing is to be recorded again."""
        ...

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        """Record what was chosen; values are shown as text."""
        ...

    def log_metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Record finite numbers at a step, such as a horizon or a step of training."""
        ...

    def log_figure(self, path: Path) -> None:
        """Record a picture."""
        ...

    def log_artifact(self, path: Path) -> None:
        """Record any other file."""
        ...

    def end(self, *, complete: bool = True) -> None:
        """Close the run; one that is not `complete` is taken up, or begun anew, by the next that asks for it."""
        ...


class Tracker(Protocol):
    """Keeps runs by keys that say what they are of."""

    def run(self, key: str, name: str, parent: TrackedRun | None = None) -> TrackedRun:
        """Return the run of this key, which is begun unless it is there; `parent` is the run that it is a part of."""
        ...
