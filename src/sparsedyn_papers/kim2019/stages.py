"""Training in stages: each begins with the weights that the one before it ended with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from sparsedyn.models import AbstractModel
from sparsedyn.sparsify import AbstractSparsifier
from sparsedyn.training import Objective, fit, learning_rates, optimizer
from sparsedyn_papers.kim2019.encoder import SPREAD

CLIP = 1.0
"""Bound of the gradient's norm, which grows with every propagated step while a network is far off."""


Model = TypeVar("Model", bound=AbstractModel)


@dataclass(frozen=True)
class Stage:
    """So many steps on one objective with one technique; the rate falls from `rate` to a hundredth of it."""

    objective: Objective
    sparsifier: AbstractSparsifier
    steps: int
    rate: float


def trained(
    models: Model, data: Any, stages: Sequence[Stage], *, batch: int, keys: Key[Array, " trial"], seed: int = 0
) -> Model:
    """Return the stacked models after all stages."""
    for i, stage in enumerate(stages):
        found = fit(
            models,
            data,
            sparsifier=stage.sparsifier,
            rates=learning_rates("cosine", stage.rate, stage.steps),
            keys=jax.vmap(lambda key, i=i: jax.random.fold_in(key, i))(keys),
            batch=batch,
            objective=stage.objective,
            optimizer=optimizer("adam", clip=CLIP),
            validations=1,
            seed=seed + i,
        )
        models = cast(Model, found.last)
    return models


@eqx.filter_jit
def encoded(models: Any, inputs: Float[Array, "sample ..."]) -> Float[Array, "trial sample"]:
    """Return what every trial's encoder makes of every input."""

    def one(model: Any) -> Float[Array, " sample"]:
        # One block after the other: all activations at once would fill the memory.
        return jax.lax.map(model.encoder, inputs, batch_size=256)[:, 0]

    found: Array = eqx.filter_vmap(one)(models)
    return found


def settled(models: Model, inputs: Any) -> Model:
    """Return the models with encoders of mean 0 and standard deviation 0.5 on `inputs`."""

    def one(model: Any, z: Float[Array, " sample"]) -> Any:
        encoder = model.encoder.standardized(jnp.mean(z)[None], jnp.std(z)[None], SPREAD)
        return eqx.tree_at(lambda m: m.encoder, model, encoder)

    return cast(Model, eqx.filter_jit(eqx.filter_vmap(one))(models, encoded(models, jnp.asarray(inputs))))
