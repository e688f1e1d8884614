"""The ladder of proposals: cheap ones first, until an equation leaves nothing of the data."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import symbol
from sparsedyn.estimators.equation._units import Dimension, constant_dimensions
from sparsedyn.estimators.equation.proposals._composites import composites
from sparsedyn.estimators.equation.proposals._dimensions import homogeneous
from sparsedyn.estimators.equation.proposals._factors import products
from sparsedyn.estimators.equation.proposals._implicit import implicit
from sparsedyn.estimators.equation.proposals._judge import EXACT, Fitted, Judge, explained
from sparsedyn.estimators.equation.proposals._polynomials import polynomials
from sparsedyn.estimators.equation.proposals._powers import power_laws
from sparsedyn.estimators.equation.proposals._separations import separated
from sparsedyn.estimators.equation.proposals._sums import sums
from sparsedyn.estimators.equation.proposals._symmetries import differences, scalings, without_powers
from sparsedyn.estimators.equation.proposals._table import Reduced, Table, plain, upright

ROUNDED = 6
"""Candidates of least score whose constants are rounded."""
SHORT, EACH = 10, 3
"""Length of an equation, and what every column adds, that ends the search at once: longer ones may have rivals."""
DEEPEST = 4
"""Reductions of a table, one after the other."""

Proposal = Callable[[Table], Iterator[sympy.Expr]]
Dimensions = tuple[Mapping[str, Dimension], Dimension]
Coordinates = Float[np.ndarray, "sample column"]
Allowed = Callable[[sympy.Expr], bool]
LADDER: tuple[Proposal, ...] = (
    power_laws,
    polynomials,
    implicit,
    products,
    sums,
    composites,
    partial(composites, numbers=True),
)


def climbed(
    judge: Judge,
    *,
    units: Dimensions | None = None,
    allowed: Allowed | None = None,
    own: Sequence[sympy.Expr] = (),
    propose: bool = True,
    separate: bool = True,
) -> tuple[list[Fitted], list[Coordinates]]:
    """Return candidates, the best first, and the tables that they were proposed for, the smallest first.

    Ends with the first proposal that leaves nothing of the target, or the first view that leaves nothing but noise.

    `units` are dimensions of columns and of the target, `allowed` says which expressions may be found, and `own` are
    candidates that are judged as well, whatever they are; without `propose` there are no others. Without `separate`
    targets are not taken apart into functions of different columns.
    """
    found: dict[sympy.Expr, Fitted] = {}

    def tried(expression: sympy.Expr, *, asked: bool = False) -> Fitted | None:
        if expression in found or expression.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            return None
        if not asked and not (_fits(expression, units) and (allowed is None or allowed(expression))):
            return None
        one = judge.judged(expression)
        if one is not None:
            found[expression] = one
        return one

    asked = (sympy.Float(np.mean(judge.y)), *own)
    tables: list[Coordinates] = []
    for place, steps in enumerate(chain([[asked]], proposed(judge, units, tables, separate) if propose else ())):
        exact = False
        for expression in (expression for step in steps for expression in step):
            one = tried(plain(expression), asked=place == 0)
            if one is not None and one.error < EXACT:
                tidy = judge.rounded(one)
                found[tidy.expression] = tidy
                exact = True
                if tidy.length <= _short(judge):
                    break
        # Forms of a user's own are compared with others wherever they leave anything.
        if exact or (place > 0 and _settled(judge, found, tables)):
            break
    ranked = sorted(found.values(), key=lambda one: one.score)
    likely = [one for one in ranked if one.error < EXACT][:2] or ranked[:ROUNDED]
    rounded = {one.expression: one for one in map(judge.rounded, likely)}
    others = [one for one in ranked if one not in likely and one.expression not in rounded]
    return sorted([*rounded.values(), *others], key=lambda one: one.score), tables


def _settled(judge: Judge, found: dict[sympy.Expr, Fitted], tables: Sequence[Coordinates]) -> bool:
    """Whether the best candidate so far, its constants rounded, is short and leaves nothing but noise."""
    # Forms of equal error differ by how simple their constants are.
    ranked = sorted(found.values(), key=lambda one: one.score)[:ROUNDED]
    if not explained(judge, ranked[0], tables):
        return False
    tidy = [judge.rounded(one) for one in ranked]
    found.update({one.expression: one for one in tidy})
    best = min(tidy, key=lambda one: one.score)
    return best.length <= _short(judge) and explained(judge, best, tables)


def _short(judge: Judge) -> int:
    return SHORT + EACH * len(judge.names)


def proposed(
    judge: Judge, units: Dimensions | None, tables: list[Coordinates], separate: bool
) -> Iterator[Iterator[Iterator[sympy.Expr]]]:
    """Yield views of a table, for each its proposals, for each its candidates.

    Those of homogeneous equations without further constants come first, where units allow any. Every view's table is
    added to `tables`.
    """
    whole = Table(judge.x, judge.y, judge.names, np.ones(len(judge.y)))
    first = upright(whole)
    for start in [*(homogeneous(first, whole, *units) if units is not None else ()), first]:
        if not start.table.x.shape[1]:
            yield iter([iter([start.restored(sympy.Float(np.mean(start.table.y)))])])
            continue
        tables.append(start.table.x)
        yield iter([map(start.restored, power_laws(start.table))])
        every = views(start, whole)
        tables.extend(view.table.x for view in every)
        for view in every:
            yield (map(view.restored, proposal(view.table)) for proposal in LADDER)
        if separate:
            # Symmetries have taken out what is a mere power: the parts that are left are worth a search.
            yield iter([map(every[0].restored, separated(every[0].table, _of_part))])


def _of_part(judge: Judge) -> list[Fitted]:
    """Return candidates for a part of a target, the best first."""
    return climbed(judge, separate=False)[0]


def views(start: Reduced, whole: Table) -> list[Reduced]:
    """Return a table and what symmetries make of it, the fewest columns first."""
    found = [start]
    while found[-1].table.x.shape[1] > 1 and len(found) <= DEEPEST:
        last = found[-1]
        new = without_powers(last, whole) or differences(last, whole) or next(scalings(last, whole), None)
        if new is None:
            break
        found.append(new)
    return found[::-1]


def _fits(expression: sympy.Expr, units: Dimensions | None) -> bool:
    if units is None:
        return True
    columns, target = units
    return constant_dimensions(expression, {symbol(name): own for name, own in columns.items()}, target) is not None
