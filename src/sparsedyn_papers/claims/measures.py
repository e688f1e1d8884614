"""What the claims of a study are about, measured on a finished cell: per member, and per test trajectory."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from sparsedyn.equations import depends, kappa
from sparsedyn.forecast import pseudo_values
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.members import active_weights, bounded_error, living

WHOLE = ("active", "disagreement")
"""The metrics of whole networks, which have no horizon."""

MOST_LOST = 0.5
"""Above this share of diverged forecasts errors are at their bound, and their spread tells nothing."""

BY_MEMBER = (*WHOLE, "spread")
"""The metrics with one value per network."""


def measure(cell: StoredCell, metric: str, horizon: int) -> pd.DataFrame | None:
    """Return a row per member and a column per trajectory, one column for whole networks; None if not stored."""
    if metric in WHOLE:
        values = active_weights(cell.facts) if metric == "active" else _disagreement(cell)
        return None if values is None else pd.DataFrame({"network": values})
    forecasts = cell.tables.get("forecasts")
    if forecasts is None:
        return None
    part = forecasts[forecasts["horizon"] == horizon]
    if metric == "spread":
        if part["diverged"].mean() > MOST_LOST:
            return None
        mean = bounded_error(part).groupby(part["member"]).mean()
        return (mean - mean.median()).abs().to_frame("network")
    value = part["diverged"].astype(np.float64) if metric == "diverged" else bounded_error(part)
    return part.assign(value=value).pivot(index="member", columns="trajectory", values="value")


def _disagreement(cell: StoredCell) -> Float[np.ndarray, " member"] | None:
    strength = cell.arrays.get("strength")
    if strength is None:
        return None
    alive = living(cell.facts, len(strength))
    alike = kappa(depends(np.nan_to_num(np.asarray(strength, np.float64))))
    # Values of members share their pairs: only in this form may they be taken for independent ones.
    return pseudo_values(np.where(alive[:, None] & alive, 1 - alike, np.nan))
