"""Primitive functions: the functions of an equation learner's units, and their symbolic form."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array

from sparsedyn.models.catalogue import PRIMITIVES, SETS

SAFE = 0.05
"""The least size of a denominator or an argument of a logarithm that training divides by or takes."""
LARGEST_EXPONENT = 5.0
MOST_UNITS = 1000
"""Copies of a primitive that a layer may have: more are never needed, and would fill the memory."""


@dataclass(frozen=True)
class Primitive:
    """A function of `arity` numbers: on arrays, as a SymPy expression, and guarded for training.

    `guarded` replaces `function` during training; the two are equal away from poles and overflow. A `homogeneous`
    function of an argument times a number is the function times a power of that number, so that the size of its
    argument says nothing that the weights after it could not say. `inverse` is an argument with which a function of one
    has a given value; where there is none, it is not finite or another value's. Your own primitive takes three lines:

    ```python
    gauss = Primitive("gauss", lambda g: jnp.exp(-g * g), lambda g: sympy.exp(-(g**2)))
    ```
    """

    name: str
    function: Callable[..., Array]
    symbol: Callable[..., Any]
    arity: int = 1
    guarded: Callable[..., Array] | None = None
    homogeneous: bool = False
    inverse: Callable[[Array], Array] | None = None

    def of(self, *arguments: Array, guard: bool) -> Array:
        """Return the function of arrays of one shape, guarded or exact."""
        return (self.guarded or self.function if guard else self.function)(*arguments)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copy and serialize built-in primitives by name, since functions cannot be serialized."""
        if PRIMITIVES.get(self.name) is self:
            return _known, (self.name,)
        return super().__reduce_ex__(protocol)


def _safe_ratio(a: Array, b: Array) -> Array:
    """`a / b`, continued through `b = 0` by a straight line."""
    far = jnp.abs(b) >= SAFE
    # The other branch must stay finite, or its gradient would be NaN in this one.
    return jnp.where(far, a / jnp.where(far, b, 1.0), a * b / SAFE**2)


def _tame(g: Array) -> Array:
    return jnp.minimum(g, LARGEST_EXPONENT)


def _scaled(
    name: str, base: "Primitive", inner: float, symbol: Any, outer: float = 1.0, shift: float = 0.0
) -> "Primitive":
    """`outer * (base(inner * g) - shift)`."""
    return Primitive(
        name,
        lambda g: outer * (base.function(inner * g) - shift),
        symbol,
        guarded=lambda g: outer * (base.of(inner * g, guard=True) - shift),
    )


CONSTANT = Primitive("constant", lambda: jnp.ones(()), lambda: sympy.Integer(1), arity=0)
IDENTITY = Primitive("identity", lambda g: g, lambda g: g, homogeneous=True)
SQUARE = Primitive("square", jnp.square, lambda g: g**2, homogeneous=True, inverse=jnp.sqrt)
CUBE = Primitive("cube", lambda g: g * g * g, lambda g: g**3, homogeneous=True)
SIN = Primitive("sin", jnp.sin, sympy.sin)
COS = Primitive("cos", jnp.cos, sympy.cos)
EXP = Primitive("exp", jnp.exp, sympy.exp, guarded=lambda g: jnp.exp(_tame(g)), inverse=jnp.log)
SIGMOID = Primitive("sigmoid", jax.nn.sigmoid, lambda g: 1 / (1 + sympy.exp(-g)))
TANH = Primitive("tanh", jnp.tanh, sympy.tanh)
LOG = Primitive(
    "log",
    lambda g: jnp.log(jnp.abs(g)),
    lambda g: sympy.log(sympy.Abs(g)),
    guarded=lambda g: jnp.log(jnp.maximum(jnp.abs(g), SAFE)),
    inverse=jnp.exp,
)
SQRT = Primitive(
    "sqrt",
    lambda g: jnp.sqrt(jnp.abs(g)),
    lambda g: sympy.sqrt(sympy.Abs(g)),
    guarded=lambda g: jnp.sqrt(jnp.maximum(jnp.abs(g), SAFE**2)),
    homogeneous=True,
    inverse=jnp.square,
)
PRODUCT = Primitive("product", lambda a, b: a * b, lambda a, b: a * b, arity=2, homogeneous=True)
DIVISION = Primitive("division", lambda a, b: a / b, lambda a, b: a / b, arity=2, guarded=_safe_ratio, homogeneous=True)
SIN_4PI = _scaled("sin_4pi", SIN, 4 * math.pi, lambda g: sympy.sin(4 * sympy.pi * g))
SIN_2PI = _scaled("sin_2pi", SIN, 2 * math.pi, lambda g: sympy.sin(2 * sympy.pi * g))
SIGMOID_20 = _scaled("sigmoid_20", SIGMOID, 20.0, lambda g: 1 / (1 + sympy.exp(-20 * g)))
EXP_SHIFTED = _scaled("exp_shifted", EXP, 1.0, lambda g: (sympy.exp(g) - 1) / sympy.E, outer=1 / math.e, shift=1.0)
PRODUCT_10 = Primitive("product_10", lambda a, b: 10.0 * a * b, lambda a, b: 10 * a * b, arity=2, homogeneous=True)


