"""Where a model was trained: an interval per column, beyond which a forecast is a guess."""

from typing import Any, NamedTuple

import numpy as np

from sparsedyn.data import Trajectories

DEVIATIONS = 3.0
"""Standard deviations from the mean of training within which a value counts as near."""
MARGIN = 0.3
"""Of the span of what is known: how far sliders go beyond it."""

Interval = tuple[float, float]


class Domain(NamedTuple):
    """Intervals of the measured states, then of the inputs, and what they are, as the end of a sentence."""

    states: list[Interval]
    inputs: list[Interval]
    what: str


def domain_of(model: Any, data: Trajectories) -> Domain:
    """Return what a model counts as near to its training data: the ranges of these.

    A file of before ranges were kept has the intervals of its calibration's `trust`, or those within three standard
    deviations of the mean. A model that came without statistics is compared with `data`.
    """
    known = model.variables_
    if known.state_ranges and len(known.input_ranges) == len(known.input_names):
        return Domain(list(known.state_ranges), list(known.input_ranges), "beyond the range of the training data")
    if (made := model.calibration_) is not None:
        center, reach = made.center, made.far * made.scale
        what = "further from the training mean than 99 % of calibration rows"
    elif (scaling := getattr(model, "statistics_", None) or getattr(model, "scaling_", None)) is not None:
        center = np.concatenate([scaling.x_mean, scaling.u_mean])
        reach = DEVIATIONS * np.concatenate([scaling.x_std, scaling.u_std])
        what = f"more than {DEVIATIONS:g} standard deviations from the training mean"
    else:
        rows = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
        center, reach = (rows.max(axis=0) + rows.min(axis=0)) / 2, np.ptp(rows, axis=0) / 2
        what = "beyond the recorded values on this page (the model came without statistics of its training data)"
    near = list(zip((center - reach).tolist(), (center + reach).tolist(), strict=True))
    states = len(data.state_names)
    return Domain(near[:states], near[states:], what)


def slider(values: np.ndarray, near: Interval | None = None) -> Interval:
    """Return the ends of a slider: those of the values and of three deviations, and a margin; never of no length."""
    low, high = float(values.min()), float(values.max())
    if near is not None and np.isfinite(near).all():
        # Of a wide domain only what is near the values: a slider whose middle tenth is used is no good.
        span = high - low or near[1] - near[0]
        low, high = min(low, max(near[0], low - span)), max(high, min(near[1], high + span))
    margin = MARGIN * (high - low) or max(abs(high), 1.0) / 2
    return low - margin, high + margin
