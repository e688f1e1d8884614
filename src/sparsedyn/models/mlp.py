"""The multilayer perceptron, plain or with the inputs concatenated into every layer."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.models.base import AbstractModel

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "silu": jax.nn.silu,
    "gelu": jax.nn.gelu,
    "softplus": jax.nn.softplus,
    "sigmoid": jax.nn.sigmoid,
    "identity": lambda a: a,
}


FANS = ("in", "out")


def parameters_of(widths: Sequence[int]) -> int:
    """Return how many weights and biases layers of these widths have, inputs and outputs included, without skips."""
    return sum((before + 1) * after for before, after in pairwise(widths))


class MLP(AbstractModel):
    """Fully connected network from states and inputs to derivatives: `h <- activation(h W + b)`.

    With `skip`, the network's own inputs `(x, u)` are concatenated to the input of every later layer as well,
    so that a linear balance needs a single weight. Weights are He-normal, of variance 2 / fan-in or, with `fan` "out",
    2 / fan-out; biases are zero.

    Attributes: `weights`, a tuple of `(fan_in, fan_out)` matrices; `biases`, vectors or `None`.

    Source: He et al. 2015 (initialization); Lundby et al. 2023 and its sequels (input skips).
    """

    weights: tuple[Float[Array, "_fan_in _fan_out"], ...]
    biases: tuple[Float[Array, " _fan_out"] | None, ...]
    activation: str = eqx.field(static=True)
    skip: bool = eqx.field(static=True)

    def __init__(
        self,
        states: int,
        inputs: int,
        hidden: Sequence[int] = (64, 64, 64),
        *,
        activation: str = "relu",
        skip: bool = False,
        bias: bool = True,
        fan: Literal["in", "out"] = "in",
        key: PRNGKeyArray,
    ):
        if activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise ValueError(f"activation: expected one of {known}; got {activation!r}. Choose one of those.")
        if fan not in FANS:
            raise ValueError(f"fan: expected one of {', '.join(FANS)}; got {fan!r}.")
        if any(width < 1 for width in hidden):
            raise ValueError(f"hidden: expected widths of at least 1; got {tuple(hidden)}. Remove the empty layer.")
        features = states + inputs
        fan_in = [features] + [width + features * skip for width in hidden]
        fan_out = [*hidden, states]
        keys = jax.random.split(key, len(fan_out))
        self.weights = tuple(
            jax.random.normal(k, (i, o)) * jnp.sqrt(2.0 / (i if fan == "in" else o))
            for k, i, o in zip(keys, fan_in, fan_out, strict=True)
        )
        self.biases = tuple(jnp.zeros(o) if bias else None for o in fan_out)
        self.activation = activation
        self.skip = skip

    def __call__(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the derivative `(state,)` at the state `x` and the input `u`."""
        activation = ACTIVATIONS[self.activation]
        features = jnp.concatenate([x, u])
        hidden = features
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if self.skip and layer > 0:
                hidden = jnp.concatenate([hidden, features])
            hidden = hidden @ weight
            if bias is not None:
                hidden = hidden + bias
            if layer < last:
                hidden = activation(hidden)
        return hidden
