"""The search for an equation: independent trials, each a small population that grows, is trained and is pruned."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Bool, Float, Int
from threadpoolctl import threadpool_limits

from sparsedyn.data import Samples
from sparsedyn.estimators.equation._candidates import SCREENED, Parent, bank, pareto, with_connections, with_terms
from sparsedyn.estimators.equation._initial import Layout, drawn
from sparsedyn.models import EQL
from sparsedyn.models.primitives import Units
from sparsedyn.sparsify import L0, L05, AbstractSparsifier, Chain, Phases, Support
from sparsedyn.training import fit
from sparsedyn.training.refine import points_of, refine

EXACT = 1e-6
"""A trial ends once the relative error of held-out samples is below this: nothing is left to explain."""
BANKS = 4
"""Banks of random terms that a generation draws from."""
LARGEST_PARENT = 18
"""Weights of the largest network that another one begins with."""
AFRESH = 0.15
"""Share of the networks of random terms that begin with nothing."""
CONNECTED = 0.5
"""Share of the others that get connections, not terms."""
CALM = 0.05
"""Factor on the learning rate of networks that begin with chosen terms."""
REGULARIZERS = ("l05", "l0")


@dataclasses.dataclass(frozen=True)
class Search:
    """How equations are searched for.

    Every one of `trials` is a population of its own: generation after generation it gets `networks` new equation
    learners, until one is exact or `generations` are over. One in four begins at random; the others begin with terms
    or connections that go with what is not explained yet, on top of something that the trial has found before. All
    networks of a generation, of all trials, are trained and refined as one computation, each with its own weight of the
    regularizer.

    In a share of `fitted` of the trials, terms may be fitted to the target, and there are connections. Laws with
    division are found that way; sums of plain terms are found more often without, since nothing elaborate stands in
    their way.
    """

    hidden: tuple[Units, ...]
    regularizer: str = "l05"
    trials: int = 20
    networks: int = 4
    generations: int = 10
    steps: int = 200
    batch: int = 128
    active: int = 36
    seed: int = 0
    bias: bool = False
    fitted: float = 1.0


class Candidates(NamedTuple):
    """Points of the paths of all networks: flattened weights and what they are worth, least `score` best."""

    trial: Int[np.ndarray, " candidate"]
    weights: Float[np.ndarray, "candidate weight"]
    nonzeros: Int[np.ndarray, " candidate"]
    train: Float[np.ndarray, " candidate"]
    held_out: Float[np.ndarray, " candidate"]
    score: Float[np.ndarray, " candidate"]


class Found(NamedTuple):
    """What a search found.

    `candidates` are the best of every trial for every number of weights, `networks` counts what each trial trained,
    `exact` says which trials ended with nothing left to explain, and `single` is the share of the networks that began
    at random, with nothing to build on, and were exact by themselves.
    """

    candidates: Candidates
    networks: Int[np.ndarray, " trial"]
    exact: Bool[np.ndarray, " trial"]
    single: float

    def choices(self) -> list[int]:
        """Return the place of every trial's candidate of least score, -1 for a trial that has none."""
        return [self._least(self.candidates.trial == trial) for trial in range(len(self.networks))]

    def choice(self) -> int:
        """Return the place of the candidate of least score, -1 where there is none."""
        return self._least(np.isfinite(self.candidates.score))

    def _least(self, among: np.ndarray) -> int:
        places = np.flatnonzero(among & np.isfinite(self.candidates.score))
        return int(places[np.argmin(self.candidates.score[places])]) if len(places) else -1


class Generation(NamedTuple):
    """New networks: their flattened weights, whose trial they are of, and whether they began at random."""

    weights: Float[np.ndarray, "network weight"]
    trial: Int[np.ndarray, " network"]
    random: Bool[np.ndarray, " network"]


