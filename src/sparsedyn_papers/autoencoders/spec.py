"""What a study of SINDy autoencoders is: the validated form of its TOML file, told by `kind = "autoencoders"`."""

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from sparsedyn.studies.errors import Misfit, near_miss
from sparsedyn.studies.search.space import AbstractSpace, Range, space_table
from sparsedyn.studies.search.trials import TrialsTable
from sparsedyn.studies.search.wording import Wording
from sparsedyn.studies.spec import AbstractStudySpec, Count, Table, Word, one_of
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


class CellSpec(Table):
    """One configuration: where it differs from the study's tables."""

    label: Word
    noise: Noise | None = None
    model: NetworkSpec = NetworkSpec()
    training: RecipeSpec = RecipeSpec()


FIXED = {"training.members": "a trial is one ensemble, and the best of a larger one is better by itself"}
"""Keys that a search cannot compare, and why."""

WORDING = Wording(names={"training.derivative": "weight dx", "training.latent": "weight dz"})
"""How values on axes are written."""

if TYPE_CHECKING:
    Grid = AbstractSpace
    Space = AbstractSpace
else:
    Grid = space_table("Grid", {"model": NetworkSpec, "training": RecipeSpec})
    Space = space_table("Space", {"model": NetworkSpec, "training": RecipeSpec}, fixed=FIXED, ranges=True)


class TrialsSpec(TrialsTable):
    """A search of a `space`: of lists of values and of ranges by key, such as `"model.latent" = [1, 3]`."""

    space: Space = Space()


Seed = Annotated[int, Field(ge=0, lt=2**31)]


class AutoencodersSpec(AbstractStudySpec):
    """A study of SINDy autoencoders: one configuration, several `cells`, all combinations of a `grid`, or a `search`.

    `grid` has lists of values by key, such as `"model.latent" = [1, 3]`. `seeds` repeat every cell with other data and
    other networks.
    """

    kind: Literal["autoencoders"]
    data: SnapshotsSpec
    model: NetworkSpec = NetworkSpec()
    training: RecipeSpec = RecipeSpec()
    seeds: Annotated[tuple[Seed, ...], Field(strict=False, min_length=1)] = (0,)
    cells: Annotated[tuple[CellSpec, ...], Field(strict=False)] = ()
    grid: Grid = Grid()
    search: TrialsSpec | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "AutoencodersSpec":
        if self.cells and self.axes():
            raise Misfit(("grid",), "expected either [[cells]] or a [grid]; got both. Remove one.")
        self._check_search()
        labels = [cell.label for cell in self.cells]
        for i, label in enumerate(labels):
            if label in labels[:i]:
                raise Misfit(("cells", i, "label"), f"expected labels that differ; got {label!r} twice. Rename one.")
        for path, training in self._trainings():
            for name in PUBLISHED_ONLY:
                if getattr(training, name) is not None and training.recipe != "as-published":
                    raise Misfit((*path, name), 'is for recipe = "as-published". Remove it, or name that recipe.')
        for path, latent, recipe in self._recipes():
            if recipe == "geodesic" and latent != 1:
                raise Misfit(path, f'recipe = "geodesic" needs latent = 1; got {latent}. Name another recipe.')
        if self.training.recipe != "as-published":
            axes: list[tuple[str, ...]] = [("grid", key) for key in self.axes()]
            axes += [("search", "space", key) for key in self.dimensions()]
            for path in axes:
                if path[-1].removeprefix("training.") in PUBLISHED_ONLY and path[-1].startswith("training."):
                    raise Misfit(path, 'is for recipe = "as-published" in [training].')
        return self

    def _check_search(self) -> None:
        if self.search is None:
            return
        if self.cells or self.axes():
            other = "[[cells]]" if self.cells else "a [grid]"
            raise Misfit(
                ("search",), f"expected one of [[cells]], a [grid] and a [search]; got {other} too. Remove one."
            )
        if not self.dimensions():
            raise Misfit(
                ("search", "space"),
                'expected values to try; there are none. Add e.g. "model.widths" = [[64], [64, 32]].',
            )
        if len(self.seeds) > 1:
            raise Misfit(("seeds",), f"a trial of a search has one seed; got {len(self.seeds)}. Keep one.")

    def _trainings(self) -> list[tuple[tuple[str | int, ...], RecipeSpec]]:
        """The tables of training, merged, and where they stand."""
        own = [
            (("cells", i, "training"), self.training.model_copy(update=cell.training.given()))
            for i, cell in enumerate(self.cells)
        ]
        return [(("training",), self.training), *own]

    def _recipes(self) -> list[tuple[tuple[str | int, ...], int, str]]:
        """The numbers of latent variables and recipes that come together, and where they stand."""
        model, training = self.model, self.training
        if self.cells:
            return [
                (
                    ("cells", i),
                    model.model_copy(update=cell.model.given()).latent,
                    training.model_copy(update=cell.training.given()).recipe,
                )
                for i, cell in enumerate(self.cells)
            ]
        tried: dict[str, tuple[tuple[str | int, ...], Any]]
        tried = {key: (("grid", key), values) for key, values in self.axes().items()}
        tried |= {key: (("search", "space", key), values) for key, values in self.dimensions().items()}
        own: tuple[str | int, ...] = ("training", "recipe")
        place, latents = tried.get("model.latent", (own, (model.latent,)))
        place, recipes = tried.get("training.recipe", (place, (training.recipe,)))
        if isinstance(latents, Range):
            latents = (latents.low, latents.high)
        return [(place, latent, recipe) for latent in latents for recipe in recipes]

    def axes(self) -> dict[str, tuple[Any, ...]]:
        """Return the values of the grid by dotted key; empty without a grid."""
        return self.grid.axes()

    def dimensions(self) -> dict[str, Any]:
        """Return what the search tries, by dotted key: tuples of values and ranges; empty without a search."""
        return {} if self.search is None else self.search.space.axes()

    @property
    def members(self) -> int:
        """The networks of a cell, but for cells that say otherwise."""
        return self.training.members

    def with_members(self, table: dict[str, Any], members: int) -> dict[str, Any]:
        """Return the resolved table with so many members in every cell."""
        table["training"]["members"] = members
        for cell in table["cells"]:
            cell.get("training", {}).pop("members", None)
        return table

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain tables, defaults written out; a cell keeps only what it changes."""
        table = self.model_dump(mode="json", exclude_none=True)
        table["cells"] = [c.model_dump(mode="json", exclude_none=True, exclude_unset=True) for c in self.cells]
        return table


TABLES: dict[str, type[Table]] = dict.fromkeys(Space.model_fields, Range)
"""Tables that stand for a list of values, by their keys."""
