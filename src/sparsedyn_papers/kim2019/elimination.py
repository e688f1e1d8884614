"""Equations of a transition with as few weights as forecasts need."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from sparsedyn.data import Samples
from sparsedyn.models import AbstractModel, PerState
from sparsedyn.sparsify import L05, Chain, Phases, SequentialThresholding
from sparsedyn.training import derivative_matching
from sparsedyn.training.refine import Path, points_of, refine
from sparsedyn_papers.kim2019.propagator import Propagator
from sparsedyn_papers.kim2019.reading import one_of
from sparsedyn_papers.kim2019.series import Simulated
from sparsedyn_papers.kim2019.stages import Stage, trained

STARTS = 5
"""So many fresh transitions are trained besides the model's own."""
FRESH = Stage(
    derivative_matching,
    Chain(Phases(L05(2e-5), (0.1, 0.5), (0.1, 1.0)), SequentialThresholding(0.01, at=(1.0,))),
    steps=1500,
    rate=1e-2,
)
ACTIVE = 48
"""So many weights of a state's equation are refined at most."""
SMALL = 24
"""So many points of a path are tried, those with fewest weights."""
ROWS = 2000
"""So many single steps they are refined on at most."""
TOLERANCE = 2.0
"""What an equation with fewer weights may cost, before the encoder is trained along: this factor of the least error."""

# Underscored: some points of a path are picked, and the numbers differ.
Points = tuple[Int[np.ndarray, " _point"], Int[np.ndarray, " _point"]]
"""Members, and their points on the path."""


def simplest(
    models: Propagator,
    fresh: Callable[[Key[Array, ""]], PerState],
    train: tuple[Simulated, Float[np.ndarray, "trial sample"]],
    held_out: tuple[Simulated, Float[np.ndarray, "trial _sample"]],
    keys: Key[Array, " trial"],
) -> Propagator:
    """Return the models with transitions of as few weights as the forecasts of the held-out series need.

    The encoded variable comes with the series. Given it, single steps are all that a transition has to learn: some
    `fresh` ones of every trial are trained on them, and each state's equation, theirs and the model's own, is refined
    and followed down to one weight. Of all points on these paths the one with the fewest weights is taken whose
    forecasts are nearly as good as the best's.
    """
    found = []
    for i, key in enumerate(keys):
        own = one_of(models.transition, slice(i, i + 1))
        found.append(_of_one(own, fresh, (train[0], train[1][i]), (held_out[0], held_out[1][i]), key))
    result: Propagator = eqx.tree_at(lambda m: m.transition, models, _joined(found))
    return result


def _of_one(
    transition: PerState,
    fresh: Callable[[Key[Array, ""]], PerState],
    train: tuple[Simulated, np.ndarray],
    held_out: tuple[Simulated, np.ndarray],
    key: Key[Array, ""],
) -> PerState:
    """The simplest transition of one trial, whose arrays keep a leading axis of one."""
    steps, checks = single_steps(*train), single_steps(*held_out)
    keys = jax.random.split(key, STARTS)
    data = Samples(*(np.asarray(a, np.float32) for a in steps))
    others = trained(eqx.filter_vmap(fresh)(keys), data, [FRESH], batch=128, keys=keys)
    transitions = _joined([transition, others])
    paths = [
        refine(part, _output(steps, state), _output(checks, state), active=ACTIVE)
        for state, part in enumerate(transitions.parts)
    ]
    tried = [_small(path) for path in paths]
    best = [
        _place(at, int(np.argmin(np.nan_to_num(path.held_out[at], nan=np.inf))))
        for path, at in zip(paths, tried, strict=True)
    ]
    for state, at in enumerate(tried):
        # The other states' equations are the best known.
        count = len(at[0])
        points = [at if s == state else _repeated(place, count) for s, place in enumerate(best)]
        error = _forecast_error(_at(transitions, paths, points), *held_out)
        best[state] = _place(at, _fewest(error, paths[state].counts()[at]))
    return _at(transitions, paths, best)


def single_steps(simulated: Simulated, latent: Float[np.ndarray, " sample"]) -> Samples:
    """Return states, the encoded variable, and the states that follow, of steps spread evenly over the series."""
    states = simulated.propagated
    series, step = np.divmod(np.arange(states[:, 1:, 0].size), states.shape[1] - 1)
    some = np.unique(np.linspace(0, len(series) - 1, min(len(series), ROWS)).astype(np.int64))
    series, step = series[some], step[some]
    return Samples(states[series, step], latent[series, None], states[series, step + 1])


def _small(path: Path) -> Points:
    """The last `SMALL` points of every member's path: those with fewest weights, of the same number for every path."""
    members, points = path.train.shape
    last = np.maximum(np.arange(points - SMALL, points), 0)
    return np.repeat(np.arange(members), SMALL), np.tile(last, members)


def _place(points: Points, i: int) -> Points:
    return points[0][i : i + 1], points[1][i : i + 1]


def _repeated(points: Points, count: int) -> Points:
    return np.repeat(points[0], count), np.repeat(points[1], count)


def _joined(transitions: list[PerState]) -> PerState:
    """All transitions of several stacks, in one."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves) if eqx.is_array(leaves[0]) else leaves[0], *transitions)


def _output(samples: Samples, state: int) -> Samples:
    return samples._replace(dx=samples.dx[:, state : state + 1])


def _at(transition: PerState, paths: list[Path], points: list[Points]) -> PerState:
    """The transitions at some points of their paths, stacked, in the precision of training."""
    parts = [points_of(part, path, *at) for part, path, at in zip(transition.parts, paths, points, strict=True)]
    return PerState(tuple(jax.tree.map(_single, part) for part in parts))


def _single(leaf: Any) -> Any:
    return leaf.astype(np.float32) if eqx.is_array(leaf) else leaf


def _fewest(error: Float[np.ndarray, " point"], weights: Int[np.ndarray, " point"]) -> int:
    good = error <= TOLERANCE * error.min()
    return int(np.argmin(np.where(good, weights, np.iinfo(np.int64).max)))


def _forecast_error(
    transitions: AbstractModel, simulated: Simulated, latent: Float[np.ndarray, " sample"]
) -> Float[np.ndarray, " point"]:
    truth = jnp.asarray(simulated.propagated, jnp.float32)
    error = np.asarray(_squared_errors(transitions, truth, jnp.asarray(latent, jnp.float32)[:, None]), np.float64)
    return np.where(np.isfinite(error), error, np.inf) ** 0.5


@eqx.filter_jit
def _squared_errors(transitions: AbstractModel, truth: Array, latent: Array) -> Array:
    def one(transition: Any) -> Array:
        step = jax.vmap(transition)

        def advance(state: Array, wanted: Array) -> tuple[Array, Array]:
            following = step(state, latent)
            return following, jnp.mean(jnp.square(following - wanted))

        return jnp.mean(jax.lax.scan(advance, truth[:, 0], jnp.moveaxis(truth[:, 1:], 1, 0))[1])

    found: Array = eqx.filter_vmap(one)(transitions)
    return found
