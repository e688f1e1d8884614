"""From measured trajectories to equations, in one line: derivatives, regression, choice and fitting, checks."""

from dataclasses import replace

import numpy as np

from sparsedyn._warnings import Report
from sparsedyn.estimators import _report as checks
from sparsedyn.estimators.shooting_search._problem import correlation
from sparsedyn.estimators.sindy._checks import checked
from sparsedyn.estimators.sindy._choice import chosen, refined
from sparsedyn.estimators.sindy._constraints import Constraints
from sparsedyn.estimators.sindy._exact import exactly
from sparsedyn.estimators.sindy._fitting import (
    Identified,
    above_thresholds,
    fitted,
    of_information,
    of_size,
    thresholds,
)
from sparsedyn.estimators.sindy._forms import by_rows, read, regression
from sparsedyn.estimators.sindy._measured import Measured, Recorded
from sparsedyn.estimators.sindy._regression import Block, pooled
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._states import States, full_names
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Factor
from sparsedyn.training.restricted import informed_restricted, thresholded_restricted

NEW = 0.25
"""Correlation of what is left of the way to the next row, up to which that is new in every row."""


def identified(
    measured: Measured, validation: Measured | None, library: Library, settings: Settings, *, recorded: Recorded
) -> tuple[Identified, Report]:
    """Return the coefficients of the equations of measured trajectories, and what checks of them found.

    Where thresholds are chosen, they are by what equations explain of the states, those of `validation` if there are
    any, or, where derivatives were measured, of these. `recorded` are the trajectories without delayed columns.
    """
    clean = exactly(measured, library, settings, validated=validation is not None)
    if clean is not None:
        found = clean.found._replace(inputs=clean.states.inputs, time=settings.time)
        return found, checked(clean.states, validation, library, settings, clean.blocks, clean.reduced, found, recorded)
    states, blocks = read(measured, library, settings)
    reduced = pooled(blocks, library.size)
    if settings.constraints is not None or states.known is not None:
        found = _restricted(settings, reduced, library, measured)._replace(known=states.known)
        if settings.constraints is None and settings.time == "continuous":
            found = found._replace(coefficients=refined(states, library, settings, reduced, found.coefficients))
    elif settings.threshold is not None:
        found = fitted(settings, reduced, blocks, above_thresholds(settings))
        found = found._replace(coefficients=refined(states, library, settings, reduced, found.coefficients))
    else:
        found = _automatic(states, validation, library, settings, reduced, blocks)
    found = found._replace(inputs=states.inputs, time=settings.time)
    return found, checked(states, validation, library, settings, blocks, reduced, found, recorded)


def _automatic(
    states: States,
    validation: Measured | None,
    library: Library,
    settings: Settings,
    reduced: Factor,
    blocks: list[Block],
) -> Identified:
    """Return the coefficients of as many terms as criteria call for."""
    if states.given is not None:
        known = reduced
        if validation is not None:
            known = pooled(regression(replace(states, measured=validation), library, settings)[0], 2)
        return fitted(settings, reduced, blocks, of_information(settings, known))
    best, related = chosen(states, validation, library, settings, reduced)
    if related is not None and np.any(related > checks.related_least(sum(states.measured.data.lengths))):
        found = _by_next_rows(states, library, settings)
        if found is not None:
            return found._replace(related=related, by_rows=True)
    if settings.ensemble is not None:
        return fitted(settings, reduced, blocks, of_size(settings, best.support))
    return Identified(best.coefficients, thresholds(settings, best.coefficients), related=related)


def _by_next_rows(states: States, library: Library, settings: Settings) -> Identified | None:
    """Return equations by what they foretell of the next row, if what they leave is new in every row.

    Disturbances that drive states add up along them: by whole trajectories, terms would be found that follow them.
    """
    blocks = by_rows(states, library)
    reduced = pooled(blocks, library.size)
    found = fitted(settings, reduced, blocks, of_information(settings, reduced))
    left = [target - theta @ found.coefficients for theta, target in blocks]
    if np.any(np.abs(correlation(left)) > checks.related_least(reduced.samples, NEW)):
        return None
    return found


def _restricted(settings: Settings, reduced: Factor, library: Library, measured: Measured) -> Identified:
    """Return coefficients that keep to what is known of them; terms are those above thresholds, or of a criterion."""
    data = measured.data
    names = full_names(data.state_names, settings.order)
    constraints = settings.constraints or Constraints()
    restrictions = constraints.restrictions(library.names([*names, *data.input_names]), names[-len(data.state_names) :])
    if settings.threshold is None:
        coefficients = informed_restricted(reduced, restrictions)
    else:
        coefficients = thresholded_restricted(reduced, settings.threshold, restrictions)
    return Identified(coefficients, thresholds(settings, coefficients))
