"""Forecasts of autoencoders: frames of videos, and errors over time."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.errors import MARK
from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import entry, plain


@styled
def frames(rows: Mapping[str, Float[np.ndarray, "frame row column"]], *, times: Sequence[float], title: str) -> Figure:
    """Draw frames of videos: a row per entry of `rows`, the first the true ones, and what the second differs by."""
    first, second = list(rows.values())[:2]
    pictures = {**rows, "difference": second - first}
    figure, axes = panels(len(pictures) * len(times), len(times), 1.75, 1.75)
    headline(figure, title)
    low, high = float(first.min()), float(first.max())
    far = float(np.abs(second - first).max()) or 1.0
    for i, ax in enumerate(axes):
        row, column = divmod(i, len(times))
        label, images = list(pictures.items())[row]
        last = row == len(pictures) - 1
        colours, limits = ("RdBu_r", (-far, far)) if last else ("viridis", (low, high))
        ax.imshow(images[column], cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
        if row == 0:
            ax.set_title(plain(f"t = {times[column]:.3g}"))
        if column == 0:
            ax.set_ylabel(plain(f"{label}, up to {far:.1e}" if last else label, 14))
    return figure


@styled
def error_of_forecasts(
    curves: Mapping[str, Mapping[str, Float[np.ndarray, "_member _time"]]],
    best: Mapping[str, int],
    dt: float,
    *,
    below: float,
    title: str,
) -> Figure:
    """Draw relative errors over time: a panel per entry of `curves`, in it a colour per cell; `best` members thick."""
    figure, axes = panels(len(curves), 2, 4.6, 3.0)
    headline(figure, title)
    every = np.concatenate([values.ravel() for cells in curves.values() for values in cells.values()])
    low, high = log_limits(np.append(every, below), 1e-6, 10.0)
    for ax, (name, cells) in zip(axes, curves.items(), strict=True):
        for (label, values), color in zip(cells.items(), PALETTE * len(cells), strict=False):
            time = dt * np.arange(values.shape[1])
            for member, curve in enumerate(values):
                chosen = member == best[label]
                shown = np.clip(np.where(np.isfinite(curve), curve, np.inf), low / 10, 1e3)
                width, alpha = (1.7, 1.0) if chosen else (0.7, 0.35)
                ax.plot(time, shown, color=color, linewidth=width, alpha=alpha)
        ax.axhline(below, color=MARK, linewidth=0.8, linestyle=":")
        ax.set(title=plain(name), xlabel="time", yscale="log", ylim=(low, high))
        log_ticks(ax.yaxis)
    axes[0].set_ylabel("relative error")
    handles = [
        Line2D([], [], color=color, linewidth=1.7, label=entry(label))
        for label, color in zip(best, PALETTE * len(best), strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure
