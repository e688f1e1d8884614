"""Ways to train a network, for `accuracy.py`: first weights, optimizers, and curvature."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.training import AbstractAverage, optimizer

ROOT = 2.0**0.5


class Way(NamedTuple):
    """A way to train: batches, each with its share of the time, and what differs from plain Adam.

    `equal` says whether it has Adam's processor time, or Adam's number of steps, which is what it would have if its
    step, here by XLA, cost as little as Adam's compiled one. `own` trains one network in so many seconds.
    """

    batches: tuple[tuple[int, float], ...] = ((128, 1.0),)
    rate: float = 2e-3
    clip: float | None = 1.0
    schedule: str = "cosine"
    optimizer: str = "adam"
    first: str = "in"
    average: AbstractAverage | None = None
    equal: str = "time"
    own: Callable[[MLP, Samples, float, int], MLP] | None = None


def first_weights(models: MLP, data: Samples, kind: str, keys: Any) -> MLP:
    """Return the stacked networks, He-normal by fan in, with other first weights."""
    weights = list(models.weights)
    if kind == "out":
        weights = [w * (w.shape[1] / w.shape[2]) ** 0.5 for w in weights]
    if kind == "glorot":
        weights = [w * (w.shape[1] / (w.shape[1] + w.shape[2])) ** 0.5 for w in weights]
    if kind in ("orthogonal", "lsuv"):
        draw = jax.nn.initializers.orthogonal(ROOT)
        weights = [
            jnp.stack([draw(jax.random.fold_in(key, place), w.shape[1:]) for key in keys])
            for place, w in enumerate(weights)
        ]
    if kind == "lsuv":
        rows = np.concatenate([np.asarray(part[:: len(part) // 1024]) for part in data[:2]], axis=1)
        h = jnp.broadcast_to(rows, (len(keys), *rows.shape))
        for place, w in enumerate(weights):
            weights[place] = w / jnp.std(h @ w, axis=(1, 2), keepdims=True)
            h = jax.nn.relu(h @ weights[place])
    if kind.startswith("last"):
        weights[-1] = weights[-1] * float(kind.split()[1])
    return eqx.tree_at(lambda m: m.weights, models, tuple(weights))


def optimizer_of(name: str, clip: float | None) -> optax.GradientTransformation:
    """Return an optimizer for a learning rate of one; those of the package are compiled."""
    own = {
        "adam b2=0.99": lambda: optax.adam(1.0, b2=0.99),
        "muon": lambda: optax.contrib.muon(1.0, consistent_rms=0.2),
        "soap": lambda: optax.chain(soap(), optax.scale(-1.0)),
    }
    if name not in own:
        return optimizer(name, clip)
    return own[name]() if clip is None else optax.chain(optax.clip_by_global_norm(clip), own[name]())


class Rotated(NamedTuple):
    """Of one matrix: Kronecker factors of its curvature, their eigenvectors, and Adam's moments."""

    left: Any
    right: Any
    basis: Any
    other: Any
    first: Any
    second: Any


def soap(b1: float = 0.95, b2: float = 0.99, every: int = 10) -> optax.GradientTransformation:
    """Return Adam in the eigenbasis of Shampoo's factors, for matrices; plain Adam for vectors.

    Source: Vyas et al. 2024.
    """

    def one(w: Any) -> Rotated:
        rows, columns = w.shape if w.ndim == 2 else (1, 1)
        zero = jnp.zeros_like(w)
        return Rotated(
            jnp.zeros((rows, rows)), jnp.zeros((columns, columns)), jnp.eye(rows), jnp.eye(columns), zero, zero
        )

    def init(weights: Any) -> Any:
        return jnp.zeros((), jnp.int32), jax.tree.map(one, weights)

    def step(g: Any, s: Rotated, count: Any) -> tuple[Any, Rotated]:
        matrix = g.ndim == 2
        into = (lambda a: s.basis.T @ a @ s.other) if matrix else (lambda a: a)
        back = (lambda a: s.basis @ a @ s.other.T) if matrix else (lambda a: a)
        first = b1 * s.first + (1 - b1) * g
        second = b2 * s.second + (1 - b2) * jnp.square(into(g))
        update = into(first) / (1 - b1**count) / (jnp.sqrt(second / (1 - b2**count)) + 1e-8)
        if not matrix:
            return update, s._replace(first=first, second=second)
        left, right = b2 * s.left + (1 - b2) * g @ g.T, b2 * s.right + (1 - b2) * g.T @ g
        turn = (count % every == 1) | (count < every)
        basis, other = (
            jnp.where(turn, jnp.linalg.qr(factor @ old)[0], old) for factor, old in ((left, s.basis), (right, s.other))
        )
        return back(update), Rotated(left, right, basis, other, first, second)

    def update(gradients: Any, state: Any, weights: Any = None) -> Any:
        count, matrices = state[0] + 1, state[1]
        leaves, structure = jax.tree.flatten(gradients)
        states = jax.tree.leaves(matrices, is_leaf=lambda s: isinstance(s, Rotated))
        found = [step(g, s, count) for g, s in zip(leaves, states, strict=True)]
        return structure.unflatten([f[0] for f in found]), (count, structure.unflatten([f[1] for f in found]))

    return optax.GradientTransformation(init, update)


