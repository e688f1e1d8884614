"""What a search found, as equations in the data's names, and how sure the data are of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import Trajectories
from sparsedyn.equations import complexity, simplified, symbol, text
from sparsedyn.equations.symbolic import floating
from sparsedyn.estimators.equation._expressions import Equation
from sparsedyn.estimators.equation._forms import Fate, Form
from sparsedyn.estimators.equation._plant_units import PlantUnits
from sparsedyn.estimators.equation._units import written
from sparsedyn.estimators.equation.trajectories._dimensions import dimensions_of
from sparsedyn.estimators.equation.trajectories._own import (
    Model,
    Part,
    contest,
    known_part,
    part_of,
    share_of_spread,
    short,
    standing,
)
from sparsedyn.estimators.shooting_search._course import OnProgress
from sparsedyn.estimators.shooting_search._models import FITTED, Found, found
from sparsedyn.estimators.shooting_search._paths import paths_of, stretches
from sparsedyn.estimators.shooting_search._prior import NOTHING, Prior
from sparsedyn.estimators.shooting_search._problem import Candidate, Problem, problem_of, related
from sparsedyn.estimators.shooting_search._rounding import Constants, constants_of, errors_of, rounded
from sparsedyn.estimators.shooting_search._straying import PRICE, straying
from sparsedyn.estimators.shooting_search._written import expression

SAME = 3
"""Digits by which models that were found twice are told from others."""
ASIDE = 0.1
"""By how much the criterion of a user's own form is lowered where it decides."""


class Constant(NamedTuple):
    """A number of an equation before it was rounded, with its standard error, its unit, and its name in a form.

    The noise that the error rests on was estimated with so many degrees of `freedom`.
    """

    state: str
    value: float
    error: float
    unit: str = ""
    name: str = ""
    freedom: float = np.inf


class Whole(NamedTuple):
    """A whole model: its equations, what it leaves, its criterion, what it is chosen by, and what it is when chosen.

    The latter are equations with constants rounded, how well the data determine these, and how far residuals of rows
    beside each other are related.
    """

    exprs: tuple[sympy.Expr, ...]
    squares: Float[np.ndarray, " state"]
    score: float
    rank: float
    tidied: Callable[[], tuple[sympy.Expr, ...]]
    constants: Callable[[], Constants]
    parts: Callable[[], Sequence[Part]]
    related: Callable[[], Float[np.ndarray, " state"]]


class Outcome(NamedTuple):
    """Equations per state, the chosen first; whole models, best first, with their criterion; constants of the best.

    `fates` say how forms of a user's own fared, and `noise` what the best leaves, in the data's
    units; `sizes` are root mean squares of states. `related` are correlations of what it leaves of rows beside each
    other.
    """

    equations: list[list[Equation]]
    models: list[tuple[tuple[sympy.Expr, ...], float]]
    constants: list[Constant]
    noise: Float[np.ndarray, " state"]
    sizes: Float[np.ndarray, " state"]
    related: Float[np.ndarray, " state"]
    fates: list[Fate]


def outcome(
    data: Trajectories,
    validation: Trajectories | None,
    precision: float,
    forms: Sequence[Form] = (),
    prior: Prior = NOTHING,
    units: PlantUnits | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Outcome:
    """Search for the equations of trajectories; with validation data, these choose among what was found.

    `forms` of a user's own are judged with the rest. With `units`, constants have units.
    """
    made = found(data, precision, prior, on_progress)
    problem = made.problem
    symbols = [symbol(name) for name in (*data.state_names, *data.input_names)]
    judge = None if validation is None else _judging(made, validation, precision)
    own, fates = contest(made, forms, symbols, seed) if forms else ([], [])
    whole = [
        _of_terms(problem, one, symbols, one.score if judge is None else _score(judge, one)) for one in made.candidates
    ]
    if judge is None:
        whole[0] = whole[0]._replace(rank=min(one.score for one in whole))
    whole = [_staying(one, whole[0], made, symbols) for one in whole]
    # Of what is equally good, a user's own is taken.
    whole += [_of_forms(problem, one, (one.score if judge is None else standing(judge, one)) - ASIDE) for one in own]
    once: dict[tuple[str, ...], Whole] = {}
    for one in sorted(whole, key=lambda one: one.rank):
        one = one._replace(exprs=one.tidied())
        once.setdefault(tuple(text(sympy.expand(expr), SAME) for expr in one.exprs), one)
    whole = list(once.values())
    numbers = whole[0].constants()
    named = ("",) * len(numbers.values)
    if units is not None:
        points = np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)
        parts = whole[0].parts()
        queues = [iter(_units(part, j, units, symbols, points)) for j, part in enumerate(parts)]
        named = tuple(next(queues[e]) for e in numbers.equations)
    freedom = _freedom(problem.counts, numbers.equations, len(data))
    wider = np.sqrt(problem.counts / freedom)
    constants = [
        Constant(data.state_names[e], float(value), float(error * wider[e]), unit, name, float(freedom[e]))
        for value, error, e, name, unit in sorted(zip(*numbers, named, strict=True), key=lambda one: one[2])
    ]
    noise = [np.sqrt(one.squares / problem.counts) for one in whole]
    size = np.sqrt(np.mean(np.square(np.concatenate(data.states)), axis=0))
    errors = [share_of_spread(data, one) for one in noise]
    equations = [_equations(whole, errors, j) for j in range(len(data.state_names))]
    models = [(one.exprs, one.score) for one in whole]
    return Outcome(equations, models, constants, noise[0] * size, size, whole[0].related(), fates)


