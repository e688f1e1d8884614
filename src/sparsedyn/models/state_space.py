"""State-space models with a linear part and few nonlinear units, of plants whose states are not measured."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Float

UNITS: dict[str, tuple[Callable[[Array], Array], Callable[[Any], Any]]] = {
    "square": (jnp.square, lambda z: z**2),
    "cube": (lambda z: z**3, lambda z: z**3),
    "tanh": (jnp.tanh, sympy.tanh),
}
"""What a unit computes of its argument: on arrays, and as a SymPy expression."""

Matrix: TypeAlias = Any
"""An array of JAX or NumPy."""


class StateSpace(eqx.Module):
    """`x+ = A x + B u + c + F s(G x + H u + b)`, `y = clip(C x + D u + d)`, at one state and input.

    `units` names the functions `s`, one per unit. Their arguments are clipped to `low` and `high`, outputs to `floor`
    and `ceiling`; these bounds are not trained.
    """

    A: Matrix
    B: Matrix
    c: Matrix
    F: Matrix
    G: Matrix
    H: Matrix
    b: Matrix
    C: Matrix
    D: Matrix
    d: Matrix
    low: Matrix
    high: Matrix
    floor: Matrix
    ceiling: Matrix
    units: tuple[str, ...] = eqx.field(static=True)

    @classmethod
    def zeros(
        cls, states: int, inputs: int, outputs: int, units: tuple[str, ...], limits: tuple[Matrix, Matrix] | None = None
    ) -> "StateSpace":
        """Return a model whose weights are all zero and that clips nothing, or outputs at their `limits`."""
        q = len(units)
        shapes = weight_shapes(states, inputs, outputs, q)
        floor, ceiling = (np.full(outputs, -np.inf), np.full(outputs, np.inf)) if limits is None else limits
        bounds = (np.full(q, -np.inf), np.full(q, np.inf), floor, ceiling)
        weights = {name: np.zeros(shape) for name, shape in shapes.items()}
        return cls(**weights, **dict(zip(BOUNDS, bounds, strict=True)), units=units)

    @property
    def limits(self) -> tuple[Matrix, Matrix]:
        """The least and the greatest values of outputs."""
        return self.floor, self.ceiling

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """How many states, inputs, outputs and units there are."""
        return self.B.shape[-2], self.B.shape[-1], self.C.shape[-2], len(self.units)

    @property
    def acting(self) -> tuple[str, ...]:
        """The units that act on a state."""
        acts = np.any(np.asarray(self.F) != 0, axis=0)
        return tuple(name for name, one in zip(self.units, acts, strict=True) if one)

    def arguments(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " unit"]:
        """Return the arguments of the units before they are clipped."""
        found: Array = self.G @ x + self.H @ u + self.b
        return found

    def step(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " state"]:
        """Return the state of the next row."""
        following: Array = self.A @ x + self.B @ u + self.c
        if not self.units:
            return following
        z = jnp.clip(self.arguments(x, u), self.low, self.high)
        following += self.F @ jnp.stack([UNITS[name][0](z[i]) for i, name in enumerate(self.units)])
        return following

    def output(self, x: Float[Array, " state"], u: Float[Array, " input"]) -> Float[Array, " output"]:
        """Return the output of this row."""
        return jnp.clip(self.C @ x + self.D @ u + self.d, self.floor, self.ceiling)

    def ravel(self) -> Float[np.ndarray, " weight"]:
        """Return all weights in one row: those of `A`, `B`, `c`, and so on, each row by row."""
        return np.concatenate([np.ravel(getattr(self, name)) for name in WEIGHTS])

    def unravel(self, flat: Float[Array | np.ndarray, " weight"]) -> "StateSpace":
        """Return the model with other weights, in the order of `ravel`."""
        values, start = {}, 0
        for name, shape in weight_shapes(*self.sizes).items():
            size = int(np.prod(shape))
            values[name] = flat[start : start + size].reshape(shape)
            start += size
        bounds = (self.low, self.high, self.floor, self.ceiling)
        return StateSpace(**values, **dict(zip(BOUNDS, bounds, strict=True)), units=self.units)

    def entries(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Go through all weights in the order of `ravel`: the name of the matrix, and the place in it."""
        for name, shape in weight_shapes(*self.sizes).items():
            for place in np.ndindex(*shape):
                yield name, place


WEIGHTS = ("A", "B", "c", "F", "G", "H", "b", "C", "D", "d")
BOUNDS = ("low", "high", "floor", "ceiling")


def weight_shapes(states: int, inputs: int, outputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights by their names."""
    rows = {"A": states, "B": states, "c": states, "F": states, "G": units, "H": units, "b": units}
    rows |= {"C": outputs, "D": outputs, "d": outputs}
    columns = {"A": states, "B": inputs, "F": units, "G": states, "H": inputs, "C": states, "D": inputs}
    return {name: (rows[name], columns[name]) if name in columns else (rows[name],) for name in WEIGHTS}


@jax.jit
def free_run(
    model: StateSpace, x0: Float[Array, "run state"], u: Float[Array, "run row input"]
) -> tuple[Float[Array, "run row state"], Float[Array, "run row output"]]:
    """Return states and outputs of free runs from the initial states `x0` under the inputs `u`."""

    def one(start: Array, inputs: Array) -> tuple[Array, Array]:
        def body(x: Array, v: Array) -> tuple[Array, tuple[Array, Array]]:
            return model.step(x, v), (x, model.output(x, v))

        return jax.lax.scan(body, start, inputs)[1]

    states, outputs = jax.vmap(one)(x0, u)
    return states, outputs
