"""The ladder of proposals: cheap ones first, until an equation leaves nothing of the data."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import symbol
from sparsedyn.estimators.equation._units import Dimension, constant_dimensions
from sparsedyn.estimators.equation.proposals._dimensions import homogeneous
from sparsedyn.estimators.equation.proposals._factors import products
from sparsedyn.estimators.equation.proposals._implicit import implicit
from sparsedyn.estimators.equation.proposals._judge import EXACT, Fitted, Judge
from sparsedyn.estimators.equation.proposals._polynomials import polynomials
from sparsedyn.estimators.equation.proposals._powers import power_laws
from sparsedyn.estimators.equation.proposals._sums import sums
from sparsedyn.estimators.equation.proposals._symmetries import differences, scalings, without_powers
from sparsedyn.estimators.equation.proposals._table import Reduced, Table, plain, upright

ROUNDED = 6
"""Candidates of least score whose constants are rounded."""
SHORT = 20
"""Length of an equation that ends the search at once if it leaves nothing; longer ones may have shorter rivals."""
DEEPEST = 4
"""Reductions of a table, one after the other."""

Proposal = Callable[[Table], Iterator[sympy.Expr]]
Dimensions = tuple[Mapping[str, Dimension], Dimension]
Coordinates = Float[np.ndarray, "sample column"]
Allowed = Callable[[sympy.Expr], bool]
LADDER: tuple[Proposal, ...] = (power_laws, polynomials, implicit, products, sums)


def climbed(
    judge: Judge,
    *,
    units: Dimensions | None = None,
    allowed: Allowed | None = None,
    own: Sequence[sympy.Expr] = (),
    propose: bool = True,
) -> tuple[list[Fitted], list[Coordinates]]:
    """Return candidates, the best first, and the tables that they were proposed for, the smallest first.

    Ends with the first proposal that leaves nothing of the target.

    `units` are dimensions of columns and of the target, `allowed` says which expressions may be found, and `own` are
    candidates that are judged as well, whatever they are; without `propose` there are no others.
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

    for expression in (sympy.Float(np.mean(judge.y)), *own):
        tried(expression, asked=True)
    tables: list[Coordinates] = []
    for steps in proposed(judge, units, tables) if propose else ():
        exact = False
        for expression in (expression for step in steps for expression in step):
            one = tried(plain(expression))
            exact = exact or (one is not None and one.error < EXACT)
            if exact and one is not None and one.length <= SHORT:
                break
        if exact:
            break
    ranked = sorted(found.values(), key=lambda one: one.score)
    likely = [one for one in ranked if one.error < EXACT][:2] or ranked[:ROUNDED]
    rounded = {one.expression: one for one in map(judge.rounded, likely)}
    others = [one for one in ranked if one not in likely and one.expression not in rounded]
    return sorted([*rounded.values(), *others], key=lambda one: one.score), tables


def proposed(
    judge: Judge, units: Dimensions | None, tables: list[Coordinates]
) -> Iterator[Iterator[Iterator[sympy.Expr]]]:
    """Yield views of a table, for each its proposals, for each its candidates.

    Those of homogeneous equations without further constants come first, where units allow any. Every view's table is
    added to `tables`.
    """
    whole = Table(judge.x, judge.y, judge.names)
    first = upright(whole)
    for start in [*(homogeneous(first, whole, *units) if units is not None else ()), first]:
        if not start.table.x.shape[1]:
            yield iter([iter([start.restored(sympy.Float(np.mean(start.table.y)))])])
            continue
        yield iter([map(start.restored, power_laws(start.table))])
        for view in views(start, whole):
            tables.append(view.table.x)
            yield (map(view.restored, proposal(view.table)) for proposal in LADDER)


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
