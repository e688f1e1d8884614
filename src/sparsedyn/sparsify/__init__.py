"""Sparsification: one technique per file, one interface, `Chain` and `On` to put them together."""

from sparsedyn.sparsify.base import AbstractMask, AbstractSparsifier, Free, Revised, keep_largest
from sparsedyn.sparsify.compose import Chain, On
from sparsedyn.sparsify.dsr import DSR
from sparsedyn.sparsify.freeze import Freeze
from sparsedyn.sparsify.gates import L0
from sparsedyn.sparsify.magnitude import MagnitudePruning
from sparsedyn.sparsify.penalties import L03, L05, L07, L1, L2, AbstractPenalty
from sparsedyn.sparsify.phases import Phases
from sparsedyn.sparsify.soft_threshold import STR
from sparsedyn.sparsify.spec import TECHNIQUES, from_spec, resolve, to_spec
from sparsedyn.sparsify.support import Support
from sparsedyn.sparsify.threshold import SequentialThresholding
from sparsedyn.sparsify.timing import AbstractTiming, Cubic, OneShot, Stages

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
