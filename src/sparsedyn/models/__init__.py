"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn.models.autoencoder import Autoencoder, Chart, Jet, pushforward
from sparsedyn.models.base import AbstractModel, flags_of
from sparsedyn.models.eql import EQL
from sparsedyn.models.library import Library
from sparsedyn.models.mlp import ACTIVATIONS, FANS, MLP
from sparsedyn.models.per_state import PerState
from sparsedyn.models.primitives import PRIMITIVES, SETS, Primitive, units_of
from sparsedyn.models.sindy import SINDyModel
from sparsedyn.models.terms import contributions

__all__ = [
    "ACTIVATIONS",
    "EQL",
    "FANS",
    "MLP",
    "PRIMITIVES",
    "SETS",
    "AbstractModel",
    "Autoencoder",
    "Chart",
    "Jet",
    "Library",
    "PerState",
    "Primitive",
    "SINDyModel",
    "contributions",
    "flags_of",
    "pushforward",
    "units_of",
]
