"""Whole models: equations of single states, found with the others given, put together and changed together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sparsedyn._stopping import interruptible
from sparsedyn.data import Trajectories
from sparsedyn.estimators.shooting_search import _integral as integral
from sparsedyn.estimators.shooting_search._along import proposed, weighed
from sparsedyn.estimators.shooting_search._course import CONSTANTS, POLYNOMIALS, TOGETHER, Course, OnProgress
from sparsedyn.estimators.shooting_search._dense import dense, exact, refined, thinned
from sparsedyn.estimators.shooting_search._library import POLYNOMIAL, Library, library, of_terms
from sparsedyn.estimators.shooting_search._nearby import tamer_first
from sparsedyn.estimators.shooting_search._paths import Paths, paths_of, stretches
from sparsedyn.estimators.shooting_search._prior import NOTHING, Prior
from sparsedyn.estimators.shooting_search._problem import LENGTHS, LOOSE, Candidate, Problem, problem_of
from sparsedyn.estimators.shooting_search._saturations import Saturations
from sparsedyn.estimators.shooting_search._search import (
    FEWER,
    ROUNDING,
    SEEDS,
    Offer,
    explained,
    improved,
    lifted,
    of_state,
    settled,
    shares,
    simpler,
    well,
)
from sparsedyn.training.shooting.products import Term

SHORTEST = 3
"""Steps of the segments that dense models are fitted to."""
OFFERED = 140
"""Terms per equation that moves of whole models may add."""
ALTERNATIVES = 4
"""Candidates per state that are tried in whole models."""
ENOUGH = 1.1
"""Share of the noise that smoothing claims, that models of degree two may leave where none of degree three are made."""
FAR_BELOW = 0.2
"""Share of the noise that smoothing claims, below which what equations leave says that there was none."""
ROUNDED = 1.6
"""Multiples of the precision that may be left where terms of less than it are left out."""
ACCUMULATED, MATTERS = 1.5, 0.3
"""How much more clean data leave on long segments where errors grow, and the shares of the precision that matter."""
SEARCHED, FITTED = 600, 3000
"""Rows that a search takes, and that constants of its best candidates are fitted to, at most."""


class Found(NamedTuple):
    """Candidates of least criterion, best first, and the problem they were judged by."""

    candidates: list[Candidate]
    problem: Problem
    paths: Paths


def found(data: Trajectories, precision: float, prior: Prior = NOTHING, on_progress: OnProgress | None = None) -> Found:
    """Return models that explain measured states, the best first; of many rows, some are searched on, more fitted."""
    with interruptible():
        return _searched_and_fitted(data, precision, prior, Course(on_progress))


def _searched_and_fitted(data: Trajectories, precision: float, prior: Prior, course: Course) -> Found:
    made = _clean_or_noisy(stretches(data, SEARCHED), precision, prior, course)
    more = stretches(data, FITTED)
    if sum(more.lengths) <= SEARCHED or not made.candidates:
        return made
    paths = paths_of(more, prior, clean=made.paths.clean)
    problem = replace(problem_of(paths, range(len(data.state_names)), precision), substeps=made.problem.substeps)
    again = [problem.fit(one.terms, one.coefficients, one.equations, 0) for one in made.candidates]
    again = sorted((one for one in again if np.isfinite(one.score)), key=lambda one: one.score)
    return _finished(problem, paths, again) if again else made


def _clean_or_noisy(data: Trajectories, precision: float, prior: Prior, course: Course) -> Found:
    paths = paths_of(data, prior)
    if not paths.clean and len(data.state_names) > 1:
        # Rows of fast motions that are far apart look noisy, but curves through them are good enough for a start.
        setting = _setting(paths_of(data, prior, clean=True), precision, course)
        for begun in dense(setting.problem, setting.form, setting.terms.terms, np.inf):
            best = _exact_polynomial(setting, begun)
            if best is not None:
                return _finished(setting.problem, setting.paths, [best])
    made = _found(paths, precision, course)
    best = made.candidates[0] if made.candidates else None
    if best is not None and not made.paths.clean:
        left = np.sqrt(best.squares / made.problem.counts)
        if np.all(left <= FAR_BELOW * made.paths.noise):
            # What looked like noise was fast.
            again = _found(paths_of(data, prior, clean=True), precision, course)
            if again.candidates:
                return again
    return made


class _Setting(NamedTuple):
    """Curves, the problem of all states, the regressions on integrals along the curves, and the terms."""

    paths: Paths
    problem: Problem
    form: integral.Integrals
    terms: Library


def _setting(paths: Paths, precision: float, course: Course) -> _Setting:
    width = len(paths.data.state_names)
    if paths.prior.offered:
        terms = of_terms(paths.prior.offered)
    else:
        terms = library(paths.points, width, paths.prior.allows)
    problem = problem_of(paths, range(width), precision, LENGTHS if width == 1 else (SHORTEST, *LENGTHS))
    problem.course = course
    single = {name: 2 * FEWER if width > 1 else 2 * SEEDS for name in paths.data.state_names}
    together = {POLYNOMIALS: FEWER, **single, TOGETHER: FEWER} if width > 1 else single
    course.plan({**together, CONSTANTS: FEWER // 4})
    return _Setting(paths, problem, integral.integrals(paths, terms.terms), terms)


def _found(paths: Paths, precision: float, course: Course) -> Found:
    setting = _setting(paths, precision, course)
    if len(paths.data.state_names) == 1:
        course.enter(paths.data.state_names[0])
        more = Saturations(paths).guesses(0)
        made = of_state(setting.problem, integral.Regression(setting.form, 0), setting.terms, more)
    else:
        made = _joint(setting)
    return _finished(setting.problem, paths, made)


def _finished(problem: Problem, paths: Paths, candidates: Sequence[Candidate]) -> Found:
    if not candidates:
        return Found([], problem, paths)
    problem.course.enter(CONSTANTS)
    best = candidates[0].score
    near = [one for one in candidates if one.score < best + 40][:8]
    made, substeps = sorted(lifted(problem, near), key=lambda one: one.score), problem.substeps
    problem.refine(made[0])
    if problem.substeps > substeps:
        # More exact states are other ones at the end of a long chaotic segment: it begins with short ones again.
        made = lifted(problem, sorted((problem.again(one) for one in near), key=lambda one: one.score))
    made = sorted((_plain(problem, problem.again(one)) for one in made), key=lambda one: one.score)
    if not paths.clean:
        problem, paths, made = weighed(problem, paths, made)
    made = tamer_first(problem, sorted(made, key=lambda one: one.score))
    made[0] = _sharpened(problem, made[0])
    once: dict[object, Candidate] = {}
    for one in made:
        once.setdefault(one.key, one)
    return Found(list(once.values()), problem, paths)


def _sharpened(problem: Problem, candidate: Candidate) -> Candidate:
    """Return a candidate whose constants are fitted to short segments where clean data leave more on long ones.

    What errors of a solver grow to along a fast motion would be taken for other constants.
    """
    if problem.tight < LOOSE or candidate.level == 0:
        return candidate
    short = problem.again(candidate, 0)
    now, then = (np.sqrt(one.squares / problem.counts) for one in (candidate, short))
    if np.any(now > np.maximum(ACCUMULATED * then, MATTERS * problem.precision)):
        return short._replace(score=candidate.score)
    return candidate


def _plain(problem: Problem, candidate: Candidate) -> Candidate:
    """Return a candidate without terms whose share of the derivative is so small that they may fit rounding.

    All of them at once, or the smallest one; whether they do, what is left without them says.
    """
    while True:
        sizes = shares(problem, candidate)
        small = np.flatnonzero(sizes < ROUNDING * problem.precision)
        # A term that has no value somewhere has no size.
        for out in (small, small[[np.argmin(sizes[small])]]) if small.size else ():
            other = _without(problem, candidate, out)
            before, after = (np.sqrt(one.squares / problem.counts) for one in (candidate, other))
            if np.all(after <= np.maximum(ROUNDED * problem.precision, 1.1 * before)):
                candidate = other
                break
        else:
            return candidate


def _without(problem: Problem, candidate: Candidate, out: Sequence[int] | np.ndarray) -> Candidate:
    kept = [k for k in range(len(candidate.terms)) if k not in out]
    return problem.fit(
        [candidate.terms[k] for k in kept],
        [candidate.coefficients[k] for k in kept],
        [candidate.equations[k] for k in kept],
        candidate.level,
        starts=candidate.starts,
        noise=np.maximum(candidate.noise, problem.floor),
    )


def _exact_polynomial(setting: _Setting, begun: Candidate) -> Candidate | None:
    """Return what is left of all monomials where few of them explain clean data."""
    problem, form, terms = setting.problem, setting.form, setting.terms
    if not exact(problem, begun):
        return None
    for one in sorted(thinned(problem, begun), key=lambda one: len(one.terms)):
        if exact(problem, one):
            grown = _plain(problem, _grown(problem, one, min(2, len(problem.cuts) - 1)))
            if explained(problem, grown):
                offer = _offer(grown, form, terms, len(problem.states))
                grown = _plain(problem, simpler(problem, grown, offer))
            if explained(problem, grown):
                return grown
    return None


def _joint(setting: _Setting) -> list[Candidate]:
    """Return models of several states, best first."""
    paths, problem, form, terms = setting
    width = len(problem.states)
    level = min(2, len(problem.cuts) - 1)
    few: list[Candidate] = []
    for begun_with in dense(problem, form, terms.terms, 0.0 if paths.clean else ENOUGH * problem.noise):
        best = _exact_polynomial(setting, begun_with)
        if best is not None:
            return [best]
        few += thinned(problem, begun_with)
    few.sort(key=lambda one: one.score)
    begun = [_plain(problem, _grown(problem, one, level)) for one in few[:2]]
    begun.sort(key=lambda one: one.score)
    polynomial = np.flatnonzero((terms.tiers == POLYNOMIAL) & form.usable)
    if begun and np.isfinite(begun[0].score):
        offer = Offer(
            [terms.terms[k] for _ in range(width) for k in polynomial],
            [j for j in range(width) for _ in polynomial],
        )
        begun.insert(0, _plain(problem, improved(problem, begun[0], offer, set())))
        if explained(problem, begun[0]):
            return settled(problem, begun, 4, begun[0].level)
    # All monomials together are wilder than few terms, which need fewer substeps; how many is looked at anew.
    problem.substeps = 1
    single = []
    saturations = Saturations(paths)
    for j in range(width):
        part = problem_of(paths, [j], precision=problem.precision)
        part.course = problem.course
        part.course.enter(paths.data.state_names[j])
        made = of_state(part, integral.Regression(form, j), terms, saturations.guesses(j))
        problem.fits += part.fits
        problem.substeps = max(problem.substeps, part.substeps)
        single.append(made)
    problem.course.enter(TOGETHER)
    if all(single):
        begun.append(_combined(problem, [made[:ALTERNATIVES] for made in single], level))
    begun = sorted((one for one in begun if np.isfinite(one.score)), key=lambda one: one.score)
    # All monomials fit the noise along the shortest segments: what is wrong on the next ones already is no rival.
    begun = [one for one in begun if one.level > 0] or begun
    made = list(begun)
    tried: set[object] = set()
    for one in begun[:2]:
        if explained(problem, one):
            break
        made.append(improved(problem, refined(problem, one), _offer(one, form, terms, width), tried))
    if made and not (paths.clean or paths.prior.offered):
        best = min(made, key=lambda one: one.score)
        first, *near = proposed(problem, paths, terms, best)
        if first is not best:
            near.append(improved(problem, refined(problem, first), _offer(first, form, terms, width), tried))
        made += near
    return settled(problem, made, 6, min(one.level for one in made)) if made else []


def _grown(problem: Problem, candidate: Candidate, level: int) -> Candidate:
    """Return a candidate fitted on ever longer segments, up to a level, as long as that goes well.

    Errors of a solver grow along chaotic ones: what is exact on short segments need not be on longer ones.
    """
    now = refined(problem, candidate)
    for longer in range(candidate.level + 1, level + 1):
        other = refined(problem, problem.again(now, longer))
        if not well(problem, now, other) or (exact(problem, now) and not exact(problem, other)):
            break
        now = other
    return now


def _combined(problem: Problem, single: Sequence[Sequence[Candidate]], level: int) -> Candidate:
    """Return the best model that alternatives for single states make together, one state changed after the other."""

    def whole(chosen: Sequence[Candidate]) -> Candidate:
        terms = [term for one in chosen for term in one.terms]
        coefficients = [c for one in chosen for c in one.coefficients]
        equations = [j for j, one in enumerate(chosen) for _ in one.terms]
        return _grown(problem, problem.fit(terms, coefficients, equations, 1, iterations=10), level)

    chosen = [made[0] for made in single]
    best = whole(chosen)
    for j, others in enumerate(single):
        if len({one.key for one in others}) > 1 and not explained(problem, best):
            for other in others[1:]:
                if problem.course.exhausted:
                    break
                tried = whole([*chosen[:j], other, *chosen[j + 1 :]])
                if (tried.level, -tried.score) > (best.level, -best.score):
                    best, chosen = tried, [*chosen[:j], other, *chosen[j + 1 :]]
    return best


def _offer(candidate: Candidate, form: integral.Integrals, terms: Library, width: int) -> Offer:
    """Return the terms that moves may add to equations: those that integrals favour beside the present ones."""
    places = {term: k for k, term in enumerate(terms.terms)}
    chosen: list[Term] = []
    equations: list[int] = []
    for j in range(width):
        regression = integral.Regression(form, j)
        own = [places[t] for t, e in zip(candidate.terms, candidate.equations, strict=True) if e == j and t in places]
        scores = np.full(len(terms.terms), np.inf)
        for without in [own, *([k for k in own if k != out] for out in own)]:
            scores = np.minimum(scores, regression.rows * np.log(regression.with_one(without)) + 2 * terms.prices)
        scores = np.where(terms.coarse & form.usable, scores, np.inf)
        best = [k for k in np.argsort(scores)[:OFFERED] if np.isfinite(scores[k])]
        best = list(dict.fromkeys([*np.flatnonzero((terms.tiers == POLYNOMIAL) & form.usable), *best]))
        chosen += [terms.terms[k] for k in best]
        equations += [j] * len(best)
    return Offer(chosen, equations)
