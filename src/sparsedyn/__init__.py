"""Sparse, readable, stable models of controlled dynamical systems from trajectories."""

from importlib.metadata import version

# The devices come first: JAX fixes them at its first use.
from sparsedyn import _devices as _devices
from sparsedyn import systems
from sparsedyn.data import DataError, Samples, Scaling, Trajectories, read, samples, write
from sparsedyn.estimators import EquationLearner, EquationRegressor, SINDy, SINDyAutoencoder, SparseTimeStepper, load
from sparsedyn.forecast import Forecast, rollout
from sparsedyn.models import EQL, MLP, PRIMITIVES, AbstractModel, Library, Primitive
from sparsedyn.sparsify import (
    DSR,
    L0,
    L03,
    L05,
    L07,
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
    Phases,
    SequentialThresholding,
    Stages,
    Support,
)
from sparsedyn.systems import simulate
from sparsedyn.training import EMA, SWA

__version__ = version("sparsedyn")

__all__ = [
    "DSR",
    "EMA",
    "EQL",
    "L0",
    "L03",
    "L05",
    "L07",
    "L1",
    "L2",
    "MLP",
    "PRIMITIVES",
    "STR",
    "SWA",
    "AbstractModel",
    "AbstractSparsifier",
    "Chain",
    "Cubic",
    "DataError",
    "EquationLearner",
    "EquationRegressor",
    "Forecast",
    "Freeze",
    "Library",
    "MagnitudePruning",
    "On",
    "OneShot",
    "Phases",
    "Primitive",
    "SINDy",
    "SINDyAutoencoder",
    "Samples",
    "Scaling",
    "SequentialThresholding",
    "SparseTimeStepper",
    "Stages",
    "Support",
    "Trajectories",
    "load",
    "read",
    "rollout",
    "samples",
    "simulate",
    "systems",
    "write",
]
