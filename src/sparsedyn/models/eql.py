"""The equation learner: a network whose units are elementary functions."""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.primitives import Primitive, Units, units_of


class EQL(AbstractModel):
    """Layers `h <- f(h W)` of primitive functions, each unit with its own, and a linear output `h W`.

    A unit of arity two takes two columns of `W`, a constant takes none. There are no biases: constants carry them
    from the second layer on, and with `bias` the network's input is preceded by a constant 1. While `guard` is on,
    primitives are guarded against poles; `exact()` returns the network with the true ones.

    `units` are per hidden layer (one for all layers, or a list), see `units_of`. Weights are truncated-normal with the
    standard `deviations` of the first, the middle and the last matrices.

    Attributes: `weights`, a tuple of `(fan_in, arguments)` matrices.

    Source: Martius & Lampert 2016; Sahoo et al. 2018 (division); Kim et al. 2019.
    """

    weights: tuple[Float[Array, "_fan_in _fan_out"], ...]
    layers: tuple[Units, ...] = eqx.field(static=True)
    bias: bool = eqx.field(static=True)
    guard: bool = eqx.field(static=True)

    def __init__(
        self,
        states: int,
        inputs: int = 0,
        outputs: int | None = None,
        units: str | Mapping[str | Primitive, int] | Sequence[Units] = "general",
        *,
        hidden: int = 2,
        bias: bool = False,
        deviations: tuple[float, float, float] = (0.1, 0.5, 1.0),
        key: PRNGKeyArray,
    ):
        if isinstance(units, str | Mapping):
            if hidden < 1:
                raise ValueError(f"hidden: expected at least one hidden layer; got {hidden}.")
            self.layers = (units_of(units),) * hidden
        else:
            self.layers = tuple(units_of(layer) for layer in units)
        self.bias, self.guard = bias, True
        fan_in = [states + inputs + bias, *(width(layer) for layer in self.layers)]
        fan_out = [*(arguments(layer) for layer in self.layers), states if outputs is None else outputs]
        first, middle, last = deviations
        scales = [first, *[middle] * (len(fan_out) - 2), last]
        keys = jax.random.split(key, len(fan_out))
        self.weights = tuple(
            scale * jax.random.truncated_normal(k, -2.0, 2.0, (i, o))
            for k, scale, i, o in zip(keys, scales, fan_in, fan_out, strict=True)
        )

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        """Return the outputs at the state `x` and the input `u`."""
        return self._through(x, u, (0.0,) * len(self.weights))[0]

    def sensitivity(
        self, x: Float[Array, " state"], u: Float[Array, " input"]
    ) -> tuple[Float[Array, " output"], list[Float[Array, " _fan_in"]], list[Float[Array, "output _fan_out"]]]:
        """Return the outputs and, for every matrix, what enters it and the outputs' derivatives by what leaves it.

        The derivative of an output by an entry of a matrix is the product of the two: all of them at the price of one
        backward pass.
        """
        shifts = tuple(jnp.zeros(w.shape[1], x.dtype) for w in self.weights)
        output, pull, entering = jax.vjp(lambda *shifts: self._through(x, u, shifts), *shifts, has_aux=True)
        leaving = jax.vmap(pull)(jnp.eye(output.size, dtype=output.dtype))
        return output, entering, list(leaving)

    def gauges(self) -> Int[np.ndarray, " weight"]:
        """Return, for every entry of the flattened matrices, which argument of a homogeneous unit it is of, or -1.

        The weights of such an argument may be multiplied by a number, and the unit's by its power, without changing
        anything: one of them is not free.
        """
        found, number = [], 0
        for layer, weight in zip(self.layers, self.weights[:-1], strict=True):
            columns = np.full(weight.shape[-1], -1)
            for primitive, own in places(layer):
                if primitive.homogeneous:
                    for column in own:
                        columns[column] = number
                        number += 1
            found.append(np.tile(columns, weight.shape[-2]))
        return np.concatenate([*found, np.full(int(np.prod(self.weights[-1].shape[-2:])), -1)])

    def _through(self, x: Array, u: Array, shifts: Sequence[Array | float]) -> tuple[Array, list[Array]]:
        """The outputs, every matrix' product shifted; and what entered each matrix."""
        hidden = jnp.concatenate([jnp.ones(int(self.bias), x.dtype), x, u])
        entering = []
        for i, layer in enumerate(self.layers):
            entering.append(hidden)
            given = hidden @ self.weights[i] + shifts[i]
            if self.guard:
                hidden = apply(layer, given, guard=True)
            else:
                # An unused unit may be at a pole of its function: it gets a harmless argument and returns 0.
                read = jnp.any(self.weights[i + 1] != 0, axis=1)
                hidden = jnp.where(
                    read, apply(layer, jnp.where(of_arguments(layer, read), given, 1.0), guard=False), 0.0
                )
        entering.append(hidden)
        return hidden @ self.weights[-1] + shifts[-1], entering

    def exact(self) -> "EQL":
        """Return the same network with the true primitives."""
        twin = copy.copy(self)
        object.__setattr__(twin, "guard", False)  # modules are frozen, and tree_at reaches no static field
        return twin


def width(layer: Units) -> int:
    """The number of outputs of a layer."""
    return sum(count for _, count in layer)


def arguments(layer: Units) -> int:
    """The number of arguments of a layer."""
    return sum(primitive.arity * count for primitive, count in layer)


@lru_cache
def places(layer: Units) -> tuple[tuple[Primitive, tuple[int, ...]], ...]:
    """Return the primitive of every unit, and which of the layer's arguments are its own, in order.

    The copies of a primitive lie side by side: all their first arguments, then all their second ones.
    """
    found: list[tuple[Primitive, tuple[int, ...]]] = []
    begin = 0
    for primitive, count in layer:
        found += [(primitive, tuple(begin + i + a * count for a in range(primitive.arity))) for i in range(count)]
        begin += primitive.arity * count
    return tuple(found)


def of_arguments(layer: Units, units: Array) -> Array:
    """Repeat a value per unit of a layer for each of its arguments."""
    which = np.zeros(arguments(layer), np.int32)
    for unit, (_, own) in enumerate(places(layer)):
        which[list(own)] = unit
    return units[which]


def apply(layer: Units, g: Float[Array, " arguments"], *, guard: bool) -> Float[Array, " width"]:
    """Return the values of a layer's units."""
    parts, begin = [], 0
    for primitive, count in layer:
        taken = [g[begin + a * count : begin + (a + 1) * count] for a in range(primitive.arity)]
        begin += primitive.arity * count
        value = primitive.of(*taken, guard=guard)
        parts.append(jnp.broadcast_to(value, (count,)).astype(g.dtype))
    return jnp.concatenate(parts)
