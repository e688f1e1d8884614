"""The results of a study of equation learners in a few lines."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sparsedyn.plotting.text import number
from sparsedyn.studies.document.words import percent, quantity
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Summary
from sparsedyn_papers.equations.spec import EquationsSpec

Row = Mapping[Any, Any]
DIGITS = 5
"""Significant digits of a correlation: it is near one."""


def _function(row: Row) -> tuple[str, ...]:
    choice = "right" if row["choice_reached"] else "wrong"
    return row["cell"], f"{row['reached']} of {row['trials']}", percent(row["published"]), choice, row["equation"]


def _digits(row: Row) -> tuple[str, ...]:
    shares = (percent(row["below_test"]), percent(row["above_test"]))
    return f"{row['head']}, seed {row['seed']}", *shares, number(row["correlation"], DIGITS), row["equation"]


def _propagated(row: Row) -> tuple[str, ...]:
    errors = (quantity(row[name]) for name in ("error_span", "error_twice", "error_beyond"))
    return f"{row['model']}, seed {row['seed']}", *errors, number(row["correlation"], DIGITS), row["equation"]


LISTINGS: dict[str, tuple[tuple[str, ...], Callable[[Row], tuple[str, ...]]]] = {
    "functions": (("cell", "found", "paper", "choice", "equation"), _function),
    "digits": (("network's end", "below 15", "from 15 on", "correlation", "equation"), _digits),
    "propagation": (("model", "error, span", "twice", "four times", "correlation", "equation"), _propagated),
}
"""The columns and the row of an experiment."""


def summary(spec: EquationsSpec, store: Store, results: pd.DataFrame) -> Summary:
    """Return what came of every cell."""
    columns, row_of = LISTINGS[spec.experiment]
    records = results.to_dict(orient="records")
    return Summary([Listing(columns, [row_of(row) for row in records])], records)
