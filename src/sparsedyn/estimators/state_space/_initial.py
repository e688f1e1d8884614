"""Initial states: the most probable ones, given the first outputs."""

import jax
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import free_run

ITERATIONS = 30
WIDER = 2.0
"""Initial states may be this much further from the mean than states in training are."""


def most_probable(
    model: StateSpace,
    mean: Float[np.ndarray, " state"],
    covariance: Float[np.ndarray, "state state"],
    error: float,
    u: Float[np.ndarray, "run row input"],
    y: Float[np.ndarray, "run row output"],
) -> Float[np.ndarray, "run state"]:
    """Return the initial states of runs that make outputs `y` under inputs `u` most probable.

    States are normally distributed as in training, and so are errors of outputs, of mean square `error`; everything is
    in the model's units. By Levenberg-Marquardt.
    """
    size = len(mean)
    spread = WIDER**2 * covariance + 1e-9 * max(np.trace(covariance) / size, 1e-12) * np.eye(size)
    precision = max(error, 1e-12) * np.linalg.inv(spread)

    def evaluated(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        outputs, slopes = map(np.asarray, _outputs(model, x, u))
        away, wrong = x - mean, outputs - y
        cost = np.sum(np.square(wrong), axis=(1, 2)) + np.einsum("ri,ij,rj->r", away, precision, away)
        hessian = np.einsum("rtoi,rtoj->rij", slopes, slopes) + precision
        return cost, hessian, np.einsum("rtoi,rto->ri", slopes, wrong) + away @ precision

    x = np.repeat(mean[None], len(y), axis=0)
    damping = np.full(len(y), 1e-4)
    with jax.enable_x64(True), np.errstate(over="ignore", invalid="ignore"):
        cost, hessian, gradient = evaluated(x)
        for _ in range(ITERATIONS):
            scale = np.einsum("rii->ri", hessian)[:, :, None] * np.eye(size)
            step = np.linalg.solve(hessian + damping[:, None, None] * scale, gradient[..., None])[..., 0]
            new = evaluated(x - step)
            good = np.isfinite(new[0]) & (new[0] < cost)
            if not good.any() and damping.min() > 1e4:
                break
            x = np.where(good[:, None], x - step, x)
            cost, hessian, gradient = (
                np.where(good.reshape(-1, *(1,) * (a.ndim - 1)), a, b)
                for a, b in zip(new, (cost, hessian, gradient), strict=True)
            )
            damping = np.clip(np.where(good, 0.2 * damping, 10.0 * damping), 1e-12, 1e8)
    return x


@jax.jit
def _outputs(
    model: StateSpace, starts: Float[Array, "run state"], u: Float[Array, "run row input"]
) -> tuple[Float[Array, "run row output"], Float[Array, "run row output state"]]:
    """Return the outputs of free runs, and their derivatives by the initial states."""

    def one(start: Array, inputs: Array) -> tuple[Array, Array]:
        def outputs(x: Array) -> tuple[Array, Array]:
            found = free_run(model, x[None], inputs[None])[1][0]
            return found, found

        slopes, found = jax.jacfwd(outputs, has_aux=True)(start)
        return found, slopes

    found: tuple[Array, Array] = jax.vmap(one)(starts, u)
    return found
