"""Which initial states and inputs would tell apart equations that data cannot: where their forecasts differ most."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Bool, Float
from scipy.stats import qmc

from sparsedyn.data import Trajectories
from sparsedyn.equations import compiled

TRIED = 8
"""Logarithm to base two of how many experiments are simulated."""
SUBSTEPS = 4
APART = 0.2
"""Shares of the ranges by which suggestions differ from each other in some variable."""
TOLD = 0.01
"""Standard deviations of the noise by which some experiment has to tell an alternative apart."""
REACH = 1.0
"""Spans beyond the box of experiments at which forecasts are held: what runs away is no more than far."""


class Box(NamedTuple):
    """Where experiments may begin and be held: the ranges of the data, and a margin on both sides."""

    low: Float[np.ndarray, " variable"]
    high: Float[np.ndarray, " variable"]


def box_of(data: Trajectories, margin: float) -> Box:
    """Return the ranges of states and inputs, widened by a share of their spans; what is positive stays so."""
    columns = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
    low, high = columns.min(axis=0), columns.max(axis=0)
    wider = margin * (high - low)
    least = np.where(low > 0, low / (1 + margin), np.where(low == 0, 0.0, -np.inf))
    most = np.where(high < 0, high / (1 + margin), np.where(high == 0, 0.0, np.inf))
    return Box(np.maximum(low - wider, least), np.minimum(high + wider, most))


def experiments(
    models: Sequence[Sequence[sympy.Expr]],
    data: Trajectories,
    noise: Float[np.ndarray, " state"],
    *,
    rows: int,
    margin: float,
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Return initial states and held inputs, those first that tell the first model best from the one nearest to it.

    `difference` is the root mean square over rows and states of the difference of forecasts, in standard deviations of
    the noise, `state` and `time` where it is largest. Rows count as long as the first model stays in the box, and
    models that no experiment tells from it are left aside.
    """
    names = [*data.state_names, *data.input_names]
    columns = [*names, "difference", "state", "time"]
    if len(models) < 2:
        return pd.DataFrame(columns=columns)
    box, width = box_of(data, margin), len(data.state_names)
    shares = qmc.Sobol(len(names), seed=seed).random_base2(TRIED)
    points = box.low + shares * (box.high - box.low)
    dt = float(np.median(np.concatenate([np.diff(time) for time in data.time])))
    runs = [_forecast(model, names, points, width, rows, dt, box) for model in models]
    inside = _inside(runs[0], box, width)
    off = np.stack([np.abs(run - runs[0]) / noise for run in runs[1:]])
    off = np.where(inside[..., None], off, 0.0)
    size = np.sqrt(np.mean(np.square(off), axis=(2, 3)))
    told = size.max(axis=1) > TOLD
    if not told.any():
        return pd.DataFrame(columns=columns)
    off, size = off[told], size[told]
    nearest = np.argmin(size, axis=0)
    difference = size[nearest, np.arange(len(points))]
    found: list[tuple[object, ...]] = []
    chosen: list[int] = []
    for place in map(int, np.argsort(-difference, kind="stable")):
        if all(np.abs(shares[place] - shares[other]).max() > APART for other in chosen):
            chosen.append(place)
            row, state = np.unravel_index(np.argmax(off[nearest[place], place]), off.shape[2:])
            found.append((*points[place], difference[place], data.state_names[state], float(row * dt)))
        if len(chosen) == count:
            break
    return pd.DataFrame(found, columns=columns)


def _forecast(
    model: Sequence[sympy.Expr],
    names: Sequence[str],
    points: Float[np.ndarray, "experiment variable"],
    width: int,
    rows: int,
    dt: float,
    box: Box,
) -> Float[np.ndarray, "experiment row state"]:
    """Free runs by the classical Runge-Kutta method under held inputs; what goes far beyond the box is held there."""
    right = compiled(model, names)
    span = REACH * (box.high - box.low)[:width]
    low, high = box.low[:width] - span, box.high[:width] + span
    x, u, h = points[:, :width], points[:, width:], dt / SUBSTEPS
    found = [x]

    def slope(x: np.ndarray) -> np.ndarray:
        return np.nan_to_num(right(np.concatenate([x, u], axis=1)), nan=0.0, posinf=1e12, neginf=-1e12)

    for _ in range(rows - 1):
        for _ in range(SUBSTEPS):
            k1 = slope(x)
            k2 = slope(x + h / 2 * k1)
            k3 = slope(x + h / 2 * k2)
            k4 = slope(x + h * k3)
            x = np.clip(x + h / 6 * (k1 + 2 * (k2 + k3) + k4), low, high)
        found.append(x)
    return np.stack(found, axis=1)


def _inside(run: Float[np.ndarray, "experiment row state"], box: Box, width: int) -> Bool[np.ndarray, "experiment row"]:
    """Whether a forecast has stayed in the box until a row."""
    there = ((run >= box.low[:width]) & (run <= box.high[:width])).all(axis=2)
    return np.logical_and.accumulate(there, axis=1)
