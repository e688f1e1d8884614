"""From measured trajectories to equations, in one line: derivatives, regression, fitting."""

from collections.abc import Callable
from dataclasses import replace

from sparsedyn.estimators.sindy._fitting import Identified, above_thresholds, fitted, of_forecasts
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._regression import Block, pooled, rows_in, strong_form, warn_dependent, weak_form
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._states import States, full_names, states_of
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor

WINDOWS = 3
"""Windows per term from which on the weak form is taken by itself."""


def identified(measured: Measured, validation: Measured | None, library: Library, settings: Settings) -> Identified:
    """Return the coefficients of the equations of measured trajectories.

    Where thresholds are chosen, they are by `validation`, or without it by a part of the trajectories that is held out.
    """
    states = states_of(measured, settings.order, settings.derivative)
    weak, blocks = _regression(states, library, settings.weak)
    fit = above_thresholds(settings)
    if settings.threshold is None:
        fit = _by_forecasts(states, validation, library, settings, weak)
    reduced = pooled(blocks, library.size)
    data = measured.data
    warn_dependent(reduced, library.names([*full_names(data.state_names, settings.order), *data.input_names]))
    return fitted(settings, reduced, blocks, fit)


def _regression(states: States, library: Library, weak: bool | None) -> tuple[bool, list[Block]]:
    """Return terms and derivatives, and whether in the weak form: by itself if there are enough windows for it."""
    equations = len(states.measured.data.state_names)
    if weak or (weak is None and states.order == 1 and states.measured.complete):
        blocks = weak_form(states.full, library, equations)
        if weak or rows_in(blocks) >= WINDOWS * library.size:
            return True, blocks
    return False, strong_form(states.samples(), library)


def _by_forecasts(
    states: States, validation: Measured | None, library: Library, settings: Settings, weak: bool
) -> Callable[[Factor], Coefficients]:
    """Return how to fit as many terms as forecasts of validation, or of held-out, trajectories call for."""
    known, judged = states.measured.split() if validation is None else (states.measured, validation)
    _, blocks = _regression(replace(states, measured=known), library, weak)
    smooth = replace(states, measured=judged).smooth()
    return of_forecasts(settings, library, pooled(blocks, library.size), smooth)
