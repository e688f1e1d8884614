"""What a study of SINDy autoencoders is: the validated form of its TOML file, told by `kind = "autoencoders"`."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.space import AbstractSpace, Range, space_table
from sparsedyn.studies.search.trials import TrialsTable
from sparsedyn.studies.search.wording import Wording
from sparsedyn.studies.spec import AbstractStudySpec, Table, Word
from sparsedyn_papers.autoencoders.spec_tables import PUBLISHED_ONLY, NetworkSpec, Noise, RecipeSpec, SnapshotsSpec


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
