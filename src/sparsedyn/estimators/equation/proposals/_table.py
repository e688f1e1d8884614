"""What proposals are made for: a table, and how equations of a reduced table become equations of the whole one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import sympy
from jaxtyping import Bool, Float

from sparsedyn.equations import compiled, symbol

LARGEST_WEIGHT = 5.0
NEAR_ZERO = 1e-3
"""A variable that comes nearer to zero than this share of its size is no divisor."""


@dataclass(frozen=True)
class Table:
    """Columns `x`, a target `y`, the names of the columns, and weights: what an error of `y` counts.

    Where a target was divided by something, noise was, too.
    """

    x: Float[np.ndarray, "sample feature"]
    y: Float[np.ndarray, " sample"]
    names: tuple[str, ...]
    weight: Float[np.ndarray, " sample"]

    def head(self, rows: int) -> "Table":
        """Return the first rows."""
        return Table(self.x[:rows], self.y[:rows], self.names, self.weight[:rows])

    @property
    def symbols(self) -> list[sympy.Symbol]:
        """The variables of equations, known to be positive where they are."""
        return [
            sympy.Symbol(name, positive=True) if positive else symbol(name)
            for name, positive in zip(self.names, self.positive, strict=True)
        ]

    @property
    def positive(self) -> Bool[np.ndarray, " feature"]:
        """Which columns are above zero, and may be under roots and logarithms."""
        return np.asarray(self.x.min(axis=0) > 0)

    @property
    def divisors(self) -> Bool[np.ndarray, " feature"]:
        """Which columns stay away from zero."""
        size = np.sqrt(np.mean(self.x**2, axis=0))
        return np.asarray(np.abs(self.x).min(axis=0) > NEAR_ZERO * size)


@dataclass(frozen=True)
class Reduced:
    """A table of fewer columns, and what its columns and its target are of the whole one.

    Its target is the whole one divided by `factor`; `meanings` are its variables in those of the whole one.
    """

    table: Table
    meanings: Mapping[sympy.Symbol, sympy.Expr] = field(default_factory=dict)
    factor: sympy.Expr = field(default_factory=lambda: sympy.Integer(1))

    def restored(self, expression: sympy.Expr) -> sympy.Expr:
        """Return an equation of the reduced table as one of the whole table."""
        return self.factor * expression.xreplace(dict(self.meanings))

    def then(self, meanings: Mapping[sympy.Symbol, sympy.Expr], factor: sympy.Expr, whole: Table) -> "Reduced":
        """Return the reduction of this table once more, to columns and by a factor in terms of this table's."""
        inner = {key: sympy.sympify(value).xreplace(dict(self.meanings)) for key, value in meanings.items()}
        outer = self.factor * sympy.sympify(factor).xreplace(dict(self.meanings))
        return reduced(whole, inner, outer)


def plain(expression: sympy.Expr) -> sympy.Expr:
    """Return an expression in the variables that equations have everywhere else."""
    return expression.xreplace({one: symbol(one.name) for one in expression.free_symbols})


def reduced(whole: Table, meanings: Mapping[sympy.Symbol, sympy.Expr], factor: sympy.Expr) -> Reduced:
    """Return the table whose columns are these expressions of the whole one's, its target divided by a factor."""
    names = [key.name for key in meanings]
    values = compiled([plain(one) for one in (*meanings.values(), factor)], whole.names)(whole.x)
    sizes = np.abs(values[:, -1])
    weight = whole.weight * np.minimum(sizes / np.sqrt(np.mean(sizes**2)), LARGEST_WEIGHT)
    table = Table(values[:, :-1], whole.y / values[:, -1], tuple(names), weight)
    # Which columns are positive is known only now.
    return Reduced(table, dict(zip(table.symbols, meanings.values(), strict=True)), factor)


def upright(whole: Table) -> Reduced:
    """Return the table with columns below zero turned over."""
    below = whole.x.max(axis=0) < 0
    meanings = {symbol(old.name): -old if turn else old for old, turn in zip(whole.symbols, below, strict=True)}
    return reduced(whole, meanings, sympy.Integer(1))