@cache
def compiled_on_host(primitive: Primitive) -> Callable[..., tuple[Any, ...]]:
    """Return a primitive and its derivatives by every argument as one NumPy function of arrays.

    Where a value is not finite, it says so by being infinity or NaN, without NumPy's warning.
    """
    arguments = sympy.symbols(f"g:{primitive.arity}", real=True)
    value = sympy.sympify(primitive.symbol(*arguments))
    partials = [sympy.diff(value, argument) for argument in arguments]
    made: Callable[..., tuple[Any, ...]] = sympy.lambdify(
        arguments, (value, *partials), modules=["scipy", "numpy"], cse=True
    )

    def evaluate(*columns: Any) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return made(*columns)

    return evaluate


Units: TypeAlias = tuple[tuple[Primitive, int], ...]


def units_of(chosen: str | Mapping[str | Primitive, int] | Units, parameter: str = "primitives") -> Units:
    """Return primitives and how often each is repeated: the name of a set, or a mapping such as `{"sin": 2}`.

    Keys are names of `PRIMITIVES` or your own primitives. Raises `ValueError` for unknown names, with the `parameter`
    that has them, and counts.
    """
    if isinstance(chosen, str):
        if chosen not in SETS:
            raise ValueError(f"primitives: expected one of {', '.join(SETS)} or a table of counts; got {chosen!r}.")
        return tuple((PRIMITIVES[name], count) for name, count in SETS[chosen].items())
    if not isinstance(chosen, Mapping) and not _paired(chosen):
        raise ValueError(
            f"primitives: expected one of {', '.join(SETS)} or a table of counts such as {{'sin': 2, 'product': 1}}; "
            f"got {chosen!r}."
        )
    pairs = chosen.items() if isinstance(chosen, Mapping) else chosen
    units = tuple((_known(name, parameter), count) for name, count in pairs)
    for primitive, count in units:
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"primitives: expected a count of at least 1 for {primitive.name!r}; got {count!r}.")
        if count > MOST_UNITS:
            raise ValueError(
                f"primitives: expected a count of at most {MOST_UNITS} for {primitive.name!r}; got {count}."
            )
    names = [primitive.name for primitive, _ in units]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"primitives: expected at least one, each once; got {names}. Give counts to repeat one.")
    return units


def _paired(chosen: Any) -> bool:
    return isinstance(chosen, tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in chosen)


def _known(name: str | Primitive, parameter: str = "primitives") -> Primitive:
    if isinstance(name, Primitive):
        return name
    if name not in PRIMITIVES:
        raise ValueError(
            f"{parameter}: unknown primitive {name!r}. Known: {', '.join(PRIMITIVES)}; or give a Primitive."
        )
    primitive: Primitive = PRIMITIVES[name]
    return primitive
