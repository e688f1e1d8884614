"""Initial states: the most probable ones, given the first outputs."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import free_run
from sparsedyn.training.refine import levenberg_marquardt
from sparsedyn.training.residuals import Kept, Quadratic, Values

ITERATIONS = 30
ENOUGH = 1e-9
"""Share of its cost that a step has to gain, or the search ends."""
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
    problem = _Starts(model, mean, max(error, 1e-12) * np.linalg.inv(spread), u, y)
    x = np.repeat(mean[None], len(y), axis=0)
    everything = np.ones(x.shape, bool)
    with jax.enable_x64(True), np.errstate(over="ignore", invalid="ignore"):
        begin = problem.quadratic(x, everything)
        return levenberg_marquardt(problem, x, everything, begin, ITERATIONS, enough=ENOUGH)[0]


@dataclass(frozen=True)
class _Starts:
    """The least squares problem of initial states, a member per run: errors of outputs, and distances to the mean."""

    model: StateSpace
    mean: Float[np.ndarray, " state"]
    precision: Float[np.ndarray, "state state"]
    u: Float[np.ndarray, "run row input"]
    y: Float[np.ndarray, "run row output"]

    def quadratic(self, values: Values, kept: Kept) -> Quadratic:
        """Return the squared errors and their quadratic model at these states."""
        outputs, slopes = map(np.asarray, _outputs(self.model, values, self.u))
        away, wrong = values - self.mean, outputs - self.y
        cost = np.sum(np.square(wrong), axis=(1, 2)) + np.einsum("ri,ij,rj->r", away, self.precision, away)
        hessian = np.einsum("rtoi,rtoj->rij", slopes, slopes) + self.precision
        return Quadratic(cost, hessian, np.einsum("rtoi,rto->ri", slopes, wrong) + away @ self.precision)

    def held(self, values: Values, kept: Kept, found: Quadratic) -> Kept:
        """Return which states stay as they are: none."""
        return np.zeros_like(kept)


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
