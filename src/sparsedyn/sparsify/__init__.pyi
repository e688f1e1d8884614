from .base import AbstractMask, AbstractSparsifier, Free, Revised, keep_largest
from .catalogue import TECHNIQUES
from .compose import Chain, On
from .dsr import DSR
from .freeze import Freeze
from .gates import L0
from .magnitude import MagnitudePruning
from .penalties import L03, L05, L07, L1, L2, AbstractPenalty
from .phases import Phases
from .soft_threshold import STR
from .spec import from_spec, resolve, to_spec
from .support import Support
from .threshold import SequentialThresholding
from .timing import AbstractTiming, Cubic, OneShot, Stages

__all__ = [
    "DSR",
    "L0",
    "L03",
    "L05",
    "L07",
    "L1",
    "L2",
    "STR",
    "TECHNIQUES",
    "AbstractMask",
    "AbstractPenalty",
    "AbstractSparsifier",
    "AbstractTiming",
    "Chain",
    "Cubic",
    "Free",
    "Freeze",
    "MagnitudePruning",
    "On",
    "OneShot",
    "Phases",
    "Revised",
    "SequentialThresholding",
    "Stages",
    "Support",
    "from_spec",
    "keep_largest",
    "resolve",
    "to_spec",
]
