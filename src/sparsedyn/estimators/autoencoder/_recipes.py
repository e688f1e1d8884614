"""How SINDy autoencoders are trained: phases, one after the other, each a call of the one training loop."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from sparsedyn.sparsify import AbstractSparsifier, Chain, SequentialThresholding, Support
from sparsedyn.training import LatentDynamics


@dataclass(frozen=True)
class Phase:
    """So many steps on one objective, the rate falling on a cosine from the first of `rates` to the second.

    `thresholds` are pairs of a fraction of the phase and the size below which terms then go (0: before its first step).
    With `select_terms`, the latent variables are brought into the affine coordinates of fewest terms beforehand, where
    that takes away terms, and terms that others make up for are left out. `technique` replaces thresholds by another
    technique.
    """

    objective: LatentDynamics
    steps: int
    rates: tuple[float, float]
    batch: int = 512
    thresholds: tuple[tuple[float, float], ...] = ()
    select_terms: bool = False
    technique: AbstractSparsifier | None = None

    def sparsifier(self) -> AbstractSparsifier:
        """Return the technique; terms that are gone stay away."""
        if self.technique is not None:
            return self.technique
        return Chain(Support(), *(SequentialThresholding(size, at=(at,)) for at, size in self.thresholds))

    def schedule(self) -> Float[np.ndarray, " step"]:
        """Return the learning rate of every step."""
        first, last = self.rates
        swing = 0.5 + 0.5 * np.cos(np.pi * np.arange(self.steps) / max(self.steps, 1))
        return (last + (first - last) * swing).astype(np.float32)


@dataclass(frozen=True)
class Recipe:
    """Phases, and the network that goes with them: see `models.Autoencoder`.

    `start` is how coefficients begin: a number, `normal`, `glorot`, or the coefficients themselves, zero where there is
    no term; of projected ones it only says which terms there are. With `curve`, which is for one latent variable,
    networks do not begin at random but at the distance along the curve on which the data lie, and with the terms that
    forward selection finds there.
    """

    phases: tuple[Phase, ...]
    activation: str = "silu"
    linear: bool = True
    start: float | str | Float[np.ndarray, "term latent"] = 1.0
    curve: bool = False

    def scaled(self, factor: float) -> "Recipe":
        """Return the recipe with `factor` times as many steps."""
        return replace(self, phases=tuple(replace(p, steps=max(1, round(factor * p.steps))) for p in self.phases))


def projected(*, polish: bool = True, bending: float = 1e-2) -> Recipe:
    """Return the default: projected coefficients, thresholds on contributions, later ones higher.

    All terms at first; then those of small contributions go, in three turns, and without the price on contributions
    again. Thresholding earlier does damage that cannot be repaired. `polish` adds a phase that weighs the equation
    more, which makes its coefficients accurate. `bending` is the price on what encoders do beside their linear parts,
    three times that in the last phase; where coordinates lie in small deviations from a plane, it must be low.
    """
    search = LatentDynamics(sparsity=1e-3, spread=1e-3, bending=bending)
    free = replace(search, sparsity=0.0)
    phases = [
        Phase(search, 10_000, (3e-3, 1e-3), thresholds=((0.7, 0.02), (0.8, 0.05), (0.9, 0.1))),
        Phase(free, 3000, (1e-3, 1e-3)),
        Phase(free, 5000, (1e-3, 1e-5), 1024, thresholds=((0.0, 0.02),), select_terms=True),
    ]
    if polish:
        # A mean that is held at zero is wrong for an equation that does without a constant.
        exact = replace(free, derivative=1.0, latent=10.0, bending=3 * bending, spread=0.0)
        phases.append(
            Phase(
                exact,
                14_000,
                (1e-3, 3e-6),
                1024,
                thresholds=((0.0, 0.02), (0.25, 0.02), (0.5, 0.02)),
                select_terms=True,
            )
        )
    return Recipe(tuple(phases))


def geodesic() -> Recipe:
    """Return the recipe for data along one curve, which one latent variable tells apart.

    From random weights the variable ends anywhere between those that distinguish snapshots as well; but for affine
    changes all of them but one need further terms for their own bending. The distance along the curve, of which there
    is only one, is found before training, and so is the equation. Training makes networks and equation fit each other;
    rates are low since it begins where it is to end.
    """
    joint = LatentDynamics(decoder=1.0, derivative=1.0, latent=1.0)
    return Recipe((Phase(joint, 500, (2e-5, 1e-6), 256, thresholds=((0.0, 0.02),)),), activation="tanh", curve=True)


def published(
    *,
    derivative: float,
    latent: float,
    sparsity: float,
    rate: float,
    batch: int,
    steps: int,
    refinement: int,
    turns: int,
) -> Recipe:
    """Return the recipe of Champion et al. 2019: trained coefficients, a threshold of 0.1 on them at every turn.

    Coefficients begin at one, activations are sigmoids, errors are not relative. `sparsity` weighs the mean of absolute
    coefficients, as in the released code.
    """
    search = LatentDynamics(
        1.0, derivative, latent, sparsity, coefficients="trained", contributions=False, relative=False, mean=True
    )
    at = tuple((turn / turns, 0.1) for turn in range(1, turns + 1))
    phases = (
        Phase(search, steps, (rate, rate), batch, thresholds=at),
        Phase(replace(search, sparsity=0.0), refinement, (rate, rate), batch),
    )
    return Recipe(phases, activation="sigmoid", linear=False)
