"""What training on free runs needs: all rows, where windows begin, and the scales of their errors."""

from itertools import accumulate

import numpy as np
from jaxtyping import Float, Int

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.training import RolloutMatching

Starts = Int[np.ndarray, " window"]


def rollout_matching(
    data: Trajectories, validation: Trajectories | None, scaling: Scaling, *, rows: int, method: str
) -> tuple[RolloutMatching, Starts, Starts | None]:
    """Return the objective, and the rows at which windows of the training and the validation data begin.

    A window begins at every row that has `rows` more of its trajectory behind it, so none crosses an end or a gap.
    Inputs are held over a row, so windows may contain jumps.

    **Raises:** `DataError` where no trajectory is long enough.
    """
    parts = [data] if validation is None else [data, validation]
    every = [states for part in parts for states in part.states]
    states = (np.concatenate(every) - scaling.x_mean) / scaling.x_std
    inputs = (np.concatenate([u for part in parts for u in part.inputs]) - scaling.u_mean) / scaling.u_std
    train = _starts(data, rows, 0, "x")
    held_out = None if validation is None else _starts(validation, rows, sum(data.lengths), "validation")
    gain = data.dt * scaling.dx_std / scaling.x_std
    bound = states[: sum(data.lengths)]
    low, high = bound.min(axis=0), bound.max(axis=0)
    objective = RolloutMatching(
        states=_single(states),
        inputs=_single(inputs),
        gain=_single(gain),
        drift=_single(data.dt * scaling.dx_mean / scaling.x_std),
        unit=_single(_unit(states, train, rows, gain)),
        low=_single(2 * low - high),
        high=_single(2 * high - low),
        rows=rows,
        method=method,
    )
    return objective, train, held_out


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _starts(data: Trajectories, rows: int, offset: int, place: str) -> Starts:
    first = accumulate(data.lengths, initial=offset)
    starts = [begin + np.arange(max(length - rows, 0)) for begin, length in zip(first, data.lengths, strict=False)]
    found: Starts = np.concatenate(starts).astype(np.int32)
    if not len(found):
        raise DataError(
            f"{place}: expected a trajectory of more than {rows} rows along with rollout={rows}; the longest has "
            f"{max(data.lengths)}. Take a smaller rollout."
        )
    return found


def _unit(
    states: Float[np.ndarray, "row state"], starts: Starts, rows: int, least: Float[np.ndarray, " state"]
) -> Float[np.ndarray, " state"]:
    """The standard deviation of what states change by from the first row of a window to the others."""
    total, squares = np.zeros(states.shape[1]), np.zeros(states.shape[1])
    for row in range(1, rows + 1):
        change = states[starts + row] - states[starts]
        total += change.mean(axis=0) / rows
        squares += np.square(change).mean(axis=0) / rows
    spread = np.sqrt(np.maximum(squares - np.square(total), 0.0))
    # What changes evenly has no spread: up to rounding, the scale of its derivative is all there is.
    return np.where(spread > 1e-6 * least, spread, least)
