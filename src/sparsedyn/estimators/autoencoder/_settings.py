"""The parameters of `SINDyAutoencoder`, checked and in one form each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsedyn.estimators._base import FLAG, HELD_OUT, SEED, Rule, is_whole, one_of, positive, whole
from sparsedyn.estimators.autoencoder._recipes import Recipe, geodesic, projected
from sparsedyn.models import PRIMITIVES, Library

DERIVATIVES = ("auto", "spline", "smoothing-spline")


def _widths(value: Any) -> bool:
    several = isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)
    return several and all(is_whole(width, 1) for width in value)


def _modes(value: Any) -> bool:
    return value is None or is_whole(value, 1) or (isinstance(value, str) and value == "auto")


RULES: dict[str, Rule] = {
    "latent": whole(1),
    "members": whole(1),
    "widths": Rule(_widths, "widths of at least 1, e.g. (64, 32)"),
    "order": Rule(lambda value: value in (1, 2), "1 or 2"),
    "degree": whole(0),
    "seed": SEED,
    "sine": FLAG,
    "modes": Rule(_modes, "a number of modes, 'auto' or None"),
    "derivative": one_of(DERIVATIVES),
    "effort": positive("a positive number"),
    "share": HELD_OUT,
    "recipe": Rule(
        lambda value: value is None or isinstance(value, Recipe),
        "a Recipe, such as sparsedyn.estimators.autoencoder.projected(), or None",
    ),
}
"""Parameters of `SINDyAutoencoder`, and what they may be."""


@dataclass(frozen=True)
class Settings:
    """The parameters of a `SINDyAutoencoder` in one form each; of a recipe, with all its steps."""

    library: Library
    widths: tuple[int, ...]
    order: int
    members: int
    seed: int
    modes: int | str | None
    derivative: str
    recipe: Recipe
    share: float

    @property
    def latent(self) -> int:
        """The number of latent variables."""
        return self.library.variables // self.order


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Return the settings of checked parameters; raises `ValueError` for a recipe of another number of variables."""
    latent, order = int(parameters["latent"]), int(parameters["order"])
    recipe = parameters["recipe"]
    if recipe is None:
        recipe = geodesic() if (latent, order) == (1, 2) else projected()
    if recipe.curve and latent != 1:
        raise ValueError(f"latent: expected 1, since the recipe begins along a curve; got {latent}.")
    functions = (PRIMITIVES["sin"],) if parameters["sine"] else ()
    return Settings(
        # NumPy's integers, as grids of parameters have them, would make other libraries.
        library=Library(order * latent, int(parameters["degree"]), functions),
        widths=tuple(int(width) for width in parameters["widths"]),
        order=order,
        recipe=recipe.scaled(parameters["effort"]),
        **{name: parameters[name] for name in ("members", "seed", "modes", "derivative", "share")},
    )
