"""The search for an equation: independent trials, in each of which networks grow, are trained and are pruned."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn._blas import one_blas_thread
from sparsedyn.data import Samples
from sparsedyn.estimators.equation._candidates import SCREENED, candidate_terms
from sparsedyn.estimators.equation._front import Candidates, best_of_each_size, pareto, relative_error
from sparsedyn.estimators.equation._growth import unexplained, with_connections, with_terms
from sparsedyn.estimators.equation._initial import Generation, Layout, random_weights
from sparsedyn.estimators.equation._settings import Search
from sparsedyn.estimators.equation._training import refined

EXACT = 1e-6
"""A trial ends once the relative error of held-out samples is below this: nothing is left to explain."""
DRAWS = 4
"""Times that candidate terms are drawn for a generation; a network chooses from one."""
LARGEST_PARENT = 18
"""Weights of the largest network that another one begins with."""
FROM_NOTHING = 0.15
"""Share of the networks with chosen terms that begin with these alone."""
CONNECTED = 0.5
"""Share of the others that get connections, not terms."""


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

    def front(self, most: int) -> list[int]:
        """Return the places of candidates of at most `most` weights that are clearly better than all smaller ones."""
        return pareto(self.candidates.nonzeros, relative_error(self.candidates), most)

    def _least(self, among: np.ndarray) -> int:
        places = np.flatnonzero(among & np.isfinite(self.candidates.score))
        return int(places[np.argmin(self.candidates.score[places])]) if len(places) else -1


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
        with one_blas_thread():
            new = _generation(settings, layout, going, number, pools, data, natural)
        network, found = refined(settings, layout, new, number, data, held_out)
        hits = np.zeros(len(new.trial), bool)
        hits[network[relative_error(found) < EXACT]] = True
        alone += hits[new.random].tolist()
        for trial in going:
            mine = _of(found, int(trial))
            old = pools[trial]
            pool = best_of_each_size(
                mine if old is None else Candidates(*map(np.concatenate, zip(old, mine, strict=True)))
            )
            pools[trial], exact[trial] = pool, bool(np.any(relative_error(pool) < EXACT))
        networks[going] += settings.networks
        if on_progress is not None:
            on_progress(number + 1, settings.generations, int(exact.sum()))
    merged = Candidates(*map(np.concatenate, zip(*(pool for pool in pools if pool is not None), strict=True)))
    return Found(merged, networks, exact, float(np.mean(alone)))


def _generation(
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
    fitted_trials = round(settings.fitted * settings.trials)
    x, y = data.x[:SCREENED], data.dx[:SCREENED, 0]
    drawn = {
        fitted: [candidate_terms(layout, x, y, natural, rng, fitted=fitted) for _ in range(DRAWS)]
        for fitted in ((True, False) if fitted_trials < settings.trials else (True,))
    }
    weights, owners, random = [], np.repeat(going, settings.networks), []
    for place, trial in enumerate(owners):
        own = place % settings.networks
        rng = np.random.default_rng([settings.seed, trial, number, own])
        random.append(own % 4 == 0)
        if random[-1]:
            weights.append(random_weights(layout, natural, rng))
            continue
        flat = _parent(pools[trial], rng)
        parent = unexplained(layout, flat, data)
        chosen = drawn[bool(trial < fitted_trials)][int(rng.integers(DRAWS))]
        connected = trial < fitted_trials and rng.random() < CONNECTED and parent.matrices[-2].any()
        grow = with_connections if connected else with_terms
        weights.append(grow(layout, chosen, parent, int(rng.integers(1, 5)), rng))
    return Generation(np.stack(weights), owners, np.asarray(random))


def _of(found: Candidates, trial: int) -> Candidates:
    return Candidates(*(part[found.trial == trial] for part in found))


def _parent(pool: Candidates | None, rng: np.random.Generator) -> np.ndarray | None:
    """The weights of a point of the trial's front, or nothing."""
    front = [] if pool is None else pareto(pool.nonzeros, relative_error(pool), LARGEST_PARENT)
    if pool is None or not front or rng.random() < FROM_NOTHING:
        return None
    parent: np.ndarray = pool.weights[front[int(rng.integers(len(front)))]]
    return parent
