"""Forecasts as files: pictures, scores, and the numbers themselves."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparsedyn import plotting
from sparsedyn._disk import replacing
from sparsedyn.data.spreadsheets import inert
from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.plotting.layout import in_figure
from sparsedyn.plotting.style import render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sparsedyn.estimators import SparseStateSpace
    from sparsedyn.forecast import Forecast

    Model = SparseTimeStepper | SparseStateSpace

FANS = 12
"""Trajectories that are drawn, a picture each."""
LONGEST = 100
"""Characters of a label in the name of a file, which file systems limit to 255 in all."""
ERROR = "Error of the forecasts over time"
MAP = "What the derivative of each row depends on"


def write_pictures(forecast: "Forecast", scores: "pd.DataFrame", model: "Model", folder: Path) -> None:
    """Write `forecast-LABEL.png` per trajectory, `error.png`, `scores.csv`, `forecasts.nc`; of networks `map.png`.

    Of a calibrated model `bands.csv` as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(file_names(forecast.labels[:FANS])):
        _save(in_figure(plotting.fan, forecast, i), folder / f"forecast-{name}.png")
    horizons = [int(rows) for rows in scores["horizon"]]
    _save(in_figure(plotting.error_over_time, forecast, horizons=horizons, title=ERROR), folder / "error.png")
    if isinstance(model, SparseTimeStepper):
        names = (model.state_names_, model.input_names_)
        reach = model.reach()[model.alive_]
        _save(in_figure(plotting.input_output_map, reach, *names, title=MAP), folder / "map.png")
    with replacing(folder / "scores.csv") as temporary:
        scores.to_csv(temporary, index=False)
    if forecast.has_bands:
        with replacing(folder / "bands.csv") as temporary:
            band_table(forecast).to_csv(temporary, index=False)
    with replacing(folder / "forecasts.nc") as temporary:
        dataset = forecast.to_xarray().astype(np.float32)
        plain = {name: {"zlib": True, "complevel": 1, "_FillValue": None} for name in dataset.data_vars}
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=plain)


def band_table(forecast: "Forecast") -> "pd.DataFrame":
    """Return a row per trajectory, time and state: what was recorded, the band, whether to trust the row."""
    dataset = forecast.bands().assign(recorded=(("trajectory", "time", "state"), forecast.truth))
    names = ["trajectory", "time", "state", "recorded", "lower", "middle", "upper", "trust"]
    table = dataset.to_dataframe().reset_index()[names]
    for name in ("trajectory", "state"):
        table[name] = [inert(str(one)) for one in table[name]]
    return table[table["recorded"].notna()].sort_values(["trajectory", "time"], kind="stable")


def file_names(labels: tuple[str, ...]) -> list[str]:
    """Return labels as parts of file names, told apart by a number where they would collide."""
    names: list[str] = []
    for i, label in enumerate(labels):
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", label).strip("-.")[:LONGEST] or str(i)
        names.append(name if name.lower() not in [other.lower() for other in names] else f"{name}-{i}")
    return names


def _save(figure: "Figure", path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(*render(figure, "png"))
