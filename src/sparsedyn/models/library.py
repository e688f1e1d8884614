"""Libraries of candidate terms: the functions of which a right-hand side is a linear combination."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from math import comb, perm
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jaxtyping import Array, Float, Int

from sparsedyn.models.primitives import Primitive, compiled_on_host


@dataclass(frozen=True)
class Library:
    """All monomials up to `degree` of some variables, then every one of `functions` of every variable.

    The order is 1, x0, x1, x0^2, x0 x1, x1^2, ..., f(x0), f(x1), ...; a function of several arguments is taken of all
    ordered choices of different variables. One definition serves training, simulation and printing. Variables are
    states first, then inputs, where there are both.

    Raises `ValueError` for a library that has no term.
    """

    variables: int
    degree: int = 3
    functions: tuple[Primitive, ...] = ()
    constant: bool = True

    def __post_init__(self) -> None:
        if self.variables < 1:
            raise ValueError(f"variables: expected at least 1; got {self.variables!r}.")
        if isinstance(self.degree, bool) or not isinstance(self.degree, int) or self.degree < 0:
            raise ValueError(f"degree: expected a whole number of at least 0; got {self.degree!r}.")
        if self.size == 0:
            raise ValueError(
                "library: expected at least one term; give a degree of at least 1, a constant or functions."
            )

    @cached_property
    def monomials(self) -> tuple[tuple[int, ...], ...]:
        """The variables that each monomial multiplies, in increasing order; `()` is the constant."""
        degrees = range(0 if self.constant else 1, self.degree + 1)
        return tuple(m for d in degrees for m in combinations_with_replacement(range(self.variables), d))

    @cached_property
    def applications(self) -> tuple[tuple[Primitive, tuple[int, ...]], ...]:
        """The functions, each with the variables that it is applied to."""
        return tuple((f, chosen) for f in self.functions for chosen in permutations(range(self.variables), f.arity))

    @property
    def size(self) -> int:
        """The number of terms, without listing them: there may be more than memory holds."""
        products = comb(self.variables + self.degree, self.degree) - (not self.constant)
        return products + sum(perm(self.variables, f.arity) for f in self.functions)

    def __call__(self, values: Float[Array | np.ndarray, "*batch variable"]) -> Float[Array, "*batch term"]:
        """Return the terms at these values of the variables."""
        columns = [values[..., i] for i in range(self.variables)]
        applied = [f.function(*(columns[i] for i in chosen)) for f, chosen in self.applications]
        return jnp.stack([*self._products(columns, jnp.ones_like), *applied], axis=-1)

    def evaluate(self, values: Float[np.ndarray, "*batch variable"]) -> Float[np.ndarray, "*batch term"]:
        """Return the terms in float64, on the host."""
        columns = list(np.moveaxis(np.asarray(values, np.float64), -1, 0))
        products = self._products(columns, np.ones_like)
        # Functions are JAX's; products, which every library has, do without its overhead.
        with jax.enable_x64(True):
            applied = [np.asarray(f.function(*(columns[i] for i in chosen))) for f, chosen in self.applications]
        return np.stack([*products, *applied], axis=-1)

    def on_host(self, values: Float[np.ndarray, "*batch variable"]) -> Float[np.ndarray, "term *batch"]:
        """Return the terms in float64, on the host; terms come first."""
        columns = list(np.moveaxis(np.asarray(values, np.float64), -1, 0))
        made = np.empty((self.size, *np.shape(values)[:-1]))
        products = self._products(columns, np.ones_like)
        for k, one in enumerate(products):
            made[k] = one
        for k, (primitive, chosen) in enumerate(self.applications, len(products)):
            made[k] = compiled_on_host(primitive)(*(columns[i] for i in chosen))[0]
        return made

    def some(
        self, values: Float[np.ndarray, "variable *batch"], chosen: Iterable[int]
    ) -> Float[np.ndarray, "chosen *batch"]:
        """Return some of the terms in float64, on the host; variables and terms come first."""
        chosen = list(chosen)
        made = np.empty((len(chosen), *values.shape[1:]))
        products: dict[tuple[int, ...], np.ndarray] = {}

        def product(monomial: tuple[int, ...], out: np.ndarray | None = None) -> np.ndarray:
            if monomial not in products:
                last, first = values[monomial[-1]], monomial[:-1]
                products[monomial] = np.multiply(product(first), last, out=out) if first else last
            return products[monomial]

        for k, out in zip(chosen, made, strict=True):
            if k >= len(self.monomials):
                primitive, of = self.applications[k - len(self.monomials)]
                out[...] = compiled_on_host(primitive)(*(values[i] for i in of))[0]
            elif not self.monomials[k]:
                out[...] = 1.0
            elif (found := product(self.monomials[k], out)) is not out:
                out[...] = found
        return made

    def linearized(
        self, values: Float[np.ndarray, "*batch variable"]
    ) -> tuple[Float[np.ndarray, "term *batch"], Float[np.ndarray, "term variable *batch"]]:
        """Return the terms and their derivatives by every variable, in float64, on the host; terms come first."""
        columns = list(np.moveaxis(np.asarray(values, np.float64), -1, 0))
        made = np.stack(self._products(columns, np.ones_like, everything=True))
        places, factors = self._lowered
        powers = [i for i, m in enumerate(self._divisors) if m or self.constant]
        ones = (1,) * (made.ndim - 1)
        slopes = made[places] * factors.reshape(*factors.shape, *ones)
        terms = made[powers] if len(powers) < len(made) else made
        if not self.applications:
            return terms, slopes
        further = np.zeros((len(self.applications), *slopes.shape[1:]))
        values_of = np.empty((len(self.applications), *terms.shape[1:]))
        for k, (primitive, chosen) in enumerate(self.applications):
            value, *partials = compiled_on_host(primitive)(*(columns[i] for i in chosen))
            values_of[k] = value
            for i, partial in zip(chosen, partials, strict=True):
                further[k, i] = partial
        return np.concatenate([terms, values_of]), np.concatenate([slopes, further])

    @cached_property
    def _divisors(self) -> tuple[tuple[int, ...], ...]:
        """The monomials and, without a constant, the constant, which derivatives need."""
        return self.monomials if self.constant else ((), *self.monomials)

    @cached_property
    def _lowered(self) -> tuple[Int[np.ndarray, "monomial variable"], Float[np.ndarray, "monomial variable"]]:
        """For each monomial and variable, the place of the monomial without that variable once, and how often it is
        there.
        """
        places = {m: i for i, m in enumerate(self._divisors)}
        lowered = np.zeros((len(self.monomials), self.variables), int)
        counts = np.zeros((len(self.monomials), self.variables))
        for row, monomial in enumerate(self.monomials):
            for i in set(monomial):
                rest = list(monomial)
                rest.remove(i)
                lowered[row, i], counts[row, i] = places[tuple(rest)], monomial.count(i)
        return lowered, counts

    def _products(
        self, columns: Sequence[Any], ones_like: Callable[[Any], Any], *, everything: bool = False
    ) -> list[Any]:
        """Return the monomials of columns, each from the monomial of one degree less, which comes before it."""
        made: dict[tuple[int, ...], Any] = {}
        for m in self._divisors if everything else self.monomials:
            made[m] = made[m[:-1]] * columns[m[-1]] if len(m) > 1 else columns[m[0]] if m else ones_like(columns[0])
        return list(made.values())

    def expressions(self, symbols: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
        """Return the terms as SymPy expressions of these symbols, one per variable."""
        if len(symbols) != self.variables:
            raise ValueError(f"symbols: expected {self.variables}, one per variable; got {len(symbols)}.")
        powers = [sympy.Mul(*(symbols[i] for i in monomial)) for monomial in self.monomials]
        return (*powers, *(f.symbol(*(symbols[i] for i in chosen)) for f, chosen in self.applications))

    def names(self, variables: Sequence[str]) -> tuple[str, ...]:
        """Return the terms as text, such as `x y`, `x^2` and `sin(x)`."""
        powers = [
            " ".join(_power(variables[i], monomial.count(i)) for i in sorted(set(monomial))) or "1"
            for monomial in self.monomials
        ]
        applied = [f"{f.name}({', '.join(variables[i] for i in chosen)})" for f, chosen in self.applications]
        return (*powers, *applied)


def check_terms(variables: int, degree: int, terms: int) -> None:
    """Raise `ValueError` for a degree of which there are more monomials than `terms`, without counting them all."""
    products = 1
    for k in range(1, min(variables, degree) + 1):
        products = products * (variables + degree - k + 1) // k
        if products > terms + 1:
            raise ValueError(
                f"degree: {degree!r} of {variables} variables makes more than the {terms} terms there are."
            )


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"
