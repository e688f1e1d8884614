"""Sparse, readable, stable models of controlled dynamical systems from trajectories."""

from importlib.metadata import version

# The devices come first: JAX fixes them at its first use.
from sparsedyn import _devices as _devices
from sparsedyn import systems
from sparsedyn.data import DataError, Samples, Scaling, Trajectories, read, samples, write
from sparsedyn.estimators import SparseTimeStepper, load
from sparsedyn.forecast import Forecast, rollout
from sparsedyn.models import MLP, AbstractModel
from sparsedyn.sparsify import (
    DSR,
    L0,
    L05,
    L1,
    L2,
    STR,
    AbstractSparsifier,
    Chain,
    Cubic,
    Freeze,
    MagnitudePruning,
    On,
    OneShot,
    SequentialThresholding,
    Stages,
)
from sparsedyn.systems import simulate
from sparsedyn.training import EMA, SWA

__version__ = version("sparsedyn")

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
    "Freeze",
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