@eqx.filter_jit
def residuals(flat: Any, unflatten: Any, data: Samples) -> Any:
    """Return the residuals of a network over samples, so that their mean square is the loss."""
    return jax.vmap(unflatten(flat))(data.x, data.u) - data.dx


def some(data: Samples, rows: int, seed: int) -> Samples:
    """Return so many rows, drawn at random."""
    chosen = np.random.default_rng(seed).permutation(len(data.x))[:rows]
    return Samples(*(jnp.asarray(part[chosen]) for part in data))


def flattened(model: MLP) -> tuple[Any, Any]:
    """Return the weights of a network as a vector, and the network of a vector."""
    arrays, static = eqx.partition(model, eqx.is_inexact_array)
    flat, unravel = ravel_pytree(arrays)
    return flat, lambda vector: eqx.combine(unravel(vector), static)


def lbfgs(rows: int) -> Callable[[MLP, Samples, float, int], MLP]:
    """Return training by L-BFGS-B on so many rows."""

    def train(model: MLP, data: Samples, seconds: float, seed: int) -> MLP:
        flat, unflatten = flattened(model)
        part = some(data, rows, seed)
        loss = jax.jit(jax.value_and_grad(lambda w: jnp.mean(jnp.square(residuals(w, unflatten, part)))))
        loss(flat)
        end = time.process_time() + seconds

        def value(w: Any) -> tuple[float, Any]:
            found, slope = loss(jnp.asarray(w, jnp.float32))
            return float(found), np.asarray(slope, np.float64)

        def stop(w: Any) -> None:
            if time.process_time() > end:
                raise StopIteration

        options = {"maxiter": 10**6, "maxfun": 10**7, "maxcor": 20, "ftol": 0.0, "gtol": 0.0}
        found = minimize(
            value, np.asarray(flat, np.float64), jac=True, method="L-BFGS-B", callback=stop, options=options
        )
        return unflatten(jnp.asarray(found.x, jnp.float32))

    return train


def gauss_newton(batch: int, damping: float = 1e-3, momentum: float = 0.9) -> Callable[[MLP, Samples, float, int], MLP]:
    """Return training by Gauss-Newton steps on batches, by a system as large as a batch has residuals.

    Steps keep a share of the last one (Goldshlager et al. 2024), are at most of length 0.1, and shrink to nothing.
    """

    def train(model: MLP, data: Samples, seconds: float, seed: int) -> MLP:
        flat, unflatten = flattened(model)
        rng = np.random.default_rng(seed)

        @jax.jit
        def step(w: Any, last: Any, part: Samples, rate: Any) -> Any:
            error = lambda w: residuals(w, unflatten, part).ravel()  # noqa: E731
            r, jacobian = error(w), jax.jacrev(error)(w)
            kernel = jacobian @ jacobian.T
            kernel += damping * jnp.trace(kernel) / len(r) * jnp.eye(len(r))
            kept = momentum * last
            move = kept - jacobian.T @ jax.scipy.linalg.solve(kernel, r + jacobian @ kept, assume_a="pos")
            move *= jnp.minimum(1.0, 0.1 / jnp.linalg.norm(move))
            return w + rate * move, move

        def drawn() -> Samples:
            rows = rng.integers(len(data.x), size=batch)
            return Samples(*(part[rows] for part in data))

        last = jnp.zeros_like(flat)
        jax.block_until_ready(step(flat, last, drawn(), 1.0))
        start = time.process_time()
        while (done := (time.process_time() - start) / seconds) < 1.0:
            flat, last = jax.block_until_ready(step(flat, last, drawn(), np.float32(0.5 * (1 - done))))
        return unflatten(flat)

    return train
