"""Changes of coordinates: the same dynamics in other latent variables, and those in which the equation is simplest."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, pairwise, permutations, product

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.optimize import linprog, minimize
from threadpoolctl import threadpool_limits

from sparsedyn.models import Library, contributions

Numbers = Float[np.ndarray, "term latent"]

SOFTNESS = (0.3, 0.1, 0.03, 0.01, 0.003)
"""Contributions well below these count little: a search begins with a smooth landscape and ends with a sharp one."""
RIDGE = 1e-10
MOST_ORDERED = 4
"""Variables up to which all orders and signs are tried."""
LONGEST = 6
"""Terms per equation, on average, up to which single terms are tried for removal."""


@dataclass(frozen=True)
class Affine:
    """New variables `w = matrix z + offset`."""

    matrix: Float[np.ndarray, "latent latent"]
    offset: Float[np.ndarray, " latent"]

    def __call__(self, values: Float[np.ndarray, "*batch latent"]) -> Float[np.ndarray, "*batch latent"]:
        """Return the new variables."""
        return values @ self.matrix.T + self.offset

    def states(self, values: Float[np.ndarray, "*batch state"]) -> Float[np.ndarray, "*batch state"]:
        """Return states in the new variables: variables alone, or variables and then their velocities."""
        latent = self.offset.size
        moved = [self(values[..., :latent])]
        if values.shape[-1] > latent:
            moved.append(values[..., latent:] @ self.matrix.T)
        return np.concatenate(moved, axis=-1)

    def after(self, first: "Affine") -> "Affine":
        """Return the composition of this change after another one."""
        return Affine(self.matrix @ first.matrix, self.matrix @ first.offset + self.offset)

    def inverse(self) -> "Affine":
        """Return the way back."""
        back = np.linalg.inv(self.matrix)
        return Affine(back, -back @ self.offset)


def identity(latent: int) -> Affine:
    """Return the identity."""
    return Affine(np.eye(latent), np.zeros(latent))


def polynomial(library: Library, coefficients: Numbers | Bool[np.ndarray, "term latent"]) -> bool:
    """Return whether an equation, given by its coefficients or support, has no other terms than monomials."""
    return not np.any(coefficients[len(library.monomials) :])


def _in_use(library: Library, coefficients: Numbers) -> tuple[Library, Float[np.ndarray, "used latent"]]:
    """Return the equation in the library of monomials up to its own degree, which an affine change does not raise.

    Further monomials are ambiguous: on a circle, for example, a cube is a linear term too. An equation with other terms
    than monomials stays as it is.
    """
    if not polynomial(library, coefficients):
        return library, coefficients
    used = [len(m) for m, row in zip(library.monomials, coefficients, strict=False) if row.any()]
    fewer = replace(library, degree=max(used, default=1) or 1, functions=())
    return fewer, coefficients[: fewer.size]


def _padded(library: Library, coefficients: Float[np.ndarray, "used latent"]) -> Numbers:
    """Return coefficients of a library's first monomials in all of it."""
    missing = np.zeros((library.size - len(coefficients), coefficients.shape[1]))
    return np.concatenate([coefficients, missing])


def contributions_at(library: Library, coefficients: Numbers, states: Float[np.ndarray, "sample state"]) -> Numbers:
    """Return the contributions of terms over states; see `models.contributions`."""
    theta = library.evaluate(states)
    return contributions(coefficients, _rms(theta), _rms(theta @ coefficients))


def transformed(
    library: Library, coefficients: Numbers, change: Affine, states: Float[np.ndarray, "sample state"]
) -> Numbers:
    """Return the coefficients in new variables, fitted on states in the old ones.

    It is exact where the library holds all terms of the changed equation: for polynomials it always does. Entries
    of less than a millionth of the largest contribution, which are rounding, are zero.
    """
    used, few = _in_use(library, coefficients)
    target = used.evaluate(states) @ few @ change.matrix.T
    theta = used.evaluate(change.states(states))
    found = _fitted(theta, target)
    sizes = contributions(found, _rms(theta), _rms(target))
    return _padded(library, np.where(sizes < 1e-6 * sizes.max(), 0.0, found))


