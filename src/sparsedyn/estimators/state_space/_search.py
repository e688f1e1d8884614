"""The search for a model: how many states, which units, which weights."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.estimators._progress import describe
from sparsedyn.estimators.state_space._coordinates import runs
from sparsedyn.estimators.state_space._elimination import Point, eliminated, rebounded
from sparsedyn.estimators.state_space._fitting import fitted, repeated, runs_of
from sparsedyn.estimators.state_space._linear import Ordered, linear
from sparsedyn.estimators.state_space._network import network
from sparsedyn.estimators.state_space._nonlinear import nonlinear
from sparsedyn.estimators.state_space._settings import MOST_STATES, NETWORK, Settings
from sparsedyn.estimators.state_space._windows import Folds, folds, warm_rows
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import free_run

TOLERANCE = 1.15
"""How much larger than the least a held-out error may be for the sake of fewer states or weights."""
ALIKE = 1.5
"""Families are rivals whose held-out errors are within this factor."""
POLISH = 40
ROWS_PER_WEIGHT = 5
"""Rows, times outputs, that each weight of the smallest linear model needs."""

HOPELESS = 2.0
"""A linear model is not thinned that is so many times worse on rows left out than the best with units."""
STAND_IN = 2.0
"""How much larger the held-out error of a linear model with fewer states may be for units to be tried on these."""

Started = tuple[StateSpace, np.ndarray, float]
"""A model, its initial states, and its mean squared error."""
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
    errors = {n: one.held_out for n, one in orders.items()}
    if settings.network:
        return networked(begun, cut, settings, errors, say)
    starts = with_units(orders, cut, settings, lambda family: say(0.15, f"{family} units"))
    starts["linear"] = (begun.model, begun.starts, begun.error)
    whole = unthinned(begun, cut)
    paths: dict[str, list[Point]] = {}
    for i, (family, start) in enumerate(starts.items()):
        told = partial(_said, say, 0.3 + 0.6 * (i + 0.5) / len(starts), family)
        best = min((point.judged for path in paths.values() for point in path), default=np.inf)
        hopeless = family == "linear" and whole.judged > HOPELESS * best
        paths[family] = [whole] if hopeless else eliminated(*start, cut, on_point=told)
    family, point = chosen(paths, settings.max_weights)
    say(0.95, f"{family}: {point.weights} weights")
    return polished(point, family, cut, paths, errors)


def unthinned(one: Ordered, cut: Folds) -> Point:
    """Return a linear model as the beginning of a path."""
    values = np.concatenate([one.model.ravel(), one.starts.ravel()])
    counts = cut.judged.sum(axis=(1, 2))[1:] * one.model.sizes[2]
    return Point(one.model, values, values != 0, one.error, one.held_out, counts)


def networked(
    begun: Ordered,
    cut: Folds,
    settings: Settings,
    orders: dict[int, Float[np.ndarray, " fold"]],
    say: Callable[[float, str], None],
) -> Found:
    """Return a network trained by gradient on top of a linear model."""
    made = network(begun.model, begun.starts, cut, settings, lambda seen: say(seen.step / seen.steps, describe(seen)))
    values = np.concatenate([made.model.ravel(), made.starts.ravel()])
    held_out, rows = np.array([made.held_out]), np.array([made.judged_rows])
    point = Point(made.model, values, values != 0, made.error, held_out, rows)
    mean, covariance = spread_of(made.model, made.starts, cut)
    kept = point.kept[: made.model.ravel().size]
    return Found(made.model, kept, mean, covariance, made.error, NETWORK, point, {NETWORK: [point]}, orders, 0.0)


def spread_of(
    model: StateSpace, starts: np.ndarray, cut: Folds
) -> tuple[Float[np.ndarray, " state"], Float[np.ndarray, "state state"]]:
    """Return the mean and the covariance of the latent states in training."""
    states, _ = runs(model, starts, cut.windows, cut.fitted[0])
    size = model.sizes[0]
    return states.mean(axis=0), np.cov(states.T, bias=True).reshape(size, size)


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


def with_units(
    orders: dict[int, Ordered], cut: Folds, settings: Settings, say: Callable[[str], None]
) -> dict[str, Started]:
    """Return a fitted model with units for every family that is worth following, on as few states as serve.

    Where linear models alone call for more states, some may stand in for what units do: so units are tried on one state
    fewer, and one more fewer, as long as these serve and a linear model with so few is not much worse.
    """

    def begun(family: str, states: int) -> Started:
        one = orders[states]
        say(family)
        return nonlinear(one.model, one.starts, one.error, cut, settings.units(family), settings.seed)

    most = fewest({n: one.held_out for n, one in orders.items()})
    errors = {n: np.sqrt(np.mean(one.held_out)) for n, one in orders.items()}
    found = alike({family: begun(family, most) for family in settings.families})
    for family, (*_, least) in found.items():
        for states in range(most - 1, 0, -1):
            if states not in orders or errors[states] > STAND_IN * errors[most]:
                break
            smaller = begun(family, states)
            if smaller[2] > TOLERANCE**2 * least:
                break
            found[family] = smaller
    return alike(found)


def alike(starts: dict[str, Started]) -> dict[str, Started]:
    """Return the families whose errors before elimination are near the least: weights that go make no error less."""
    least = min((error for _, _, error in starts.values()), default=0.0)
    return {family: one for family, one in starts.items() if one[2] <= ALIKE**2 * least}


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
    mean, covariance = spread_of(model, starts[0], cut)
    kept = point.kept[: problem.weights]
    error = float(problem.errors(end.values)[0][0])
    apart = disagreement(model, paths, cut)
    return Found(model, kept, mean, covariance, error, family, point, paths, orders, apart)


def disagreement(model: StateSpace, paths: dict[str, list[Point]], cut: Folds) -> float:
    """Return how far the model is from the best of every family that was followed, under inputs in another order.

    A root mean square, in standard deviations of the outputs. The inputs are those of training, backwards: their levels
    are known, what follows upon what is not. Without inputs there is no other order.
    """
    if not cut.windows.u.shape[2]:
        return 0.0
    backwards = cut.windows.u[:, ::-1]
    count, used = len(backwards), cut.fitted[0][:, ::-1] > 0
    # Runs begin at zero, which is another state to each model: rows that still show it say nothing.
    used[:, : warm_rows(used.shape[1])] = False

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
