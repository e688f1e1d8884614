"""The plants that have a name on the command line and in study specifications."""

import difflib

from sparsedyn.systems.aluminum_cell import AluminumCell
from sparsedyn.systems.base import AbstractSystem
from sparsedyn.systems.duffing import Duffing
from sparsedyn.systems.lorenz import Lorenz63
from sparsedyn.systems.lotka_volterra import LotkaVolterra
from sparsedyn.systems.pendulum import Pendulum

SYSTEMS: dict[str, type[AbstractSystem]] = {
    system.name: system for system in (AluminumCell, Duffing, Lorenz63, LotkaVolterra, Pendulum)
}


def get_system(name: str) -> AbstractSystem:
    """The plant registered under `name`, with its default parameters; ValueError if there is none."""
    if name not in SYSTEMS:
        close = difflib.get_close_matches(name, SYSTEMS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Unknown system {name!r}; there are {', '.join(SYSTEMS)}.{hint}")
    return SYSTEMS[name]()
