"""Forecasts as files: pictures, scores, and the numbers themselves."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparsedyn.cli.files import replacing
from sparsedyn.forecast import error_over_time
from sparsedyn.plotting.clock import Clock
from sparsedyn.plotting.style import PALETTE, Look, render
from sparsedyn.studies.figures.error_over_time import ErrorCurve
from sparsedyn.studies.figures.error_over_time import error_over_time as draw_error
from sparsedyn.studies.figures.forecast_fan import forecast_fan, plausible_range
from sparsedyn.studies.figures.input_output_maps import input_output_maps, share_of_members

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sparsedyn.estimators import SparseTimeStepper
    from sparsedyn.forecast import Forecast

FANS = 12
"""Trajectories that are drawn, a picture each."""
POINTS = 800
"""Points in time that are drawn: more cannot be told apart."""
BAND = (0.05, 0.5, 0.95)


def write_pictures(forecast: "Forecast", scores: "pd.DataFrame", stepper: "SparseTimeStepper", folder: Path) -> None:
    """Write `forecast-LABEL.png` per trajectory, `error.png`, `map.png`, `scores.csv` and `forecasts.nc`."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(forecast.dt, forecast.truth.shape[1])
    names = file_names(forecast.labels[:FANS])
    for i, name in enumerate(names):
        _save(fan(forecast, i, clock), folder / f"forecast-{name}.png")
    _save(error_picture(forecast, scores, clock), folder / "error.png")
    _save(map_picture(stepper), folder / "map.png")
    with replacing(folder / "scores.csv") as temporary:
        scores.to_csv(temporary, index=False)
    with replacing(folder / "forecasts.nc") as temporary:
        dataset = forecast.to_xarray().astype(np.float32)
        plain = {name: {"zlib": True, "complevel": 1, "_FillValue": None} for name in dataset.data_vars}
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=plain)


def fan(forecast: "Forecast", trajectory: int, clock: Clock) -> "Figure":
    """Draw every member's forecast of one trajectory against the truth, a panel per state."""
    rows = shown_rows(forecast.data.lengths[trajectory])
    return forecast_fan(
        clock.times(rows),
        forecast.predicted[:, trajectory, rows],
        forecast.truth[trajectory, rows],
        plausible_range(forecast.truth),
        state_names=forecast.state_names,
        state_units=forecast.state_units,
        time_label=clock.label,
        title=f"Forecast of trajectory {forecast.labels[trajectory]}",
        color=PALETTE[0],
    )


def error_picture(forecast: "Forecast", scores: "pd.DataFrame", clock: Clock) -> "Figure":
    """Draw how the error of all forecasts grows."""
    rows = shown_rows(forecast.truth.shape[1])
    error = error_over_time(forecast.error[:, :, rows]).reshape(-1, len(rows))
    # A value itself rather than a mixture of two: between a number and infinity there is nothing.
    low, middle, high = np.nanquantile(error, BAND, axis=0, method="inverted_cdf")
    marks = clock.times(scores["horizon"].to_numpy() - 1)
    look = {"": plain_look("All forecasts")}
    curve = {"": ErrorCurve(clock.times(rows), low, middle, high)}
    return draw_error(
        curve,
        look,
        time_label=clock.label,
        marks=tuple(float(m) for m in marks),
        band="5 to 95 % of the forecasts",
    )


def map_picture(stepper: "SparseTimeStepper") -> "Figure":
    """Draw which state and input reaches which derivative."""
    share = share_of_members(stepper.reach(), stepper.alive_)
    look = {"": plain_look(f"{stepper.members} members")}
    names = (*stepper.state_names_, *stepper.input_names_)
    return input_output_maps({"": share}, look, output_names=stepper.state_names_, feature_names=names)


def plain_look(label: str) -> Look:
    """Return the look of the only thing in a picture."""
    return Look(label=label, name=label, technique=label, color=PALETTE[0], averaged=False)


def shown_rows(count: int) -> np.ndarray:
    """Return evenly spaced rows, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(POINTS, count)).round().astype(np.int64))


def file_names(labels: tuple[str, ...]) -> list[str]:
    """Return labels as parts of file names, told apart by a number where they would collide."""
    names: list[str] = []
    for i, label in enumerate(labels):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-.") or str(i)
        names.append(name if name.lower() not in [other.lower() for other in names] else f"{name}-{i}")
    return names


def _save(figure: "Figure", path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(render(figure)[0])
