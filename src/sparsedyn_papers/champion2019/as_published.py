"""The recipe that Champion et al. 2019 trained with; the weight of the reconstruction is 1, the threshold 0.1."""

from collections.abc import Mapping

import numpy as np

from sparsedyn.data import Snapshots
from sparsedyn.estimators.autoencoder import Recipe, published


def as_published(numbers: Mapping[str, float], data: Snapshots) -> Recipe:
    """Return the published recipe with these `numbers` (see `Truth.published`), its epochs counted on `data`.

    Errors of data are those of columns scaled together to a total variance of one, which the published ones are not:
    the weights of what is not an error of data are changed alike.
    """
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
