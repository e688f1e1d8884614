"""Terms by the search that `EquationLearner` makes, offered those of a library, where it can be compiled."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsedyn._native import compiled
from sparsedyn.equations import combined, symbol
from sparsedyn.estimators.shooting_search._library import monomial
from sparsedyn.estimators.shooting_search._models import FITTED, found
from sparsedyn.estimators.shooting_search._prior import Prior
from sparsedyn.estimators.shooting_search._problem import PRECISION, Candidate, related
from sparsedyn.estimators.shooting_search._straying import PRICE, straying
from sparsedyn.estimators.sindy._proposals import Chosen, Proposal
from sparsedyn.estimators.sindy._states import States
from sparsedyn.models import PRIMITIVES, Library
from sparsedyn.training.shooting import products
from sparsedyn.training.shooting.products import MOST_FACTORS, Factor, Term

CODES = {"sin": products.SIN, "cos": products.COS, "log": products.LOG, "sqrt": products.SQRT}
"""Functions that are compiled, by the names of primitives."""
MOST = 400
"""Places for coefficients, terms times equations, up to which all may be looked through."""


def searched(states: States, library: Library) -> Chosen | None:
    """Return the terms of least criterion with their coefficients; `None` where this search does not apply.

    It applies to equations of first order under held inputs, whose terms all can be compiled, and some thousand rows,
    where Numba can be used.
    """
    data = states.measured.data
    offered = _terms(library)
    small = library.size * len(data.state_names) <= MOST and sum(data.lengths) <= FITTED
    plain = states.order == 1 and states.known is None and (states.inputs == "held" or not states.varying)
    if offered is None or not small or not plain or _compiled() is None:
        return None
    made = found(data, PRECISION, Prior(offered=tuple(offered)))
    if not made.candidates:
        return None
    coefficients = [_coefficients(one, offered, len(data.state_names)) for one in made.candidates]
    ranks = [one.score for one in made.candidates]
    symbols = [symbol(name) for name in (*data.state_names, *data.input_names)]
    terms = library.expressions(symbols)
    for k, one in enumerate(coefficients):
        if ranks[k] <= min(ranks) + PRICE:
            ranks[k] += straying(combined(terms, one), made.paths, [s.name for s in symbols])
    place = int(np.argmin(ranks))
    best = coefficients[place]
    return Chosen(Proposal(best != 0, best), related(made.problem, made.candidates[place]))


def _compiled() -> Callable[..., Any] | None:
    """What the search fits with, where Numba can be used; without, few of the possible supports are tried."""
    return compiled(
        "sparsedyn.training.shooting.kernel",
        "fitted",
        "Terms are chosen without the compiled search, from fewer candidates",
    )


def _terms(library: Library) -> list[Term] | None:
    """The terms of a library as products that are compiled, or `None` where there are others."""
    powers = [[chosen.count(i) for i in range(library.variables)] for chosen in library.monomials]
    found = [Term(monomial(one)) for one in powers]
    for function, chosen in library.applications:
        code = CODES.get(function.name)
        if code is None or PRIMITIVES[function.name] is not function:
            return None
        found.append(Term((Factor(code, chosen[0]),)))
    return found if all(len(one.factors) <= MOST_FACTORS for one in found) else None


def _coefficients(candidate: Candidate, offered: list[Term], states: int) -> np.ndarray:
    places = {term: k for k, term in enumerate(offered)}
    made = np.zeros((len(offered), states))
    for term, equation, value in zip(candidate.terms, candidate.equations, candidate.coefficients, strict=True):
        made[places[term], equation] += value
    return made
