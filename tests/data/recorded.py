"""Logs as programs write them: one tank, in files of many kinds."""

import numpy as np
import pandas as pd

ROWS = 60
DECAY = 0.2


def tank(dt: float = 1.0) -> pd.DataFrame:
    """Rows of a tank whose level follows level' = valve - 0.2 level, the valve held between rows."""
    valve = np.repeat([1.0, 3.0, 0.5, 2.0, 1.5, 2.5], ROWS // 6)
    keep = np.exp(-DECAY * dt)
    level = [4.0]
    for value in valve[:-1]:
        level.append(keep * level[-1] + (1 - keep) / DECAY * value)
    return pd.DataFrame({"time": dt * np.arange(ROWS), "level": np.round(level, 9), "valve": valve})


def written(frame: pd.DataFrame, separator: str = ",", decimal: str = ".", *, header: bool = True) -> str:
    """Write a table as text."""
    return frame.to_csv(sep=separator, decimal=decimal, index=False, header=header)


def dated(stamps: pd.DatetimeIndex | list[str], dt: float = 3600.0) -> pd.DataFrame:
    """Give the tank's rows dates instead of seconds; its decay is then per row, 0.2 / dt per second."""
    return tank().assign(time=list(stamps))
