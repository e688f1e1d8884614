"""The recipe of the code that was released with Kim et al. 2019: one network a trial, trained in three phases."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool

from sparsedyn.data import Samples
from sparsedyn.models import EQL
from sparsedyn.models.primitives import Units
from sparsedyn.sparsify import L0, L05, AbstractSparsifier, Chain, Phases, SequentialThresholding
from sparsedyn.training import Progress, fit, learning_rates, optimizer

STEPS = 22_000
FAST, CUT = 2_000 / STEPS, 12_000 / STEPS
"""Shares of training at which the rate falls from 0.1 to 0.01, and to 0.001 once small weights are cut."""
WEIGHT, THRESHOLD = 5e-3, 0.01


class Trained(NamedTuple):
    """Stacked networks with their true primitives, and which of them ended with finite weights."""

    models: EQL
    finite: Bool[np.ndarray, " trial"]


def trained(
    train: Samples,
    hidden: tuple[Units, ...],
    regularizer: str,
    *,
    trials: int,
    seed: int,
    restart: int = 0,
    steps: int = STEPS,
    on_progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train so many networks at once; a `restart` begins with other weights."""
    keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), restart), trials)
    features = train.x.shape[1]
    models = eqx.filter_vmap(lambda key: EQL(features, 0, 1, hidden, key=key))(keys)
    found = fit(
        models,
        Samples(*(part.astype(np.float32) for part in train)),
        sparsifier=technique(regularizer),
        rates=learning_rates("step", 0.1, steps, drops=(FAST, CUT)),
        keys=keys,
        batch=len(train.x),
        optimizer=optimizer("rmsprop"),
        validations=20,
        seed=seed,
        on_progress=on_progress,
    )
    last: EQL = found.last  # type: ignore[assignment]
    return Trained(last.exact(), found.alive)


def technique(regularizer: str) -> AbstractSparsifier:
    """Return the smoothed L0.5 penalty, cut at a threshold, or hard-concrete gates, which need no cut."""
    if regularizer == "l0":
        return L0(WEIGHT, drop_rate=0.5)
    # The penalty ends with the cut: the last phase fits what is left.
    penalty = Phases(L05(WEIGHT), at=(CUT - 0.5 / STEPS, CUT), levels=(1.0, 0.0))
    return Chain(penalty, SequentialThresholding(THRESHOLD, at=(CUT,)))
