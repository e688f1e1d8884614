"""From measured trajectories to equations, in one line: derivatives, regression, fitting."""

from collections.abc import Callable
from dataclasses import replace

from sparsedyn.estimators.sindy._fitting import Identified, above_thresholds, fitted, of_forecasts, of_information
from sparsedyn.estimators.sindy._forms import read, regression
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._regression import pooled, warn_dependent
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._states import States, full_names
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor


def identified(measured: Measured, validation: Measured | None, library: Library, settings: Settings) -> Identified:
    """Return the coefficients of the equations of measured trajectories.

    Where thresholds are chosen, they are by `validation`, or without it by a part of the trajectories that is held out.
    """
    states, blocks = read(measured, library, settings)
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


def _by_forecasts(
    states: States, validation: Measured | None, library: Library, settings: Settings
) -> Callable[[Factor], Coefficients]:
    """Return how to fit as many terms as forecasts of validation, or of held-out, trajectories call for."""
    known, judged = states.measured.split() if validation is None else (states.measured, validation)
    blocks, _ = regression(replace(states, measured=known), library, settings)
    smooth = replace(states, measured=judged).smooth()
    smooth = smooth if smooth.regular else smooth.resample(smooth.dt)
    return of_forecasts(settings, library, pooled(blocks, library.size), smooth)
