"""What is known of a system whose coordinates are looked for: its equations, and how discovered ones compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.equations.coordinates import Affine
from sparsedyn.models import Library

SYMBOLS = {"sigma": "σ", "rho": "ρ", "beta": "β", "omega": "ω"}


@dataclass(frozen=True)
class Alignment:
    """The affine map that leads from latent variables nearest to the truth, and its R^2 for each true coordinate."""

    matrix: Float[np.ndarray, "coordinate latent"]
    offset: Float[np.ndarray, " coordinate"]
    r2: Float[np.ndarray, " coordinate"]

    def __call__(self, latent: Float[np.ndarray, "*batch latent"]) -> Float[np.ndarray, "*batch coordinate"]:
        """Return estimates of the true coordinates; of paths that blew up, what is not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            return latent @ self.matrix.T + self.offset

    @property
    def change(self) -> Affine:
        """The map as a change of coordinates, of which there must be as many."""
        return Affine(self.matrix, self.offset)


def aligned(truth: Float[np.ndarray, "sample coordinate"], latent: Float[np.ndarray, "sample latent"]) -> Alignment:
    """Return the least-squares alignment."""
    columns = np.column_stack([latent, np.ones(len(latent))])
    found = np.linalg.lstsq(columns, truth, rcond=None)[0]
    residual = np.mean(np.square(truth - columns @ found), axis=0)
    return Alignment(found[:-1].T, found[-1], 1 - residual / np.var(truth, axis=0))


class Discovered(NamedTuple):
    """A discovered equation, states at which it is compared, and two changes that lead near the true coordinates.

    `alignment` is fitted to the truth; `canonical` leads to the coordinates of fewest terms, `terms` of them.
    """

    library: Library
    coefficients: Float[np.ndarray, "term latent"]
    states: Float[np.ndarray, "sample state"]
    alignment: Alignment
    canonical: Affine
    terms: int


@dataclass(frozen=True)
class Structure:
    """Whether an equation is the true one up to coordinates, how far it is from that, and the parameters it has.

    `residual` is relative to the derivatives: the root mean square of what is left when coordinates and parameters are
    fitted, or NaN where there is nothing to fit.
    """

    right: bool
    residual: float
    parameters: dict[str, float]


WRONG = Structure(False, np.nan, {})


class Reported(NamedTuple):
    """Errors that others reported: of decoder, derivative and latent equation; the same beyond training; terms."""

    source: str
    errors: tuple[float, float, float]
    beyond: tuple[float, float, float] | None = None
    terms: int | None = None


def _nothing_measured(turn: np.ndarray, dt: float) -> dict[str, float]:
    return {}


@dataclass(frozen=True)
class Truth:
    """A system: what is true of it, and what Champion et al. 2019 trained with and reported.

    `what` names the `equations`, of derivatives of this `order`. `coordinates` are the names of the true coordinates,
    which the snapshots' `truth` has times `scale`; `plane` are the two that are drawn. `structure` compares an equation
    of the right order and number of variables. `holds` says whether a library has the true terms; `coefficients` gives
    the true ones, from those parameters that differ between data sets, which `measured` returns. `follow` asks for
    attractors and Lyapunov exponents. `published` are the numbers of the published recipe.
    """

    what: str
    equations: tuple[str, ...]
    order: int
    coordinates: tuple[str, ...]
    structure: Callable[[Discovered], Structure]
    holds: Callable[[Library], bool]
    coefficients: Callable[[Library, Mapping[str, float]], Float[np.ndarray, "term latent"]]
    published: Mapping[str, float]
    reported: tuple[Reported, ...]
    plane: tuple[int, int] | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    measured: Callable[[Float[np.ndarray, "time state"], float], dict[str, float]] = _nothing_measured
    scale: float = 1.0
    follow: bool = False

    @property
    def latent(self) -> int:
        """The number of true coordinates."""
        return len(self.coordinates)

    def values(self, truth: Float[np.ndarray, "*batch state"]) -> Float[np.ndarray, "*batch coordinate"]:
        """Return the true coordinates in their own units, without their velocities."""
        shown: np.ndarray = truth[..., : self.latent]
        return shown if self.scale == 1.0 else shown / self.scale

    def symbol(self, name: str) -> str:
        """Return how a parameter is written."""
        return SYMBOLS.get(name, name)

    def parameters_text(self, facts: Mapping[str, Any]) -> str:
        """Return the true parameters; `facts` of a cell have those that differ between data sets."""
        known = dict(self.parameters) | ({"omega": facts["true_omega"]} if "true_omega" in facts else {})
        return ", ".join(f"{self.symbol(name)} = {value:.4g}" for name, value in known.items())
