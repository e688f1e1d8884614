"""The spec of a comparison: the validated form of its TOML file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, create_model, model_validator

from sparsedyn.studies.comparison.grid import GridSearchSpec, check_search
from sparsedyn.studies.comparison.tables import Averages, DataSpec, ForecastSpec, ModelSpec, TechniqueSpec, TrainingSpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.spec import (
    AbstractStudySpec,
    Some,
    distinct,
)

Horizons = Annotated[tuple[Annotated[int, Field(ge=2)], ...], Some, AfterValidator(distinct)]


class StudySpec(AbstractStudySpec):
    """A comparison: every technique crossed with every average, on the same data, at the same horizons.

    `horizons` count rows, the initial one included. Packages may add tables to it, which add to the report and have no
    influence on the results (see `with_tables`).
    """

    kind: Literal["comparison"] = "comparison"
    horizons: Horizons
    averages: Averages = ({"type": "none"},)
    data: DataSpec
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    forecast: ForecastSpec = ForecastSpec()
    techniques: Annotated[tuple[TechniqueSpec, ...], Field(strict=False, min_length=1)]
    search: GridSearchSpec | None = None

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
        """The networks of a cell, unless its technique says otherwise."""
        return self.training.members

    def with_members(self, table: dict[str, Any], members: int) -> dict[str, Any]:
        """Return the resolved table with so many members in every cell."""
        table["training"]["members"] = members
        for technique in table["techniques"]:
            technique.get("training", {}).pop("members", None)
        return table

    def added(self, key: str) -> Any:
        """Return what a table that a package added says, None where there is no such table."""
        return getattr(self, key) if key in type(self).model_fields else None

    def computed(self) -> dict[str, Any]:
        """Return the resolved study without what is only shown."""
        added = type(self).model_fields.keys() - StudySpec.model_fields.keys()
        return {key: value for key, value in super().computed().items() if key not in added}

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain tables, defaults written out; a technique keeps only what it changes."""
        table = self.model_dump(mode="json", exclude_none=True)
        table["techniques"] = [
            t.model_dump(mode="json", exclude_none=True, exclude_unset=True) for t in self.techniques
        ]
        return table


def with_tables(tables: Mapping[str, Any]) -> type[StudySpec]:
    """Return the class of specs that may have further tables, each an annotation and a default by its key."""
    return create_model("StudySpec", __base__=StudySpec, **tables)
