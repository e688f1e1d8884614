"""Discovered coordinates beside the true ones: paths, attractors, agreement, frames, and errors of forecasts."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.log_axis import log_limits, log_ticks
from sparsedyn.plotting.style import INK, PALETTE, styled
from sparsedyn.plotting.text import plain


@styled
def coordinates_against_truth(
    truth: Float[np.ndarray, "sample coordinate"],
    aligned: Float[np.ndarray, "sample coordinate"],
    *,
    names: Sequence[str],
    r2: Sequence[float],
    title: str,
) -> Figure:
    """Draw every true coordinate against its best affine reading of the latent variables."""
    figure, axes = panels(len(names), len(names), 3.0, 2.8)
    headline(figure, title)
    for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
        ends = np.array([truth[:, i].min(), truth[:, i].max()])
        ax.plot(ends, ends, color=INK, linewidth=0.8)
        ax.scatter(truth[:, i], aligned[:, i], s=4, color=PALETTE[0], alpha=0.35, linewidth=0)
        gap = max(1 - r2[i], 0.0)
        ax.set_title(plain(f"{name}: 1 − R² = {gap:.1e}"))
        ax.set_xlabel(plain(f"true {name}"))
        ax.locator_params(nbins=5)
    axes[0].set_ylabel("affine map of latent variables")
    return figure


@styled
def paths_in_truth(
    paths: Mapping[str, Float[np.ndarray, "_path _time coordinate"]],
    *,
    plane: tuple[int, int],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Draw paths in a plane of true coordinates, a panel per entry of `paths`, all on the axes of the first."""
    figure, axes = panels(len(paths), len(paths), 3.1, 3.0)
    headline(figure, title)
    first = next(iter(paths.values()))
    for ax, (label, several), color in zip(axes, paths.items(), (INK, *PALETTE), strict=False):
        for path in several:
            x, y = (np.where(np.abs(path[:, i]) < 1e6, path[:, i], np.nan) for i in plane)
            ax.plot(x, y, color=color, linewidth=0.6, alpha=0.8)
            ax.plot(x[:1], y[:1], marker="o", markersize=3, color=color)
        ax.set(xlim=_room(first[..., plane[0]], 0.12), ylim=_room(first[..., plane[1]], 0.12))
        ax.set(title=plain(label), xlabel=plain(names[plane[0]]))
        ax.locator_params(nbins=5)
    axes[0].set_ylabel(plain(names[plane[1]]))
    return figure


@styled
def coordinates_over_time(
    paths: Mapping[str, Float[np.ndarray, "path time coordinate"]], dt: float, *, names: Sequence[str], title: str
) -> Figure:
    """Draw coordinates over time, a row per coordinate and a column per path; the axes belong to the first entry."""
    first = next(iter(paths.values()))
    columns, time = len(first), dt * np.arange(first.shape[1])
    figure, axes = panels(len(names) * columns, columns, 3.2, 1.7)
    headline(figure, title)
    styles = ((INK, 2.2, 0.35), (PALETTE[0], 1.1, 1.0), (PALETTE[1], 1.1, 1.0))
    for i, ax in enumerate(axes):
        coordinate, path = divmod(i, columns)
        for (label, several), (color, width, alpha) in zip(paths.items(), styles, strict=False):
            values = several[path, :, coordinate]
            shown = np.where(np.abs(values) < 1e6, values, np.nan)
            ax.plot(time, shown, color=color, linewidth=width, alpha=alpha, label=plain(label))
        ax.set(xlim=(time[0], time[-1]), ylim=_room(first[path, :, coordinate], 0.3))
        ax.locator_params(nbins=5)
        ax.set_ylabel(plain(names[coordinate]) if path == 0 else "")
        ax.set_xlabel("time" if coordinate == len(names) - 1 else "")
        ax.set_title(plain(f"test trajectory {path + 1}") if coordinate == 0 else "")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(paths))
    return figure


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
        ax.axhline(below, color="#8A8A8A", linewidth=0.8, linestyle=":")
        ax.set(title=plain(name), xlabel="time", yscale="log", ylim=(low, high))
        log_ticks(ax.yaxis)
    axes[0].set_ylabel("relative error")
    handles = [
        Line2D([], [], color=color, linewidth=1.7, label=plain(label))
        for label, color in zip(best, PALETTE * len(best), strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def _room(values: Float[np.ndarray, "..."], margin: float) -> tuple[float, float]:
    """Return limits around values, with a margin relative to their range."""
    low, high = float(values.min()), float(values.max())
    extra = margin * max(high - low, 1e-9)
    return low - extra, high + extra
