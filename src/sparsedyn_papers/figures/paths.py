"""Paths of models beside the true ones, in a plane and over time, on axes that belong to the truth."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting import portrait
from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.portraits import visible
from sparsedyn.plotting.style import INK, PALETTE, styled
from sparsedyn.plotting.text import entry, plain

TRUTH = "true"
LABELS = {"eql": "equations (EQL)", "relu": "ReLU network", "euler": "Euler scheme, true equations"}


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
        portrait(several, plane, names=names, color=color, ax=ax)
        ax.set(xlim=_room(first[..., plane[0]], 0.12), ylim=_room(first[..., plane[1]], 0.12), title=plain(label))
        ax.set_ylabel(ax.get_ylabel() if ax is axes[0] else "")
    return figure


@styled
def coordinates_over_time(
    paths: Mapping[str, Float[np.ndarray, "path time coordinate"]], dt: float, *, names: Sequence[str], title: str
) -> Figure:
    """Draw coordinates over time, a row per coordinate and a column per path; the axes belong to the first entry."""
    first = next(iter(paths.values()))
    time = dt * np.arange(first.shape[1])
    figure, axes = panels(len(names) * len(first), len(first), 3.2, 1.7)
    headline(figure, title)
    columns = [f"test trajectory {path + 1}" for path in range(len(first))]
    _over_time(axes, paths, time, names, columns, room=0.3, time_label="time")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(paths))
    return figure


@styled
def propagated_curves(
    curves: Mapping[str, Float[np.ndarray, "sample step state"]],
    time: Float[np.ndarray, " step"],
    *,
    span: int,
    names: Sequence[str],
    samples: Sequence[int],
    time_label: str,
    title: str,
) -> Figure:
    """Draw a row per state and a column per sample; `curves` hold "true" and models, trained on the first `span` steps.

    The axis belongs to the truth: a model that leaves it is cut off. After Kim et al. 2019, figures 7 and 8.
    """
    figure, axes = panels(len(names) * len(samples), len(samples), 3.1, 2.1)
    headline(figure, title)
    order = {TRUTH: curves[TRUTH], **curves}
    shown = {LABELS.get(name, name): values[list(samples)] for name, values in order.items()}
    columns = [f"test series {sample + 1}" for sample in samples]
    _over_time(axes, shown, time, names, columns, room=0.6, time_label=time_label)
    for ax in axes:
        ax.axvline(time[span], color="#8A8A8A", linewidth=0.8, linestyle=":")
    axes[0].annotate(
        "end of training", (time[span], 1.0), xycoords=("data", "axes fraction"), xytext=(3, -3),
        textcoords="offset points", va="top", fontsize=7.5, color="#5A5A5A",
    )  # fmt: skip
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(curves))
    return figure


def _over_time(
    axes: Sequence[Axes],
    paths: Mapping[str, Float[np.ndarray, "path time state"]],
    time: Float[np.ndarray, " time"],
    names: Sequence[str],
    titles: Sequence[str],
    *,
    room: float,
    time_label: str,
) -> None:
    """Draw every state of every path, a row per state and a column per path, the first entry thick and pale."""
    first = next(iter(paths.values()))
    for i, ax in enumerate(axes):
        state, path = divmod(i, len(titles))
        for j, (label, several) in enumerate(paths.items()):
            color, width, alpha = (INK, 2.3, 0.35) if j == 0 else (PALETTE[j - 1], 1.15, 1.0)
            values = visible(several[path, :, state])
            ax.plot(time, values, color=color, linewidth=width, alpha=alpha, label=entry(label))
        ax.set(xlim=(time[0], time[-1]), ylim=_room(first[path, :, state], room))
        ax.locator_params(nbins=5)
        ax.set_title(plain(titles[path]) if state == 0 else "")
        ax.set_ylabel(plain(names[state]) if path == 0 else "")
        ax.set_xlabel(plain(time_label) if state == len(names) - 1 else "")


def _room(values: Float[np.ndarray, "..."], margin: float) -> tuple[float, float]:
    """Return limits around values, with a margin relative to their range."""
    low, high = float(values.min()), float(values.max())
    extra = margin * max(high - low, 1e-9)
    return low - extra, high + extra
