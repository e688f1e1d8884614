"""The form of the regression that data call for: integrals over windows or rows, or derivatives; inputs held or not."""

from collections.abc import Callable
from functools import partial

import numpy as np

from sparsedyn.data import Trajectories
from sparsedyn.data.derivatives import AUTO
from sparsedyn.estimators._known import known_of
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._paths import roughness
from sparsedyn.estimators.sindy._regression import Block, strong_form
from sparsedyn.estimators.sindy._settings import INPUTS, Settings
from sparsedyn.estimators.sindy._states import States, full_names, states_of
from sparsedyn.estimators.sindy._weak import Integrated, weak_form, windows_in
from sparsedyn.models import Library

WINDOWS = 3
"""Windows per term from which on the weak form is taken by itself."""
EXPLAINED, ROWS = 1e-4, 4
"""Share of derivatives over single rows that is left, with so many rows per term, below which there is no noise."""
POOR = 0.01
"""Such a share after a few sweeps that it is not worth going on."""
BETTER = 0.25
"""What another reading of the inputs must leave, of what holding them leaves, to be taken."""
SMOOTH, ROUNDING = 0.02, 1e-20
"""Roughness up to which inputs are smooth, and shares that are left up to which an interpolation is exact."""


def read(measured: Measured, library: Library, settings: Settings) -> tuple[States, list[Block]]:
    """Return states, and terms and derivatives, with inputs as they are said, or else seem, to act between rows."""
    data = measured.data
    names = full_names(data.state_names, settings.order)
    known = known_of(settings.known, [*names, *data.input_names], data.state_names)
    first, *others = INPUTS if settings.inputs is None else [settings.inputs]
    held = states_of(measured, settings.order, settings.derivative, first, known)
    if known is not None:
        known.check(held.whole if held.whole.state_names == tuple(names) else held.full)
    found, left = regression(held, library, settings)
    if held.varying and left:
        for inputs in others:
            states = states_of(measured, settings.order, settings.derivative, inputs, known)
            other, less = regression(states, library, settings, most=max(left, POOR))
            if less is not None and smoother(data, left, less):
                return states, other
    return held, found


def by_rows(states: States, library: Library) -> list[Block]:
    """Return integrals of the terms over single rows, and how far states move from row to row."""
    return _integrals(states, library)(states.whole, windows=False).blocks


def _integrals(states: States, library: Library) -> Callable[..., Integrated]:
    """Return how the equations of these states are integrated, over windows or single rows of trajectories."""
    return partial(
        weak_form,
        library=library,
        equations=len(states.measured.data.state_names),
        order=states.order,
        inputs=states.inputs,
        known=states.known,
    )


def smoother(data: Trajectories, left: float, less: float) -> bool:
    """Whether inputs seem to run smoothly between rows, by the shares that held and interpolated ones leave.

    Held inputs may explain the same as smooth ones, as an exponential that is held is a multiple of one that is not:
    what splines through smooth inputs explain exactly is taken for that.
    """
    off = roughness(data)
    return less < BETTER * left or (off < SMOOTH and less < max(off**2, ROUNDING))


def regression(
    states: States, library: Library, settings: Settings, most: float = np.inf
) -> tuple[list[Block], float | None]:
    """Return terms and derivatives, and the share of these that is left, where nothing was estimated.

    Integrals over windows if there are enough of them, or over single rows if these are explained so well that there is
    no noise, or if inputs jump so often that derivatives cannot be estimated.
    """
    weak = settings.weak
    if states.given is not None or (weak is False and settings.derivative != AUTO):
        return strong_form(states.samples(), library, states.known), None
    form = _integrals(states, library)
    regular = states.measured.data.regular
    if weak is not False and (regular or states.order == 1):
        smooth = states.whole if states.order == 1 or states.measured.x_dot is not None else states.full
        windows = windows_in(smooth)
        if weak or (states.order == 1 and windows >= WINDOWS * library.size):
            return form(smooth, windows=windows >= library.size, most=most)[:2]
    if not regular and states.order == 2 and states.measured.x_dot is None:
        # The hat over two rows needs rows of one length; splines are as good on exact data.
        return strong_form(states.samples(), library, states.known), None
    enough = sum(length - states.order for length in states.whole.lengths) >= ROWS * library.size
    if enough or states.jumping:
        single = form(states.whole, windows=False, most=most if states.jumping else min(most, POOR))
        if single.left < EXPLAINED or states.jumping:
            return single[:2]
    return strong_form(states.samples(), library, states.known), None
