"""A comparison in a few lines: its cells or the combinations of its search, and its results at the longest horizon."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from sparsedyn.studies.comparison.budgets import budgets
from sparsedyn.studies.comparison.cells import expand, groups_of, points_of
from sparsedyn.studies.comparison.cost import cost
from sparsedyn.studies.comparison.grid import GridSearchSpec
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.document.words import bounds, percent, plural, quantity
from sparsedyn.studies.search.halving import rungs_left
from sparsedyn.studies.search_files import SearchFiles
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Overview, Summary

BEST = 10
"""Combinations that are listed."""
COLUMNS = ("cell", "nonzeros", "of", "diverged", "95 %", "RFMSE", "95 %")


def overview(spec: StudySpec) -> Overview:
    """Return the cells and the number of computations they take, or the space of the search."""
    if spec.search is not None:
        return _searched(spec, spec.search)
    cells = expand(spec)
    groups = groups_of(cells)
    labels = [cell.label for cell in cells]
    networks = sum(group.members for group in groups)
    headline = f"{plural(len(cells), 'cell')} of {networks} networks, {plural(len(groups), 'computation')}"
    return Overview(headline, labels, {"cells": labels, "groups": len(groups)}, cost(spec))


def summary(spec: StudySpec, store: Store, results: pd.DataFrame) -> Summary:
    """Return the results of all cells at the longest horizon, after the best combinations of a search."""
    longest = int(results["horizon"].max())
    rows = [_row(row) for row in results[results["horizon"] == longest].to_dict(orient="records")]
    listings, facts = [Listing(COLUMNS, rows, f"Forecasts of {longest:,} steps")], {}
    file = SearchFiles(store.directory).result
    if spec.search is not None and file.is_file():
        found = pd.read_parquet(file).to_dict(orient="records")
        best = [(row["label"], quantity(row["loss"]), str(row["rung"])) for row in found[:BEST]]
        title = f"The best of {plural(len(found), 'combination')} by validation loss"
        listings.insert(0, Listing(("combination", "validation loss", "rung"), best, title))
        facts = {"search": found}
    return Summary(listings, results.to_dict(orient="records"), facts)


def _searched(spec: StudySpec, search: GridSearchSpec) -> Overview:
    points, axes, spent = points_of(spec), search.grid.axes(), budgets(spec)
    rungs = list(zip(rungs_left(len(points), [budget.keep for budget in spent]), spent, strict=True))
    return Overview(
        f"{plural(len(points), 'combination')}: {' x '.join(f'{len(v)} {key}' for key, v in axes.items())}",
        [
            f"rung {i}: {left:,} x {plural(budget.members, 'network')}, {plural(budget.epochs, 'epoch')} over "
            f"{budget.train} trajectories"
            for i, (left, budget) in enumerate(rungs, 1)
        ],
        {
            "combinations": [point.label for point in points],
            "rungs": [{"combinations": left, **asdict(budget)} for left, budget in rungs],
        },
    )


def _row(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["cell"]),
        f"{row['nonzeros']:,.0f}",
        f"{row['weights']:,}",
        percent(row["diverged"]),
        bounds(row, "diverged"),
        quantity(row["rfmse"]),
        bounds(row, "rfmse"),
    )
