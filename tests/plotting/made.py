"""Small made-up data, forecasts and tables for the tests of pictures."""

import numpy as np
import pandas as pd

from sparsedyn.data import Trajectories
from sparsedyn.forecast import Forecast

HOSTILE = ("$x_", "_hidden", "<b>")
"""Names that mathematics, legends and mark-up would read as something else."""


def data(rows: tuple[int, ...] = (40, 40, 25), dt: float = 2.0) -> Trajectories:
    rng = np.random.default_rng(0)
    states = [np.cumsum(rng.normal(size=(n, 3)), axis=0) for n in rows]
    inputs = [rng.normal(size=(n, 1)) for n in rows]
    labels = ("first", "$second_", "_third")[: len(rows)]
    return Trajectories(
        states, inputs, dt=dt, state_names=HOSTILE, input_names=("u^{",), state_units=("kg", "degC", ""), labels=labels
    )


def forecast(members: int = 4, *, noise: float = 0.1, lost: tuple[int, ...] = ()) -> Forecast:
    """Forecasts that stay near the truth, but for `lost` members, which blow up halfway."""
    truth = data()
    made = Forecast(np.zeros((members, 3, 40, 3)), truth, np.ones(3))
    rng = np.random.default_rng(1)
    made.predicted = made.truth[None] + noise * rng.normal(size=(members, 3, 40, 3))
    made.predicted[list(lost), :, 20:] = np.inf
    return made


def scores(shift: float = 0.0) -> pd.DataFrame:
    """A table as `evaluate` returns it."""
    columns = ["horizon", "forecasts", "diverged", "diverged_low", "diverged_high", "rfmse", "rfmse_std", "rfmse_low"]
    rows = [(10, 12, 0.0, 0.0, 0.2, 0.1, 0.01, 0.05), (40, 12, 0.25, 0.1, 0.5, 0.4, 0.1, 0.2)]
    table = pd.DataFrame(rows, columns=columns)
    table["rfmse_high"] = [0.2, 0.8]
    table["rfmse"] += shift
    return table


def history(members: int = 3) -> pd.DataFrame:
    """A table as `history_` holds it; validation happens every second epoch."""
    rows = [
        {
            "step": 10 * epoch,
            "epoch": float(epoch),
            "member": member,
            "loss": (1 + member) / epoch,
            "validation": 2.0 / epoch if epoch % 2 == 0 else np.nan,
            "sparsity": min(0.75, 0.1 * epoch),
            "alive": True,
        }
        for epoch in range(1, 9)
        for member in range(members)
    ]
    return pd.DataFrame(rows)
