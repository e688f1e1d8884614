"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn.models.autoencoder import Autoencoder, Chart, Motion, carried
from sparsedyn.models.base import AbstractModel
from sparsedyn.models.convolution import Encoder
from sparsedyn.models.digits import DigitSum
from sparsedyn.models.eql import EQL
from sparsedyn.models.library import Library
from sparsedyn.models.mlp import ACTIVATIONS, FANS, MLP
from sparsedyn.models.per_state import PerState
from sparsedyn.models.primitives import PRIMITIVES, SETS, Primitive, units_of
from sparsedyn.models.propagation import Propagator
from sparsedyn.models.sindy import SINDyModel

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
    "DigitSum",
    "Encoder",
    "Library",
    "Motion",
    "PerState",
    "Primitive",
    "Propagator",
    "SINDyModel",
    "carried",
    "units_of",
]
