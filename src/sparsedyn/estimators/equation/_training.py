"""Training of a generation: gradient descent under a penalty, then refinement, all networks as one computation."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Float, Int

from sparsedyn.data import Samples
from sparsedyn.estimators.equation._front import Candidates
from sparsedyn.estimators.equation._initial import Generation, Layout
from sparsedyn.estimators.equation._settings import REGULARIZERS, Search
from sparsedyn.models import EQL
from sparsedyn.sparsify import L0, L05, AbstractSparsifier, Chain, Phases, Support
from sparsedyn.training import fit
from sparsedyn.training.refine import points_of, refine

CHOSEN = 0.05
"""Factor on the learning rate of networks that begin with chosen terms."""


def _lanes(wanted: int, most: int) -> int:
    """Few different sizes, since each is compiled: all, a quarter, a sixteenth."""
    return min(size for size in (most, max(most // 4, 8), 8) if size >= wanted)


def refined(
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
        rates=np.where(new.random[filled], 1.0, CHOSEN)[:, None] * rates(settings.steps),
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
