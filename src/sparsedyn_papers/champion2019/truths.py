"""What is true of the systems that studies of SINDy autoencoders look at, and what others reported of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SYMBOLS = {"sigma": "σ", "rho": "ρ", "beta": "β", "omega": "ω"}


@dataclass(frozen=True)
class Truth:
    """The equations that the snapshots come from: what they are called, as text, coordinates, and a plane to draw."""

    what: str
    equations: tuple[str, ...]
    coordinates: tuple[str, ...]
    plane: tuple[int, int] | None
    parameters: Mapping[str, float] = field(default_factory=dict)

    def symbol(self, name: str) -> str:
        """Return how a parameter is written."""
        return SYMBOLS.get(name, name)

    def parameters_text(self, facts: Mapping[str, Any]) -> str:
        """Return the true parameters."""
        known = dict(self.parameters) | ({"omega": facts["true_omega"]} if "true_omega" in facts else {})
        return ", ".join(f"{self.symbol(name)} = {value:.4g}" for name, value in known.items())


class Reported(NamedTuple):
    """Errors that others reported: of decoder, derivative and latent equation; the same beyond training; terms."""

    source: str
    errors: tuple[float, float, float]
    beyond: tuple[float, float, float] | None = None
    terms: int | None = None


TRUTHS = {
    "lifted-lorenz": Truth(
        "Lorenz's equations up to an affine change of coordinates",
        ("x' = σ (y - x)", "y' = x (ρ - z) - c y", "z' = x y - β z"),
        ("x", "y", "z"),
        (0, 2),
        {"sigma": 10.0, "c": 1.0, "rho": 28.0, "beta": 8 / 3},
    ),
    "pendulum-video": Truth("the pendulum's equation", ("z'' = -k sin(z)",), ("angle",), None, {"k": 1.0}),
    "reaction-diffusion": Truth(
        "the spiral's rotation", ("z1' = -ω z2", "z2' = ω z1"), ("cosine of the turn", "sine of the turn"), (0, 1)
    ),
}

PUBLISHED = {
    "lifted-lorenz": (
        Reported("Champion et al. 2019, model 1", (2.7e-5, 4.7e-4, 6.7e-4), (1.3e-2, 1.1e-1, 7.9e-2), 7),
        Reported("Champion et al. 2019, model 2", (2e-6, 8.7e-5, 4.9e-4), None, 10),
    ),
    "pendulum-video": (Reported("Champion et al. 2019", (3.3e-4, 3.8e-4, 2.1e-2), None, 1),),
    "reaction-diffusion": (Reported("Champion et al. 2019", (1.6e-2, 1.6e-2, 2.1e-3), None, 2),),
}
"""Champion et al. 2019 and the models released with it."""

BLOG = {"batch": 128, "latent": 3, "weight dx": 0.0, "weight dz": 0.0, "widths": "64", "loss": 0.00123, "seconds": 55.2}
"""The best of 72 combinations in a reproduction (Mekerishvili, Kolev, Geijsberts, Chong 2024)."""
