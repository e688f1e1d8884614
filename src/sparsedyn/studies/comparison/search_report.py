"""What a report says of a search: what was tried, at what cost, and what came out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.comparison.budgets import Budget, budgets
from sparsedyn.studies.comparison.grid import WORDING
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.document import Block, Column, Entry, Picture, Table, Text, plain
from sparsedyn.studies.document.words import DASH, listing, plural, quantity
from sparsedyn.studies.search.losses_by_value import CEILING, losses_by_value
from sparsedyn.studies.stored import StoredStudy

MOST = 20
"""Rows of the table of the best combinations."""

SMALL = "Small print: the lowest and the highest loss among the networks."

CAPTION = (
    "Every dot is one combination after the first rung, blue where it went on to the second. Bar: the middle half; "
    "line across: the median. A loss of one (dotted) is that of a model which knows the mean derivative only. Above "
    f"{CEILING:g}, or not finite, is lost: counted at the right, and part of the quartiles."
)


def search_blocks(study: StoredStudy[StudySpec]) -> list[Block]:
    """Return rungs, best combinations and a picture of the first rung; nothing for a study that searched nothing."""
    rungs = rungs_of(study)
    if not rungs:
        return []
    spent, axes = budgets(study.spec), list(_axes(study.spec))
    names = plain(listing([WORDING.title(key) for key in axes], 8))
    lead = (
        f"{plural(len(rungs[0]), 'combination')} of {names}. Every rung "
        "trains from scratch and keeps the ones of least validation loss: the mean squared error of the scaled "
        "derivatives over the whole validation set at the end of training, median over networks. No test trajectory "
        "was read for this choice; the forecasts of test trajectories in the other sections were made after it and had "
        "no part in it."
    )
    return [Text(lead), _rungs_table(rungs, spent), *_best(rungs, spent, axes), *_picture(study, rungs[0])]


def rungs_of(study: StoredStudy[StudySpec]) -> list[pd.DataFrame]:
    """Return the tables of the finished rungs, the first one first."""
    found: list[pd.DataFrame] = []
    while (name := f"rung-{len(found) + 1}") in study.tables:
        found.append(study.tables[name])
    return found


def _axes(spec: StudySpec) -> dict[str, Any]:
    return {} if spec.search is None else spec.search.grid.axes()


def _rungs_table(rungs: Sequence[pd.DataFrame], spent: Sequence[Budget]) -> Table:
    names = ("combinations", "epochs", "trajectories", "networks of each", "least loss", "lost", "go on")
    rows: list[list[Entry | str]] = []
    for i, (table, budget) in enumerate(zip(rungs, spent, strict=False), 1):
        loss = table["loss"].to_numpy(np.float64)
        going = f"{int(table['kept'].sum())}" if budget.keep is not None else DASH
        rows.append(
            [
                f"{i}",
                f"{len(table):,}",
                f"{budget.epochs}",
                f"{budget.train}",
                f"{budget.members}",
                quantity(float(loss.min())),
                f"{int((~(loss <= CEILING)).sum())}",
                going,
            ]
        )
    return Table([Column("rung", text=True), *map(Column, names)], rows)


def _best(rungs: Sequence[pd.DataFrame], spent: Sequence[Budget], axes: Sequence[str]) -> list[Block]:
    """The combinations of the last rung, once it is finished."""
    if len(rungs) < len(spent):
        return []
    last = rungs[-1]
    title = "All" if len(last) <= MOST else f"The best {MOST} of {len(last)}"
    columns = [Column("place", text=True), *(Column(plain(WORDING.title(key)), text=True) for key in axes)]
    rows: list[list[Entry | str]] = []
    for i, row in enumerate(last.head(MOST).to_dict("records"), 1):
        losses = np.asarray(row["validation"], np.float64)
        spread = f"{_loss(losses.min())}{DASH}{_loss(losses.max())}" if losses.size > 1 else ""
        settings = [plain(WORDING.value(key, row[key])) for key in axes]
        rows.append([f"{i}", *settings, Entry(_loss(row["loss"]), spread)])
    small = [Text(SMALL)] if spent[-1].members > 1 else []
    table = Table([*columns, Column("validation loss")], rows)
    return [Text(f"**{title} combinations of the last rung**"), table, *small]


def _picture(study: StoredStudy[StudySpec], rung: pd.DataFrame) -> list[Picture]:
    """The losses of the first rung by the values of every setting that has several."""
    table = rung.sort_values("combination")
    axes = [key for key, values in _axes(study.spec).items() if len(values) > 1]
    values = {WORDING.title(key): [WORDING.value(key, value) for value in table[key]] for key in axes}
    if not values:
        return []
    loss, kept = table["loss"].to_numpy(np.float64), table["kept"].to_numpy(bool)
    alt = "Strip charts: validation loss of every combination after the first rung, by the value of each setting."
    return [Picture("search", alt, CAPTION, lambda: losses_by_value(values, loss, kept))]


def _loss(value: float) -> str:
    return quantity(float(value)) if math.isfinite(value) else DASH
