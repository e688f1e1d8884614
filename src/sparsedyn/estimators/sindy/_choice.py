"""Terms chosen, and coefficients refined, by what equations explain of the measured states."""

from dataclasses import replace
from functools import partial

import numpy as np

from sparsedyn.estimators.sindy._fitting import above, paths
from sparsedyn.estimators.sindy._forms import ROWS
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._proposals import ACCURATE, EXACT, Chosen, Proposal, exact, fits_of, proposals, tiers
from sparsedyn.estimators.sindy._search import searched
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._shooting import Judge
from sparsedyn.estimators.sindy._states import States
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, solve, unexplained


def chosen(
    states: States, validation: Measured | None, library: Library, settings: Settings, reduced: Factor
) -> Chosen:
    """Return the terms that the criterion calls for, with their coefficients."""
    ways = partial(paths, settings)
    fits = fits_of(reduced, ways)
    if settings.refine is None and validation is None and reduced.samples >= ROWS * library.size:
        known = exact(fits)
        if known is not None:
            return Chosen(known)
    search = settings.refine is not False and settings.optimizer == "stlsq"
    if search and validation is None and (found := searched(states, library)) is not None:
        coefficients = solve(reduced, found.proposal.support)
        if not _improvable(settings, reduced, coefficients, EXACT):
            return Chosen(Proposal(found.proposal.support, coefficients))
        return found
    judge = Judge(states, library, reduced)
    sources = [reduced]
    if states.measured.complete and (smooth := judge.regression(library)).samples >= library.size:
        sources.append(smooth)
    offered = [[one for source in sources for one in proposals(fits_of(source, ways, tier))] for tier in tiers(library)]
    best = judge.chosen(offered, search=search)
    if validation is not None:
        others = [Proposal(best.support, best.coefficients), *judge.fits([one for tier in offered for one in tier])]
        best = Judge(replace(states, measured=validation), library, reduced).judged(others)
    coefficients = solve(reduced, best.support)
    if _improvable(settings, reduced, coefficients, EXACT):
        fitted = judge.refined(best.support, best.coefficients)
        if fitted is not None:
            return Chosen(Proposal(best.support, fitted))
    return Chosen(Proposal(best.support, coefficients))


def refined(
    states: States, library: Library, settings: Settings, reduced: Factor, coefficients: Coefficients
) -> Coefficients:
    """Return coefficients fitted to the states, where that is asked for or of use; what falls below thresholds goes."""
    possible = settings.ensemble is None and states.given is None
    if not possible or not _improvable(settings, reduced, coefficients, ACCURATE):
        return coefficients
    judge = Judge(states, library, reduced)
    while True:
        fitted = judge.refined(coefficients != 0, coefficients)
        if fitted is None:
            return coefficients
        left = coefficients != 0 if settings.threshold is None else above(settings, reduced, fitted)
        if np.array_equal(left, coefficients != 0):
            return fitted
        coefficients = np.where(left, fitted, 0.0)


def _improvable(settings: Settings, reduced: Factor, coefficients: Coefficients, enough: float) -> bool:
    """Whether coefficients are to be refined: where that is asked for, or equations leave more than enough."""
    if settings.refine is None:
        return not np.all(unexplained(reduced, coefficients) <= enough)
    return bool(settings.refine)
