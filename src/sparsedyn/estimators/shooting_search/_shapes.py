"""Candidates of another shape: what no sum of terms with the same constants inside comes near."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._library import times
from sparsedyn.training.shooting.products import (
    COS,
    COS_OF_MULTIPLE,
    HILL,
    MOST_FACTORS,
    POWER,
    RATIO,
    SIGMOID,
    SIGMOID_OF_TWO,
    SIN,
    SIN_OF_MULTIPLE,
    Factor,
    Term,
)

HIGHEST, HIGHEST_BESIDE = 5, 3
"""Powers that a variable may have where terms are multiplied by it: alone, and beside other factors."""

PLAINER: dict[int, Callable[[Factor], Factor]] = {
    SIN_OF_MULTIPLE: lambda factor: factor._replace(code=SIN),
    COS_OF_MULTIPLE: lambda factor: factor._replace(code=COS),
}
"""What is left of a function without its constants, where that is one of the variable itself."""
WIDER = {SIGMOID: SIGMOID_OF_TWO, HILL: RATIO}


def widened(terms: Sequence[Term], variables: Sequence[int]) -> Iterator[tuple[Term, ...]]:
    """Return terms, one of which has a further variable in its sigmoid or its denominator, as yet without effect."""
    for k, term in enumerate(terms):
        place = 0
        for n, factor in enumerate(term.factors):
            place += factor.constants
            if factor.code not in WIDER or (factor.code == HILL and factor.second != 1):
                continue
            for other in variables:
                if other != factor.first:
                    made = Factor(WIDER[factor.code], factor.first, other, factor.power)
                    inside = (*term.inside[:place], 0.0, *term.inside[place:])
                    wider = Term((*term.factors[:n], made, *term.factors[n + 1 :]), inside)
                    yield (*terms[:k], wider, *terms[k + 1 :])


def scaled(
    terms: Sequence[Term], equations: Sequence[int], variables: Sequence[int], sizes: Float[np.ndarray, " variable"]
) -> Iterator[tuple[tuple[Term, ...], tuple[float, ...]]]:
    """Return terms times or over a variable, and by how much less their coefficients are: one with constants, or all.

    All are those of an equation. Sizes are those of variables, which coefficients make up for.
    """
    groups: list[tuple[int, ...]] = [(k,) for k, term in enumerate(terms) if term.inside]
    groups += [tuple(k for k, e in enumerate(equations) if e == one) for one in sorted(set(equations))]
    for group in dict.fromkeys(groups):
        for variable in variables:
            for power in (1, -1):
                made = [times(terms[k], [Factor(POWER, variable, -1, power)]) for k in group]
                if all(_plausible(term, variable) for term in made):
                    at = dict(zip(group, made, strict=True))
                    shares = tuple(sizes[variable] ** -power if k in at else 1.0 for k in range(len(terms)))
                    yield tuple(at.get(k, term) for k, term in enumerate(terms)), shares


def _plausible(term: Term, variable: int) -> bool:
    """Whether a product is one that the library might have."""
    powers = {factor.first: factor.power for factor in term.factors if factor.code == POWER}
    most = HIGHEST if len(term.factors) == 1 else HIGHEST_BESIDE
    return len(term.factors) <= MOST_FACTORS and 0 <= powers.get(variable, 0) <= most


def narrowed(terms: Sequence[Term], equations: Sequence[int]) -> Iterator[tuple[tuple[Term, ...], tuple[int, ...]]]:
    """Return terms and the places they came from, one of them without the constants inside its function, or that.

    A function whose constants make it flat is none; where the rest of its term is there already, the term goes.
    """
    for k, term in enumerate(terms):
        if not term.inside:
            continue
        plain = [factor for factor in term.factors if not factor.constants]
        others = [PLAINER[factor.code](factor) for factor in term.factors if factor.code in PLAINER]
        for factors in (plain, [*plain, *others]) if others else (plain,):
            bare = Term(tuple(sorted(factors)))
            there = any(other == bare and equations[k] == e for other, e in zip(terms, equations, strict=True))
            kept = tuple(n for n in range(len(terms)) if n != k or not there)
            yield tuple(bare if n == k else terms[n] for n in kept), kept
