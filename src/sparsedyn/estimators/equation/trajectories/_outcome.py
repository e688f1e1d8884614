"""What a search found, as equations in the data's names, and how sure the data are of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import Trajectories
from sparsedyn.equations import complexity, simplified, symbol
from sparsedyn.equations.symbolic import floating
from sparsedyn.estimators.equation._expressions import Equation
from sparsedyn.estimators.equation.trajectories._models import FITTED, Found, found
from sparsedyn.estimators.equation.trajectories._paths import paths_of, thinned
from sparsedyn.estimators.equation.trajectories._problem import Candidate, Problem, problem_of
from sparsedyn.estimators.equation.trajectories._rounding import constants_of, rounded
from sparsedyn.estimators.equation.trajectories._written import expression


class Constant(NamedTuple):
    """A number of an equation before it was rounded, with its standard error."""

    state: str
    value: float
    error: float


class Outcome(NamedTuple):
    """Equations per state, the chosen first; whole models, best first, with their criterion; constants of the best."""

    equations: list[list[Equation]]
    models: list[tuple[tuple[sympy.Expr, ...], float]]
    constants: list[Constant]
    noise: Float[np.ndarray, " state"]


def outcome(data: Trajectories, validation: Trajectories | None, precision: float) -> Outcome:
    """Search for the equations of trajectories; with validation data, these choose among what was found."""
    made = found(data, precision)
    best = made.candidates
    if validation is not None and len(best) > 1:
        best = _judged(made, best, validation, precision)
    symbols = [symbol(name) for name in (*data.state_names, *data.input_names)]
    models = [
        (_written(rounded(made.problem, one) if place == 0 else one, symbols, len(data.state_names)), one.score)
        for place, one in enumerate(best)
    ]
    spread = np.concatenate(data.states).std(axis=0)
    size = np.sqrt(np.mean(np.square(np.concatenate(data.states)), axis=0))
    equations: list[list[Equation]] = []
    for j in range(len(data.state_names)):
        own: dict[sympy.Expr, Equation] = {}
        for (exprs, score), one in zip(models, best, strict=True):
            left = np.sqrt(one.squares[j] / made.problem.counts[j])
            error = float(left * size[j] / spread[j]) if spread[j] > 0 else 0.0
            count = len(floating([exprs[j]]))
            own.setdefault(exprs[j], Equation(exprs[j], None, count, complexity(exprs[j]), error, score))
        equations.append(list(own.values()))
    numbers = constants_of(best[0])
    constants = [
        Constant(data.state_names[e], float(value), float(error))
        for value, error, e in zip(numbers.values, numbers.errors, numbers.equations, strict=True)
    ]
    return Outcome(equations, models, constants, np.sqrt(best[0].squares / made.problem.counts) * size)


def _written(candidate: Candidate, symbols: Sequence[sympy.Symbol], states: int) -> tuple[sympy.Expr, ...]:
    found = []
    for j in range(states):
        own = [k for k, e in enumerate(candidate.equations) if e == j]
        terms, coefficients = [candidate.terms[k] for k in own], [candidate.coefficients[k] for k in own]
        found.append(simplified(expression(terms, coefficients, symbols)))
    return tuple(found)


def _judged(made: Found, best: Sequence[Candidate], validation: Trajectories, precision: float) -> list[Candidate]:
    """Candidates by the criterion on other trajectories, their constants as they are."""
    paths = replace(paths_of(thinned(validation, FITTED), clean=made.paths.clean), noise=made.paths.noise)
    level = min(1, len(made.problem.cuts) - 1)
    problem = replace(problem_of(paths, range(len(validation.state_names)), precision), substeps=made.problem.substeps)
    return sorted(best, key=lambda one: _score(problem, one, min(level, len(problem.cuts) - 1)))


def _score(problem: Problem, candidate: Candidate, level: int) -> float:
    cut = problem.cuts[level]
    states = problem.states_of(candidate._replace(starts=cut.starts, level=level))
    squares = np.sum(cut.arrays[1] * np.square(cut.arrays[0] - states), axis=(0, 1))
    return problem.score(squares, candidate.terms, candidate.equations)
