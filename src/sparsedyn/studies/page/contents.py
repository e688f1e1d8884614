"""A study directory as the report reads it: what is stored, whatever optional part is missing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sparsedyn.data import Trajectories, read
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.figures.style import PALETTE, Look
from sparsedyn.studies.page.clock import Clock

Content = TypeVar("Content")
NO_AVERAGE = ("", "none", "nan", "<NA>")


@dataclass(frozen=True)
class Cell:
    """One finished cell: its card (cell.json) and, as far as they are there, its forecasts, history and curves."""

    slug: str
    card: Mapping[str, Any]
    forecasts: pd.DataFrame | None
    history: pd.DataFrame | None
    curves: Mapping[str, np.ndarray]

    def alive(self) -> np.ndarray:
        """Return which members came through training, all of them when nothing else is stored."""
        flags = self.card.get("alive")
        members = len(flags) if isinstance(flags, list) else int(self.card.get("members", 1))
        return np.asarray(flags, bool) if isinstance(flags, list) else np.ones(members, bool)


@dataclass(frozen=True)
class Contents:
    """Everything the report is made from. `cells` and `looks` have the keys and the order of the results' column cell."""

    directory: Path
    results: pd.DataFrame
    cells: dict[str, Cell]
    looks: dict[str, Look]
    run: Mapping[str, Any]
    spec: str
    test: Trajectories | None
    clock: Clock

    @property
    def horizons(self) -> list[int]:
        """The horizons, shortest first."""
        return sorted(int(h) for h in self.results["horizon"].unique())

    def horizon_names(self) -> dict[int, str]:
        """Name every horizon by its rows and its time."""
        return {h: self.clock.horizon(h) for h in self.horizons}

    def cells_are_plain(self) -> bool:
        """Tell whether technique and average name a cell, or whether its label says more than those two."""
        return not self.results.drop_duplicates("cell").duplicated(["technique", "average"]).any()

    def at(self, horizon: int) -> pd.DataFrame:
        """Return the results at one horizon, a row per cell."""
        return self.results[self.results["horizon"] == horizon].reset_index(drop=True)

    def state_names(self, states: int) -> tuple[str, ...]:
        """Name the states: by the test data, else x1, x2, ..."""
        if self.test is not None and len(self.test.state_names) == states:
            return self.test.state_names
        return tuple(f"x{i + 1}" for i in range(states))

    def state_units(self, states: int) -> tuple[str, ...]:
        """The units of the states; empty where unknown."""
        known = self.test is not None and len(self.test.state_units) == states
        return self.test.state_units if self.test is not None and known else ("",) * states

    def feature_names(self, states: int, features: int) -> tuple[str, ...]:
        """Name what a model reads: the states, then the inputs."""
        inputs = features - states
        if self.test is not None and len(self.test.input_names) == inputs:
            return (*self.state_names(states), *self.test.input_names)
        return (*self.state_names(states), *(f"u{i + 1}" for i in range(inputs)))


def read_contents(directory: Path) -> Contents:
    """Read the study in `directory`; only results.parquet must be there. Raises `StudyError`."""
    path = directory / "results.parquet"
    results = _read(path, pd.read_parquet)
    if results is None or results.empty:
        raise StudyError(
            f"{path}: {'not there' if results is None else 'holds no finished cell'}. A report needs the results of a "
            "study: run it with `sparsedyn study run`, or finish it with `sparsedyn study resume`."
        )
    results = results.assign(cell=results["cell"].astype(str))
    found = _read_cells(directory / "cells")
    keys = list(dict.fromkeys(results["cell"]))
    cells = {key: found[key] for key in keys if key in found}
    run = _read(directory / "run.json", _json) or {}
    test = _read(directory / "data" / "test.npz", read)
    return Contents(
        directory=directory,
        results=results,
        cells=cells,
        looks=looks(results, cells),
        run=run,
        spec=_read(directory / "study.toml", lambda p: p.read_text(encoding="utf-8")) or "",
        test=test,
        clock=Clock(test.dt if test is not None else None, int(results["horizon"].max())),
    )


def looks(results: pd.DataFrame, cells: Mapping[str, Cell]) -> dict[str, Look]:
    """Give every technique a colour in order of appearance, and its averaged variants the lighter shade of it."""
    rows = results.drop_duplicates("cell")
    techniques = list(dict.fromkeys(rows["technique"].astype(str)))
    # Where a technique comes in more variants than averages (say, trained on more data), each stands for itself.
    unique = not rows.duplicated(["technique", "average"]).any()
    found: dict[str, Look] = {}
    for row in rows.to_dict("records"):
        key, technique, averaged = str(row["cell"]), str(row["technique"]), is_averaged(row.get("average"))
        label = str(cells[key].card.get("label", key)) if key in cells else key
        color = PALETTE[techniques.index(technique) % len(PALETTE)]
        found[key] = Look(label, technique if unique else label, color, averaged)
    return found


def is_averaged(average: object) -> bool:
    """Tell whether the column average of a result names one."""
    return average is not None and str(average) not in NO_AVERAGE


def _read_cells(folder: Path) -> dict[str, Cell]:
    """Read every finished cell, by its slug and by its label."""
    found: dict[str, Cell] = {}
    for card_path in sorted(folder.glob("*/cell.json")):
        place = card_path.parent
        card: Mapping[str, Any] = _read(card_path, _json) or {}
        cell = Cell(
            slug=place.name,
            card=card,
            forecasts=_read(place / "forecasts.parquet", pd.read_parquet),
            history=_read(place / "history.parquet", pd.read_parquet),
            curves=_read(place / "curves.npz", _arrays) or {},
        )
        found[place.name] = cell
        found.setdefault(str(card.get("label", place.name)), cell)
    return found


def _read(path: Path, how: Callable[[Path], Content]) -> Content | None:
    """Return the content of `path`, None when there is no such file; raises `StudyError` when it is damaged."""
    if not path.is_file():
        return None
    try:
        return how(path)
    except Exception as error:  # every format complains in its own way
        raise StudyError(
            f"{path}: cannot be read ({error}). Remove it, and run `sparsedyn study resume`."
        ) from error


def _json(path: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
