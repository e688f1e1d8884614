"""Sparse, readable, stable models of controlled dynamical systems from trajectories."""

from sparsedyn._devices import spread_over_cores

spread_over_cores()

from sparsedyn import systems  # noqa: E402
from sparsedyn.data import DataError, Samples, Scaling, Trajectories, read, samples, write  # noqa: E402
from sparsedyn.estimators import SparseTimeStepper, load  # noqa: E402
from sparsedyn.forecast import Forecast, rollout  # noqa: E402
from sparsedyn.models import MLP, AbstractModel  # noqa: E402
from sparsedyn.sparsify import (  # noqa: E402
    DSR,
    L0,
    L1,
    L2,
    L05,
    STR,
    AbstractSparsifier,
    Chain,
    Cubic,
    MagnitudePruning,
    On,
    OneShot,
    SequentialThresholding,
    Stages,
)
from sparsedyn.systems import simulate  # noqa: E402
from sparsedyn.training import EMA, SWA  # noqa: E402

__all__ = [
    "DSR",
    "EMA",
    "L0",
    "L05",
    "L1",
    "L2",
    "MLP",
    "STR",
    "SWA",
    "AbstractModel",
    "AbstractSparsifier",
    "Chain",
    "Cubic",
    "DataError",
    "Forecast",
    "MagnitudePruning",
    "On",
    "OneShot",
    "Samples",
    "Scaling",
    "SequentialThresholding",
    "SparseTimeStepper",
    "Stages",
    "Trajectories",
    "load",
    "read",
    "rollout",
    "samples",
    "simulate",
    "systems",
    "write",
]
