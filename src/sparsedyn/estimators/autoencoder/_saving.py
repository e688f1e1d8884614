"""A fitted SINDy autoencoder as one safetensors file: arrays, and a JSON header that says everything else."""

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from sparsedyn.estimators.autoencoder._data import Coordinates
from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.estimators.autoencoder._training import drawn
from sparsedyn.models import Autoencoder
from sparsedyn.training import save_arrays

if TYPE_CHECKING:
    from sparsedyn.estimators.autoencoder.autoencoder import SINDyAutoencoder

FORMAT = "sparsedyn.SINDyAutoencoder/1"


def save(estimator: "SINDyAutoencoder", path: str | Path) -> None:
    """Write a fitted estimator; of a recipe of one's own, only the network that it asks for is kept."""
    models, coordinates = estimator.models_, estimator.coordinates_
    header = {
        "format": FORMAT,
        "parameters": {**estimator.get_params(deep=False), "recipe": None, **_structure(estimator)},
        "activation": models.encoder.activation,
        "linear": models.encoder.linear is not None,
        "dt": estimator.dt_,
        "truncation": coordinates.truncation,
        "ranking": estimator.ranking_.to_dict(orient="list"),
        "histories": estimator.histories_,
        "versions": {name: importlib.metadata.version(name) for name in ("sparsedyn", "jax", "equinox", "optax")},
    }
    arrays = {f"model.{i:03d}": np.asarray(a) for i, a in enumerate(jax.tree.leaves(eqx.filter(models, eqx.is_array)))}
    arrays |= {
        "basis": coordinates.basis,
        "scale": coordinates.scale,
        "coefficients": estimator.coefficients_,
        "alive": estimator.alive_,
        "states": estimator.states_,
    }
    save_arrays(path, arrays, header)


def _structure(estimator: "SINDyAutoencoder") -> dict[str, Any]:
    """Return the parameters that arrays depend on as they were at the fit: they may have been set since."""
    models = estimator.models_
    library = models.library
    return {
        "latent": library.variables // models.order,
        "order": models.order,
        "degree": library.degree,
        "sine": bool(library.functions),
        "widths": [int(weights.shape[-1]) for weights in models.encoder.weights[:-1]],
        "members": len(estimator.alive_),
    }


def restored(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> "SINDyAutoencoder":
    """Return the estimator of a file that `save` wrote."""
    from sparsedyn.estimators.autoencoder.autoencoder import SINDyAutoencoder

    parameters = header["parameters"]
    estimator = SINDyAutoencoder(**{**parameters, "widths": tuple(parameters["widths"])})
    keys = jax.random.split(jax.random.key(0), estimator.members)
    network = Recipe((), activation=header["activation"], linear=header["linear"])
    like: Autoencoder = drawn(
        len(arrays["scale"]), estimator.library_, estimator.order, estimator.widths, network, keys
    )
    leaves, structure = jax.tree.flatten(like)
    found = [arrays[f"model.{i:03d}"] for i in range(len(leaves))]
    if [a.shape for a in found] != [np.shape(a) for a in leaves]:
        raise ValueError(f"arrays of the shapes {[np.shape(a) for a in leaves]} expected")
    estimator.models_ = jax.tree.unflatten(structure, found)
    estimator.coordinates_ = Coordinates(arrays["basis"], arrays["scale"], header["truncation"])
    estimator.coefficients_, estimator.alive_ = arrays["coefficients"], arrays["alive"]
    estimator.states_, estimator.dt_ = arrays["states"], header["dt"]
    estimator.histories_ = header["histories"]
    estimator.ranking_ = pd.DataFrame(header["ranking"])
    return estimator
