"""The least squares problem of stacked models: compiled residuals, and their derivatives by the weights."""

import copy
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from sparsedyn.data import Samples
from sparsedyn.models import EQL, AbstractModel

Values = Float[np.ndarray, "member active"]
Kept = Bool[np.ndarray, "member active"]


class Quadratic(NamedTuple):
    """The mean squared residual, and half its Gauss-Newton Hessian and gradient, per member."""

    cost: Float[np.ndarray, " member"]
    hessian: Float[np.ndarray, "member active active"]
    gradient: Float[np.ndarray, "member active"]


class Problem:
    """The least squares problem of stacked models: the weights to be moved, and compiled residuals."""

    def __init__(self, models: AbstractModel, data: Samples, held_out: Samples, active: int):
        arrays, skeleton = eqx.partition(models, eqx.is_inexact_array)
        leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(arrays)]
        flat = np.concatenate([leaf.reshape(len(leaf), -1) for leaf in leaves], axis=1)
        count = len(flat)
        devices = jax.devices()
        divisor = max(d for d in range(1, len(devices) + 1) if count % d == 0)
        structure = jax.tree.structure(arrays)
        self.fixed = _Fixed(
            skeleton,
            structure,
            tuple(leaf.shape[1:] for leaf in leaves),
            Mesh(np.asarray(devices[:divisor]), ("members",)),
        )
        self.data, self.held_out = (Samples(*(np.asarray(a, np.float64) for a in part)) for part in (data, held_out))
        self.spread = np.maximum(self.data.dx.std(axis=0), 1e-300)
        with jax.enable_x64(True):
            slopes = np.asarray(_slopes(self.fixed, flat, self.data, self.spread))
        with np.errstate(over="ignore"):
            saliency = np.where(flat == 0, -1.0, np.square(flat) * np.nan_to_num(slopes))
        self.index = np.argsort(-saliency, axis=1, kind="stable")[:, :active]
        self.kept = np.take_along_axis(saliency, self.index, axis=1) > 0
        self.values = np.where(self.kept, np.take_along_axis(flat, self.index, axis=1), 0.0)
        self.size = flat.shape[1]
        gauges = models.gauges() if isinstance(models, EQL) else np.full(self.size, -1)
        self.gauges = gauges[self.index]

    def quadratic(self, values: Values, kept: Kept) -> Quadratic:
        """Return the mean squared residual and its quadratic model at these values."""
        with jax.enable_x64(True):
            found = _quadratic(self.fixed, self._flat(values), self.index, kept, self.data, self.spread)
            return Quadratic(*(np.asarray(a) for a in found))

    def error(self, values: Values) -> Float[np.ndarray, " member"]:
        """Return the mean squared residual on the held-out samples."""
        with jax.enable_x64(True):
            return np.asarray(_error(self.fixed, self._flat(values), self.held_out, self.spread))

    def held(self, values: Values, kept: Kept, found: Quadratic) -> Kept:
        """Return the weights that fix the size of an argument of a homogeneous unit, one for each: the weightiest.

        With all of them free, the weights of a product could compensate each other's removal, and saliencies would
        suggest that any of them can go.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            weight = np.where(kept, np.square(values) * np.diagonal(found.hessian, axis1=1, axis2=2), -1.0)
        order = np.argsort(-np.nan_to_num(weight, nan=0.0), axis=1, kind="stable")
        groups = np.take_along_axis(self.gauges, order, axis=1)
        held = np.zeros_like(kept)
        for member, row in enumerate(groups):
            names, first = np.unique(row, return_index=True)
            held[member, order[member, first[names >= 0]]] = True
        return held & kept

    def narrowed(self, order: Int[np.ndarray, "member active"]) -> "Problem":
        """Return the problem of some of the active weights, the rest being zero."""
        narrow = copy.copy(self)
        narrow.index = np.take_along_axis(self.index, order, axis=1)
        narrow.gauges = np.take_along_axis(self.gauges, order, axis=1)
        return narrow

    def _flat(self, values: Values) -> Float[np.ndarray, "member weight"]:
        flat = np.zeros((len(values), self.size))
        np.put_along_axis(flat, self.index, values, axis=1)
        return flat


class _Fixed(NamedTuple):
    """The static arguments of the compiled functions."""

    skeleton: AbstractModel
    structure: Any
    shapes: tuple[tuple[int, ...], ...]
    mesh: Mesh

    def model(self, flat: Array) -> AbstractModel:
        """The model of a flat vector of weights."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(jnp.split(flat, ends), self.shapes, strict=True)]
        joined: AbstractModel = eqx.combine(jax.tree.unflatten(self.structure, parts), self.skeleton)
        return joined

    def spread_out(self, function: Any, members: tuple[Any, ...], shared: tuple[Any, ...]) -> Any:
        """Apply a function of one member to all, on every device to its own."""
        mapped = jax.vmap(function, in_axes=(0,) * len(members) + (None,) * len(shared))
        specs = (PartitionSpec("members"),) * len(members) + (PartitionSpec(),) * len(shared)
        out = PartitionSpec("members")
        sharded = jax.shard_map(mapped, mesh=self.mesh, in_specs=specs, out_specs=out, check_vma=False)
        return sharded(*members, *shared)


