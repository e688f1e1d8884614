"""The smaller dense network that a sparse one is equivalent to."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from sparsedyn.models import MLP
from sparsedyn.models.mlp import ACTIVATIONS


def prune_structure(model: MLP) -> MLP:
    """Return the network without units that reach nothing, and without those that nothing reaches.

    What a unit that nothing reaches gives is constant; it goes into the biases of the layer above, which a network
    without biases gets where one of these constants is not zero. A layer keeps one unit at least. `model` is one
    network, its weights without a member axis; the result computes the same function up to rounding, with arrays of
    NumPy.
    """
    weights = [np.array(weight, np.float64) for weight in model.weights]
    biases = [
        np.zeros(w.shape[1]) if b is None else np.array(b, np.float64)
        for w, b in zip(weights, model.biases, strict=True)
    ]
    # From below: a layer whose units below became constant may have constant units itself.
    for layer in range(len(weights) - 1):
        constant = ~np.any(weights[layer], axis=0)
        values = np.asarray(ACTIVATIONS[model.activation](jnp.asarray(biases[layer][constant])), np.float64)
        units = np.flatnonzero(constant)
        biases[layer + 1] += values @ weights[layer + 1][units]
        weights[layer + 1][units] = 0
    for layer in reversed(range(len(weights) - 1)):
        count = weights[layer].shape[1]
        kept = np.flatnonzero(np.any(weights[layer + 1][:count], axis=1))
        kept = kept if len(kept) else np.asarray([0])
        # Rows beyond the units are those of features that skip layers.
        rows = np.concatenate([kept, np.arange(count, len(weights[layer + 1]))])
        weights[layer], biases[layer] = weights[layer][:, kept], biases[layer][kept]
        weights[layer + 1] = weights[layer + 1][rows]
    needed = any(b is not None for b in model.biases) or any(np.any(b) for b in biases)
    found = (
        tuple(weight.astype(np.float32) for weight in weights),
        tuple(b.astype(np.float32) if needed else None for b in biases),
    )
    return eqx.tree_at(lambda m: (m.weights, m.biases), model, found, is_leaf=lambda leaf: leaf is None)
