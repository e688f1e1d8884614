"""Parameters of `SparseStateSpace`, checked and in one form each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sparsedyn.estimators._base import SEED, Rule, is_whole, one_of, optional, positive, whole
from sparsedyn.sparsify import Chain, resolve

MOST_STATES = 4
"""States that are tried by default, or twice the outputs where that is more."""
FAMILIES = {"polynomial": ("square", "cube", "cube"), "quadratic": ("square",), "tanh": ("tanh",)}
"""Units of the families, in the order in which `nonlinear_units` takes them; the last one again and again."""
NETWORK = "network"
UNITS, NETWORK_UNITS = 3, 32
"""How many units there are by default, and of a network."""

RULES: Mapping[str, Rule] = {
    "states": Rule(lambda value: is_whole(value, 1) or (isinstance(value, str) and value == "auto"),
                   "'auto', or an integer of at least 1"),
    "units": one_of(("auto", "none", *FAMILIES, NETWORK)),
    "nonlinear_units": optional(whole(1), "None, or an integer of at least 1"),
    "steps": whole(1),
    "learning_rate": positive("a positive rate, usually 1e-3 to 1e-1", below=10.0),
    "max_weights": optional(whole(3), "None, or an integer of at least 3"),
    "seed": SEED,
}  # fmt: skip


class Settings(NamedTuple):
    """How to search; `technique`, `steps` and `learning_rate` are of networks, which are trained by gradient."""

    states: int | None
    families: tuple[str, ...]
    nonlinear_units: int
    max_weights: int | None
    seed: int
    network: bool
    technique: Chain
    steps: int
    learning_rate: float

    def units(self, family: str) -> tuple[str, ...]:
        """Return the units of a family."""
        names = FAMILIES[family]
        return tuple(names[min(i, len(names) - 1)] for i in range(self.nonlinear_units))


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return parameters that are fine as settings; raises `ValueError` for those that do not go together."""
    units, most = parameters["units"], parameters["max_weights"]
    network = units == NETWORK
    technique = resolve(parameters["technique"])
    if technique.links and not network:
        raise ValueError(
            f"technique: expected none with units={units!r}, whose weights are eliminated; got one. Take "
            "units='network', or leave technique out."
        )
    if network and most is not None:
        raise ValueError(
            "max_weights: expected None with units='network'; got a number. Take technique=MagnitudePruning(0.75), say."
        )
    return Settings(
        states=None if parameters["states"] == "auto" else int(parameters["states"]),
        families={"auto": tuple(FAMILIES), "none": (), NETWORK: ()}.get(units, (units,)),
        nonlinear_units=parameters["nonlinear_units"] or (NETWORK_UNITS if network else UNITS),
        max_weights=most,
        seed=parameters["seed"],
        network=network,
        technique=technique,
        steps=parameters["steps"],
        learning_rate=parameters["learning_rate"],
    )
