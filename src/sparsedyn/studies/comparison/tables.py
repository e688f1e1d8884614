"""The tables of a comparison: data, networks, training, techniques, what is kept of forecasts."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sparsedyn.data import DERIVATIVES
from sparsedyn.forecast import METHODS
from sparsedyn.models import ACTIVATIONS
from sparsedyn.studies.comparison.techniques import average_table, technique_table
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.spec import (
    Count,
    Counts,
    Fractions,
    Names,
    Table,
    Word,
    one_of,
)
from sparsedyn.systems import SYSTEMS
from sparsedyn.training import OPTIMIZERS, SCHEDULES

TechniqueTable = Annotated[dict[str, Any], AfterValidator(technique_table)]
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
    learning_rate: Annotated[float, Field(gt=0, lt=10)] = 8e-3
    schedule: Annotated[str, one_of(SCHEDULES)] = "cosine"
    drops: Fractions = (0.4, 0.7, 0.9)
    # TOML has no null: clip = inf is no clipping.
    clip: Annotated[float, Field(gt=0)] | None = 1.0
    select: Literal["forecast", "best", "last"] = "forecast"
    shuffle: Literal["shared", "member"] = "shared"
    patience: Count | None = None
    derivative: Annotated[str, one_of(DERIVATIVES)] = "forward"
    method: Annotated[str, one_of(METHODS)] = "euler"
    rollout: Count = 1


class TechniqueSpec(Table):
    """One entry of the comparison: a chain of techniques, and where it differs from the study's defaults."""

    label: Word
    technique: Annotated[tuple[TechniqueTable, ...], Field(strict=False)] = ()
    averages: Averages | None = None
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()


class ForecastSpec(Table):
    """What is kept of the forecasts for pictures: how many test trajectories, and how many points in time."""

    fan_trajectories: Count = 3
    points: Annotated[int, Field(ge=2)] = 400
    # "test" repeats published code that standardized test trajectories by their own statistics.
    normalization: Literal["train", "test"] = "train"
