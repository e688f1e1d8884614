"""From a table to candidate equations: cheap proposals first, networks where these leave something."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn._blas import one_blas_thread
from sparsedyn.data import Samples
from sparsedyn.data.splits import random_share
from sparsedyn.equations import complexity, text
from sparsedyn.equations.symbolic import floating
from sparsedyn.estimators.equation._expressions import LEAST, SAMPLES, Equation, discover, scaling_of
from sparsedyn.estimators.equation._forms import Fate, Form, started
from sparsedyn.estimators.equation._search import Found
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.estimators.equation._units import Dimension, constant_dimensions, written
from sparsedyn.estimators.equation.proposals import Fitted, Judge, climbed, explained, price_of_numbers, uncertain
from sparsedyn.models.primitives import Units

MOST = 2000
"""Rows of either kind that proposals are judged by."""
SETTLED = 8
"""Proposals whose constants are fitted to all samples."""
KEPT = 40
"""Proposals that are kept as candidates."""
NAMES = {"Abs": "sqrt", "log": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tanh": "tanh"}


class Constant(NamedTuple):
    """A number that an equation multiplies by or adds: its value, its standard error, and its unit."""

    value: float
    error: float
    unit: str


class Given(NamedTuple):
    """What a search for an equation of a table is given besides the table itself."""

    settings: Search
    share: float
    proposals: bool
    units: tuple[Mapping[str, Dimension], Dimension] | None
    own: Sequence[Form]
    restricted: bool
    """Whether equations may only be made of the primitives of the settings."""


def equations_of(
    given: Given,
    columns: Float[np.ndarray, "sample feature"],
    target: Float[np.ndarray, " sample"],
    names: list[str],
    *,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> tuple[list[Equation], list[Fate], Found | None]:
    """Return candidates for an equation of a target, best first, how forms of a user's own fared, and the search by
    networks, if it took one.

    All have the score `n ln(e^2 + 1e-13) + (c + k) ln n`, with the larger error of samples to fit and held out, the
    complexity `c` and the price `k` of the numbers in it.
    """
    inside, outside = random_share(len(columns), given.share, seed=given.settings.seed, least=LEAST)
    proposed: list[Equation] = []
    fates: list[Fate] = []
    if given.proposals or given.own:
        some, others = inside[:MOST], outside[:MOST]
        judge = Judge(tuple(names), columns[some], target[some], columns[others], target[others])
        allowed = _allowed(given.settings.hidden) if given.restricted else None
        with one_blas_thread():
            own = [started(form, names, judge.x, judge.y, given.settings.seed) for form in given.own]
            found, tables = climbed(judge, units=given.units, allowed=allowed, own=own, propose=given.proposals)
            forms = [_tidy(judge, expression) for expression in own]
            fates = [_fate(form, one) for form, one in zip(given.own, forms, strict=True)]
            found = sorted([*found, *(one for one in forms if one is not None)], key=lambda one: one.score)
            proposed = _candidates(judge, found)
            if found and explained(judge, found[0], tables):
                return proposed, fates, None
    if not given.settings.trials:
        return proposed, fates, None
    every = Samples(columns, np.zeros((len(columns), 0)), target[:, None])
    known, held_out = (Samples(*(part[rows[:SAMPLES]] for part in every)) for rows in (inside, outside))
    trained, search = discover(given.settings, known, held_out, names, scaling_of(every), on_progress=on_progress)
    count = min(len(inside), SAMPLES)
    rows = [one._replace(score=one.score + price_of_numbers(one.expression, count) * np.log(count)) for one in trained]
    if given.units is not None:
        rows = homogeneous(rows, *given.units) or rows
    # Scores grow with the rows that they are taken over; candidates of both kinds are compared over equally many.
    share = count / max(min(len(inside), MOST), 1)
    proposed = [one._replace(score=one.score * share) for one in proposed]
    fates = [one._replace(score=one.score * share) for one in fates]
    merged: dict[str, Equation] = {}
    for one in sorted([*proposed, *rows], key=lambda one: one.score):
        merged.setdefault(text(one.expression, 6), one)
    return list(merged.values()), fates, search


def homogeneous(equations: Sequence[Equation], columns: Mapping[str, Dimension], target: Dimension) -> list[Equation]:
    """Return the equations that constants can make homogeneous."""
    return [one for one in equations if units_of_constants(one.expression, (columns, target)) is not None]


def _tidy(judge: Judge, expression: sympy.Expr) -> Fitted | None:
    """A form with its constants fitted, and rounded where that is better."""
    one = judge.judged(expression)
    return None if one is None else judge.rounded(one)


def _fate(form: Form, one: Fitted | None) -> Fate:
    if one is None:
        return Fate("", form.text, None, np.inf, np.inf)
    return Fate("", form.text, one.expression, one.error, one.score)


def _candidates(judge: Judge, found: Sequence[Fitted]) -> list[Equation]:
    """Return proposals as candidates, each once, the constants of the first ones fitted to all samples.

    They are the best ones, and simpler ones that no simpler one is better than, however much they leave.
    """
    once: dict[str, Fitted] = {}
    kept, rest = list(found[:KEPT]), sorted(found[KEPT:], key=lambda one: (one.length, one.error))
    simplest, least = min((one.length for one in kept), default=0), np.inf
    for one in rest:
        if one.length < simplest and one.error < least:
            kept.append(one)
            least = one.error
    for one in sorted(kept, key=lambda one: one.score):
        once.setdefault(text(one.expression, 6), one)
    return [_equation(judge.settled(one) if place < SETTLED else one) for place, one in enumerate(once.values())]


def _equation(one: Fitted) -> Equation:
    constants = len(floating([one.expression]))
    return Equation(one.expression, None, constants, complexity(one.expression), one.error, one.score)


def constants_of(
    expression: sympy.Expr,
    names: Sequence[str],
    columns: Float[np.ndarray, "sample feature"],
    target: Float[np.ndarray, " sample"],
    units: tuple[Mapping[str, Dimension], Dimension] | None,
) -> list[Constant]:
    """Return the constants of an equation with their standard errors by Laplace's approximation.

    A factor of one is a constant too where the equation needs its unit.
    """
    known = units_of_constants(expression, units) if units is not None else None
    if units is not None and known is None:
        expression = sympy.Float(1.0) * expression
        known = units_of_constants(expression, units)
    numbers, errors = uncertain(expression, tuple(names), columns, target)
    return [
        Constant(float(number), float(error), written((known or {}).get(number, {})) if units is not None else "")
        for number, error in zip(numbers, errors, strict=True)
    ]


def units_of_constants(
    expression: sympy.Expr, units: tuple[Mapping[str, Dimension], Dimension]
) -> dict[sympy.Expr, Dimension] | None:
    """Return the dimensions of an equation's constants; nothing for one that cannot be homogeneous."""
    columns, target = units
    own = {one: columns[one.name] for one in expression.free_symbols}
    return constant_dimensions(expression, own, target)


