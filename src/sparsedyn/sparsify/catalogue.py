"""The techniques that have a name on the command line, in studies and in saved models."""

from typing import TYPE_CHECKING

from sparsedyn._registry import Registry

if TYPE_CHECKING:
    from sparsedyn.sparsify.base import AbstractSparsifier

TECHNIQUES: "Registry[type[AbstractSparsifier]]" = Registry(
    "sparsedyn.sparsify",
    {
        "l1": "penalties:L1",
        "l2": "penalties:L2",
        "l05": "penalties:L05",
        "l03": "penalties:L03",
        "l07": "penalties:L07",
        "l0": "gates:L0",
        "str": "soft_threshold:STR",
        "magnitude": "magnitude:MagnitudePruning",
        "dsr": "dsr:DSR",
        "threshold": "threshold:SequentialThresholding",
        "freeze": "freeze:Freeze",
        "support": "support:Support",
        "phases": "phases:Phases",
        "chain": "compose:Chain",
        "on": "compose:On",
    },
)
