"""The part of a stored comparison that its published page needs."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.data_pictures import OVERVIEW
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.stored import StoredStudy

FAN = ("fan_states", "truth", "fan_trajectories")
CURVES = (
    "time_index", "error_quantiles", "error_levels", "reach", "strength", "structure_true", "strength_sampled", *FAN,
)  # fmt: skip
SINGLE = ("fan_states", "truth", "error_quantiles")
"""Arrays in single precision: pictures need no more digits."""
SCORES = ("member", "trajectory", "horizon", "rfmse", "diverged")


def kept(study: StoredStudy[StudySpec], shown: Mapping[str, str]) -> StoredStudy[StudySpec]:
    """Return the study with its scores, without models; forecasts over time are those of the cells in `shown`."""
    test = None if study.test is None else study.test[: min(OVERVIEW, len(study.test))]
    return replace(study, cells=[_thinned(cell, fan=cell.facts["label"] in shown) for cell in study.cells], test=test)


def _thinned(cell: StoredCell, *, fan: bool) -> StoredCell:
    arrays = {name: cell.arrays[name] for name in CURVES if name in cell.arrays and (fan or name not in FAN)}
    if "fan_states" in arrays:
        # The picture is of the first one.
        arrays["fan_states"] = arrays["fan_states"][:, :1]
    with np.errstate(over="ignore"):
        arrays = {name: array.astype(np.float32) if name in SINGLE else array for name, array in arrays.items()}
    tables = {}
    if "forecasts" in cell.tables:
        tables["forecasts"] = cell.tables["forecasts"][list(SCORES)]
    if "history" in cell.tables:
        tables["history"] = _single(cell.tables["history"])
    return cell._replace(arrays=arrays, tables=tables)


def _single(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({name: np.float32 for name, kind in table.dtypes.items() if kind == np.float64})
