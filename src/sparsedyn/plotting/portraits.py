"""Paths in a plane of two variables."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.data import Trajectories
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import entry, plain, with_unit

LARGEST = 1e6
"""Values beyond are not drawn: a path that blew up."""

Path = Float[np.ndarray, "_time _state"]
Paths = Trajectories | xr.DataArray | Float[np.ndarray, "*path time state"] | Sequence[Path]


@styled
def portrait(
    paths: Paths,
    plane: tuple[int | str, int | str] = (0, 1),
    *,
    names: Sequence[str] | None = None,
    color: str = PALETTE[0],
    width: float = 0.6,
    label: str = "",
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw paths in the plane of two variables, each with a dot at its start, and return the axes.

    `paths` are `Trajectories` (their states), what `model.simulate` returns (the last two axes are time and state), an
    array (..., time, state), such as latent variables from `SINDyAutoencoder.encode`, or a list of (time, state)
    arrays. `plane` holds two positions or names of states; units are those of `Trajectories`. Values that are not
    finite, or beyond a million, are gaps. Lines are `width` points wide, `label` names the paths in a legend; `ax` is
    drawn into instead of new axes, to lay paths over one another.

    Raises `ValueError` for variables that are not there.
    """
    series, known, units = _split(paths)
    count = series[0].shape[1]
    labels = tuple(names or known or (f"x{i + 1}" for i in range(count)))
    x, y = (_position(variable, labels, count) for variable in plane)
    panels = arrange_one(4.2, 3.8, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    for i, path in enumerate(series):
        across, up = (visible(path[:, j]) for j in (x, y))
        ax.plot(across, up, color=color, linewidth=width, alpha=0.8, label=entry(label) if i == 0 else "")
        ax.plot(across[:1], up[:1], marker="o", markersize=3, color=color)
    along, beside = (with_unit(labels[i], units[i] if units else "") for i in (x, y))
    ax.set(xlabel=plain(along), ylabel=plain(beside))
    ax.locator_params(nbins=5)
    return ax


def visible(values: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """Return values with gaps where a model blew up beyond what can be drawn."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def _split(paths: Paths) -> tuple[list[np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Return the paths one by one, and the names and units of their variables as far as they have any."""
    if isinstance(paths, Trajectories):
        return list(paths.states), paths.state_names, paths.state_units
    named = (
        tuple(map(str, paths["state"].values)) if isinstance(paths, xr.DataArray) and "state" in paths.coords else ()
    )
    if isinstance(paths, list | tuple):
        return [np.asarray(path, np.float64) for path in paths], named, ()
    values = np.asarray(paths, np.float64)
    return list(values.reshape(-1, *values.shape[-2:])), named, ()


def _position(variable: int | str, names: Sequence[str], count: int) -> int:
    if isinstance(variable, str) and variable in names:
        return list(names).index(variable)
    if isinstance(variable, int | np.integer) and 0 <= variable < count:
        return int(variable)
    raise ValueError(f"plane: expected two of {', '.join(names)}, or positions below {count}; got {variable!r}.")
