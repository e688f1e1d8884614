"""Monomials of columns with small exponents, simplest first."""

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import sympy
from jaxtyping import Float, Int

from sparsedyn.estimators.equation.proposals._table import Table


def logarithms(table: Table) -> Float[np.ndarray, "sample feature"]:
    """Return logarithms of sizes, those of zeros far down."""
    return np.log(np.maximum(np.abs(table.x), 1e-300))


def scope(count: int) -> tuple[tuple[int | float, ...], int, int]:
    """Return exponents, variables at most and the budget for monomials of so many columns."""
    if count <= 2:
        return (1, -1, 2, -2, 0.5, -0.5, 3, -3, 1.5, -1.5, 4, -4), 2, 8
    if count == 3:
        return (1, -1, 2, -2, 0.5, -0.5, 3, -3), 3, 6
    if count <= 5:
        return (1, -1, 2, -2, 0.5, -0.5), 4, 5
    return (1, -1, 2, -2), 3, 4 if count <= 7 else 3


def exponents(
    table: Table, steps: Sequence[int | float], most_variables: int, most: int, budget: int | float = np.inf
) -> Float[np.ndarray, "monomial feature"]:
    """Return at most so many rows of exponents from `steps`, of at most `most_variables` variables, simplest first.

    Only variables above zero have fractional exponents, and only those away from zero negative ones. `budget` bounds
    the sum of the costs of exponents: their size, and one more where they are fractions.
    """
    count = table.x.shape[1]
    positive, divisors = table.positive, table.divisors
    allowed = [
        [s for s in steps if (s > 0 or divisors[i]) and (positive[i] or float(s).is_integer())] for i in range(count)
    ]
    found = []
    for size in range(1, min(most_variables, count) + 1):
        for chosen in combinations(range(count), size):
            for values in product(*(allowed[i] for i in chosen)):
                row = np.zeros(count)
                row[list(chosen)] = values
                if cost(row) <= budget:
                    found.append((cost(row), size, row))
    found.sort(key=lambda item: item[:2])
    return np.asarray([row for *_, row in found[:most]]).reshape(-1, count)


def cost(powers: Float[np.ndarray, " feature"]) -> float:
    """Return how elaborate a monomial is: the sum of its exponents' sizes, and one more for every fraction."""
    return float(np.sum(np.abs(powers)) + np.count_nonzero(powers % 1))


def values(table: Table, powers: Float[np.ndarray, "monomial feature"]) -> Float[np.ndarray, "sample monomial"]:
    """Return the monomials of these exponents."""
    with np.errstate(over="ignore", under="ignore"):
        sizes = np.exp(logarithms(table) @ powers.T)
    signs = np.ones_like(sizes)
    for i in np.flatnonzero(~table.positive):
        odd = powers[:, i] % 2 == 1
        signs[:, odd] *= np.sign(table.x[:, [i]])
    return signs * sizes


def expression(table: Table, powers: Float[np.ndarray, " feature"]) -> sympy.Expr:
    """Return a monomial; exponents near small fractions become such."""
    return sympy.Mul(*(s ** exponent(p) for s, p in zip(table.symbols, powers, strict=True) if p != 0))


def exponent(value: float, tolerance: float = 1e-6) -> sympy.Expr:
    """Return an exponent as a fraction where it is one."""
    for below in (1, 2, 3, 4, 5, 6):
        if abs(value * below - round(value * below)) < tolerance * below:
            return sympy.Rational(round(value * below), below)
    return sympy.Float(value)


def best(gains: Float[np.ndarray, " candidate"], count: int) -> Int[np.ndarray, " chosen"]:
    """Return places of the largest numbers, the largest first."""
    count = min(count, len(gains))
    if not count:
        return np.zeros(0, int)
    top = np.argpartition(-gains, count - 1)[:count]
    return top[np.argsort(-gains[top], kind="stable")]
