"""Plants to simulate: their physics, their excitation, and trajectories of them."""

from sparsedyn.systems.aluminum_cell import AluminumCell, Feeder
from sparsedyn.systems.base import AbstractSystem
from sparsedyn.systems.catalogue import SYSTEMS, get_system
from sparsedyn.systems.duffing import Duffing
from sparsedyn.systems.excitation import AbstractExcitation, AbstractSignal, Channels, Feedback, Sum
from sparsedyn.systems.lorenz import Lorenz63
from sparsedyn.systems.lotka_volterra import LotkaVolterra
from sparsedyn.systems.signals import APRBS, Chirp, Constant, Impulses, Sine
from sparsedyn.systems.simulate import SimulationError, simulate

__all__ = [
    "APRBS",
    "SYSTEMS",
    "AbstractExcitation",
    "AbstractSignal",
    "AbstractSystem",
    "AluminumCell",
    "Channels",
    "Chirp",
    "Constant",
    "Duffing",
    "Feedback",
    "Feeder",
    "Impulses",
    "Lorenz63",
    "LotkaVolterra",
    "SimulationError",
    "Sine",
    "Sum",
    "get_system",
    "simulate",
]
