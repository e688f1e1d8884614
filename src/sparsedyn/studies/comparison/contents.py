"""A stored comparison as its report reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sparsedyn.data import Trajectories
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.style import PALETTE, Look, tint
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.figures.averages import average_name
from sparsedyn.studies.stored import StoredStudy


@dataclass(frozen=True)
class Contents:
    """The contents of a report; `cells` and `looks` are by label, in the order of the results' column cell."""

    study: StoredStudy[StudySpec]
    cells: dict[str, StoredCell]
    looks: dict[str, Look]
    clock: Clock

    @property
    def spec(self) -> StudySpec:
        """The study's spec."""
        return self.study.spec

    @property
    def run(self) -> Mapping[str, Any]:
        """The content of run.json."""
        return self.study.run

    @property
    def results(self) -> pd.DataFrame:
        """A row per cell and horizon."""
        return self.study.results

    @property
    def test(self) -> Trajectories | None:
        """The test trajectories, or the first few of them."""
        return self.study.test

    @property
    def horizons(self) -> list[int]:
        """The horizons, shortest first."""
        return sorted(int(h) for h in self.results["horizon"].unique())

    def horizon_names(self) -> dict[int, str]:
        """Name every horizon by its rows and its time."""
        return {h: self.clock.horizon(h) for h in self.horizons}

    def at(self, horizon: int) -> pd.DataFrame:
        """Return the results at one horizon, a row per cell."""
        return self.results[self.results["horizon"] == horizon].reset_index(drop=True)

    def lookup(self, cell: str, horizon: int) -> "pd.Series[Any] | None":
        """Return the results of a cell at a horizon, None if it has none."""
        rows = self.results[(self.results["cell"] == cell) & (self.results["horizon"] == horizon)]
        return None if rows.empty else rows.iloc[0]

    def first(self, cell: str) -> "pd.Series[Any]":
        """Return the first row of a cell, for what does not depend on the horizon."""
        return self.results[self.results["cell"] == cell].iloc[0]

    def ensemble(self) -> tuple[int, int]:
        """Return the number of members and of test trajectories."""
        row = self.results.sort_values("horizon", kind="stable").iloc[0]
        return int(row["members"]), int(row["forecasts"]) // max(int(row["members"]), 1)

    def state_names(self, states: int) -> tuple[str, ...]:
        """Name the states: by the test data, else x1, x2, ..."""
        names = self.test.state_names if self.test is not None else ()
        return names if len(names) == states else tuple(f"x{i + 1}" for i in range(states))

    def state_units(self, states: int) -> tuple[str, ...]:
        """Return the units of the states; empty where unknown."""
        units = self.test.state_units if self.test is not None else ()
        return units if len(units) == states else ("",) * states

    def feature_names(self, states: int, features: int) -> tuple[str, ...]:
        """Name the inputs of a model: the states, then the inputs of the plant."""
        names = self.test.input_names if self.test is not None else ()
        inputs = features - states
        known = names if len(names) == inputs else tuple(f"u{i + 1}" for i in range(inputs))
        return (*self.state_names(states), *known)


def contents_of(study: StoredStudy[StudySpec]) -> Contents:
    """Return the contents of a stored comparison that has results."""
    found = {str(cell.facts.get("label", cell.slug)): cell for cell in study.cells}
    dt = study.test.dt if study.test is not None else None
    return Contents(
        study,
        {label: found[label] for label in dict.fromkeys(study.results["cell"]) if label in found},
        looks(study.results),
        Clock(dt, int(study.results["horizon"].max())),
    )


def looks(results: pd.DataFrame) -> dict[str, Look]:
    """Give every technique a colour in order of appearance, and its averaged variants lighter shades."""
    rows = results.drop_duplicates("cell")
    techniques = list(dict.fromkeys(rows["technique"].astype(str)))
    # A technique may come in more variants than averages, by training data: each then has its name and shade.
    rank = rows.groupby(["technique", "average"], dropna=False).cumcount().to_numpy()
    found: dict[str, Look] = {}
    for row, variant in zip(rows.to_dict("records"), rank, strict=True):
        label, technique = str(row["cell"]), str(row["technique"])
        color = PALETTE[techniques.index(technique) % len(PALETTE)]
        found[label] = Look(
            label=label,
            name=label if rank.any() else technique,
            technique=technique,
            color=tint(color, 0.55 * (1 - variant / rank.max())) if rank.any() else color,
            averaged=bool(average_name(row["average"])),
        )
    return found