def sparsest(
    library: Library,
    coefficients: Numbers,
    states: Float[np.ndarray, "sample state"],
    *,
    threshold: float = 0.02,
    starts: int = 10,
    seed: int = 0,
) -> Affine:
    """Return the affine change of variables after which the equation has fewest terms.

    Each search minimizes the sum of `(contribution^2 + e^2)^(1/4)` for falling `e`; the first begins with the variables
    as they are, the others with random rotations of them. Among the results the equation with the fewest terms of a
    contribution of at least `threshold` is chosen; among equally short ones that of lowest degrees. New variables have
    mean square deviation one. `states` are samples of the motion. The equation should be a polynomial.
    """
    with threadpool_limits(1, "blas"):  # threads cost more than they save on matrices this small
        return _sparsest(*_in_use(library, coefficients), states, threshold, starts, np.random.default_rng(seed))


def _sparsest(
    library: Library,
    coefficients: Numbers,
    states: Float[np.ndarray, "sample state"],
    threshold: float,
    starts: int,
    rng: np.random.Generator,
) -> Affine:
    latent = coefficients.shape[1]
    sample = states[rng.permutation(len(states))[:500]]
    covariance = np.cov(sample[:, :latent].T).reshape(latent, latent)
    mean, whiten = sample[:, :latent].mean(0), np.linalg.inv(np.linalg.cholesky(covariance))
    scale = np.diag(1 / np.sqrt(np.diag(covariance)))
    cost = _cost(library, coefficients, sample)
    ends = []
    for attempt in range(starts):
        turned = scale if attempt == 0 else _rotation(latent, rng) @ whiten
        found, value = _descended(cost, Affine(turned, -turned @ mean), sample)
        option = _shortened(library, coefficients, found, sample, threshold)
        ends.append((*option[0], value, attempt, option[1]))
    return min(ends)[-1]


def _shortened(
    library: Library,
    coefficients: Numbers,
    change: Affine,
    sample: Float[np.ndarray, "sample state"],
    threshold: float,
) -> tuple[tuple[int, int], Affine]:
    """Refine a change with shifts and shears that each remove a term, as long as equations become shorter."""
    moved, length = _judged(library, coefficients, change, sample, threshold)
    while length[0] <= LONGEST * coefficients.shape[1]:
        options = [option.after(change) for option in _elementary(library, moved)]
        judged = [(*_judged(library, coefficients, option, sample, threshold), option) for option in options]
        better = min(judged, key=lambda j: j[1], default=None)
        if better is None or better[1] >= length:
            return length, change
        moved, length, change = better
    return length, change


def _judged(
    library: Library,
    coefficients: Numbers,
    change: Affine,
    sample: Float[np.ndarray, "sample state"],
    threshold: float,
) -> tuple[Numbers, tuple[int, int]]:
    """Return the coefficients of the relevant terms after a change, and the length of the equations."""
    moved = transformed(library, coefficients, change, sample)
    kept = contributions_at(library, moved, change.states(sample)) >= threshold
    return np.where(kept, moved, 0.0), _length(library, kept)


def _elementary(library: Library, coefficients: Numbers) -> list[Affine]:
    """Return changes of one variable by a constant or by another variable, each of which removes a term.

    With `b = b' - a c`, the term `k b m` becomes `k b' m - k a c m`: it removes a term `k a c m`.
    """
    latent = coefficients.shape[1]
    changes = []
    for equation in range(latent):
        # Velocities, the variables from `latent` on, change along with theirs.
        terms = {
            m: coefficients[t, equation]
            for t, m in enumerate(library.monomials)
            if coefficients[t, equation] and max(m, default=0) < latent
        }
        for (kept, slope), (out, value) in permutations(terms.items(), 2):
            for variable in set(kept):
                rest = list(kept)
                rest.remove(variable)
                size = value / (slope * kept.count(variable))
                if out == tuple(rest) == ():
                    changes.append(Affine(np.eye(latent), size * np.eye(latent)[variable]))
                for other in set(range(latent)) - {variable}:
                    if out == tuple(sorted([*rest, other])):
                        shear = np.eye(latent)
                        shear[variable, other] = size
                        changes.append(Affine(shear, np.zeros(latent)))
    return changes


def _length(library: Library, kept: Bool[np.ndarray, "term latent"]) -> tuple[int, int]:
    """The number of terms, and the sum of their degrees beyond one: a constant counts as a square."""
    beyond = [abs(len(monomial) - 1) for monomial in library.monomials] + [1] * len(library.applications)
    return int(kept.sum()), int(kept.sum(axis=1) @ np.asarray(beyond))


