"""Right-hand sides whose terms are products of factors, some with constants inside, as numbers for compiled code."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

POWER, SIN, COS, SIN_DIFFERENCE, COS_DIFFERENCE, LOG, ABS, SQRT = range(8)
EXP, SIGMOID, SIGMOID_OF_TWO, HILL, FREE_POWER, SIN_OF_MULTIPLE, COS_OF_MULTIPLE, TANH, RATIO = range(8, 17)
CONSTANTS = {
    EXP: 1,
    SIGMOID: 2,
    SIGMOID_OF_TWO: 3,
    HILL: 1,
    FREE_POWER: 1,
    SIN_OF_MULTIPLE: 1,
    COS_OF_MULTIPLE: 1,
    TANH: 1,
    RATIO: 2,
}
"""How many constants factors have inside, by their codes; others have none."""
MOST_FACTORS = 4
"""Factors that a term may have."""


class Factor(NamedTuple):
    """A function of the variables `first` and `second`, to an integer power.

    Of one variable v: `v`, `sin v`, `cos v`, `log |v|`, `|v|`, `sqrt |v|`; with constants inside `exp(a v^m)`,
    `1 / (1 + exp(b + a v))`, `1 / (K + v^m)`, `|v|^p`, `sin(a v)`, `cos(a v)`, `tanh(a v)`, where `second` stands for
    m. Of two, v and w: `sin(v - w)`, `cos(v - w)`, `1 / (1 + exp(b + a v + c w))`, `1 / (K + v + c w)`.
    """

    code: int
    first: int
    second: int = -1
    power: int = 1

    @property
    def constants(self) -> int:
        """How many constants are inside."""
        return CONSTANTS.get(self.code, 0)


class Term(NamedTuple):
    """A product of factors, times a coefficient; `inside` are the constants of its factors, in their order."""

    factors: tuple[Factor, ...]
    inside: tuple[float, ...] = ()

    @property
    def free(self) -> int:
        """How many parameters the term has, its coefficient included."""
        return 1 + len(self.inside)


class Known(NamedTuple):
    """A term that is known to be in an equation, with its coefficient."""

    coefficient: float
    term: Term
    equation: int


class Program(NamedTuple):
    """Equations as numbers. Parameters are the terms' coefficients, each followed by the constants inside its term."""

    begins: Int[np.ndarray, " edge"]
    factors: Int[np.ndarray, "factor 5"]
    """Code, variables, power, and the parameter that is the first constant inside."""
    coefficients: Int[np.ndarray, " term"]
    equations: Int[np.ndarray, " term"]
    owners: Int[np.ndarray, " parameter"]
    """The equation that a parameter is in; each is in one."""
    states: Int[np.ndarray, " state"]
    """The variables that are integrated."""
    driven: Int[np.ndarray, " input"]
    """The variables that are given."""


def program(
    terms: Sequence[Term],
    equations: Sequence[int],
    states: Sequence[int],
    driven: Sequence[int],
    *,
    fixed: Sequence[Term] = (),
    of: Sequence[int] = (),
    known: Sequence[Known] = (),
) -> Program:
    """Return the program of terms in these equations.

    The constants inside of further `fixed` terms, of the equations `of`, are no free parameters: they come after all.
    Nothing of `known` terms is a free parameter; their coefficients and constants come last.
    """
    begins: list[int] = [0]
    factors: list[tuple[int, ...]] = []
    coefficients: list[int] = []
    owners: list[int] = []
    for term, equation in zip(terms, equations, strict=True):
        place = len(owners)
        coefficients.append(place)
        inner = place + 1
        for factor in term.factors:
            factors.append((*factor, inner))
            inner += factor.constants
        owners += [equation] * (inner - place)
        begins.append(len(factors))
    inner = len(owners) + len(fixed)
    for term, equation in zip(fixed, of, strict=True):
        coefficients.append(len(owners))
        owners.append(equation)
        for factor in term.factors:
            factors.append((*factor, inner))
            inner += factor.constants
        begins.append(len(factors))
    for one in known:
        coefficients.append(inner)
        inner += 1
        for factor in one.term.factors:
            factors.append((*factor, inner))
            inner += factor.constants
        begins.append(len(factors))
    return Program(
        np.asarray(begins),
        np.asarray(factors, int).reshape(-1, 5),
        np.asarray(coefficients, int),
        np.asarray([*equations, *of, *(one.equation for one in known)], int),
        np.asarray(owners, int),
        np.asarray(states, int),
        np.asarray(driven, int),
    )


def parameters(
    terms: Sequence[Term], coefficients: Sequence[float], fixed: Sequence[Term] = (), known: Sequence[Known] = ()
) -> Float[np.ndarray, " parameter"]:
    """Return the parameters of terms, in the order of their program; coefficients of `fixed` ones are zero."""
    found: list[float] = []
    for term, coefficient in zip(terms, coefficients, strict=True):
        found += [coefficient, *term.inside]
    found += [0.0] * len(fixed)
    for term in fixed:
        found += term.inside
    for one in known:
        found += [one.coefficient, *one.term.inside]
    return np.asarray(found, float)


def refilled(
    terms: Sequence[Term], values: Float[np.ndarray, " parameter"]
) -> tuple[tuple[Term, ...], tuple[float, ...]]:
    """Return terms with the constants inside that parameters say, and coefficients."""
    made, coefficients, place = [], [], 0
    for term in terms:
        coefficients.append(float(values[place]))
        made.append(Term(term.factors, tuple(float(v) for v in values[place + 1 : place + term.free])))
        place += term.free
    return tuple(made), tuple(coefficients)
