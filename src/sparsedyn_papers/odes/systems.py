"""Ordinary differential equations with two initial states, simulated as in ODEBench (d'Ascoli et al. 2023)."""

import json
import tomllib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float
from scipy.integrate import solve_ivp
from sklearn.metrics import r2_score

from sparsedyn.equations import compiled, parsed

TIMES = np.linspace(0, 10, 150)
EXPLAINED = 0.9
"""Variance-weighted R^2 above which a trajectory is explained."""
FAR = 1e8
MOST_EVALUATIONS = 200_000
"""Evaluations of equations in a simulation; those of the systems take some thousand."""

Field = Callable[[Float[np.ndarray, " state"]], Float[np.ndarray, " state"]]


@dataclass(frozen=True)
class System:
    """A system: its equations as text, in x_0, x_1, ..., and its initial states."""

    id: int | str
    name: str
    equations: tuple[str, ...]
    starts: tuple[tuple[float, ...], ...]

    @property
    def names(self) -> list[str]:
        """The names of the states."""
        return [f"x_{i}" for i in range(len(self.equations))]

    @cached_property
    def truth(self) -> tuple[sympy.Expr, ...]:
        """The right-hand sides."""
        return tuple(parsed(equation, self.names) for equation in self.equations)

    @property
    def field(self) -> Field:
        """The right-hand side as a function."""
        return field_of(self.truth)


def field_of(exprs: Sequence[sympy.Expr]) -> Field:
    """Return equations in x_0, x_1, ... as a function."""
    made = compiled(exprs, [f"x_{i}" for i in range(len(exprs))])
    return lambda x: made(np.atleast_2d(x))[0]


def suite() -> tuple[System, ...]:
    """Return the systems that come along."""
    text = resources.files("sparsedyn_papers.odes").joinpath("systems.txt").read_text(encoding="utf-8")
    return tuple(_system(one) for one in tomllib.loads(text)["systems"])


def read_systems(path: Path) -> tuple[System, ...]:
    """Return the systems of a JSON file: a list of `{"id", "equations", "init"}`, `"name"` if they have one."""
    return tuple(
        _system({"name": str(one["id"]), **one, "starts": one["init"]})
        for one in json.loads(path.read_text(encoding="utf-8"))
    )


def simulated(field: Field, start: Sequence[float]) -> Float[np.ndarray, "time state"] | None:
    """Return the states at `TIMES`, or nothing where they run away, or move so fast that this would take minutes."""
    evaluations = count()

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        if not np.all(np.abs(x) < FAR) or next(evaluations) > MOST_EVALUATIONS:
            raise FloatingPointError
        return field(x)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = solve_ivp(slope, (0.0, float(TIMES[-1])), start, t_eval=TIMES, method="LSODA", rtol=1e-5, atol=1e-7)
        except (FloatingPointError, ValueError):
            return None
    return found.y.T if found.y.shape[1] == len(TIMES) and np.isfinite(found.y).all() else None


def nearby(system: System, first: Float[np.ndarray, "time state"], count: int) -> list[Float[np.ndarray, "time state"]]:
    """Return so many trajectories that begin around the first one.

    Every first value times a number between 1/2 and 3/2, or, where it is zero, a number within half a standard
    deviation of the state; drawn again where a trajectory runs away.
    """
    rng = np.random.default_rng(1000)
    start = np.asarray(system.starts[0])
    found: list[np.ndarray] = []
    while len(found) < count:
        near = start * rng.uniform(0.5, 1.5, len(start))
        near = np.where(start == 0, first.std(axis=0) * rng.uniform(-0.5, 0.5, len(start)), near)
        made = simulated(system.field, near.tolist())
        if made is not None:
            found.append(made)
    return found


def explains(found: np.ndarray | None, states: Float[np.ndarray, "time state"]) -> bool:
    """Return whether simulated states explain the true ones."""
    return found is not None and bool(r2_score(states, found, multioutput="variance_weighted") > EXPLAINED)


def _system(table: dict[str, Any]) -> System:
    place = str(table["id"])
    starts = tuple(tuple(map(float, start)) for start in table["starts"])
    names = tuple(map(str, table["equations"]))
    return System(int(place) if place.isdigit() else place, str(table["name"]), names, starts)
