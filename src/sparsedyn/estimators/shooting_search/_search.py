"""The search: proposals are fitted to the states, the best are changed by moves, and joined to whole models."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.estimators.shooting_search import _integral as integral
from sparsedyn.estimators.shooting_search._dense import exact
from sparsedyn.estimators.shooting_search._library import INNER, POLYNOMIAL, TRIGONOMETRIC, Library
from sparsedyn.estimators.shooting_search._moves import Move, Scan, distinct
from sparsedyn.estimators.shooting_search._problem import Candidate, Problem
from sparsedyn.estimators.shooting_search._shapes import narrowed, scaled, widened
from sparsedyn.training.shooting.products import Term

QUICK, SETTLING, LONG = 6, 20, 40
EACH = 4
"""Candidates of every number of constants that are fitted to the end."""
SEEDS, FEWER = 220, 100
"""Proposals with constants inside that are fitted for an equation, at most; fewer where it is one of several."""
PROBED = 16
"""Proposals, the best of which says how fine integration has to be."""
STARTS = 4
"""Candidates at which local search begins."""
ROUNDS, TRIED = 14, 14
"""Rounds of local search, and moves that are fitted in one, at most."""
SLACK = 3.0
"""Nats by which a move may be predicted to be worse and is still fitted."""
BETTER = 0.5
SHORTER = 3
"""By how many levels shorter the segments are that fits along chaotic motions begin with."""
WORSE = 1.3
"""How much larger residuals may be on longer segments."""
ROUNDING = 10.0
"""Share of a derivative, in multiples of the precision, below which a term may be there to fit rounding."""
CERTAIN = 2
"""Terms of an equation up to which nothing else is looked for."""
FEW = 4
"""Terms of an equation up to which it is believed as soon as it explains clean data."""


class Offer(NamedTuple):
    """Terms that may be added, and the equations they may be added to."""

    terms: list[Term]
    equations: list[int]


def explained(problem: Problem, candidate: Candidate) -> bool:
    """Whether few plain terms explain clean data."""
    fine = exact(problem, candidate) and bool(np.all(shares(problem, candidate) > ROUNDING * problem.precision))
    plain = all(not term.inside for term in candidate.terms)
    most = max(candidate.equations.count(e) for e in set(candidate.equations)) if candidate.equations else 0
    return bool(fine and plain and most <= FEW)


def shares(problem: Problem, candidate: Candidate) -> Float[np.ndarray, " term"]:
    """Return the root mean squares of terms along the data, as shares of the largest one of their equation."""
    points = points_of(problem, candidate.level)
    values = integral.values_of(candidate.terms, points) if candidate.terms else np.zeros((1, 0))
    sizes = np.sqrt(np.mean(np.square(values), axis=0)) * np.abs(candidate.coefficients)
    of = np.asarray(candidate.equations)
    largest = np.asarray([sizes[of == e].max() for e in of]) if len(of) else np.zeros(0)
    return np.divide(sizes, largest, out=np.zeros_like(sizes), where=largest > 0)


def points_of(problem: Problem, level: int = 0) -> Float[np.ndarray, "point variable"]:
    """Return the measured states with the other variables beside them."""
    cut = problem.cuts[level]
    points = np.zeros((*cut.arrays[3].shape, len(problem.states) + len(problem.driven)))
    points[..., list(problem.states)] = cut.arrays[0][:, :-1]
    points[..., list(problem.driven)] = cut.arrays[2][:, :, 0]
    return points[cut.arrays[3] > 0]


def sizes_of(problem: Problem) -> Float[np.ndarray, " variable"]:
    """Return the root mean squares of variables."""
    found: np.ndarray = np.sqrt(np.mean(np.square(points_of(problem)), axis=0))
    return np.where(found > 0, found, 1.0)


def seeds(regression: integral.Regression, library: Library, most: int = SEEDS) -> list[integral.Guess]:
    """Return what is to be fitted: the best of every size in three tiers, pairs, small polynomials, and more beside.

    The latter are small polynomials with a term that has constants inside.
    """
    found: dict[integral.Support, None] = {}
    tiers = [library.tiers <= POLYNOMIAL, library.tiers <= TRIGONOMETRIC, library.coarse]
    for offered in tiers:
        for kept in integral.beam(regression, offered & regression.usable, library.prices):
            found.update(dict.fromkeys(kept[:5]))
    found.update(dict.fromkeys(integral.pairs(regression, library.tiers < INNER, library.prices, 24)))
    small = integral.core(regression, library)
    found.update(dict.fromkeys(small[i] for i in integral.ordered(regression, small, library)[:16]))
    made = [integral.Guess((), ())]
    for support in found:
        coefficients, _ = regression.solved(support)
        made.append(integral.Guess(tuple(library.terms[k] for k in support), tuple(coefficients)))
    for count, one in enumerate(integral.beside(regression, library, 6)):
        if count >= most:
            break
        made.append(one)
    return made


def settled(problem: Problem, found: Sequence[Candidate], count: int, level: int) -> list[Candidate]:
    """Return the best of distinct forms, fitted to the end on segments of a level."""
    best: dict[object, Candidate] = {}
    for one in sorted(found, key=lambda one: one.score):
        if np.isfinite(one.score):
            best.setdefault(one.key, one)
    chosen = list(best.values())[:count]
    sizes = Counter(one.free for one in chosen)
    # Rich candidates settle quicker than those with few terms, which may still be right.
    for one in list(best.values())[count:]:
        if sizes[one.free] < EACH:
            sizes[one.free] += 1
            chosen.append(one)
    made: list[Candidate] = []
    for one in chosen:
        if made and problem.course.exhausted:
            break
        made.append(problem.again(one, level, iterations=LONG))
    return sorted(made, key=lambda one: one.score)


def of_state(
    problem: Problem,
    regression: integral.Regression,
    library: Library,
    more: Sequence[integral.Guess] = (),
    place: int = 0,
) -> list[Candidate]:
    """Return candidates for the equation of one state, best first, all others being given; `more` is proposed too."""
    level = min(1, len(problem.cuts) - 1)
    alone = len(problem.driven) == 0
    guesses = [*seeds(regression, library, SEEDS if alone else FEWER), *more]

    def fit(guess: integral.Guess) -> Candidate:
        count = LONG if any(term.inside for term in guess.terms) else QUICK
        return problem.fit(*guess, [place] * len(guess.terms), 0, iterations=count, rounds=1)

    problem.refine(min((fit(one) for one in guesses[:PROBED]), key=lambda one: one.score))
    plain = [one for one in guesses if len(one.terms) <= CERTAIN and not any(term.inside for term in one.terms)]
    found = [fit(one) for one in plain]
    best = settled(problem, found, EACH, level)
    if best and explained(problem, best[0]):
        return best
    for guess in guesses:
        if guess not in plain and not problem.course.exhausted:
            found.append(fit(guess))
    best = settled(problem, found, 10, level)
    if not best:
        return []
    if explained(problem, best[0]) and len(best[0].terms) <= CERTAIN:
        return best
    usable = np.flatnonzero(regression.usable & library.coarse)
    offer = Offer([library.terms[k] for k in usable], [place] * len(usable))
    made = list(best)
    tried: set[object] = set()
    for one in best[: STARTS if alone else STARTS // 2]:
        made.append(improved(problem, one, offer, tried, ROUNDS if alone else ROUNDS // 2))
    return settled(problem, made, 8, level)


def improved(
    problem: Problem, candidate: Candidate, offer: Offer, tried: set[object], rounds: int = ROUNDS
) -> Candidate:
    """Return the best that moves lead to from a candidate."""
    for _ in range(rounds):
        if problem.course.exhausted:
            break
        scan = Scan(problem, candidate, *offer)
        if not scan.fine:
            break
        now = problem.cost(candidate.terms, candidate.equations)
        better: Candidate | None = None
        for move in islice(distinct(scan.moves(TRIED), tried), TRIED):
            if move.score > now + SLACK or problem.course.exhausted:
                break
            other = _fitted(problem, move, candidate)
            if other.score < (better or candidate).score - BETTER:
                better = other
                # What was predicted has come: no need to look at the rest.
                if other.score < candidate.score + 0.5 * min(move.score - now, -4.0):
                    break
        if better is None and not problem.prior.offered:
            better = _reshaped(problem, candidate, tried)
        if better is None:
            break
        candidate = problem.again(better)
    return candidate


def simpler(problem: Problem, candidate: Candidate, offer: Offer) -> Candidate:
    """Return the best that moves lead to which have no more constants: what explains the data may be a disguise."""
    tried: set[object] = set()
    for _ in range(ROUNDS):
        scan = Scan(problem, candidate, *offer)
        if not scan.fine:
            break
        fewer = (move for move in scan.moves(TRIED) if sum(term.free for term in move.terms) <= candidate.free)
        fits = [_fitted(problem, move, candidate) for move in islice(distinct(list(fewer), tried), TRIED // 2)]
        better = min(fits, key=lambda one: one.score, default=candidate)
        if not better.score < candidate.score - BETTER:
            break
        candidate = problem.again(better)
    return candidate


def _reshaped(problem: Problem, candidate: Candidate, tried: set[object]) -> Candidate | None:
    """Return the best candidate of another shape, if it is better.

    With a variable more inside a function, a flat function less, or terms times or over a variable.
    """
    everything = tuple(range(len(candidate.terms)))
    variables = (*problem.states, *problem.driven)
    same = (1.0,) * len(candidate.terms)
    changed = scaled(candidate.terms, candidate.equations, variables, sizes_of(problem))
    shapes = [
        *((terms, kept, same) for terms, kept in narrowed(candidate.terms, candidate.equations)),
        *((terms, everything, same) for terms in widened(candidate.terms, variables)),
        *((terms, everything, shares) for terms, shares in changed),
    ]
    best: Candidate | None = None
    for terms, kept, amounts in shapes:
        if not all(map(problem.prior.allows, terms)):
            continue
        equations = [candidate.equations[k] for k in kept]
        key = frozenset((e, t.factors) for e, t in zip(equations, terms, strict=True))
        if ("reshaped", key) in tried or problem.course.exhausted:
            continue
        tried.add(("reshaped", key))
        other = problem.fit(
            terms,
            [candidate.coefficients[k] * amounts[k] for k in kept],
            equations,
            candidate.level,
            starts=candidate.starts,
            noise=np.maximum(candidate.noise, problem.floor),
            iterations=SETTLING,
            rounds=1,
        )
        if other.score < (best or candidate).score - BETTER:
            best = other
    return best


def _fitted(problem: Problem, move: Move, candidate: Candidate) -> Candidate:
    noise = np.maximum(candidate.noise, problem.floor)
    return problem.fit(
        move.terms,
        move.coefficients,
        move.equations,
        candidate.level,
        starts=candidate.starts,
        noise=noise,
        iterations=QUICK,
        rounds=1,
    )


def well(problem: Problem, before: Candidate, after: Candidate) -> bool:
    """Whether a fit on longer segments leaves about as little as the one on shorter segments before."""
    if not np.isfinite(after.score):
        return False
    old, new = (np.maximum(one.squares / problem.counts, problem.precision**2) for one in (before, after))
    return bool(np.all(new <= WORSE**2 * old))


def lifted(problem: Problem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates fitted on the longest segments on which the first is explained as well as on short ones."""
    now = list(candidates)
    for level in range(now[0].level + 1, len(problem.cuts)):
        made = [problem.again(one, level) for one in now]
        made = sorted((one for one in made if np.isfinite(one.score)), key=lambda one: one.score)
        if not made or not well(problem, now[0], made[0]):
            break
        now = made
    return now
