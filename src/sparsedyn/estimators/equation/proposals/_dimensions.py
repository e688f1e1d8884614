"""Tables in dimensionless groups: fewer columns, and only equations that are homogeneous."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import sympy

from sparsedyn.equations import symbol
from sparsedyn.estimators.equation._units import Dimension, groups
from sparsedyn.estimators.equation.proposals._table import Reduced, Table


def homogeneous(given: Reduced, whole: Table, columns: Mapping[str, Dimension], target: Dimension) -> Iterator[Reduced]:
    """Yield a table's groups and its target over a product of columns, in two ways; none where units forbid it."""
    table = given.table
    seen = []
    for backwards in (False, True):
        made = groups(
            [columns[name] for name in whole.names], target, [bool(p) for p in table.positive], backwards=backwards
        )
        if made is not None and made not in seen:
            seen.append(made)
            yield _grouped(given, whole, *made)


def _grouped(given: Reduced, whole: Table, rows: list[list[Fraction]], outer: list[Fraction]) -> Reduced:
    own = given.table.symbols
    written = [_product(own, row) for row in rows]
    names = [symbol(one.name if one.is_Symbol else f"p{i}_") for i, one in enumerate(written)]
    return given.then(dict(zip(names, written, strict=True)), _product(own, outer), whole)


def _product(symbols: list[sympy.Symbol], powers: list[Fraction]) -> sympy.Expr:
    return sympy.Mul(*(s ** sympy.Rational(p.numerator, p.denominator) for s, p in zip(symbols, powers, strict=True)))
