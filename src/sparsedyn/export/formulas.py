"""Equations as assignments: common terms shared, constants in full, powers as products."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import sympy
from sympy.core.function import AppliedUndef

from sparsedyn.equations.symbolic import POLES, gathered
from sparsedyn.export.program import Block, Right, Sum, block_of

LARGEST_PRODUCT = 6
"""The highest power that is written as a product."""


def formulas(
    exprs: Sequence[sympy.Expr],
    renaming: Mapping[sympy.Symbol, sympy.Symbol],
    *,
    shared: bool = True,
    left: Sequence[str] = (),
) -> Block:
    """Return the expressions as a block, their variables renamed to those of identifiers.

    `shared` gives terms that appear more than once, and bases of powers, names of their own. `left` are what messages
    call the expressions.

    **Raises:** `ValueError` for expressions without a finite value, and for functions that are Python code.
    """
    for expr, what in zip(exprs, left or map(str, range(len(exprs))), strict=True):
        _check(expr, what, renaming)
    numbers = count(1)
    constants: list[tuple[str, Right]] = []

    def constant(value: float) -> sympy.Symbol:
        constants.append((f"k{len(constants) + 1}", Sum(value)))
        return identifier(constants[-1][0])

    def fresh() -> Iterator[sympy.Symbol]:
        return (identifier(f"t{i}") for i in numbers)

    plain = [
        gathered(expr, constant).replace(sympy.cot, lambda a: 1 / sympy.tan(a)).xreplace(dict(renaming))
        for expr in exprs
    ]
    if not shared:
        return block_of(constants, plain)
    parts, whole = sympy.cse(plain, symbols=fresh())
    assignments: list[tuple[str, Right]] = []

    def named(expr: sympy.Expr) -> sympy.Expr:
        """The expression with bases of powers as identifiers."""

        def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
            symbol = next(fresh())
            assignments.append((symbol.name, base))
            return symbol**exponent

        return expr.replace(
            lambda e: e.is_Pow and is_product(e.exp) and not e.base.is_Symbol, lambda e: power(e.base, e.exp)
        )

    for symbol, part in parts:
        assignments.append((symbol.name, named(part)))
    results = [named(expr) for expr in whole]
    return block_of([*constants, *assignments], results)


def identifier(name: str) -> sympy.Symbol:
    """Return the symbol of an identifier."""
    return sympy.Symbol(name, real=True)


def is_product(exponent: sympy.Expr) -> bool:
    """Whether a power is written as a product."""
    return bool(exponent.is_Integer and 2 <= abs(exponent) <= LARGEST_PRODUCT)


def _check(expr: sympy.Expr, what: str, renaming: Mapping[sympy.Symbol, sympy.Symbol]) -> None:
    if expr.has(sympy.nan, sympy.I, *POLES):
        raise ValueError(f"model: expected equations with finite values; that of {what} has none: {expr}.")
    if own := expr.atoms(AppliedUndef):
        raise ValueError(
            f"model: expected equations all of whose parts are known; {min(map(str, own))} is a Python function. Give "
            "the known part as text: known={...}."
        )
    if unknown := sorted(str(symbol) for symbol in expr.free_symbols - set(renaming)):
        raise ValueError(f"model: expected equations of its variables; that of {what} has {', '.join(unknown)}.")
