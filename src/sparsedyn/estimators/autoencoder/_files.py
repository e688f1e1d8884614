"""Stacked members as arrays of a model file, and back."""

from collections.abc import Mapping

import equinox as eqx
import jax
import numpy as np

from sparsedyn.estimators._files import numbered
from sparsedyn.estimators.autoencoder._members import drawn
from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.estimators.autoencoder._settings import Settings
from sparsedyn.models import Autoencoder

PREFIX = "model."


def arrays_of(models: Autoencoder) -> dict[str, np.ndarray]:
    """Return the arrays of stacked members by their names in a file."""
    leaves = jax.tree.leaves(eqx.filter(models, eqx.is_array))
    return {f"{PREFIX}{i:03d}": np.asarray(array) for i, array in enumerate(leaves)}


def models_from(arrays: Mapping[str, np.ndarray], features: int, settings: Settings, network: Recipe) -> Autoencoder:
    """Return stacked members with the arrays of a file, for the network of a recipe."""
    keys = jax.random.split(jax.random.key(0), settings.members)
    like = drawn(features, settings.library, settings.order, settings.widths, network, keys)
    leaves, structure = jax.tree.flatten(like)
    found = numbered(arrays, PREFIX)
    if [a.shape for a in found] != [np.shape(a) for a in leaves]:
        raise ValueError(f"arrays of the shapes {[np.shape(a) for a in leaves]} expected")
    models: Autoencoder = jax.tree.unflatten(structure, found)
    return models
