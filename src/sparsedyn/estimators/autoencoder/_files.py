"""Stacked members as arrays of a model file, and back."""

from collections.abc import Mapping
from functools import partial

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
    found = numbered(arrays, PREFIX)
    if len(settings.widths) > len(found):
        raise ValueError(f"there are {len(settings.widths)} layers, and {len(found)} arrays")
    draw = partial(drawn, features, settings.library, settings.order, settings.widths, network)
    # Shapes alone: what is drawn could be larger than memory, as widths are what the file says.
    like = eqx.filter_eval_shape(lambda key: draw(jax.random.split(key, settings.members)), jax.random.key(0))
    leaves, structure = jax.tree.flatten(like)
    if [(a.shape, a.dtype.kind) for a in found] != [(leaf.shape, "f") for leaf in leaves]:
        raise ValueError(f"arrays of the shapes {[leaf.shape for leaf in leaves]} expected")
    models: Autoencoder = jax.tree.unflatten(structure, found)
    return models
