"""A study directory as the report reads it: what is stored, whatever optional part is missing."""

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sparsedyn.data import Trajectories, read
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.style import PALETTE, Look, tint
from sparsedyn.studies.comparison.members import living
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.figures.averages import average_name
from sparsedyn.studies.reading import parse
from sparsedyn.studies.store import read_arrays, read_of_cell

Content = TypeVar("Content")


@dataclass(frozen=True)
class Cell:
    """A finished cell: its card (cell.json) and, as far as they are there, forecasts, history and curves."""

    slug: str
    card: Mapping[str, Any]
    forecasts: pd.DataFrame | None
    history: pd.DataFrame | None
    curves: Mapping[str, np.ndarray]

    def alive(self) -> np.ndarray:
        """Return which members came through training, all of them when nothing else is stored."""
        return living(self.card, int(self.card.get("members", 1)))


@dataclass(frozen=True)
class Contents:
    """Everything a report is made from; `cells` and `looks` are in the order of the results' column cell."""

    directory: Path
    results: pd.DataFrame
    cells: dict[str, Cell]
    looks: dict[str, Look]
    run: Mapping[str, Any]
    spec: str
    test: Trajectories | None
    clock: Clock

    @cached_property
    def spec_table(self) -> Mapping[str, Any]:
        """The spec as it stands in study.toml, empty where that cannot be read."""
        try:
            return tomllib.loads(self.spec)
        except tomllib.TOMLDecodeError:
            return {}

    @cached_property
    def study(self) -> StudySpec | None:
        """The study, if it has claims, panels or published figures; raises `StudyError` where its spec is broken.

        A spec that has none of them need not be understood: it may be of another version.
        """
        if not any(self.spec_table.get(key) for key in ("claims", "panels", "published")):
            return None
        spec = parse(self.spec, str(self.directory / "study.toml"))
        return spec if isinstance(spec, StudySpec) else None

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
        """Name what a model reads: the states, then the inputs."""
        names = self.test.input_names if self.test is not None else ()
        inputs = features - states
        known = names if len(names) == inputs else tuple(f"u{i + 1}" for i in range(inputs))
        return (*self.state_names(states), *known)


def read_contents(directory: Path) -> Contents:
    """Read the study in `directory`; only results.parquet must be there. Raises `StudyError`."""
    path = directory / "results.parquet"
    results = _read(path, pd.read_parquet)
    if results is None or results.empty:
        raise StudyError(
            f"{path}: expected the results of a study; {'there is no such file' if results is None else 'it is empty'}"
            ". Run the study, or finish it with `sparsedyn study resume`."
        )
    results = results.assign(cell=results["cell"].astype(str))
    found = _read_cells(directory / "cells")
    cells = {key: found[key] for key in dict.fromkeys(results["cell"]) if key in found}
    test = _read(directory / "data" / "test.npz", read)
    return Contents(
        directory=directory,
        results=results,
        cells=cells,
        looks=looks(results, cells),
        run=_read(directory / "run.json", _json) or {},
        spec=_read(directory / "study.toml", lambda p: p.read_text(encoding="utf-8")) or "",
        test=test,
        clock=Clock(test.dt if test is not None else None, int(results["horizon"].max())),
    )


def looks(results: pd.DataFrame, cells: Mapping[str, Cell]) -> dict[str, Look]:
    """Give every technique a colour in order of appearance, and its averaged variants the lighter shade."""
    rows = results.drop_duplicates("cell")
    techniques = list(dict.fromkeys(rows["technique"].astype(str)))
    # A technique may come in more variants than averages, by training data: each then has its name and shade.
    rank = rows.groupby(["technique", "average"], dropna=False).cumcount().to_numpy()
    found: dict[str, Look] = {}
    for row, variant in zip(rows.to_dict("records"), rank, strict=True):
        key, technique = str(row["cell"]), str(row["technique"])
        label = str(cells[key].card.get("label", key)) if key in cells else key
        color = PALETTE[techniques.index(technique) % len(PALETTE)]
        found[key] = Look(
            label=label,
            name=label if rank.any() else technique,
            technique=technique,
            color=tint(color, 0.55 * (1 - variant / rank.max())) if rank.any() else color,
            averaged=bool(average_name(row["average"])),
        )
    return found


def _read_cells(folder: Path) -> dict[str, Cell]:
    """Read every finished cell; it is found by its slug and by its label."""
    found: dict[str, Cell] = {}
    for path in sorted(folder.glob("*/cell.json")):
        place, card = path.parent, read_of_cell(path, _json)
        cell = Cell(
            slug=place.name,
            card=card,
            forecasts=_of_cell(place / "forecasts.parquet", pd.read_parquet),
            history=_of_cell(place / "history.parquet", pd.read_parquet),
            curves=read_of_cell(place / "curves.npz", read_arrays),
        )
        found |= {place.name: cell, str(card.get("label", place.name)): cell}
    return found


def _of_cell(path: Path, how: Callable[[Path], Content]) -> Content | None:
    return read_of_cell(path, how) if path.is_file() else None


def _read(path: Path, how: Callable[[Path], Content]) -> Content | None:
    """Return the content of `path`, None without such a file; raises `StudyError` when it is damaged."""
    if not path.is_file():
        return None
    try:
        return how(path)
    except Exception as error:  # every format complains in its own way
        raise StudyError(f"{path}: cannot be read ({error}). Remove it, then run `sparsedyn study resume`.") from error


def _json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
