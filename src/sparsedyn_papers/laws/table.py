"""Laws as lines of a text: `name | target [unit] = formula | variable [unit] low high; ...`."""

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import compiled, parsed

SUITES = ("feynman", "other-fields")
"""Tables that come along."""
SPARE = 4
"""Times as many points are drawn as are wanted: a law may have no value at some."""
NAMED = re.compile(r"\s*(\w+)\s*\[([^\]]*)\]\s*(.*)")


@dataclass(frozen=True)
class Variable:
    """A variable, its unit, and the range in which it is drawn uniformly."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Law:
    """A law: its target with a unit, its formula as text, and its variables."""

    name: str
    target: str
    unit: str
    formula: str
    variables: tuple[Variable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the variables."""
        return tuple(variable.name for variable in self.variables)

    @property
    def units(self) -> dict[str, str]:
        """Units by the names of the variables and of the target."""
        return {variable.name: variable.unit for variable in self.variables} | {self.target: self.unit}

    @cached_property
    def truth(self) -> sympy.Expr:
        """The formula as an expression."""
        return parsed(self.formula, self.names)

    def sampled(
        self, points: int, rng: np.random.Generator
    ) -> tuple[Float[np.ndarray, "sample variable"], Float[np.ndarray, " sample"]]:
        """Return so many points and the law's values; points without a value are drawn again."""
        x = np.column_stack([rng.uniform(one.low, one.high, SPARE * points) for one in self.variables])
        y = compiled([self.truth], self.names)(x)[:, 0]
        known = np.flatnonzero(np.isfinite(y))[:points]
        return x[known], y[known]


def read_laws(text: str) -> tuple[Law, ...]:
    """Return the laws of a text, a line each; lines that begin with # are remarks."""
    return tuple(_law(line) for line in text.splitlines() if line.strip() and not line.startswith("#"))


def suite(name: str) -> tuple[Law, ...]:
    """Return the laws of a table that comes along."""
    return read_laws(resources.files("sparsedyn_papers.laws").joinpath(f"{name}.txt").read_text(encoding="utf-8"))


def _law(line: str) -> Law:
    name, equation, variables = (part.strip() for part in line.split("|"))
    target, unit, right = _named(equation, line)
    found = []
    for part in variables.split(";"):
        own, its_unit, ends = _named(part, line)
        low, high = map(float, ends.split())
        found.append(Variable(own, its_unit, low, high))
    return Law(name, target, unit, right.removeprefix("=").strip(), tuple(found))


def _named(text: str, line: str) -> tuple[str, str, str]:
    found = NAMED.fullmatch(text)
    if found is None:
        raise ValueError(
            f"laws: expected `name | target [unit] = formula | variable [unit] low high; ...`; got {line!r}."
        )
    return found.group(1), found.group(2), found.group(3)