def search(
    settings: Search,
    data: Samples,
    held_out: Samples,
    natural: Float[np.ndarray, " feature"],
    *,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> Found:
    """Search for `dx[:, 0]` as a function of `x`, both in units of order one; `natural` is the data's unit in theirs.

    `on_progress` is told the generations done and wanted, and how many trials are exact. Nothing but `data` and
    `held_out` has any influence on what is found.
    """
    layout = Layout(data.x.shape[1], settings.hidden, settings.bias)
    pools: list[Candidates | None] = [None] * settings.trials
    networks, exact = np.zeros(settings.trials, int), np.zeros(settings.trials, bool)
    alone: list[bool] = []
    for number in range(settings.generations):
        going = np.flatnonzero(~exact)
        if not len(going):
            break
        # Threads inside BLAS wait for each other longer than such small products take.
        with threadpool_limits(1, user_api="blas"):
            new = _begun(settings, layout, going, number, pools, data, natural)
        network, found = _refined(settings, layout, new, number, data, held_out)
        hits = np.zeros(len(new.trial), bool)
        hits[network[relative_error(found) < EXACT]] = True
        alone += hits[new.random].tolist()
        for trial in going:
            mine = _of(found, int(trial))
            old = pools[trial]
            pool = _best(mine if old is None else Candidates(*map(np.concatenate, zip(old, mine, strict=True))))
            pools[trial], exact[trial] = pool, bool(np.any(relative_error(pool) < EXACT))
        networks[going] += settings.networks
        if on_progress is not None:
            on_progress(number + 1, settings.generations, int(exact.sum()))
    merged = Candidates(*map(np.concatenate, zip(*(pool for pool in pools if pool is not None), strict=True)))
    return Found(merged, networks, exact, float(np.mean(alone)))


def _begun(
    settings: Search,
    layout: Layout,
    going: np.ndarray,
    number: int,
    pools: Sequence[Candidates | None],
    data: Samples,
    natural: np.ndarray,
) -> Generation:
    """The networks of a generation before training, `settings.networks` for every trial that goes on."""
    rng = np.random.default_rng([settings.seed, number])
    clever = round(settings.fitted * settings.trials)
    banks = {
        fitted: [
            bank(layout, data.x[:SCREENED], data.dx[:SCREENED, 0], natural, rng, fitted=fitted) for _ in range(BANKS)
        ]
        for fitted in ((True, False) if clever < settings.trials else (True,))
    }
    weights, owners, random = [], np.repeat(going, settings.networks), []
    for place, trial in enumerate(owners):
        own = place % settings.networks
        rng = np.random.default_rng([settings.seed, trial, number, own])
        random.append(own % 4 == 0)
        if random[-1]:
            weights.append(drawn(layout, natural, rng))
            continue
        flat = _parent(pools[trial], rng)
        parent = unexplained(layout, flat, data)
        chosen = banks[bool(trial < clever)][int(rng.integers(BANKS))]
        connected = trial < clever and rng.random() < CONNECTED and parent.matrices[-2].any()
        grow = with_connections if connected else with_terms
        weights.append(grow(layout, chosen, parent, int(rng.integers(1, 5)), rng))
    return Generation(np.stack(weights), owners, np.asarray(random))


def relative_error(found: Candidates) -> Float[np.ndarray, " candidate"]:
    """Relative errors, the larger of training and held-out samples."""
    return np.sqrt(np.maximum(found.train, found.held_out))


def _of(found: Candidates, trial: int) -> Candidates:
    return Candidates(*(part[found.trial == trial] for part in found))


def _best(found: Candidates) -> Candidates:
    """The best candidate of every number of weights, best score first."""
    order = np.argsort(found.score, kind="stable")
    _, first = np.unique(found.nonzeros[order], return_index=True)
    return Candidates(*(part[order[np.sort(first)]] for part in found))


def _parent(pool: Candidates | None, rng: np.random.Generator) -> np.ndarray | None:
    """The weights of a point of the trial's front, or nothing."""
    front = [] if pool is None else pareto(pool.nonzeros, relative_error(pool), LARGEST_PARENT)
    if pool is None or not front or rng.random() < AFRESH:
        return None
    parent: np.ndarray = pool.weights[front[int(rng.integers(len(front)))]]
    return parent


def unexplained(layout: Layout, flat: np.ndarray | None, data: Samples) -> Parent:
    """What a parent, or a network without weights, leaves of the targets, and its derivatives."""
    x, u, target = data.x[:SCREENED], data.u[:SCREENED], data.dx[:SCREENED, 0]
    if flat is None:
        return Parent([np.zeros(shape) for shape in layout.shapes()], target, np.zeros((len(x), 0)), [], [])
    matrices = [np.asarray(matrix) for matrix in layout.split(flat)]
    with jax.enable_x64(True):
        model = layout.model(matrices).exact()
        output, entering, leaving = _sensitivities(model, jnp.asarray(x), jnp.asarray(u))
    before, after = [np.asarray(part) for part in entering], [np.asarray(part)[:, 0] for part in leaving]
    # A unit that nobody reads may be infinite; its derivatives are not among those that are returned.
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [h[:, :, None] * d[:, None, :] for h, d in zip(before, after, strict=True)]
    every = np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1)
    return Parent(matrices, target - np.asarray(output)[:, 0], every[:, flat != 0], before, after)


