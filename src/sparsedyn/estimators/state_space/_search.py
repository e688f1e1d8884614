"""The search for a model: how many states, which units, which weights."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.estimators.state_space._coordinates import runs
from sparsedyn.estimators.state_space._elimination import Point, eliminated, rebounded
from sparsedyn.estimators.state_space._fitting import fitted, repeated, runs_of
from sparsedyn.estimators.state_space._linear import Ordered, linear
from sparsedyn.estimators.state_space._nonlinear import nonlinear
from sparsedyn.estimators.state_space._settings import MOST_STATES, Settings
from sparsedyn.estimators.state_space._windows import Folds, folds
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import free_run

TOLERANCE = 1.15
"""How much larger than the least a held-out error may be for the sake of fewer states or weights."""
ALIKE = 1.5
"""Families are rivals whose held-out errors are within this factor."""
POLISH = 40
ROWS_PER_WEIGHT = 5
"""Rows, times outputs, that each weight of the smallest linear model needs."""

OnProgress = Callable[[float, str], None]


class Found(NamedTuple):
    """A model in standardized units, where its states are in training, its errors, and what it was chosen from."""

    model: StateSpace
    kept: Float[np.ndarray, " weight"]
    mean: Float[np.ndarray, " state"]
    covariance: Float[np.ndarray, "state state"]
    error: float
    family: str
    chosen: Point
    paths: dict[str, list[Point]]
    orders: dict[int, Float[np.ndarray, " fold"]]
    disagreement: float


def needed_rows(states: int, inputs: int, outputs: int) -> int:
    """Return how many rows a linear model with so many states needs."""
    weights = states * (states + inputs + outputs) + outputs * (inputs + 1) + states
    return max(30, -(-ROWS_PER_WEIGHT * weights // outputs))


def searched(
    data: Trajectories,
    scaling: Scaling,
    settings: Settings,
    *,
    validation: Trajectories | None = None,
    on_progress: OnProgress | None = None,
) -> Found:
    """Search; raises `DataError` for too few rows."""
    say = on_progress or (lambda done, note: None)
    inputs, outputs = len(data.input_names), len(data.state_names)
    least = needed_rows(settings.states or 1, inputs, outputs)
    if sum(data.lengths) < least:
        raise DataError(
            f"x: expected at least {least} rows in all for {settings.states or 1} state(s), {inputs} input(s) and "
            f"{outputs} output(s); got {sum(data.lengths)}. Give a longer record or more of them."
        )
    cut = folds(data, scaling, validation)
    say(0.0, "linear models")
    orders = ordered(data, scaling, cut, settings, lambda n: say(0.03 * n, f"{n} states"))
    begun = orders[fewest({n: one.held_out for n, one in orders.items()})]
    paths: dict[str, list[Point]] = {}
    starts = {"linear": (begun.model, begun.starts, begun.error)}
    for family in settings.families:
        say(0.15, f"{family} units")
        starts[family] = nonlinear(begun.model, begun.starts, begun.error, cut, settings.units(family), settings.seed)
    for i, (family, start) in enumerate(starts.items()):
        path = eliminated(
            *start,
            cut,
            on_point=partial(_said, say, 0.3 + 0.6 * (i + 0.5) / len(starts), family),
        )
        paths[family] = path
    family, point = chosen(paths, settings.max_weights)
    say(0.95, f"{family}: {point.weights} weights")
    return polished(point, family, cut, paths, {n: one.held_out for n, one in orders.items()})


def _said(say: OnProgress, done: float, family: str, point: Point) -> None:
    say(done, f"{family}: {point.weights} weights")


def ordered(
    data: Trajectories, scaling: Scaling, cut: Folds, settings: Settings, say: Callable[[int], None]
) -> dict[int, Ordered]:
    """Return linear models with one, two, ... states, as long as more of them help and rows suffice."""
    outputs = len(data.state_names)
    if settings.states is not None:
        return {settings.states: linear(data, scaling, cut, settings.states, settings.states)}
    most = max(MOST_STATES, 2 * outputs if outputs > 1 else 1)
    found: dict[int, Ordered] = {}
    for states in range(1, most + 1):
        if found and sum(data.lengths) < needed_rows(states, len(data.input_names), outputs):
            break
        say(states)
        found[states] = linear(data, scaling, cut, states, most)
    return found


def fewest(errors: dict[int, Float[np.ndarray, " fold"]]) -> int:
    """Return the least number of states whose held-out error is near the least."""
    judged = {n: np.sqrt(np.mean(values)) for n, values in errors.items()}
    least = min(judged.values())
    return min(n for n, value in judged.items() if value <= TOLERANCE * least)


def chosen(paths: dict[str, list[Point]], max_weights: int | None) -> tuple[str, Point]:
    """Return the point of fewest weights, over all families, whose held-out error is near the least."""
    points = [(family, point) for family, path in paths.items() for point in path]
    if max_weights is not None:
        small = [pair for pair in points if pair[1].weights <= max_weights]
        points = small or [min(points, key=lambda pair: pair[1].weights)]
    least = min(point.judged for _, point in points)
    near = [pair for pair in points if pair[1].judged <= TOLERANCE * least]
    return min(near, key=lambda pair: (pair[1].weights, pair[1].judged))


def polished(point: Point, family: str, cut: Folds, paths: dict[str, list[Point]], orders: dict[int, Any]) -> Found:
    """Return the chosen model fitted to the end, with where its states are in training."""
    everything = cut.everything
    members = len(cut.fitted)
    problem = runs_of(point.model, everything, point.error)
    end = fitted(problem, repeated(point.values, members), repeated(point.kept, members), POLISH, enough=1e-6)
    _, starts = problem.split(end.values)
    model = rebounded(point.model, problem, end.values[0])
    states, _ = runs(model, starts[0], cut.windows, cut.fitted[0])
    size = model.sizes[0]
    covariance = np.cov(states.T, bias=True).reshape(size, size)
    kept = point.kept[: problem.weights]
    error = float(problem.errors(end.values)[0][0])
    apart = disagreement(model, paths, cut)
    return Found(model, kept, states.mean(axis=0), covariance, error, family, point, paths, orders, apart)


def disagreement(model: StateSpace, paths: dict[str, list[Point]], cut: Folds) -> float:
    """Return how far the model is from the best of every family that was followed, under inputs in another order.

    A root mean square, in standard deviations of the outputs. The inputs are those of training, backwards: their levels
    are known, what follows upon what is not. Without inputs there is no other order.
    """
    if not cut.windows.u.shape[2]:
        return 0.0
    backwards = cut.windows.u[:, ::-1]
    count, used = len(backwards), cut.fitted[0][:, ::-1] > 0

    def outputs(one: StateSpace) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(free_run(one, np.zeros((count, one.sizes[0])), backwards)[1])[used]

    own = outputs(model)
    rivals = [min(path, key=lambda point: point.judged) for path in paths.values()]
    least = min(point.judged for point in rivals)
    near = [point for point in rivals if point.judged <= ALIKE * least]
    with np.errstate(over="ignore", invalid="ignore"):
        apart = [
            np.sqrt(np.mean(np.square(outputs(point.model.unravel(point.values[: point.model.ravel().size])) - own)))
            for point in near
        ]
    return float(np.nan_to_num(max(apart), nan=np.inf, posinf=np.inf))
