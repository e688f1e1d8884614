"""What a model's own states say: how large errors are, and which other equations explain the same states.

A model that explains noisy data is a better curve through them than any spline.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search import _integral as integral
from sparsedyn.estimators.shooting_search._library import Library
from sparsedyn.estimators.shooting_search._nearby import TIED
from sparsedyn.estimators.shooting_search._paths import Paths, reweighted
from sparsedyn.estimators.shooting_search._problem import Candidate, Problem, problem_of
from sparsedyn.estimators.shooting_search._search import BETTER, QUICK, SETTLING, seeds, settled, well

ROWS_EACH = 10
"""Values for every constant and first state, from which on a model's states are nearer to true ones than splines."""
PROPOSED, ALTERNATIVES, KEPT = 60, 6, 3
"""Proposals with constants inside that are fitted for an equation, equations that are tried in the model, and models.

The latter are those that are kept beside the best one: longer segments may tell otherwise.
"""


def weighed(problem: Problem, paths: Paths, candidates: Sequence[Candidate]) -> tuple[Problem, Paths, list[Candidate]]:
    """Return candidates fitted anew, errors being of the sizes that the states of the first one say; best first."""
    fitted = _fitted(problem, paths, candidates[0])
    if fitted is None:
        return problem, paths, list(candidates)
    other = reweighted(paths, fitted)
    made = problem_of(other, problem.states, problem.precision, [cut.length for cut in problem.cuts])
    made = replace(made, substeps=problem.substeps, course=problem.course, fits=problem.fits)
    anew = sorted((made.again(one) for one in candidates), key=lambda one: one.score)
    # Along chaotic motions, other weights may lead astray.
    if not well(made, candidates[0], anew[0]):
        return problem, paths, list(candidates)
    return made, other, anew


def proposed(problem: Problem, paths: Paths, library: Library, candidate: Candidate) -> list[Candidate]:
    """Return candidates with equations exchanged for what regressions along a candidate's own states propose.

    One equation after the other, all others being those of the best so far. It is the first; others are nearly as good.
    """
    fitted = _fitted(problem, paths, candidate)
    if fitted is None:
        return [candidate]
    own = replace(paths, smooth=fitted)
    form = integral.integrals(own, library.terms)
    best, made = candidate, [candidate]
    for j in range(len(problem.states)):
        part = replace(problem_of(own, [j], problem.precision), course=problem.course, substeps=problem.substeps)
        guesses = seeds(integral.Regression(form, j), library, PROPOSED)
        found = [
            part.fit(*guess, [0] * len(guess.terms), 0, iterations=QUICK, rounds=1)
            for guess in guesses
            if not problem.course.exhausted
        ]
        for one in settled(part, found, ALTERNATIVES, min(1, len(part.cuts) - 1)):
            if problem.course.exhausted:
                break
            other = _exchanged(problem, best, j, one)
            made.append(other)
            if other.score < best.score - BETTER:
                best = other
        problem.fits += part.fits
    near = {one.key: one for one in made if one.score < best.score + TIED and one.key != best.key}
    return [best, *sorted(near.values(), key=lambda one: one.score)[:KEPT]]


def _exchanged(problem: Problem, candidate: Candidate, state: int, equation: Candidate) -> Candidate:
    """Return a candidate fitted with another equation of a state, its first states being those to begin with."""
    kept = [k for k, e in enumerate(candidate.equations) if e != state]
    return problem.fit(
        [*(candidate.terms[k] for k in kept), *equation.terms],
        [*(candidate.coefficients[k] for k in kept), *equation.coefficients],
        [*(candidate.equations[k] for k in kept), *(state for _ in equation.terms)],
        candidate.level,
        starts=candidate.starts,
        noise=np.maximum(candidate.noise, problem.floor),
        iterations=SETTLING,
    )


def _fitted(problem: Problem, paths: Paths, candidate: Candidate) -> list[Float[np.ndarray, "row state"]] | None:
    """The states at all rows by a candidate, per trajectory.

    Nothing where it runs away, or where values are few for its constants and first states: it follows their errors.
    """
    if np.sum(problem.counts) < ROWS_EACH * (candidate.free + len(paths.data) * len(problem.states)):
        return None
    states, rows = problem.states_of(candidate), problem.cuts[candidate.level].arrays[5].astype(int)
    there = rows >= 0
    if not np.isfinite(states[there]).all():
        return None
    found = np.empty((sum(paths.data.lengths), states.shape[-1]))
    found[rows[there]] = states[there]
    return np.split(found, np.cumsum(paths.data.lengths)[:-1])
