"""Integration of many segments at once for many candidates of an equation, with sensitivities."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from sparsedyn._native import compiled

from .program import Program
from .segments import Segments

BEYOND = 1e3
"""A state this many times as large as all measured and first ones has run away."""


class Slopes(NamedTuple):
    """Derivatives in time of states and, where they are asked for, of these by states and by parameters."""

    value: Float[np.ndarray, "candidate segment state"]
    by_state: Float[np.ndarray, "candidate segment state state"] | None
    by_parameter: Float[np.ndarray, "candidate segment state parameter"] | None


@runtime_checkable
class Field(Protocol):
    """The right-hand sides of candidates that differ in their parameters."""

    @property
    def program(self) -> Program | None:
        """What is compiled; `None` where only `__call__` can tell."""

    def __call__(
        self,
        x: Float[np.ndarray, "candidate segment state"],
        u: Float[np.ndarray, "segment input"],
        parameters: Float[np.ndarray, "candidate parameter"],
        *,
        sensitive: bool,
    ) -> Slopes:
        """Return derivatives of states under held inputs."""


class Motion(NamedTuple):
    """States at the rows after the first of every segment; their derivatives by first states and parameters."""

    states: Float[np.ndarray, "candidate segment step state"]
    sensitivities: Float[np.ndarray, "candidate segment step state unknown"] | None


def motion(
    field: Field,
    starts: Float[np.ndarray, "candidate segment state"],
    parameters: Float[np.ndarray, "candidate parameter"],
    data: Segments,
    *,
    substeps: int = 1,
    sensitive: bool = True,
) -> Motion:
    """Integrate by the classical Runge-Kutta method, every row in `substeps` steps; what runs away becomes NaN."""
    candidates, count, width = starts.shape
    unknowns = width + parameters.shape[1] if sensitive else 0
    states = np.empty((candidates, count, data.steps.shape[1], width))
    carried = np.empty((*states.shape, unknowns))
    limit = BEYOND * np.maximum(np.abs(data.measured).max(axis=(0, 1)), np.abs(starts).max(axis=(0, 1)))
    program, integrated = field.program, _compiled()
    if program is not None and integrated is not None:
        # One layout of every array, since each other one would be compiled for itself.
        arrays = (np.ascontiguousarray(a) for a in (starts, parameters, data.inputs, data.steps))
        integrated(tuple(program), *arrays, int(substeps), limit, states, carried)
    else:
        _integrate(field, starts, parameters, data, substeps, limit, states, carried)
    return Motion(states, carried if sensitive else None)


def _integrate(
    field: Field,
    starts: Float[np.ndarray, "candidate segment state"],
    parameters: Float[np.ndarray, "candidate parameter"],
    data: Segments,
    substeps: int,
    limit: Float[np.ndarray, " state"],
    states: Float[np.ndarray, "candidate segment step state"],
    carried: Float[np.ndarray, "candidate segment step state unknown"],
) -> None:
    """Fill in the states after every step, and their derivatives unless `carried` has none, as `compiled` does."""
    width, sensitive = starts.shape[2], carried.shape[-1] > 0
    x, y = starts.copy(), np.zeros((*starts.shape, carried.shape[-1]))
    if sensitive:
        y[..., np.arange(width), np.arange(width)] = 1.0

    def slopes(x: np.ndarray, y: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = field(x, u, parameters, sensitive=sensitive)
        if not sensitive:
            return found.value, y
        assert found.by_state is not None
        assert found.by_parameter is not None
        moved = np.matmul(found.by_state, y)
        moved[..., width:] += found.by_parameter
        return found.value, moved

    with np.errstate(all="ignore"):
        for k in range(data.steps.shape[1]):
            h = (data.steps[:, k] / substeps)[None, :, None]
            hy = h[..., None]
            for part in range(substeps):
                begin, middle, end = (_inputs(data, k, (part + share) / substeps) for share in (0.0, 0.5, 1.0))
                x1, y1 = slopes(x, y, begin)
                x2, y2 = slopes(x + h / 2 * x1, y + hy / 2 * y1, middle)
                x3, y3 = slopes(x + h / 2 * x2, y + hy / 2 * y2, middle)
                x4, y4 = slopes(x + h * x3, y + hy * y3, end)
                x = x + h / 6 * (x1 + 2 * (x2 + x3) + x4)
                if sensitive:
                    y = y + hy / 6 * (y1 + 2 * (y2 + y3) + y4)
            x = np.where(np.abs(x) <= limit, x, np.nan)
            states[:, :, k] = x
            carried[:, :, k] = y


@cache
def _compiled() -> Callable[..., None] | None:
    """The compiled integration, where Numba can be used."""
    return compiled(
        "sparsedyn.training.shooting.compiled",
        "integrated",
        "Equations are fitted without compiled code, many times slower",
    )


def _inputs(data: Segments, step: int, share: float) -> Float[np.ndarray, "segment input"]:
    """The inputs of all segments when this share of a step has passed."""
    powers = data.inputs.shape[2]
    if powers == 1:
        return data.inputs[:, step, 0]
    return np.tensordot(data.inputs[:, step], share ** np.arange(powers), axes=(1, 0))
