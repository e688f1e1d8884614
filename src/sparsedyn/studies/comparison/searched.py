"""The record of a comparison's search, and the terms of its page."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sparsedyn.studies.comparison.budgets import budgets
from sparsedyn.studies.comparison.cells import points_of
from sparsedyn.studies.comparison.grid import WORDING
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.search.losses_by_value import CEILING
from sparsedyn.studies.search.page import Terms
from sparsedyn.studies.search.record import SearchRecord, Tried
from sparsedyn.studies.search_files import rungs_in

TERMS = Terms(
    noun="combination",
    objective="validation loss",
    how="Every rung trains from scratch and keeps the ones of least validation loss: the mean squared error of the "
    "scaled derivatives over the whole validation set at the end of training, median over networks. No test trajectory "
    "was read for this choice; the forecasts of test trajectories in the other sections were made after it and had no "
    "part in it.",
    lost_above=CEILING,
    crossed=True,
)


def search_record(spec: StudySpec, tables: Mapping[str, pd.DataFrame]) -> SearchRecord | None:
    """Return the record of a search; None for a study without one. Finished rungs are among the study's `tables`."""
    rungs = rungs_in(tables)
    if spec.search is None or not rungs:
        return None
    spent = budgets(spec)
    by_number = [rung.set_index("combination") for rung in rungs]
    tried = []
    for point in points_of(spec):
        reached = [table.loc[point.number].to_dict() for table in by_number if point.number in table.index]
        losses = [float(row["loss"]) for row in reached]
        last = np.asarray(reached[-1]["validation"], np.float64)
        complete = len(reached) == len(spent)
        tried.append(
            Tried(
                point.number + 1,
                point.label,
                point.values,
                losses,
                "complete" if complete else "pruned",
                losses[-1] if complete else np.inf,
                (float(last.min()), float(last.max())),
            )
        )
    budget_rows = [{"epochs": one.epochs, "trajectories": one.train, "networks of each": one.members} for one in spent]
    return SearchRecord(spec.search.grid.axes(), WORDING, budget_rows, tried)