def _staying(one: Whole, first: Whole, made: Found, symbols: Sequence[sympy.Symbol]) -> Whole:
    """A model with what it pays for running away, if that decides anything."""
    if one.rank > first.rank + PRICE:
        return one
    known = known_part(made.problem.prior, symbols, len(one.exprs))
    exprs = [expr + part for expr, part in zip(one.exprs, known, strict=True)]
    strays = straying(exprs, made.paths, [symbol.name for symbol in symbols])
    return one._replace(score=one.score + strays, rank=one.rank + strays)


def _freedom(
    counts: Float[np.ndarray, " state"], equations: Sequence[int], trajectories: int
) -> Float[np.ndarray, " state"]:
    """Values of every state less what was fitted to them: constants of its equation, and first states."""
    fitted = trajectories + np.bincount(np.asarray(equations, int), minlength=len(counts))
    found: np.ndarray = np.maximum(counts - fitted, 1.0)
    return found


def _equations(whole: Sequence[Whole], errors: Sequence[np.ndarray], state: int) -> list[Equation]:
    """The equations of a state in all models, each once."""
    found: dict[sympy.Expr, Equation] = {}
    for one, error in zip(whole, errors, strict=True):
        expr = one.exprs[state]
        count = len(floating([expr]))
        found.setdefault(expr, Equation(expr, None, count, complexity(expr), float(error[state]), one.score))
    return list(found.values())


def _units(
    part: Part,
    state: int,
    units: PlantUnits,
    symbols: Sequence[sympy.Symbol],
    points: Float[np.ndarray, "point variable"],
) -> list[str]:
    """The units of the constants of an equation, empty where nothing makes it homogeneous."""
    columns = {one: units.columns[one.name] for one in symbols}
    found = dimensions_of(part.expr, part.constants, part.values, points, columns, units.rate(symbols[state].name))
    return [""] * len(part.constants) if found is None else [written(one) for one in found]


def _of_terms(problem: Problem, one: Candidate, symbols: Sequence[sympy.Symbol], rank: float) -> Whole:
    count = len(problem.states)
    return Whole(
        _written(one, symbols, count),
        one.squares,
        one.score,
        rank,
        lambda: _written(rounded(problem, one), symbols, count),
        lambda: constants_of(one),
        lambda: [part_of(one, j, symbols) for j in range(count)],
        lambda: related(problem, one),
    )


def _of_forms(problem: Problem, one: Model, rank: float) -> Whole:
    exprs = one.written(one.fit.values)
    return Whole(
        exprs,
        one.fit.squares,
        one.score,
        rank,
        lambda: one.written(short(problem, one)),
        lambda: Constants(one.fit.values, errors_of(one.fit.information), one.equations, one.names),
        lambda: one.parts,
        lambda: np.zeros(len(one.parts)),
    )


def _written(candidate: Candidate, symbols: Sequence[sympy.Symbol], states: int) -> tuple[sympy.Expr, ...]:
    found = []
    for j in range(states):
        own = [k for k, e in enumerate(candidate.equations) if e == j]
        terms, coefficients = [candidate.terms[k] for k in own], [candidate.coefficients[k] for k in own]
        found.append(simplified(expression(terms, coefficients, symbols)))
    return tuple(found)


def _judging(made: Found, validation: Trajectories, precision: float) -> Problem:
    """What candidates are judged by on other trajectories, their constants as they are."""
    paths = paths_of(stretches(validation, FITTED), made.paths.prior, clean=made.paths.clean)
    paths = replace(paths, noise=made.paths.noise)
    states = range(len(validation.state_names))
    return replace(problem_of(paths, states, precision), substeps=made.problem.substeps)


def _score(problem: Problem, candidate: Candidate) -> float:
    level = min(1, len(problem.cuts) - 1)
    cut = problem.cuts[level]
    states = problem.states_of(candidate._replace(starts=cut.starts, level=level))
    squares = np.sum(cut.arrays[1] * np.square(cut.arrays[0] - states), axis=(0, 1))
    return problem.score(squares, candidate.terms, candidate.equations)