def canonical(library: Library, coefficients: Numbers) -> Affine:
    """Return the scales, signs and order of variables in which coefficients are simplest, as in textbooks.

    Scales make as many coefficients of products one, and pairs of linear coefficients in an equation equal, as they
    can; after that, those of two variables in each other's equations. Then equations without products come first, and
    as many signs as possible are positive. Only for polynomials of first-order equations; anything else stays as it is.
    """
    latent = coefficients.shape[1]
    if not polynomial(library, coefficients) or library.variables != latent:
        return identity(latent)
    return _canonical(*_in_use(library, coefficients))


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


def _cost(
    library: Library, coefficients: Numbers, states: Float[np.ndarray, "sample state"]
) -> Callable[[np.ndarray, float], tuple[float, np.ndarray]]:
    """Return value and gradient of the cost of a change, given as a flat vector, at a softness."""
    velocity = library.evaluate(states) @ coefficients
    compiled = _compiled_cost(library, coefficients.shape[1])

    def evaluated(flat: np.ndarray, softness: float) -> tuple[float, np.ndarray]:
        with jax.enable_x64(True):
            value, gradient = compiled(*(jnp.asarray(part, jnp.float64) for part in (flat, softness, states, velocity)))
            return float(value), np.asarray(gradient)

    return evaluated


@cache
def _compiled_cost(library: Library, latent: int) -> Callable[..., tuple[Array, Array]]:
    """Compiled once for all members: states and velocities are arguments."""

    def cost(flat: Array, softness: Array, states: Array, velocity: Array) -> Array:
        matrix, offset = flat[: latent**2].reshape(latent, latent), flat[latent**2 :]
        # Lengths of variables change no contribution; with lengths fixed they cannot diverge.
        moved = states[:, :latent] @ matrix.T
        size = jnp.std(moved, axis=0)
        matrix, moved = matrix / size[:, None], moved / size + offset
        if states.shape[1] > latent:
            moved = jnp.concatenate([moved, states[:, latent:] @ matrix.T], axis=1)
        theta, target = library(moved), velocity @ matrix.T
        scale = jnp.sqrt(jnp.mean(theta**2, axis=0))
        columns = theta / scale
        gram = columns.T @ columns / len(states) + RIDGE * jnp.eye(library.size)
        found = jnp.linalg.solve(gram, columns.T @ target / len(states))
        sizes = jnp.abs(found) / jnp.sqrt(jnp.mean(target**2, axis=0))
        spread = jnp.sum((sizes**2 + softness**2) ** 0.25)
        # Variables that become the same one add no information and no cost.
        return spread - 0.1 * jnp.linalg.slogdet(jnp.corrcoef(moved[:, :latent].T).reshape(latent, latent))[1]

    return jax.jit(jax.value_and_grad(cost))


def _descended(
    cost: Callable[[np.ndarray, float], tuple[float, np.ndarray]],
    start: Affine,
    states: Float[np.ndarray, "sample state"],
) -> tuple[Affine, float]:
    """Return the change that descent with decreasing softness converges to, and its cost."""
    latent = start.offset.size
    flat = np.concatenate([start.matrix.ravel(), start.offset])
    for softness in SOFTNESS:
        flat = minimize(cost, flat, args=(softness,), jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
    matrix, offset = flat[: latent**2].reshape(latent, latent), flat[latent**2 :]
    size = (states[:, :latent] @ matrix.T).std(axis=0)
    return Affine(matrix / size[:, None], offset), cost(flat, SOFTNESS[-1])[0]


def _fitted(theta: Float[np.ndarray, "sample term"], target: Float[np.ndarray, "sample latent"]) -> Numbers:
    scale = _rms(theta)
    found: Numbers = np.linalg.lstsq(theta / scale, target, rcond=1e-12)[0] / scale[:, None]
    return found


def _rotation(latent: int, rng: np.random.Generator) -> np.ndarray:
    rotation: np.ndarray = np.linalg.qr(rng.normal(size=(latent, latent)))[0]
    return rotation


def _rms(values: np.ndarray) -> np.ndarray:
    rms: np.ndarray = np.sqrt(np.mean(np.square(values), axis=0) + 1e-300)
    return rms
