"""The squared error of free runs over windows, and its Gauss-Newton model by weights and initial states.

A free run sees inputs and an initial state, and no later outputs. The derivatives of every row by weights and states
are taken side by side; one scan then carries the sensitivities of the states along, so that a whole evaluation costs
little more than a few runs.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from sparsedyn.models import StateSpace
from sparsedyn.training.residuals import Kept, Quadratic, Values

CHUNK = 128
"""Rows whose derivatives are held in memory at a time."""


class Windows(NamedTuple):
    """Rows of records, in standardized units; windows that are shorter than the longest end in rows without weight."""

    u: Float[np.ndarray, "window row input"]
    y: Float[np.ndarray, "window row output"]


class Normal(NamedTuple):
    """The squared error of members and its model: half the Hessian and the gradient by (initial state, weight).

    All sums are over rows, and by window; `held_out` is the squared error of rows that are weighted for judging only.
    """

    cost: Float[np.ndarray, "member window"]
    held_out: Float[np.ndarray, "member window"]
    hessian: Float[np.ndarray, "member window state+weight state+weight"]
    gradient: Float[np.ndarray, "member window state+weight"]


def normal(
    model: StateSpace,
    weights: Float[np.ndarray, "member weight"],
    starts: Float[np.ndarray, "member window state"],
    windows: Windows,
    fitted: Float[np.ndarray, "member window row"],
    judged: Float[np.ndarray, "member window row"],
) -> Normal:
    """Evaluate free runs of all members over all windows, in float64.

    `model` gives units and bounds. Rows count in the fit as `fitted` says, and in the held-out error as `judged` does.
    """
    with jax.enable_x64(True):
        found = _residuals(model, weights, starts, *windows, fitted, judged)
    residuals, slopes, held_out = map(np.asarray, found)
    turned = np.swapaxes(slopes, 2, 3)
    # Here rather than above: BLAS is many times faster at this than the compiled computation.
    with np.errstate(over="ignore", invalid="ignore"):
        return Normal(
            np.sum(np.square(residuals), axis=2), held_out, turned @ slopes, (turned @ residuals[..., None])[..., 0]
        )


@jax.jit
def _residuals(
    model: StateSpace, weights: Array, starts: Array, u: Array, y: Array, fitted: Array, judged: Array
) -> tuple[Array, Array, Array]:
    rows = u.shape[1]
    count = -(-rows // CHUNK)

    def cut(values: Array) -> Array:
        padded = jnp.pad(values, ((0, 0), (0, count * CHUNK - rows), *((0, 0),) * (values.ndim - 2)))
        return padded.reshape(len(values), count, CHUNK, *values.shape[2:])

    by_window = jax.vmap(partial(_window, model), in_axes=(None, 0, 0, 0, 0, 0))
    by_member = jax.vmap(by_window, in_axes=(0, 0, None, None, 0, 0))
    found: tuple[Array, Array, Array] = by_member(
        weights, starts, cut(u), cut(y), jax.vmap(cut)(fitted), jax.vmap(cut)(judged)
    )
    return found


def _window(
    model: StateSpace, flat: Array, start: Array, u: Array, y: Array, fitted: Array, judged: Array
) -> tuple[Array, Array, Array]:
    """Weighted residuals (row), their derivatives (row, state + weight), and the squared error of judged rows."""
    states, total = start.size, start.size + flat.size
    shaped = model.unravel(flat)

    def both(flat: Array, x: Array, v: Array) -> Array:
        one = model.unravel(flat)
        return jnp.concatenate([one.step(x, v), one.output(x, v)])

    def chunk(carry: tuple[Array, Array], rows: tuple[Array, ...]) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        x, sensitivity = carry
        v, target, weight, judge = rows
        x, path = jax.lax.scan(lambda x, v: (shaped.step(x, v), x), x, v)
        error = jax.vmap(shaped.output)(path, v) - target
        by_weight, by_state = jax.vmap(jax.jacrev(both, (0, 1)), in_axes=(None, 0, 0))(flat, path, v)
        # Initial states act on the states alone.
        direct = jnp.pad(by_weight, ((0, 0), (0, 0), (states, 0)))

        def carried(s: Array, parts: tuple[Array, Array]) -> tuple[Array, Array]:
            slope, added = parts
            both = slope @ s + added
            return both[:states], both[states:]

        sensitivity, slopes = jax.lax.scan(carried, sensitivity, (by_state, direct))
        # Rows without weight may have run off to infinity, and zero times infinity is no number.
        used = weight > 0
        scale = jnp.sqrt(weight)
        residual = jnp.where(used[:, None], scale[:, None] * error, 0.0)
        slopes = jnp.where(used[:, None, None], scale[:, None, None] * slopes, 0.0)
        squared = jnp.where(judge > 0, judge * jnp.sum(jnp.square(error), axis=1), 0.0)
        return (x, sensitivity), (residual, slopes, squared)

    begin = (start, jnp.eye(states, total, dtype=flat.dtype))
    residuals, slopes, squared = jax.lax.scan(chunk, begin, (u, y, fitted, judged))[1]
    return residuals.reshape(-1), slopes.reshape(-1, total), jnp.sum(squared)


class FreeRuns:
    """The least-squares problem of members' free runs, whose values are weights and then initial states.

    A member is fitted to the rows that `fitted` (member, window, row) says, and judged by those of `judged`. `ridge` is
    what the mean square of a weight adds to the mean squared error, `ridge_states` likewise of initial states: it keeps
    what the data do not determine from running away.
    """

    def __init__(
        self,
        model: StateSpace,
        windows: Windows,
        fitted: Float[np.ndarray, "member window row"],
        judged: Float[np.ndarray, "member window row"],
        *,
        ridge: float = 0.0,
        ridge_states: float = 0.0,
    ):
        self.model, self.windows, self.fitted, self.judged = model, windows, fitted, judged
        self.weights = model.ravel().size
        self.states, _, outputs, _ = model.sizes
        self.count = np.maximum(fitted.sum(axis=(1, 2)) * outputs, 1.0)
        self.judged_count = judged.sum(axis=(1, 2)) * outputs
        sizes = (self.weights, len(windows.u) * self.states)
        self.ridge = np.repeat([ridge, ridge_states], sizes)

    def quadratic(self, values: Values, kept: Kept) -> Quadratic:
        """Return the mean squared error, with the ridge, and its quadratic model at these values."""
        found = self._normal(values)
        weights, states = self.weights, self.states
        members, runs = found.cost.shape
        hessian = np.zeros((members, values.shape[1], values.shape[1]))
        hessian[:, :weights, :weights] = found.hessian[:, :, states:, states:].sum(axis=1)
        for run in range(runs):
            own = slice(weights + run * states, weights + (run + 1) * states)
            hessian[:, own, own] = found.hessian[:, run, :states, :states]
            hessian[:, own, :weights] = found.hessian[:, run, :states, states:]
            hessian[:, :weights, own] = np.swapaxes(hessian[:, own, :weights], 1, 2)
        gradient = np.concatenate(
            [found.gradient[:, :, states:].sum(axis=1), found.gradient[:, :, :states].reshape(members, -1)], axis=1
        )
        hessian = hessian / self.count[:, None, None] + np.diag(self.ridge)
        gradient = gradient / self.count[:, None] + self.ridge * values
        cost = found.cost.sum(axis=1) / self.count + np.square(values) @ self.ridge
        return Quadratic(cost, np.where(kept[:, :, None] & kept[:, None, :], hessian, 0.0), np.where(kept, gradient, 0))

    def held(self, values: Values, kept: Kept, found: Quadratic) -> Kept:
        """Return which values stay as they are: none."""
        return np.zeros_like(kept)

    def errors(self, values: Values) -> tuple[Float[np.ndarray, " member"], Float[np.ndarray, " member"]]:
        """Return the mean squared errors of rows that are fitted, and the sums over rows that are judged."""
        found = self._normal(values)
        return found.cost.sum(axis=1) / self.count, found.held_out.sum(axis=1)

    def split(self, values: Values) -> tuple[Float[np.ndarray, "member weight"], Float[np.ndarray, "member run state"]]:
        """Return weights and initial states."""
        return values[:, : self.weights], values[:, self.weights :].reshape(len(values), -1, self.states)

    def _normal(self, values: Values) -> Normal:
        return normal(self.model, *self.split(values), self.windows, self.fitted, self.judged)
