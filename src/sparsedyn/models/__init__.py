"""Models: equations only. One unbatched map from state and input to derivative per file."""

from sparsedyn.models.base import AbstractModel
from sparsedyn.models.convolution import Encoder
from sparsedyn.models.digits import DigitSum
from sparsedyn.models.eql import EQL
from sparsedyn.models.mlp import ACTIVATIONS, FANS, MLP
from sparsedyn.models.per_state import PerState
from sparsedyn.models.primitives import PRIMITIVES, SETS, Primitive, units_of
from sparsedyn.models.propagation import Propagator

__all__ = [
    "ACTIVATIONS",
    "EQL",
    "FANS",
    "MLP",
    "PRIMITIVES",
    "SETS",
    "AbstractModel",
    "DigitSum",
    "Encoder",
    "PerState",
    "Primitive",
    "Propagator",
    "units_of",
]
