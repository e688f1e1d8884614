"""From measured trajectories to equations, in one line: derivatives, regression, fitting."""

from collections.abc import Callable
from dataclasses import replace

from sparsedyn.estimators.sindy._constraints import Constraints
from sparsedyn.estimators.sindy._fitting import (
    Identified,
    above_thresholds,
    fitted,
    of_forecasts,
    of_information,
    thresholds,
)
from sparsedyn.estimators.sindy._forms import read, regression
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._regression import pooled, warn_dependent
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._states import States, full_names
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor
from sparsedyn.training.restricted import informed_restricted, thresholded_restricted


def identified(measured: Measured, validation: Measured | None, library: Library, settings: Settings) -> Identified:
    """Return the coefficients of the equations of measured trajectories.

    Where thresholds are chosen, they are by `validation`, or without it by a part of the trajectories that is held out.
    """
    states, blocks = read(measured, library, settings)
    if settings.constraints is not None or states.known is not None:
        found = _restricted(settings, pooled(blocks, library.size), library, measured)
        return found._replace(inputs=states.inputs, time=settings.time, known=states.known)
    fit = above_thresholds(settings)
    if settings.threshold is None:
        if settings.time == "discrete":
            known = measured if validation is None else validation
            fit = of_information(settings, pooled(regression(replace(states, measured=known), library, settings)[0], 2))
        else:
            fit = _by_forecasts(states, validation, library, settings)
    reduced = pooled(blocks, library.size)
    data = measured.data
    warn_dependent(reduced, library.names([*full_names(data.state_names, settings.order), *data.input_names]))
    return fitted(settings, reduced, blocks, fit)._replace(inputs=states.inputs, time=settings.time)


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


def _by_forecasts(
    states: States, validation: Measured | None, library: Library, settings: Settings
) -> Callable[[Factor], Coefficients]:
    """Return how to fit as many terms as forecasts of validation, or of held-out, trajectories call for."""
    known, judged = states.measured.split() if validation is None else (states.measured, validation)
    blocks, _ = regression(replace(states, measured=known), library, settings)
    smooth = replace(states, measured=judged).smooth()
    smooth = smooth if smooth.regular else smooth.resample(smooth.dt)
    return of_forecasts(settings, library, pooled(blocks, library.size), smooth)
