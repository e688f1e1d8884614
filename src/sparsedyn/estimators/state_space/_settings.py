"""Parameters of `SparseStateSpace`, checked and in one form each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sparsedyn.estimators._base import SEED, Rule, is_whole, one_of, optional, whole

MOST_STATES = 4
"""States that are tried by default, or twice the outputs where that is more."""
FAMILIES = {"polynomial": ("square", "cube", "cube"), "tanh": ("tanh", "tanh", "tanh")}
"""Units of the families, in the order in which `nonlinear_units` takes them, again and again."""

RULES: Mapping[str, Rule] = {
    "states": Rule(lambda value: is_whole(value, 1) or (isinstance(value, str) and value == "auto"),
                   "'auto', or an integer of at least 1"),
    "units": one_of(("auto", "none", *FAMILIES)),
    "nonlinear_units": whole(1),
    "max_weights": optional(whole(3), "None, or an integer of at least 3"),
    "seed": SEED,
}  # fmt: skip


class Settings(NamedTuple):
    """How to search."""

    states: int | None
    families: tuple[str, ...]
    nonlinear_units: int
    max_weights: int | None
    seed: int

    def units(self, family: str) -> tuple[str, ...]:
        """Return the units of a family."""
        names = FAMILIES[family]
        return tuple(names[min(i, len(names) - 1)] for i in range(self.nonlinear_units))


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return parameters that are fine as settings."""
    units = parameters["units"]
    families = {"auto": tuple(FAMILIES), "none": ()}.get(units, (units,))
    states = None if parameters["states"] == "auto" else int(parameters["states"])
    return Settings(states, families, parameters["nonlinear_units"], parameters["max_weights"], parameters["seed"])
