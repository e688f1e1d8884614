"""Plants to simulate: their physics, their excitation, and trajectories of them."""

from sparsedyn.systems.aluminum_cell import AluminumCell, Feeder
from sparsedyn.systems.base import AbstractSystem
from sparsedyn.systems.catalogue import SYSTEMS, get_system
from sparsedyn.systems.duffing import Duffing
from sparsedyn.systems.excitation import AbstractExcitation, AbstractSignal, Channels, Feedback, Sum
from sparsedyn.systems.lifted_lorenz import lifted_lorenz
from sparsedyn.systems.lorenz import Lorenz63
from sparsedyn.systems.lotka_volterra import LotkaVolterra
from sparsedyn.systems.pendulum import Pendulum
from sparsedyn.systems.pendulum_video import pendulum_video
from sparsedyn.systems.reaction_diffusion import reaction_diffusion
from sparsedyn.systems.signals import APRBS, Chirp, Constant, Impulses, Sine
from sparsedyn.systems.simulate import SimulationError, simulate
from sparsedyn.systems.snapshot_catalogue import SNAPSHOT_SYSTEMS

__all__ = [
    "APRBS",
    "SNAPSHOT_SYSTEMS",
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
    "Pendulum",
    "SimulationError",
    "Sine",
    "Sum",
    "get_system",
    "lifted_lorenz",
    "pendulum_video",
    "reaction_diffusion",
    "simulate",
]
