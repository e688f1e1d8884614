"""What is stored of a finished cell: scores of its forecasts, data for pictures, training history, facts."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from sparsedyn.data import Scaling, Trajectories, samples
from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.forecast import Forecast, error_over_time
from sparsedyn.studies.cells import Outcome
from sparsedyn.studies.comparison.agreement import agreement_arrays
from sparsedyn.studies.comparison.cells import ComparisonCell
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.comparison.tables import ForecastSpec

LEVELS = (0.05, 0.5, 0.95)
"""The quantiles over forecasts that are kept of the error over time."""


def measured(cell: ComparisonCell, estimator: SparseTimeStepper, test: Trajectories, spec: StudySpec) -> Outcome:
    """Forecast the test trajectories with a fitted cell, and return what is stored of it."""
    made, keep = forecast_of(estimator, test, spec.forecast), spec.forecast
    arrays = {
        **curves(made, max(spec.horizons), keep),
        "reach": estimator.reach(),
        **agreement_arrays(estimator, test, spec.data.system),
    }
    return Outcome(
        facts(cell, estimator),
        arrays,
        f"{np.mean(estimator.nonzeros_):,.0f} of {estimator.weights_:,} weights",
        tables={"forecasts": scores_table(made, spec.horizons), "history": estimator.history_},
        others={"model.safetensors": estimator.save},
    )


def forecast_of(estimator: SparseTimeStepper, test: Trajectories, keep: ForecastSpec) -> Forecast:
    """Return the forecasts of the test trajectories, standardized as the study says."""
    scaling = None
    if keep.normalization != "train":
        rows = samples(test, estimator.derivative)
        scaling = Scaling.fit(rows, state_names=test.state_names, input_names=test.input_names)
    return estimator.forecast(test, scaling=scaling, check_units=False)


def scores_table(forecast: Forecast, horizons: Sequence[int]) -> pd.DataFrame:
    """Return one row per horizon, member and trajectory that is long enough, in both readings of the RFMSE.

    Columns: member, trajectory, horizon, rfmse (NaN where diverged), diverged, rfmse_squared,
    diverged_squared.
    """
    lengths = np.asarray(forecast.data.lengths)
    parts = []
    for horizon in horizons:
        absolute = forecast.scores(horizon)
        squared = forecast.scores(horizon, reading="squared")
        member, trajectory = np.meshgrid(
            np.arange(len(absolute.rfmse)), np.flatnonzero(lengths >= horizon), indexing="ij"
        )
        columns = {
            "member": member,
            "trajectory": trajectory,
            "horizon": np.full(member.shape, horizon),
            "rfmse": absolute.rfmse,
            "diverged": absolute.diverged,
            "rfmse_squared": squared.rfmse,
            "diverged_squared": squared.diverged,
        }
        parts.append(pd.DataFrame({name: values.ravel() for name, values in columns.items()}))
    return pd.concat(parts, ignore_index=True)


def curves(forecast: Forecast, horizon: int, keep: ForecastSpec) -> dict[str, np.ndarray]:
    """Return the error over time and the first forecasts at `keep.points` times up to the longest trajectory.

    `time_index` (p,): rows. `error_mean` (p,): of the forecasts that did not diverge by `horizon`, NaN
    without any. `error_quantiles` (3, p): of all, at `error_levels`, infinite where so many diverged. Errors
    are in training standard deviations, mean over states. `fan_states` (member, fan, p, state) and `truth`
    (fan, p, state): of the test trajectories `fan_trajectories`, in the data's units, NaN past the end of a
    short one.
    """
    rows = forecast.truth.shape[1]
    index = np.unique(np.linspace(0, rows - 1, min(keep.points, rows)).round().astype(np.int64))
    error = error_over_time(forecast.error[:, :, index])
    fans = np.arange(min(keep.fan_trajectories, len(forecast.data)))
    picked = forecast.predicted[:, fans][:, :, index]
    beyond = np.isnan(forecast.truth[fans][:, index, 0])
    with np.errstate(over="ignore"):
        fan_states = np.where(beyond[None, :, :, None], np.nan, picked).astype(np.float32)
    return {
        "time_index": index,
        "error_mean": mean_of_survivors(error, forecast, horizon),
        "error_quantiles": quantiles(error),
        "error_levels": np.asarray(LEVELS),
        "fan_trajectories": fans,
        "fan_states": fan_states,
        "truth": forecast.truth[fans][:, index],
    }


def mean_of_survivors(
    error: Float[np.ndarray, "member trajectory point"], forecast: Forecast, horizon: int
) -> Float[np.ndarray, " point"]:
    """Return the mean error at every time of the forecasts that did not diverge by `horizon`."""
    survives = np.zeros(error.shape[:2], bool)
    survives[:, np.asarray(forecast.data.lengths) >= horizon] = ~forecast.scores(horizon).diverged
    known: Bool[np.ndarray, "forecast point"] = np.isfinite(error[survives])
    count: Int[np.ndarray, " point"] = known.sum(axis=0)
    total = np.where(known, error[survives], 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def quantiles(error: Float[np.ndarray, "member trajectory point"]) -> Float[np.ndarray, "level point"]:
    """Return the quantiles, at every time, of all forecasts that reach it."""
    flat = error.reshape(-1, error.shape[-1])
    # A sample rather than an interpolation, which is undefined between a number and infinity.
    return np.nanquantile(flat, LEVELS, axis=0, method="inverted_cdf")


def facts(cell: ComparisonCell, estimator: SparseTimeStepper) -> dict[str, Any]:
    """Return what `cell.json` says: names, settings, and per member sizes, sparsity, and whether it is alive."""
    return {
        "technique": cell.technique,
        "average": cell.average,
        "train_trajectories": cell.train_trajectories,
        "members": estimator.members,
        "steps": int(estimator.steps_),
        "compiled_steps": estimator.compiled_steps_,
        "nonzeros": estimator.nonzeros_.tolist(),
        "weights": int(estimator.weights_),
        "sparsity": {name: np.asarray(values).tolist() for name, values in estimator.sparsity_.items()},
        "alive": estimator.alive_.tolist(),
        "spec": as_json(cell.arguments),
    }


def as_json(value: Any) -> Any:
    """Return settings as JSON can hold them: tuples as lists, an infinite number as the text that TOML has for it."""
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
