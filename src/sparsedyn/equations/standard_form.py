"""The usual form of equations: scales, signs and order of variables as in textbooks."""

from itertools import combinations, pairwise, permutations, product

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from sparsedyn.equations.coordinates import Affine, Numbers, identity, in_use, polynomial, transformed
from sparsedyn.models import Library

MOST_ORDERED = 4
"""Variables up to which all orders and signs are tried."""


def canonical(library: Library, coefficients: Numbers) -> Affine:
    """Return the scales, signs and order of variables in which coefficients are simplest, as in textbooks.

    Scales make as many coefficients of products one, and pairs of linear coefficients in an equation equal, as they
    can; after that, those of two variables in each other's equations. Then equations without products come first, and
    as many signs as possible are positive. Only for polynomials of first-order equations; anything else stays as it is.
    """
    latent = coefficients.shape[1]
    if not polynomial(library, coefficients) or library.variables != latent:
        return identity(latent)
    return _canonical(*in_use(library, coefficients))


def _canonical(library: Library, coefficients: Numbers) -> Affine:
    latent = coefficients.shape[1]
    scaled = Affine(np.diag(_scales(library, coefficients)), np.zeros(latent))
    if latent > MOST_ORDERED:
        return scaled
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4 * library.size, latent))
    options = []
    for order, signs in product(permutations(range(latent)), product((1.0, -1.0), repeat=latent)):
        change = Affine(np.diag(signs) @ np.eye(latent)[list(order)], np.zeros(latent)).after(scaled)
        options.append((_writing_cost(library, transformed(library, coefficients, change, points)), change))
    return min(options, key=lambda option: option[0])[1]


def _writing_cost(library: Library, coefficients: Numbers) -> tuple[float, ...]:
    """How far equations are from the usual form: simple ones first, few minus signs."""
    equations = range(coefficients.shape[1])
    linear = [[j for j in equations if _linear(library, coefficients, i, j)] for i in equations]
    products = [int(np.count_nonzero(coefficients[:, i])) - len(linear[i]) for i in equations]
    early = [sum(numbers[i] * 0.5**i for i in equations) for numbers in (products, [sum(js) for js in linear])]
    signs = [float(np.sum(column < 0)) for column in coefficients.T]
    return (*early, sum(signs), *signs[::-1])


def _linear(library: Library, coefficients: Numbers, equation: int, variable: int) -> bool:
    return bool(coefficients[library.monomials.index((variable,)), equation])


def _scales(library: Library, coefficients: Numbers) -> Float[np.ndarray, " latent"]:
    """Solve for logarithms of scales by linear programming: the least sum of absolute logarithms of coefficients."""
    latent = coefficients.shape[1]
    rows, offsets, weights = [], [], []
    for equation in range(latent):
        linear = []
        for term, monomial in enumerate(library.monomials):
            value = coefficients[term, equation]
            if value == 0 or not monomial:
                continue
            row = np.eye(latent)[equation] - sum(np.eye(latent)[i] for i in monomial)
            if len(monomial) > 1:
                rows.append(row)
                offsets.append(np.log(np.abs(value)))
                weights.append(1.0)
            else:
                linear.append((row, np.log(np.abs(value))))
        for (row, offset), (other, another) in pairwise(linear):
            rows.append(row - other)
            offsets.append(offset - another)
            # Simple coefficients matter most in equations of few terms.
            weights.append(0.5 / len(np.flatnonzero(coefficients[:, equation])))
    for i, j in combinations(range(latent), 2):
        there, back = (coefficients[library.monomials.index((a,)), b] for a, b in ((i, j), (j, i)))
        if there and back:
            rows.append(2 * (np.eye(latent)[j] - np.eye(latent)[i]))
            offsets.append(np.log(np.abs(there / back)))
            # Breaks ties, as between the two variables of an oscillation.
            weights.append(0.01)
    if not rows:
        return np.ones(latent)
    matrix, count = np.array(rows), len(rows)
    eye = np.eye(count)
    price = np.concatenate([np.full(2 * latent, 1e-6), weights, weights])
    found = linprog(price, A_eq=np.hstack([matrix, -matrix, eye, -eye]), b_eq=-np.array(offsets))
    logs = found.x if found.x is not None else np.zeros(2 * latent)
    return np.exp(logs[:latent] - logs[latent : 2 * latent])
