"""What a study is: the validated form of its TOML file."""

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sparsedyn.data import DERIVATIVES
from sparsedyn.forecast import METHODS
from sparsedyn.models import ACTIVATIONS
from sparsedyn.studies.comparison.techniques import average_table, technique_table
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.grid import check_search, grid_table, quoted
from sparsedyn.studies.spec import (
    AbstractStudySpec,
    Count,
    Counts,
    Fractions,
    Names,
    Some,
    Table,
    Word,
    distinct,
    one_of,
)
from sparsedyn.systems import SYSTEMS
from sparsedyn.training import OPTIMIZERS, SCHEDULES


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
TechniqueTable = Annotated[dict[str, Any], AfterValidator(technique_table)]
Shares = Annotated[tuple[Annotated[float, AfterValidator(share)], ...], Some]
Errors = Annotated[tuple[Annotated[float, AfterValidator(magnitude)], ...], Some]
AverageTable = Annotated[dict[str, Any], BeforeValidator(average_table)]
Averages = Annotated[tuple[AverageTable, ...], Field(strict=False, min_length=1)]


class DataSpec(Table):
    """Where trajectories come from, and how many go to training, validation and test.

    `system` is simulated, or `files` are read. `train` may be a list of counts: every technique is then
    trained on each of them, the smaller sets being the first trajectories of the largest. `steps` are the rows
    of a simulated trajectory, or the rows of a file's to use. `states`, `inputs`, `time`, `trajectory` and
    `dt` are those of `sparsedyn.read`.
    """

    system: Annotated[str, one_of(SYSTEMS)] | None = None
    files: Names | None = None
    train: Counts
    validation: Annotated[int, Field(ge=0)]
    test: Count
    steps: Annotated[int, Field(ge=2)] | None = None
    dt: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    states: Names | None = None
    inputs: Names | None = None
    time: Word | None = None
    trajectory: Word | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "DataSpec":
        if (self.system is None) == (self.files is None):
            raise Misfit(
                (() if self.system is None else ("files",)),
                "expected exactly one of system (simulate a plant) and files (read trajectories); got "
                f"{'neither' if self.system is None else 'both'}. "
                'Write e.g. system = "aluminum-cell", or files = ["plant.csv"].',
            )
        if self.system is not None:
            if self.steps is None:
                raise Misfit(
                    ("steps",),
                    "missing: a simulated trajectory needs its number of rows. Add e.g. steps = 5000.",
                )
            for name in ("states", "inputs", "time", "trajectory"):
                if getattr(self, name) is not None:
                    raise Misfit(
                        (name,),
                        f"says how to read files, but system = {self.system!r} is simulated. Remove it.",
                    )
        return self


class ModelSpec(Table):
    """The network; the defaults are those of `SparseTimeStepper`."""

    hidden: Annotated[tuple[Count, ...], Field(strict=False)] = (64, 64, 64)
    activation: Annotated[str, one_of(ACTIVATIONS)] = "relu"
    skip: bool = False
    bias: bool = True
    fan: Literal["in", "out"] = "in"


class TrainingSpec(Table):
    """How networks are trained and rolled forward; the defaults are those of `SparseTimeStepper`."""

    members: Count = 10
    epochs: Count = 60
    # Smaller ones of several training sets get as many steps as the largest.
    equal_steps: bool = False
    batch: Count = 128
    optimizer: Annotated[str, one_of(OPTIMIZERS)] = "adam"
    learning_rate: Annotated[float, Field(gt=0, lt=10)] = 2e-3
    schedule: Annotated[str, one_of(SCHEDULES)] = "cosine"
    drops: Fractions = (0.4, 0.7, 0.9)
    # TOML has no null: clip = inf is no clipping.
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    select: Literal["forecast", "best", "last"] = "forecast"
    shuffle: Literal["shared", "member"] = "shared"
    patience: Count | None = None
    derivative: Annotated[str, one_of(DERIVATIVES)] = "forward"
    method: Annotated[str, one_of(METHODS)] = "euler"


class TechniqueSpec(Table):
    """One entry of the comparison: a chain of techniques, and where it differs from the study's defaults."""

    label: Word
    technique: Annotated[tuple[TechniqueTable, ...], Field(strict=False)] = ()
    averages: Averages | None = None
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()


class RungSpec(Table):
    """One short training of a search: `epochs` over `train` trajectories; the best share `keep` trains on."""

    epochs: Count
    train: Count | None = None
    members: Count = 1
    keep: Annotated[float, Field(gt=0, lt=1)]


if TYPE_CHECKING:
    Grid = Table
else:
    Grid = grid_table(Table, {"model": ModelSpec, "training": TrainingSpec})


class SearchSpec(Table):
    """A grid of settings, searched by successive halving: after the rungs, what is left trains as the study says.

    `grid` has the values to try by key, e.g. `"training.batch" = [32, 64]`; all combinations of them are tried.
    """

    grid: Annotated[Grid, BeforeValidator(quoted)] = Grid()
    rungs: Annotated[tuple[RungSpec, ...], Field(strict=False)] = ()


class ForecastSpec(Table):
    """What is kept of the forecasts for pictures: how many test trajectories, and how many points in time."""

    fan_trajectories: Count = 3
    points: Annotated[int, Field(ge=2)] = 400
    # "test" repeats published code that standardized test trajectories by their own statistics.
    normalization: Literal["train", "test"] = "train"


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

    cell_files: ClassVar[tuple[str, ...]] = ("forecasts.parquet", "curves.npz", "history.parquet", "model.safetensors")

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
            check_search(self)
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

    def replaced(self, *, members: int | None = None, seed: int | None = None) -> "StudySpec":
        """Return this study with another number of members everywhere, or another seed."""
        table = self.resolved()
        if seed is not None:
            table["seed"] = seed
        if members is not None:
            table["training"]["members"] = members
            for technique in table["techniques"]:
                technique.get("training", {}).pop("members", None)
        return StudySpec.model_validate(table)

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain tables, defaults written out; a technique keeps only what it changes."""
        table = self.model_dump(mode="json", exclude_none=True)
        table["techniques"] = [
            t.model_dump(mode="json", exclude_none=True, exclude_unset=True) for t in self.techniques
        ]
        return table


TABLES: dict[str, type[Table]] = {
    "": StudySpec,
    "data": DataSpec,
    "model": ModelSpec,
    "training": TrainingSpec,
    "forecast": ForecastSpec,
    "techniques": TechniqueSpec,
    "published": PublishedSpec,
    "rows": PublishedRow,
    "panels": PanelSpec,
    "claims": ClaimSpec,
    "comparisons": ComparisonSpec,
    "search": SearchSpec,
    "grid": Grid,
    "rungs": RungSpec,
}
"""Every table by its key; the document itself by the empty one."""