@eqx.filter_jit
def _sensitivities(model: EQL, x: jax.Array, u: jax.Array) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
    return jax.vmap(model.sensitivity)(x, u)


def _lanes(wanted: int, most: int) -> int:
    """Few different sizes, since each is compiled: all, a quarter, a sixteenth."""
    return min(size for size in (most, max(most // 4, 8), 8) if size >= wanted)


def _refined(
    settings: Search, layout: Layout, new: Generation, number: int, data: Samples, held_out: Samples
) -> tuple[Int[np.ndarray, " candidate"], Candidates]:
    """Train and refine new networks; return the points of their paths and which network each is of."""
    count = len(new.trial)
    lanes = _lanes(count, settings.trials * settings.networks)
    filled = np.minimum(np.arange(lanes), count - 1)
    models = layout.model([matrix.astype(np.float32) for matrix in layout.split(new.weights[filled])])
    rng = np.random.default_rng([settings.seed, number])
    trained = fit(
        models,
        Samples(*(part.astype(np.float32) for part in data)),
        sparsifier=regularizer(settings.regularizer, lanes, rng),
        # What was chosen for its place is not to be thrown out of it.
        rates=np.where(new.random[filled], 1.0, CALM)[:, None] * rates(settings.steps),
        keys=jax.random.split(jax.random.fold_in(jax.random.key(settings.seed), number), lanes),
        batch=settings.batch,
        optimizer=adam(),
        seed=settings.seed,
        validations=1,
    ).last
    if not isinstance(trained, EQL):
        raise TypeError(f"models: expected equation learners; got {type(trained).__name__}.")
    last = trained.exact()
    path = refine(last, data, held_out, active=settings.active)
    fine = np.isfinite(path.train) & np.isfinite(path.held_out) & (path.counts() > 0)
    member, point = np.nonzero(fine[:count])
    weights = points_of(last, path, member, point).weights
    return member, Candidates(
        new.trial[member],
        np.concatenate([matrix.reshape(len(member), -1) for matrix in weights], axis=1),
        path.counts()[member, point],
        path.train[member, point],
        path.held_out[member, point],
        path.scores(len(data.x))[member, point],
    )


def regularizer(name: str, networks: int, rng: np.random.Generator) -> AbstractSparsifier:
    """Return the penalty, its weight drawn for every network, weak at first, in full from 60 % of training on."""

    def weights(low: float, high: float) -> jax.Array:
        return jnp.asarray(np.exp(rng.uniform(np.log(low), np.log(high), networks)), jnp.float32)

    if name == "l05":
        penalty: AbstractSparsifier = L05(weights(1e-3, 3e-2))
    elif name == "l0":
        penalty = L0(weights(3e-4, 1e-2), drop_rate=0.12)
    else:
        raise ValueError(f"regularizer: expected one of {', '.join(REGULARIZERS)}; got {name!r}.")
    return Chain(Support(), Phases(penalty, at=(0.3, 0.6), levels=(0.03, 1.0)))


def rates(steps: int, peak: float = 0.02) -> Float[np.ndarray, " steps"]:
    """Return a rate that is constant after a short warm-up and falls along a cosine from 60 % on."""
    time = np.arange(steps) / steps
    fall = 0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * np.clip((time - 0.6) / 0.4, 0, 1)))
    return (peak * fall * np.minimum(1.0, (np.arange(steps) + 1) / 20)).astype(np.float32)


@lru_cache
def adam() -> optax.GradientTransformation:
    """Return clipped Adam of short memory; cached, since a compiled training is known by its optimizer."""
    return optax.chain(optax.clip_by_global_norm(5.0), optax.adam(1.0, b1=0.9, b2=0.99))
