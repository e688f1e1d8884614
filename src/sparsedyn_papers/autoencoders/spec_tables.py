"""The tables of a study of SINDy autoencoders: snapshots, network, recipe."""

import inspect
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sparsedyn.studies.errors import Misfit, near_miss
from sparsedyn.studies.spec import Count, Table, Word, one_of
from sparsedyn.systems import SNAPSHOT_SYSTEMS

Noise = Annotated[float, Field(ge=0, lt=1)]


Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


Number = Annotated[float, Field(allow_inf_nan=False)]


Widths = Annotated[tuple[Count, ...], Field(strict=False)]


Modes = Count | Literal["auto", "none"]


RECIPES = ("default", "geodesic", "as-published")


SINGLE = ("reaction-diffusion",)
"""Systems of one trajectory, whose first rows are trained on and whose last ones test."""


OWN = ("count", "seed", "box")
"""Settings of systems that a study has its own words for."""


class SnapshotsSpec(Table):
    """Snapshots of `system`, generated with `settings`: `train` and `test` trajectories, drawn with different seeds.

    Of a system with a single trajectory the first `share` of rows is trained on and the rest tests. `noise` is added to
    what is trained on, as a share of its root mean square, and derivatives are then estimated; tests stay clean.
    `out_of_distribution` adds a test with starts from a box that many times as wide (lifted-lorenz only).
    """

    system: Annotated[str, one_of(SNAPSHOT_SYSTEMS)]
    settings: dict[Word, int | Number] = Field(default_factory=dict)
    train: Count | None = None
    test: Count | None = None
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    noise: Noise = 0.0
    out_of_distribution: Positive | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "SnapshotsSpec":
        known = [name for name in inspect.signature(SNAPSHOT_SYSTEMS[self.system]).parameters if name not in OWN]
        for name in self.settings:
            if name not in known:
                raise Misfit(
                    ("settings", name),
                    f"expected settings among {', '.join(known)}; got {name!r}.{near_miss(name, known)}",
                )
        counted, shared = ("train", "test"), ("share",)
        wanted, refused = (shared, counted) if self.system in SINGLE else (counted, shared)
        for name in wanted:
            if getattr(self, name) is None:
                example = {"train": "train = 100", "test": "test = 20", "share": "share = 0.8"}[name]
                raise Misfit((name,), f"missing: {self.system} needs it. Add e.g. {example}.")
        for name in refused:
            if getattr(self, name) is not None:
                raise Misfit((name,), f"is not for {self.system}, which is split by {' and '.join(wanted)}. Remove it.")
        if self.out_of_distribution is not None and self.system != "lifted-lorenz":
            raise Misfit(("out_of_distribution",), "only lifted-lorenz has a box of starts. Remove it.")
        return self


class NetworkSpec(Table):
    """The autoencoder and its library; the defaults are those of `SINDyAutoencoder`.

    Without `modes`, `auto`, and `none` as published.
    """

    latent: Count = 3
    widths: Widths = (64, 32)
    order: Annotated[int, Field(ge=1, le=2)] = 1
    degree: Annotated[int, Field(ge=0)] = 3
    sine: bool = False
    modes: Modes | None = None


class RecipeSpec(Table):
    """How members are trained: by the recipe of this name, its steps times `effort`.

    `geodesic` is for one latent variable: it begins at the distance along the curve on which the data lie, and at the
    equation that forward selection finds there. `polish` and `bending` (see `autoencoder_recipes.projected`) are for
    the default recipe. What follows them replaces published numbers and is for the published recipe alone: weights of
    the derivatives' errors in the data (`derivative`) and in the latent space (`latent`), of the coefficients
    (`sparsity`), the learning `rate`, `batch`, `epochs` with a threshold `every` so many, and `refinement` epochs
    without.
    """

    members: Count = 10
    recipe: Annotated[str, one_of(RECIPES)] = "default"
    effort: Positive = 1.0
    polish: bool = True
    bending: Weight = 1e-2
    derivative: Weight | None = None
    latent: Weight | None = None
    sparsity: Weight | None = None
    rate: Positive | None = None
    batch: Count | None = None
    epochs: Count | None = None
    every: Count | None = None
    refinement: Count | None = None


PUBLISHED_ONLY = ("derivative", "latent", "sparsity", "rate", "batch", "epochs", "every", "refinement")
