"""The table of a study: one row per cell and horizon, with intervals."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from sparsedyn.forecast import bootstrap_mean, bootstrap_share, spread
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.agreement import agreement_columns, size_columns, spread_over_members
from sparsedyn.studies.comparison.spec import StudySpec


def results(spec: StudySpec, cells: Iterable[StoredCell]) -> pd.DataFrame:
    """Return the table over finished cells, in their order.

    The table depends on nothing but the cells: intervals have fixed seeds.
    """
    return pd.DataFrame([row for cell in cells for row in rows_of(cell)])


def rows_of(cell: StoredCell) -> list[dict[str, Any]]:
    """Return the rows of a finished cell, one per horizon in the spec's order."""
    facts, forecasts = cell.facts, cell.tables["forecasts"]
    common = {
        "cell": facts["label"],
        "technique": facts["technique"],
        "average": facts["average"],
        "train_trajectories": facts["train_trajectories"],
        "members": facts["members"],
    }
    size = {
        "nonzeros": float(np.mean(facts["nonzeros"])),
        "weights": facts["weights"],
        **{f"sparsity_{name}": float(np.mean(values)) for name, values in facts["sparsity"].items()},
        "alive": int(np.sum(facts["alive"])),
        **size_columns(facts),
    }
    agreement = agreement_columns(cell.arrays, facts["alive"])
    return [
        {**common, "horizon": int(str(horizon)), "forecasts": len(part), **_scores(part), **size}
        | {"rfmse_spread": spread_over_members(part)}
        | agreement
        for horizon, part in forecasts.groupby("horizon", sort=False)
    ]


def _scores(part: pd.DataFrame) -> dict[str, float]:
    """Both readings at one horizon: share diverged, mean RFMSE and its spread, with 95 % intervals."""
    scores: dict[str, float] = {}
    for reading in ("", "_squared"):
        share = bootstrap_share(_by_member(part, f"diverged{reading}"))
        rfmse = _by_member(part, f"rfmse{reading}")
        mean = bootstrap_mean(rfmse)
        scores |= {
            f"diverged{reading}": share.value,
            f"diverged{reading}_low": share.low,
            f"diverged{reading}_high": share.high,
            f"rfmse{reading}": mean.value,
            f"rfmse{reading}_std": spread(rfmse),
            f"rfmse{reading}_low": mean.low,
            f"rfmse{reading}_high": mean.high,
        }
    return scores


def _by_member(part: pd.DataFrame, column: str) -> Shaped[np.ndarray, "member trajectory"]:
    members = part["member"].nunique()
    return part[column].to_numpy().reshape(members, -1)
