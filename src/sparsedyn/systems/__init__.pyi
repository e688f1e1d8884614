from .aluminum_cell import AluminumCell, Feeder
from .base import AbstractSystem
from .catalogue import SYSTEMS, get_system
from .duffing import Duffing
from .excitation import AbstractExcitation, AbstractSignal, Channels, Feedback, Sum
from .lifted_lorenz import lifted_lorenz
from .lorenz import Lorenz63
from .lotka_volterra import LotkaVolterra
from .pendulum import Pendulum
from .pendulum_video import pendulum_video
from .reaction_diffusion import reaction_diffusion
from .signals import APRBS, Chirp, Constant, Impulses, Sine
from .simulate import SimulationError, simulate
from .snapshot_catalogue import SNAPSHOT_SYSTEMS
from .two_tanks import TwoTanks

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
    "TwoTanks",
    "get_system",
    "lifted_lorenz",
    "pendulum_video",
    "reaction_diffusion",
    "simulate",
]
