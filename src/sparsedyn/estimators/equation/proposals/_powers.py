"""Products of powers of the columns, under transforms of the target, by one linear regression of logarithms."""

from collections.abc import Iterator

import numpy as np
import sympy

from sparsedyn.estimators.equation.proposals._monomials import exponent, logarithms
from sparsedyn.estimators.equation.proposals._table import Table
from sparsedyn.estimators.equation.proposals._transforms import LARGEST, POWERS, sign_of, transformed

WORTH = 0.5
"""Residuals of logarithms above this are no power law."""
TAKEN = 4
DECADES = 4


def power_laws(table: Table) -> Iterator[sympy.Expr]:
    """Yield the power laws of least residual."""
    found = []
    columns = np.flatnonzero(table.divisors)
    base = np.column_stack([np.ones(len(table.y)), logarithms(table)[:, columns]])
    for one in POWERS:
        made = transformed(one, table)
        if made is None:
            continue
        target, weight, known = made
        weight = weight * np.abs(target)
        if not weight.any():
            continue
        weight = np.minimum(weight, LARGEST * np.sqrt(np.mean(weight**2)))
        rows = known & (target != 0)
        logs = np.log(np.abs(target[rows]))
        powers, *_ = np.linalg.lstsq(base[rows] * weight[rows, None], logs * weight[rows], rcond=None)
        residual = float(np.sqrt(np.mean(np.square(weight[rows] * (logs - base[rows] @ powers)))))
        if residual > WORTH:
            continue
        sign = sign_of(target * weight)
        factors: list[sympy.Expr] = [sympy.Float(np.exp(powers[0]))]
        for place, power in zip(columns, powers[1:], strict=True):
            value = exponent(power)
            if not table.positive[place]:
                value = sympy.Integer(round(power))
                sign = sign_of(target * weight * np.sign(table.x[:, place]) ** int(value)) if int(value) % 2 else sign
            factors.append(table.symbols[place] ** value)
        found.append((residual, one.back(sign * sympy.Mul(*factors), sign_of(table.y))))
    for _, expression in sorted(found, key=lambda item: item[0])[:TAKEN]:
        yield expression
    yield from _over_decades(table)


def _over_decades(table: Table) -> Iterator[sympy.Expr]:
    """Yield the power law of all rows alike, where errors of the target would be those of its largest values alone."""
    if not table.positive.all() or not np.all(sign_of(table.y) * table.y > 0):
        return
    logs, base = np.log(np.abs(table.y)), np.column_stack([np.ones(len(table.y)), logarithms(table)])
    if np.ptp(logs) < DECADES * np.log(10):
        return
    powers, *_ = np.linalg.lstsq(base, logs, rcond=None)
    if np.sqrt(np.mean(np.square(logs - base @ powers))) < WORTH:
        bases = zip(table.symbols, map(exponent, powers[1:]), strict=True)
        yield sign_of(table.y) * sympy.Float(np.exp(powers[0])) * sympy.Mul(*(one**power for one, power in bases))
