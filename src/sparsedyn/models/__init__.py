"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.mlp import ACTIVATIONS, MLP

__all__ = ["ACTIVATIONS", "MLP", "AbstractModel"]
