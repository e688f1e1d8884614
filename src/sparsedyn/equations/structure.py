"""The structure given by a network's zeros: its number of weights, and which input reaches which output."""

import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.models import MLP

SMALL = 1e-3


def reach(models: MLP) -> Bool[np.ndarray, "member output feature"]:
    """Return whether feature `j` reaches output `i` along nonzero weights, for stacked networks.

    Features are the states, then the inputs. A path says that the output *may* depend on the feature; no path
    proves that it does not.
    """
    weights = [np.asarray(w) != 0 for w in models.weights]
    members, features = weights[0].shape[:2]
    identity = np.broadcast_to(np.eye(features, dtype=bool), (members, features, features))
    hidden = identity
    for layer, weight in enumerate(weights):
        if models.skip and layer > 0:
            hidden = np.concatenate([hidden, identity], axis=2)
        hidden = np.einsum("mfh,mho->mfo", hidden.astype(np.int64), weight.astype(np.int64)) > 0
    return np.swapaxes(hidden, 1, 2)


def count_nonzeros(models: MLP) -> Int[np.ndarray, " member"]:
    """Return the number of weights (biases aside) that are not exactly zero, per member."""
    counts: Int[np.ndarray, " member"] = sum(np.count_nonzero(np.asarray(w), axis=(1, 2)) for w in models.weights)
    return counts


def sparsity(models: MLP, active: MLP, small: float = SMALL) -> dict[str, Float[np.ndarray, " member"]]:
    """Return the share of weights that are zero, three ways.

    `exact`: exactly zero; `mask`: switched off by a mask; `small`: at most `small` in magnitude. They differ:
    L1 with Adam leaves many small weights and few exact zeros.
    """
    weights = [np.asarray(w) for w in models.weights]
    masks = [np.asarray(m) for m in active.weights]
    total = sum(w[0].size for w in weights)
    axes = (1, 2)
    return {
        "exact": sum(np.sum(w == 0, axis=axes) for w in weights) / total,
        "mask": sum(np.sum(~m, axis=axes) for m in masks) / total,
        "small": sum(np.sum(np.abs(w) <= small, axis=axes) for w in weights) / total,
    }
