"""The plants that have a name on the command line and in study specifications."""

import difflib
from typing import TYPE_CHECKING

from sparsedyn._registry import Registry

if TYPE_CHECKING:
    from sparsedyn.systems.base import AbstractSystem

SYSTEMS: "Registry[type[AbstractSystem]]" = Registry(
    "sparsedyn.systems",
    {
        "aluminum-cell": "aluminum_cell:AluminumCell",
        "duffing": "duffing:Duffing",
        "lorenz63": "lorenz:Lorenz63",
        "lotka-volterra": "lotka_volterra:LotkaVolterra",
        "pendulum": "pendulum:Pendulum",
        "two-tanks": "two_tanks:TwoTanks",
    },
)


def get_system(name: str) -> "AbstractSystem":
    """Return the plant registered under `name`, with its default parameters; raises `ValueError` if there is none."""
    check_system(name)
    return SYSTEMS[name]()


def check_system(name: str) -> None:
    """Raise `ValueError` where no plant has this name."""
    if name not in SYSTEMS:
        close = difflib.get_close_matches(name, SYSTEMS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"Unknown system {name!r}; there are {', '.join(SYSTEMS)}.{hint}")
