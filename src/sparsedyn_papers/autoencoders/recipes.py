"""The recipes that a study of SINDy autoencoders can name."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from sparsedyn.data import Snapshots
from sparsedyn.estimators.autoencoder._recipes import Recipe, geodesic, projected, published

if TYPE_CHECKING:
    from sparsedyn_papers.autoencoders.spec import TrainingSpec

MakeRecipe = Callable[["TrainingSpec", str, Snapshots], Recipe]

PUBLISHED: dict[str, dict[str, float]] = {
    "lifted-lorenz": {
        "derivative": 1e-4,
        "latent": 0.0,
        "sparsity": 1e-5,
        "rate": 1e-3,
        "batch": 1024,
        "epochs": 5001,
        "every": 500,
        "refinement": 1001,
    },
    "pendulum-video": {
        "derivative": 5e-4,
        "latent": 5e-5,
        "sparsity": 1e-5,
        "rate": 1e-4,
        "batch": 1000,
        "epochs": 5001,
        "every": 500,
        "refinement": 1001,
    },
    "reaction-diffusion": {
        "derivative": 0.5,
        "latent": 0.01,
        "sparsity": 0.1,
        "rate": 1e-3,
        "batch": 1000,
        "epochs": 3001,
        "every": 500,
        "refinement": 1001,
    },
}
"""What Champion et al. 2019 trained with; the weight of the reconstruction is 1, the threshold 0.1."""


def default(training: "TrainingSpec", system: str, data: Snapshots) -> Recipe:
    """Return the default recipe of `SINDyAutoencoder`."""
    return projected(polish=training.polish, bending=training.bending)


def as_published(training: "TrainingSpec", system: str, data: Snapshots) -> Recipe:
    """Return the published recipe, its epochs counted on `data`.

    Errors of data are those of columns scaled together to a total variance of one, which the published ones are not:
    the weights of what is not an error of data are changed alike.
    """
    numbers: Mapping[str, float] = PUBLISHED[system] | {
        name: value for name in PUBLISHED[system] if (value := getattr(training, name)) is not None
    }
    pooled = data.pooled().x
    total = float(np.sum(np.var(pooled, axis=0, dtype=np.float64)))
    batch = int(min(numbers["batch"], len(pooled)))
    steps = len(pooled) // batch
    return published(
        derivative=numbers["derivative"],
        latent=numbers["latent"] / total,
        sparsity=numbers["sparsity"] / total,
        rate=numbers["rate"],
        batch=batch,
        steps=int(numbers["epochs"]) * steps,
        refinement=int(numbers["refinement"]) * steps,
        turns=max(1, int(numbers["epochs"] // numbers["every"])),
    )


def along_curve(training: "TrainingSpec", system: str, data: Snapshots) -> Recipe:
    """Return the recipe that begins at the curve along which the data lie."""
    return geodesic()


RECIPES: dict[str, MakeRecipe] = {"default": default, "geodesic": along_curve, "as-published": as_published}
"""Recipes by name."""
