"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.mlp import ACTIVATIONS, FANS, MLP

__all__ = ["ACTIVATIONS", "FANS", "MLP", "AbstractModel"]
