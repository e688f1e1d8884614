"""Objectives of training: functions of a model, a batch and a key."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.data import Samples
from sparsedyn.models import AbstractModel

Objective = Callable[[Any, Any, PRNGKeyArray], Float[Array, ""]]


def derivative_matching(model: AbstractModel, batch: Samples, key: PRNGKeyArray) -> Float[Array, ""]:
    """Mean squared error of the model's derivative over samples and states, in the samples' scaled units."""
    predicted = jax.vmap(model)(jnp.asarray(batch.x), jnp.asarray(batch.u))
    return jnp.mean(jnp.square(predicted - batch.dx))
