"""From trajectories to a right-hand side per state: derivatives, and a search for the equation of each."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Int

from sparsedyn.data import DataError, Samples, Scaling, Trajectories, pieces, samples
from sparsedyn.data.derivatives import AUTO, FOLLOWING, resolved
from sparsedyn.data.pieces import jumping
from sparsedyn.data.samples import smooth_samples
from sparsedyn.equations import compiled, complexity
from sparsedyn.estimators._inputs import Recorded, measured_samples
from sparsedyn.estimators.equation._checks import at_rest, check_rates, check_sizes
from sparsedyn.estimators.equation._expressions import (
    Equation,
    constant_equation,
    discover,
    holds_constants,
    scaling_of,
    selection_score,
    split,
)
from sparsedyn.estimators.equation._forms import Fate, Form, started
from sparsedyn.estimators.equation._search import Found
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.estimators.sindy._rows import held_samples


class Task(NamedTuple):
    """What equations are fitted to, the rows `inside` of `pooled`, and judged by, the rows `outside` of `held_out`."""

    pooled: Samples
    held_out: Samples
    inside: Int[np.ndarray, " sample"]
    outside: Int[np.ndarray, " sample"]
    scaling: Scaling
    names: list[str]
    dt: float

    def samples(self, state: int) -> tuple[Samples, Samples]:
        """Return samples to fit and to judge the derivative of a state by."""
        return _of_state(self.pooled, self.inside, state), _of_state(self.held_out, self.outside, state)

    def target_scaling(self, state: int) -> Scaling:
        """Return the scaling of one state's derivative."""
        one = slice(state, state + 1)
        scaling = self.scaling
        return eqx.tree_at(lambda s: (s.dx_mean, s.dx_std), scaling, (scaling.dx_mean[one], scaling.dx_std[one]))


def task_of(given: Recorded, *, derivative: str, share: float, seed: int) -> Task:
    """Return what is to be explained: derivatives, a `share` held out where there is no validation data.

    **Raises:** `DataError` for data that cannot be used.
    """
    data, x_dot, validation = given[:3]
    check_sizes(data)
    # Derivatives of states are those of smooth curves, which a jump of the input breaks.
    method = resolved(derivative, pieces(data).states)
    pooled = given.rest(_sampled(data, derivative, method) if x_dot is None else measured_samples(data, x_dot))
    check_rates(pooled, data)
    inside, outside = split(len(pooled.x), share if validation is None else 0.0, seed)
    held_out = pooled
    if validation is not None:
        held_out = given.rest(_sampled(validation, derivative, method))
        outside = split(len(held_out.x), 0.0, seed)[0]
    names = [*data.state_names, *data.input_names]
    return Task(pooled, held_out, inside, outside, scaling_of(pooled), names, data.dt)


def _sampled(data: Trajectories, derivative: str, method: str) -> Samples:
    """Return derivatives by a method, or where inputs jump too often for any, within rows."""
    if derivative == FOLLOWING:
        return samples(data, FOLLOWING)
    if derivative == AUTO and jumping(data):
        found = held_samples(data)
        if found is not None:
            return found
    return smooth_samples(data, method)


def right_hand_side(
    settings: Search,
    task: Task,
    state: int,
    *,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> tuple[list[Equation], Found | None]:
    """Return candidate equations of a state's derivative, the chosen first, and the search, if it took one."""
    if at_rest(task.pooled.x[:, state], task.pooled.dx[:, state], task.dt):
        return [_unchanging(settings, task, state)], None
    known, unknown = task.samples(state)
    return discover(settings, known, unknown, task.names, task.target_scaling(state), on_progress=on_progress)


def judged_form(task: Task, form: Form, seed: int) -> tuple[Equation | None, Fate]:
    """Return a form of a user's own with its constants fitted, as a candidate, and how it fared."""
    parts = [
        (np.concatenate([part.x, part.u], axis=1), part.dx[:, 0]) for part in task.samples(form.equation) if len(part.x)
    ]
    (x, y), spread = parts[0], float(parts[0][1].std())
    expr = started(form, task.names, x, y, seed)
    function = compiled([expr], task.names)
    error = max(float(np.sqrt(np.mean(np.square(function(a)[:, 0] - b)))) for a, b in parts) / (spread or 1.0)
    if not np.isfinite(error):
        return None, Fate(form.name, form.text, None, np.inf, np.inf)
    size = complexity(expr)
    score = selection_score(error, size, len(x))
    equation = Equation(expr, None, len(form.constants), size, error, score)
    return equation, Fate(form.name, form.text, expr, error, score)


def _unchanging(settings: Search, task: Task, state: int) -> Equation:
    """The equation of a state whose derivative never changes: zero, or how fast a clock runs."""
    pooled, name = task.pooled, task.names[state]
    rate = float(pooled.dx[:, state].mean())
    if at_rest(pooled.x[:, state], np.asarray([0.0, rate]), task.dt):
        rate = 0.0
    elif not holds_constants(settings.hidden):
        raise DataError(
            f"the derivative of state {name!r} is {rate:.6g} everywhere; expected 'constant' among the primitives, of "
            "which its equation consists. Add it, or leave the state out."
        )
    own = task.target_scaling(state)
    every = _of_state(pooled, slice(None), state)
    return constant_equation(settings, rate / float(own.dx_std[0]), task.names, own, every)


def _of_state(part: Samples, rows: np.ndarray | slice, state: int) -> Samples:
    """Some samples, with the derivative of one state."""
    return Samples(part.x[rows], part.u[rows], part.dx[rows, state : state + 1])
