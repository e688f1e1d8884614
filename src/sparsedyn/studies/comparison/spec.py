"""What a study is: the validated form of its TOML file."""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from sparsedyn.studies.comparison.grid import SearchSpec, check_search
from sparsedyn.studies.comparison.tables import Averages, DataSpec, ForecastSpec, ModelSpec, TechniqueSpec, TrainingSpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.spec import (
    AbstractStudySpec,
    Names,
    Some,
    Table,
    Word,
    distinct,
)


def share(percent: float) -> float:
    """Refuse what is neither a percentage of the whole nor NaN."""
    if not (math.isnan(percent) or 0 <= percent <= 100):
        raise ValueError(f"expected percent, from 0 to 100, or nan; got {percent:g}.")
    return percent


def magnitude(value: float) -> float:
    """Refuse what is neither a finite number from 0 nor NaN."""
    if not (math.isnan(value) or 0 <= value < math.inf):
        raise ValueError(f"expected a finite number of at least 0, or nan; got {value:g}.")
    return value


Horizons = Annotated[tuple[Annotated[int, Field(ge=2)], ...], Some, AfterValidator(distinct)]
Shares = Annotated[tuple[Annotated[float, AfterValidator(share)], ...], Some]
Errors = Annotated[tuple[Annotated[float, AfterValidator(magnitude)], ...], Some]


class PublishedRow(Table):
    """What others reported of one cell, a value per horizon of `published.horizons`: percent, RFMSE; NaN where none."""

    cell: Word
    diverged: Shares
    rfmse: Errors | None = None
    rfmse_std: Errors | None = None
    sparsity: Annotated[float, Field(ge=0, le=100)] | None = None


class PublishedSpec(Table):
    """Figures that others reported for the same comparison, shown beside ours. `notes` say what is known of them."""

    source: Word
    notes: str = ""
    horizons: Horizons
    rows: Annotated[tuple[PublishedRow, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _a_row_per_cell_and_a_value_per_horizon(self) -> "PublishedSpec":
        labels = [row.cell for row in self.rows]
        for i, row in enumerate(self.rows):
            if row.cell in labels[:i]:
                raise Misfit(("rows", i, "cell"), f"expected a row per cell; got {row.cell!r} twice. Remove one.")
            for name in ("diverged", "rfmse", "rfmse_std"):
                values = getattr(row, name)
                if values is not None and len(values) != len(self.horizons):
                    raise Misfit(
                        ("rows", i, name),
                        f"expected {len(self.horizons)} values, one per horizon of published.horizons; got "
                        f"{len(values)}.",
                    )
        return self


class PanelSpec(Table):
    """One arrangement of cells: a `comparison`, drawn as bars (share diverged) and violins (error), or a `fan` of each
    cell's forecasts. `figure` names the paper's figure.
    """

    title: Word
    figure: str = ""
    cells: Annotated[Names, Field(min_length=1)]
    kind: Literal["comparison", "fan"] = "comparison"


class ComparisonSpec(Table):
    """One comparison that a claim rests on: `lower` has the lower `metric` than `higher`, at `horizon` rows."""

    lower: Word
    higher: Word
    metric: Literal["diverged", "error", "active", "disagreement", "spread"] = "diverged"
    horizon: Annotated[int, Field(ge=2)] | None = None


class ClaimSpec(Table):
    """A statement of a paper, and the comparisons that would have to come out significant if it held."""

    source: Word
    claim: Word
    comparisons: Annotated[tuple[ComparisonSpec, ...], Field(strict=False, min_length=1)]


class StudySpec(AbstractStudySpec):
    """A comparison: every technique crossed with every average, on the same data, at the same horizons.

    `horizons` count rows, the initial one included. `published`, `panels` and `claims` change nothing that is
    computed: they say what the report shows beside it.
    """

    kind: Literal["comparison"] = "comparison"
    horizons: Horizons
    averages: Averages = ({"type": "none"},)
    data: DataSpec
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    forecast: ForecastSpec = ForecastSpec()
    techniques: Annotated[tuple[TechniqueSpec, ...], Field(strict=False, min_length=1)]
    published: PublishedSpec | None = None
    search: SearchSpec | None = None
    panels: Annotated[tuple[PanelSpec, ...], Field(strict=False)] = ()
    claims: Annotated[tuple[ClaimSpec, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> "StudySpec":
        for i, horizon in enumerate(self.horizons):
            if self.data.steps is not None and horizon > self.data.steps:
                raise Misfit(
                    ("horizons", i),
                    f"expected at most the {self.data.steps} rows of a trajectory (data.steps); got "
                    f"{horizon}. Shorten the horizon or ask for more steps.",
                )
        if not self.data.validation:
            for path, training in self._trainings():
                if training.patience is not None:
                    raise Misfit((*path, "patience"), "needs validation trajectories to watch; data.validation is 0.")
        if self.search is not None:
            check_search(self.search, self.data, self.training, self.averages, self.techniques)
        labels = [technique.label for technique in self.techniques]
        for i, label in enumerate(labels):
            if label in labels[:i]:
                raise Misfit(
                    ("techniques", i, "label"),
                    f"expected labels that differ; got {label!r} twice. Rename one.",
                )
        return self

    def _trainings(self) -> list[tuple[tuple[str | int, ...], TrainingSpec]]:
        """Every table of training, and where it stands."""
        own = [(("techniques", i, "training"), t.training) for i, t in enumerate(self.techniques)]
        return [(("training",), self.training), *own]

    @property
    def members(self) -> int:
        """The networks of a cell, but for techniques that say otherwise."""
        return self.training.members

    def with_members(self, table: dict[str, Any], members: int) -> dict[str, Any]:
        """Return the resolved table with so many members in every cell."""
        table["training"]["members"] = members
        for technique in table["techniques"]:
            technique.get("training", {}).pop("members", None)
        return table

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain tables, defaults written out; a technique keeps only what it changes."""
        table = self.model_dump(mode="json", exclude_none=True)
        table["techniques"] = [
            t.model_dump(mode="json", exclude_none=True, exclude_unset=True) for t in self.techniques
        ]
        return table