def _allowed(hidden: tuple[Units, ...]) -> Callable[[sympy.Expr], bool]:
    """Return whether an expression is made of the functions of some layers."""
    names = {primitive.name for layer in hidden for primitive, _ in layer}

    def fine(expression: sympy.Expr) -> bool:
        for part in sympy.preorder_traversal(expression):
            if part.is_Pow and part.args[1].free_symbols:
                return False
            if part.is_Pow and part.args[0].free_symbols and not _power(part.args[1], names):
                return False
            if part.is_Mul and sum(bool(factor.free_symbols) for factor in part.args) > 1:
                above = sum(bool(f.free_symbols) and not _divides(f) for f in part.args)
                if above > 1 and "product" not in names:
                    return False
            if part.is_Function and NAMES.get(part.func.__name__) not in names:
                return False
            if part.is_Number and "constant" not in names and expression.is_Add and part in expression.args:
                return False
        return True

    return fine


def _divides(factor: sympy.Expr) -> bool:
    return bool(factor.is_Pow and factor.args[1].is_negative)


def _power(exponent: sympy.Expr, names: set[str]) -> bool:
    if exponent.is_negative and "division" not in names:
        return False
    size = abs(exponent)
    if size.is_Integer:
        return size == 1 or "product" in names or {2: "square", 3: "cube"}.get(int(size)) in names
    return size == sympy.Rational(1, 2) and "sqrt" in names
