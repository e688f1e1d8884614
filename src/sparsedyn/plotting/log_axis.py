"""Logarithmic axes: their limits, and ticks that are plain numbers."""

import math

import numpy as np
from jaxtyping import Float
from matplotlib.axis import Axis, XAxis
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator


def log_ticks(axis: Axis) -> None:
    """Give a logarithmic axis as many ticks as there is room for, written as plain numbers."""
    low, high = axis.get_view_interval()
    decades = math.log10(high / low)
    # Labels above one another need less room than labels side by side.
    room = 1.0 if isinstance(axis, XAxis) else 0.7
    dense = (
        (0.8, (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)),
        (1.1, (1.0, 2.0, 3.0, 5.0)),
        (1.6, (1.0, 2.0, 5.0)),
        (2.6, (1.0, 3.0)),
    )
    subs = next((subs for most, subs in dense if decades * room < most), (1.0,))
    axis.set_major_locator(LogLocator(subs=subs, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    axis.set_minor_locator(NullLocator())


def log_limits(values: Float[np.ndarray, "..."], floor: float, ceiling: float) -> tuple[float, float]:
    """Return limits of a logarithmic axis that hold the positive finite `values` between `floor` and `ceiling`."""
    usable = values[np.isfinite(values) & (values > 0)]
    if not usable.size:
        return floor, ceiling
    low, high = float(np.clip(usable.min(), floor, ceiling)), float(np.clip(usable.max(), floor, ceiling))
    return low / 1.3, max(high * 1.3, low * 3)
