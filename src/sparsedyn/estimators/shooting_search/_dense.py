"""All monomials in all equations, fitted to the states over few rows, and thinned: a start that needs no derivative."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search import _integral as integral
from sparsedyn.estimators.shooting_search._library import polynomials, price
from sparsedyn.estimators.shooting_search._problem import LOOSE, Candidate, Problem
from sparsedyn.training.shooting.products import Term

MOST = 64
"""Parameters that a dense model may have."""
THINNED = 0.5
"""Share of the terms that are left out before the rest is fitted again."""
TURNS = 12
SUBSTEPS = 4
"""Substeps of a row that dense models begin with."""
ALIKE = 1e-3
"""Share by which constants of one fit may differ that began in two places."""
EXACT = 1.6
"""Residuals in multiples of the precision up to which clean data are explained."""


def dense(
    problem: Problem, form: integral.Integrals, terms: list[Term], enough: Float[np.ndarray, " state"] | float = 0.0
) -> Iterator[Candidate]:
    """Yield models of all monomials in all equations.

    First those of degree two, then, where these leave more than `enough` and parameters are not too many, of degree
    three.
    """
    offered = {d: _monomials(problem, terms, d) for d in (1, 2, 3)}
    sizes = {d: len(places) * len(problem.states) for d, places in offered.items()}
    degrees = [d for d in (2, 3) if sizes[d] <= MOST] or [1]
    for degree in degrees:
        if degree > degrees[0] and sizes[degree] == sizes[degree - 1]:
            break
        begun = _begun(problem, form, terms, offered[degree])
        yield from begun
        if any(exact(problem, one) or np.all(np.sqrt(one.squares / problem.counts) <= enough) for one in begun):
            break


def exact(problem: Problem, candidate: Candidate) -> bool:
    """Whether a candidate leaves no more than rounding of clean data."""
    return bool(np.all(candidate.squares / problem.counts <= (EXACT * problem.precision) ** 2))


def _monomials(problem: Problem, terms: list[Term], degree: int) -> list[int]:
    """The places of the monomials up to a degree that there are."""
    places = {term: k for k, term in enumerate(terms)}
    total = len(problem.states) + len(problem.driven)
    return [places[term] for term in polynomials(total, degree) if term in places]


def _begun(problem: Problem, form: integral.Integrals, terms: list[Term], places: Sequence[int]) -> list[Candidate]:
    """Return the monomials at these places in all equations, fitted to the states over few rows; best first.

    From two starts, which may lead to the same constants.
    """
    width = len(problem.states)
    chosen: list[Term] = []
    coefficients: list[float] = []
    equations: list[int] = []
    for j in range(width):
        usable = [k for k in places if form.usable[k]]
        found, _ = integral.Regression(form, problem.states[j]).solved(usable)
        chosen += [terms[k] for k in usable]
        coefficients += list(found)
        equations += [j] * len(usable)
    # Where rows are far apart, what is integrated in one step is another equation.
    substeps = max(problem.substeps, SUBSTEPS)
    # Monomials that are far from right lead nowhere along stiffly joined segments, or astray along loosely joined ones.
    made = [
        _fitted_in_turn(replace(problem, substeps=substeps, tight=tight), problem, chosen, coefficients, equations)
        for tight in sorted({problem.tight, LOOSE})
    ]
    fine = sorted((one for one in made if one is not None), key=lambda one: one.score)
    alike = len(fine) > 1 and np.allclose(fine[0].coefficients, fine[1].coefficients, rtol=ALIKE, atol=0)
    return fine[:1] if alike else fine


def _fitted_in_turn(
    loose: Problem, problem: Problem, terms: list[Term], coefficients: list[float], equations: list[int]
) -> Candidate | None:
    """Return terms fitted to one problem and then to another; nothing where they run away."""
    begun = loose.fit(terms, coefficients, equations, 0, iterations=30)
    if not np.isfinite(begun.score):
        begun = loose.fit(terms, [0.0] * len(terms), equations, 0, iterations=40)
    if not np.isfinite(begun.score):
        return None
    problem.refine(begun)
    return refined(problem, problem.again(begun))


def refined(problem: Problem, candidate: Candidate) -> Candidate:
    """Return a candidate fitted with as many substeps as its integration takes."""
    while True:
        before = problem.substeps
        problem.refine(candidate)
        if problem.substeps <= before:
            return candidate
        candidate = problem.again(candidate)


def thinned(problem: Problem, begun: Candidate) -> list[Candidate]:
    """Return models with ever fewer terms, as long as the criterion falls, the best first."""
    now = begun
    found = [now]
    for _ in range(TURNS):
        left = _thinner(problem, now)
        if left is None or not np.isfinite(left.score):
            break
        now = left
        found.append(now)
    return sorted(found, key=lambda one: one.score)


def _thinner(problem: Problem, candidate: Candidate) -> Candidate | None:
    """Return the candidate without the terms that are worth least, fitted again; none where all are worth it."""
    information = reduced(candidate)
    count = len(candidate.terms)
    left = np.arange(count)
    values = np.asarray(candidate.coefficients)
    size = np.sqrt(np.maximum(np.diag(information), 1e-300))
    inverse = np.linalg.pinv(information / np.outer(size, size) + 1e-11 * np.eye(count), hermitian=True)
    values = values * size
    lost, total = 0.0, float(problem.counts.sum())
    worth = np.asarray([2 * price(t) + t.free * np.log(problem.counts.max()) for t in candidate.terms])
    removed = 0
    while left.size > 1 and removed < max(1, THINNED * count):
        rises = np.square(values) / np.maximum(np.diag(inverse), 1e-300)
        scores = total * np.log1p((lost + rises) / total) - total * np.log1p(lost / total) - worth[left]
        worst = int(np.argmin(scores))
        if scores[worst] >= 0:
            break
        lost += float(rises[worst])
        values = values - inverse[:, worst] * values[worst] / inverse[worst, worst]
        inverse = inverse - np.outer(inverse[:, worst], inverse[worst]) / inverse[worst, worst]
        keep = np.arange(left.size) != worst
        left, values, inverse = left[keep], values[keep], inverse[np.ix_(keep, keep)]
        removed += 1
    if not removed:
        return None
    return problem.fit(
        [candidate.terms[k] for k in left],
        list(values / size[left]),
        [candidate.equations[k] for k in left],
        candidate.level,
        starts=candidate.starts,
        noise=np.maximum(candidate.noise, problem.floor),
    )


def reduced(candidate: Candidate) -> Float[np.ndarray, "parameter parameter"]:
    """Return the information that the data have on a candidate's constants, first states being free."""
    lower = np.tril(candidate.normal)
    whole = lower + lower.T - np.diag(np.diag(lower))
    base = candidate.starts.size
    blocks, cross = whole[:base, :base], whole[:base, base:]
    scale = 1 / np.sqrt(np.maximum(np.diag(blocks), 1e-300))
    solved = np.linalg.solve(blocks * np.outer(scale, scale) + 1e-13 * np.eye(base), cross * scale[:, None])
    found: np.ndarray = whole[base:, base:] - (cross * scale[:, None]).T @ solved
    return found
