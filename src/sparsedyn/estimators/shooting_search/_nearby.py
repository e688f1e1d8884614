"""Where models lead from states near the measured ones: of what the data cannot tell apart, the tamer is taken."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search._problem import Candidate, Problem
from sparsedyn.training.shooting.needed import kernel
from sparsedyn.training.shooting.products import parameters, program

STARTS, APART = 10, 0.5
"""States that are begun at, and how far they are from measured ones, in standard deviations."""
TIED = 6.0
"""Difference of the criterion up to which models are tied: odds of twenty. One that always runs away pays so much."""


def tamer_first(problem: Problem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates, best first, those that are tied with the best paying for how often they run away."""
    near = [one for one in candidates if one.score <= candidates[0].score + TIED]
    if len(near) < 2:
        return list(candidates)
    paid = [one.score + TIED * runaways(problem, one) for one in near]
    return [*(near[k] for k in np.argsort(paid, kind="stable")), *candidates[len(near) :]]


def runaways(problem: Problem, candidate: Candidate) -> float:
    """Return from which share of ten nearby states a candidate runs away, within the longest segment."""
    cut = problem.cuts[-1]
    made = program(candidate.terms, candidate.equations, problem.states, problem.driven, known=problem.prior.known)
    p = parameters(candidate.terms, candidate.coefficients, known=problem.prior.known)
    inputs, steps = cut.arrays[2][:1], cut.arrays[3][:1]
    count = 0
    for start in _starts(problem):
        states = np.empty((*steps.shape, len(problem.states)))
        by = np.empty((*states.shape, 0))
        fine = kernel().moved(tuple(made), p, start[None], inputs, steps, problem.substeps, problem.limit, states, by)
        count += not (fine and np.isfinite(states).all())
    return count / STARTS


def _starts(problem: Problem) -> Float[np.ndarray, "start state"]:
    """Measured states, a step aside each; what has one sign keeps it."""
    measured, steps = problem.cuts[0].arrays[0][:, :-1], problem.cuts[0].arrays[3]
    rows = measured[steps > 0]
    chosen = rows[np.linspace(0, len(rows) - 1, STARTS).astype(int)]
    width = rows.shape[1]
    signs = 1 - 2 * ((np.arange(STARTS)[:, None] >> np.arange(width)) & 1)
    aside = chosen + APART * rows.std(axis=0) * signs
    one_sign = np.all(rows > 0, axis=0) | np.all(rows < 0, axis=0)
    return np.where(one_sign & (aside * chosen <= 0), 0.5 * chosen, aside)