@partial(jax.jit, static_argnums=0)
def _slopes(fixed: _Fixed, flat: Array, data: Samples, spread: Array) -> Array:
    """Mean squared derivatives of the outputs by every weight."""

    def one(flat: Array, data: Samples, spread: Array) -> Array:
        jacobian = _derivatives(fixed, flat, jnp.arange(flat.size), data)[1]
        return jnp.mean(jnp.sum(jnp.square(jacobian / spread[:, None]), axis=1), axis=1)

    return fixed.spread_out(one, (flat,), (data, spread))


@partial(jax.jit, static_argnums=0)
def _quadratic(fixed: _Fixed, flat: Array, index: Array, kept: Array, data: Samples, spread: Array) -> Any:
    def one(flat: Array, index: Array, kept: Array, data: Samples, spread: Array) -> tuple[Array, Array, Array]:
        output, jacobian = _derivatives(fixed, flat, index, data)
        residual = ((output - data.dx) / spread).T.ravel()
        jacobian = jnp.where(kept[:, None, None], jacobian / spread[:, None], 0.0).reshape(index.size, -1)
        count = residual.size
        return residual @ residual / count, jacobian @ jacobian.T / count, jacobian @ residual / count

    return fixed.spread_out(one, (flat, index, kept), (data, spread))


@partial(jax.jit, static_argnums=0)
def _error(fixed: _Fixed, flat: Array, part: Samples, spread: Array) -> Array:
    def one(flat: Array, part: Samples, spread: Array) -> Array:
        predicted = jax.vmap(fixed.model(flat))(jnp.asarray(part.x), jnp.asarray(part.u))
        return jnp.mean(jnp.square((predicted - part.dx) / spread))

    error: Array = fixed.spread_out(one, (flat,), (part, spread))
    return error


def _derivatives(fixed: _Fixed, flat: Array, index: Array, part: Samples) -> tuple[Array, Array]:
    """Outputs (sample, output) and their derivatives (active, output, sample) by some of the flattened weights."""
    model = fixed.model(flat)
    if isinstance(model, EQL):
        return _by_layers(model, index, part)

    def one(x: Array, u: Array) -> tuple[Array, Array]:
        output, pull = jax.vjp(lambda flat: fixed.model(flat)(x, u), flat)
        (jacobian,) = jax.vmap(pull)(jnp.eye(output.size, dtype=output.dtype))
        return output, jacobian[:, index]

    outputs, jacobian = jax.vmap(one)(jnp.asarray(part.x), jnp.asarray(part.u))
    return outputs, jnp.moveaxis(jacobian, 0, -1).swapaxes(0, 1)


def _by_layers(model: EQL, index: Array, part: Samples) -> tuple[Array, Array]:
    """The same for an equation learner, whose matrices' derivatives are products of two vectors each."""
    outputs, entering, leaving = jax.vmap(model.sensitivity)(jnp.asarray(part.x), jnp.asarray(part.u))
    shapes = [w.shape for w in model.weights]
    firsts, seconds = (np.cumsum([0, *(shape[side] for shape in shapes[:-1])]) for side in (0, 1))
    # The input row and the output row that each entry of the flattened weights belongs to.
    source = np.concatenate([b + np.repeat(np.arange(r), c) for b, (r, c) in zip(firsts, shapes, strict=True)])
    target = np.concatenate([b + np.tile(np.arange(c), r) for b, (r, c) in zip(seconds, shapes, strict=True)])
    # Samples come last: indexing whole rows is many times faster than indexing numbers.
    h = jnp.concatenate(entering, axis=1).T
    delta = jnp.moveaxis(jnp.concatenate(leaving, axis=2), 0, 2).swapaxes(0, 1)
    return outputs, h[jnp.asarray(source)[index]][:, None, :] * delta[jnp.asarray(target)[index]]
