from .autoencoder import Autoencoder, Chart, Jet, pushforward
from .base import AbstractModel, flags_of
from .catalogue import PRIMITIVES, SETS
from .eql import EQL
from .library import Library
from .mlp import ACTIVATIONS, FANS, MLP
from .per_state import PerState
from .primitives import Primitive, units_of
from .sindy import SINDyModel
from .state_space import StateSpace
from .terms import contributions

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
    "StateSpace",
    "contributions",
    "flags_of",
    "pushforward",
    "units_of",
]
