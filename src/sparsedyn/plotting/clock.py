"""Times in the unit that reads best: seconds, minutes, hours or days; rows where the sample time is unknown."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0))


@dataclass(frozen=True)
class Clock:
    """Turns rows into times; `dt` in seconds or None, `rows` the longest time to be shown."""

    dt: float | None
    rows: int

    @property
    def _unit(self) -> tuple[str, float]:
        """The largest unit of which the whole time has at least two."""
        duration = (self.dt or 0.0) * (self.rows - 1)
        fitting = [unit for unit in UNITS if duration >= 2 * unit[1]]
        return fitting[-1] if fitting else UNITS[0]

    @property
    def label(self) -> str:
        """The label of a time axis."""
        return "time, steps" if self.dt is None else f"time, {self._unit[0]}"

    def times(self, rows: Integer[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """Return the times of `rows` (0 is the start of the forecast)."""
        return rows.astype(np.float64) if self.dt is None else rows * (self.dt / self._unit[1])

    def seconds(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
        """Return times given in seconds."""
        return time / self._unit[1]

    def horizon(self, rows: int) -> str:
        """Name a horizon by its rows and the time from the first to the last of them."""
        if self.dt is None:
            return f"{rows:,} steps"
        seconds = (rows - 1) * self.dt
        name, size = [unit for unit in UNITS[:3] if seconds >= 2 * unit[1] or unit == UNITS[0]][-1]
        return f"{rows:,} steps ({seconds / size:.3g} {name})"
