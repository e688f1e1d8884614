"""The part of a report that tells of a search: what was tried, what came out, what matters."""

import math
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.studies.page.write import DASH, listing, plural, quantity
from sparsedyn.studies.search.combinations import Budget, budgets
from sparsedyn.studies.search.grid import axes_of
from sparsedyn.studies.search.losses_by_value import CEILING, losses_by_value
from sparsedyn.studies.search.points import briefly
from sparsedyn.studies.search.rungs import SearchFiles
from sparsedyn.studies.store import Store

MOST = 20
"""Rows of the table of the best combinations."""

SMALL = '<p class="caption">Small numbers: the lowest and the highest loss among the networks.</p>'

CAPTION = f"""Every dot is one combination after the first rung, blue where it went on to the second. Bar: the middle
half; line across: the median. A loss of one (dotted) is that of a model which knows the mean derivative only. Above
{CEILING:g}, or not finite, is lost: counted at the right, and part of the quartiles."""


def search_section(directory: Path, picture: str) -> str:
    """Return the section (HTML) with the `picture` in it; empty for a study that searched nothing."""
    rungs = SearchFiles(directory).rungs()
    if not rungs:
        return ""
    spec = Store(directory).comparison()
    spent = budgets(spec)
    names = [_name(key) for key in axes_of(spec)]
    lead = (
        f"<p>{plural(len(rungs[0]), 'combination')} of {listing(names, 8)}. Every rung trains from scratch and keeps "
        "the ones of least validation loss: the mean squared error of the scaled derivatives over the whole "
        "validation set at the end of training, median over networks. No test trajectory was read for this choice; "
        "the forecasts of test trajectories in the other sections were made after it and had no part in it.</p>"
    )
    best = ""
    if len(rungs) == len(spent):
        title = "All" if len(rungs[-1]) <= MOST else f"The best {MOST} of {len(rungs[-1])}"
        best = f"<h3>{title} combinations of the last rung</h3>{_best_table(rungs[-1], list(axes_of(spec)))}"
        best += SMALL if spent[-1].members > 1 else ""
    return f"{lead}{_rungs_table(rungs, spent)}{best}<h3>What matters</h3>{picture}"


def search_figure(directory: Path) -> Figure | None:
    """Return the picture of the first rung; none for a study that searched nothing."""
    files = SearchFiles(directory)
    if not files.rung(1).is_file():
        return None
    table = pd.read_parquet(files.rung(1)).sort_values("combination")
    axes = [key for key, values in axes_of(Store(directory).comparison()).items() if len(values) > 1]
    values = {_name(key): [briefly(key, value) for value in table[key]] for key in axes}
    if not values:
        return None
    return losses_by_value(values, table["loss"].to_numpy(np.float64), table["kept"].to_numpy(bool))


def _rungs_table(rungs: list[pd.DataFrame], spent: list[Budget]) -> str:
    rows = []
    for i, (table, budget) in enumerate(zip(rungs, spent, strict=False), 1):
        loss = table["loss"].to_numpy(np.float64)
        going = f"{int(table['kept'].sum())}" if budget.keep is not None else DASH
        cells = (
            f"{len(table):,}", f"{budget.epochs}", f"{budget.train}", f"{budget.members}", quantity(float(loss.min())),
            f"{int((~(loss <= CEILING)).sum())}", going,
        )  # fmt: skip
        rows.append(f'<tr><th scope="row">{i}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    names = ("rung", "combinations", "epochs", "trajectories", "networks of each", "least loss", "lost", "go on")
    return _table(names, rows)


def _best_table(table: pd.DataFrame, axes: list[str]) -> str:
    rows = []
    for i, row in enumerate(table.head(MOST).to_dict("records"), 1):
        settings = "".join(f'<td class="text">{escape(briefly(key, row[key]))}</td>' for key in axes)
        losses = np.asarray(row["validation"], np.float64)
        low, high = _loss(losses.min()), _loss(losses.max())
        spread = f"<small>{low}{DASH}{high}</small>" if losses.size > 1 else ""
        rows.append(f'<tr><th scope="row">{i}</th>{settings}<td>{_loss(row["loss"])}{spread}</td></tr>')
    return _table(("place", *(_name(key) for key in axes), "validation loss"), rows, len(axes) + 1)


def _table(names: tuple[str, ...], rows: list[str], texts: int = 1) -> str:
    """Return a table (HTML) whose first `texts` columns are read from the left."""
    kinds = (' class="text"' if i < texts else "" for i in range(len(names)))
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(names, kinds, strict=True))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _loss(value: float) -> str:
    return quantity(float(value)) if math.isfinite(value) else DASH


def _name(key: str) -> str:
    """Name an axis: "hidden layers", "learning rate"."""
    name = key.partition(".")[2].replace("_", " ")
    return {"hidden": "hidden layers", "batch": "batch size"}.get(name, name)
