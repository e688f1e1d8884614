"""The table of a study: one row per cell and horizon, with intervals."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from sparsedyn.forecast import bootstrap_mean, bootstrap_share, spread
from sparsedyn.studies.comparison.agreement import agreement_columns, size_columns, spread_over_members, stored_curves
from sparsedyn.studies.comparison.cells import ComparisonCell
from sparsedyn.studies.store import Store, read_of_cell, replacing


def collect(store: Store, cells: Iterable[ComparisonCell]) -> pd.DataFrame:
    """Write `results.parquet` from the finished ones of `cells`, in their order, and return it.

    The same cells give the same bytes: intervals have fixed seeds, and nothing depends on the clock. Raises
    `StudyError` where a file of a finished cell is missing or damaged.
    """
    store.check_cells()
    rows = [row for cell in cells if store.is_finished(cell.slug) for row in results_of(store.cell(cell.slug))]
    table = pd.DataFrame(rows)
    with replacing(store.results_file) as temporary:
        table.to_parquet(temporary, index=False)
    return table


def results_of(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of one finished cell, one per horizon in the spec's order."""
    facts = read_of_cell(folder / "cell.json", lambda path: json.loads(path.read_text(encoding="utf-8")))
    forecasts = read_of_cell(folder / "forecasts.parquet", pd.read_parquet)
    curves = read_of_cell(folder / "curves.npz", lambda path: stored_curves(path.parent))
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
    agreement = agreement_columns(curves, facts["alive"])
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
