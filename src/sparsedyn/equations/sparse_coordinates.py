"""The affine change of variables after which an equation has fewest terms."""

from collections.abc import Callable
from functools import cache
from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.optimize import minimize

from sparsedyn._blas import one_blas_thread
from sparsedyn.equations.coordinates import Affine, Numbers, contributions_at, in_use, transformed
from sparsedyn.models import Library

SOFTNESS = (0.3, 0.1, 0.03, 0.01, 0.003)
"""Contributions well below these count little: a search begins with a smooth landscape and ends with a sharp one."""
RIDGE = 1e-10
LONGEST = 6
"""Terms per equation, on average, up to which single terms are tried for removal."""


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
    with one_blas_thread():
        return _sparsest(*in_use(library, coefficients), states, threshold, starts, np.random.default_rng(seed))


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


def _cost(
    library: Library, coefficients: Numbers, states: Float[np.ndarray, "sample state"]
) -> Callable[[np.ndarray, float], tuple[float, np.ndarray]]:
    """Return value and gradient of the cost of a change, given as a flat vector, at a softness."""
    compiled = _compiled_cost(library, coefficients.shape[1])
    with jax.enable_x64(True):
        data = tuple(jnp.asarray(part, jnp.float64) for part in (states, library.evaluate(states) @ coefficients))

    def evaluated(flat: np.ndarray, softness: float) -> tuple[float, np.ndarray]:
        with jax.enable_x64(True):
            value, gradient = compiled(np.asarray(flat, np.float64), np.float64(softness), *data)
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


def _rotation(latent: int, rng: np.random.Generator) -> np.ndarray:
    rotation: np.ndarray = np.linalg.qr(rng.normal(size=(latent, latent)))[0]
    return rotation
