"""What a model itself gives, from a start and under inputs like those of training: for self-tests."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn._steps import STEPS
from sparsedyn.estimators import EquationRegressor, SparseStateSpace
from sparsedyn.export.lowering import MEAN, member_of
from sparsedyn.export.program import Program, Variable

ROWS = 20


@dataclass(frozen=True)
class Vectors:
    """`expected` values (row, column), from the states `points[0]` under `inputs` (row, input).

    Of functions, at the `points` (row, column). `scale` is what differences are compared with.
    """

    points: Float[np.ndarray, "point state"]
    inputs: Float[np.ndarray, "row input"]
    expected: Float[np.ndarray, "row column"]

    @property
    def scale(self) -> Float[np.ndarray, " column"]:
        """The largest size of every column; 1 where it is zero."""
        largest = np.abs(self.expected).max(axis=0)
        return np.where(largest > 0, largest, 1.0)

    def of(self, whole: Program, part: Program) -> "Vectors":
        """Return the columns that a program has of another's."""
        states, inputs, outputs = (
            [i for i, one in enumerate(having) if one in kept]
            for having, kept in (
                (whole.states, part.states), (whole.inputs, part.inputs), (whole.outputs, part.outputs)
            )
        )  # fmt: skip
        # States of earlier rows, which come last, are not among what is expected.
        results = outputs or [i for i in states if i < self.expected.shape[1]]
        return Vectors(self.points[:, states], self.inputs[:, inputs], self.expected[:, results])


def vectors_of(model: Any, program: Program, member: int | str | None, rows: int = ROWS) -> Vectors | None:
    """Return what `simulate` (of functions `predict`) gives in double precision, or `None` where it is not finite.

    States begin half a standard deviation from the mean of training; every input swings by one.
    """
    inputs = _at(program.inputs, np.sin(np.arange(rows)[:, None] * 0.7 + np.arange(len(program.inputs))))
    if isinstance(model, EquationRegressor):
        points = np.random.default_rng(0).uniform(0.5, 1.5, (rows, len(program.states)))
        made = Vectors(points, np.zeros((rows, 0)), model.predict(points)[:, None])
    elif isinstance(model, SparseStateSpace):
        start = _at(program.states, np.full((1, len(program.states)), 0.5))
        found = model.simulate(start[0], rows, inputs, latent=True)
        made = Vectors(start, inputs, np.asarray(found))
    else:
        made = _dynamics(model, program, member, inputs)
    return made if np.isfinite(made.expected).all() and np.isfinite(made.points).all() else None


def _dynamics(model: Any, program: Program, member: int | str | None, inputs: np.ndarray) -> Vectors:
    exact = copy.copy(model)
    if hasattr(model, "precision"):
        exact.precision = "float64"
    rows, earlier = len(inputs), model.delays_.rows
    start = _at(program.states, np.full((1, len(program.states)), 0.5))
    if earlier:
        count = len(model.state_names_)
        first = np.repeat(start[:, :count], earlier + 1, axis=0)
        # Inputs of earlier rows are among the states.
        before = np.repeat(inputs[:1], earlier, axis=0)
        found = np.asarray(exact.simulate(first, rows + earlier, np.concatenate([before, inputs])))[earlier:]
        points = [_earlier(one, program, start[0], inputs[0]) for one in program.states]
        return Vectors(np.asarray([points]), inputs, found)
    u = inputs if program.inputs else None
    if hasattr(model, "alive_") and member_of(model, member) == MEAN:
        states = [start]
        for k in range(rows - 1):

            def field(_: float, x: np.ndarray, k: int = k) -> np.ndarray:
                row = None if u is None else u[k : k + 1]
                return np.nanmean(np.asarray(_slopes(exact, x, row)), axis=0)

            states.append(STEPS[program.method](field, states[-1], program.dt))
        return Vectors(start, inputs, np.concatenate(states))
    found = exact.simulate(start[0], rows, u)
    if "member" in found.dims:
        found = found.isel(member=member_of(model, member))
    return Vectors(start, inputs, np.asarray(found))


def _slopes(model: Any, x: np.ndarray, u: np.ndarray | None) -> np.ndarray:
    """Derivatives, of maps as increments by a row's time."""
    found = np.asarray(model.predict(x, u))
    return (found - x) / model.dt_ if model.time_ == "discrete" else found


def _earlier(one: Variable, program: Program, start: np.ndarray, first: np.ndarray) -> float:
    """The value of a variable before the first row: what it is there."""
    for part, values in ((program.states, start), (program.inputs, first)):
        for other, value in zip(part, values, strict=True):
            if other.name == one.name.partition("[k-")[0]:
                return float(value)
    raise ValueError(f"program: expected a state or input of the name {one.name}.")


def _at(part: tuple[Variable, ...], deviations: np.ndarray) -> np.ndarray:
    """Values so many standard deviations from the mean of training."""
    mean = np.asarray([0.5 if one.mean is None else one.mean for one in part])
    std = np.asarray([0.5 if one.std is None else one.std for one in part])
    found: np.ndarray = mean + std * deviations
    return found
