"""Whole models as expressions, whatever these are made of, fitted to the states like candidates made of terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._problem import Problem
from sparsedyn.training.shooting.fitting import Scales, fitted, normal
from sparsedyn.training.shooting.motion import Slopes, motion
from sparsedyn.training.shooting.program import Program
from sparsedyn.training.shooting.segments import Segments

ROUNDS, ITERATIONS = 2, 30


@dataclass(frozen=True)
class Expressions:
    """Right-hand sides with constants that stand as symbols: a `Field` whose parameters these are."""

    exprs: tuple[sympy.Expr, ...]
    constants: tuple[sympy.Symbol, ...]
    variables: tuple[sympy.Symbol, ...]
    """States, then inputs."""

    @property
    def program(self) -> Program | None:
        """None: NumPy evaluates it."""
        return None

    def __call__(
        self,
        x: Float[np.ndarray, "candidate segment state"],
        u: Float[np.ndarray, "segment input"],
        parameters: Float[np.ndarray, "candidate parameter"],
        *,
        sensitive: bool,
    ) -> Slopes:
        """Return derivatives of states under held inputs; see `Field`."""
        values = [*np.moveaxis(x, -1, 0), *np.broadcast_to(u, (len(x), *u.shape)).transpose(2, 0, 1)]
        constants = [column[:, None] for column in parameters.T]
        width, free = x.shape[2], len(self.constants)
        found = np.empty((*x.shape[:2], width * (1 + (width + free) * sensitive)))
        for place, value in enumerate((self._linearized if sensitive else self._plain)(values, constants)):
            found[..., place] = value
        if not sensitive:
            return Slopes(found, None, None)
        by = found[..., width:].reshape(*x.shape[:2], width, width + free)
        return Slopes(found[..., :width], by[..., :width], by[..., width:])

    @cached_property
    def _plain(self) -> Any:
        return self._compiled(self.exprs)

    @cached_property
    def _linearized(self) -> Any:
        unknowns = (*self.variables[: len(self.exprs)], *self.constants)
        return self._compiled([*self.exprs, *(one.diff(by) for one in self.exprs for by in unknowns)])

    def _compiled(self, exprs: Sequence[sympy.Expr]) -> Any:
        named = {one: sympy.Dummy(real=True) for one in (*self.variables, *self.constants)}
        arguments = [[named[one] for one in self.variables], [named[one] for one in self.constants]]
        return sympy.lambdify(arguments, [one.xreplace(named) for one in exprs], modules=["scipy", "numpy"], cse=True)


class Fit(NamedTuple):
    """Constants and first states of a model, what it leaves, the information on its constants, and minus twice the
    log-likelihood, all on segments of a level."""

    values: Float[np.ndarray, " parameter"]
    starts: Float[np.ndarray, "segment state"]
    squares: Float[np.ndarray, " state"]
    noise: Float[np.ndarray, " state"]
    information: Float[np.ndarray, "parameter parameter"]
    misfit: float
    level: int


def fit(
    problem: Problem,
    field: Expressions,
    values: Float[np.ndarray, " parameter"],
    starts: Float[np.ndarray, "segment state"],
    noise: Float[np.ndarray, " state"],
    level: int,
) -> Fit:
    """Fit the constants of a model as `Problem.fit` does those of terms; where it runs away, the misfit is infinite."""
    data, noise = segments_of(problem, level), np.maximum(noise, problem.floor)
    parameters, first = values[None], starts[None]
    free = np.ones(parameters.shape, bool)
    with np.errstate(all="ignore"):
        for turn in range(ROUNDS):
            scales = Scales(noise, problem.tight * noise)
            done = fitted(
                field, first, parameters, free, data, scales, substeps=problem.substeps, iterations=ITERATIONS
            )
            parameters, first = done.parameters, done.starts
            if turn < ROUNDS - 1 and np.isfinite(done.squares).all():
                noise = np.sqrt(done.squares[0] / problem.counts + np.square(problem.floor))
        squares, misfit = done.squares[0], problem.score(done.squares[0], (), ())
        information = np.zeros((len(values),) * 2)
        if np.isfinite(misfit):
            moved = motion(field, first, parameters, data, substeps=problem.substeps)
            information = normal(data, scales, first, moved, 0).hessian
    return Fit(parameters[0], first[0], squares, noise, information, misfit, level)


def carried(problem: Problem, field: Expressions, done: Fit, level: int) -> Float[np.ndarray, "segment state"]:
    """Return first states for segments of another level, as a fitted model has them at these rows."""
    data = segments_of(problem, done.level)
    moved = motion(field, done.starts[None], done.values[None], data, substeps=problem.substeps, sensitive=False)
    return problem.begun(np.concatenate([done.starts[:, None], moved.states[0]], axis=1), done.level, level)


def left(
    problem: Problem, field: Expressions, values: Float[np.ndarray, " parameter"], starts: np.ndarray, level: int
) -> float:
    """Return minus twice the log-likelihood of a model as it is, from these first states; infinite if it runs away."""
    data = segments_of(problem, level)
    moved = motion(field, starts[None], values[None], data, substeps=problem.substeps, sensitive=False)
    off = np.square(np.concatenate([starts[:, None], moved.states[0]], axis=1) - data.measured)
    found = problem.score(np.sum(np.where(data.weights > 0, data.weights * off, 0.0), axis=(0, 1)), (), ())
    return found if np.isfinite(found) else np.inf


def segments_of(problem: Problem, level: int) -> Segments:
    """Return the segments of a level."""
    measured, weights, inputs, steps, entering = problem.cuts[level].arrays[:5]
    return Segments(measured, weights, inputs, steps, np.any(entering, axis=1))
