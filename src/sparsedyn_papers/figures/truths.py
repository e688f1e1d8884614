"""What a model makes of quantities that it never saw, against their true values."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.series import evenly
from sparsedyn.plotting.style import INK, PALETTE, styled
from sparsedyn.plotting.text import plain

MOST_POINTS = 2000
WIDTH, HEIGHT = 3.6, 2.9


@styled
def latent_against_truth(
    truth: Sequence[Float[np.ndarray, " _sample"]],
    latent: Sequence[Float[np.ndarray, " _sample"]],
    *,
    labels: Sequence[str],
    name: str,
    title: str,
) -> Figure:
    """Draw the encoded variable against the true one, a panel per set of samples, with the line that fits best.

    After Kim et al. 2019, figures 6 to 8.
    """
    figure, axes = panels(len(labels), len(labels), WIDTH, HEIGHT)
    headline(figure, title)
    for ax, label, x, z in zip(axes, labels, truth, latent, strict=True):
        _dots(ax, x, z, evenly(len(x), MOST_POINTS), PALETTE[0], size=7.0)
        slope, intercept = np.polyfit(x, z, 1)
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, slope * ends + intercept, color=PALETTE[1], linewidth=1.1)
        ax.set(title=plain(f"{label}, correlation {_correlation(x, z)}", 44), xlabel=plain(name))
        ax.locator_params(axis="x", nbins=5)
    for ax in axes:
        ax.set_ylim(min(a.get_ylim()[0] for a in axes), max(a.get_ylim()[1] for a in axes))
    axes[0].set_ylabel("encoded variable z")
    return figure


@styled
def predicted_against_true(
    truth: Sequence[Float[np.ndarray, " _sample"]],
    predicted: Sequence[Float[np.ndarray, " _sample"]],
    *,
    labels: Sequence[str],
    name: str,
    title: str,
    below: int | None = None,
) -> Figure:
    """Draw predictions against truths that are integers, a panel per set of samples; training saw truths `below` only.

    After Kim et al. 2019, figure 6.
    """
    figure, axes = panels(len(labels), len(labels), WIDTH, HEIGHT + 0.3)
    headline(figure, title)
    low, high = min(x.min() for x in truth), max(x.max() for x in truth)
    for ax, label, x, y in zip(axes, labels, truth, predicted, strict=True):
        rows = evenly(len(x), MOST_POINTS)
        seen = x[rows] < (np.inf if below is None else below)
        for part, color in ((rows[seen], PALETTE[0]), (rows[~seen], PALETTE[1])):
            _dots(ax, x, y, part, color, size=5.0)
        ax.plot([low, high], [low, high], color="#444444", linewidth=0.8)
        if below is not None:
            ax.axvline(below - 0.5, color="#8A8A8A", linewidth=0.8, linestyle=":")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(7, integer=True))
        right = 100 * np.mean(np.round(y) == x)
        ax.set(title=plain(f"{label}: {right:.1f} % right"), xlabel=plain(f"true {name}"))
        ax.set(xlim=(low - 1, high + 1), ylim=(low - 2, high + 2))
    axes[0].set_ylabel(plain(f"predicted {name}"))
    if below is not None:
        names = (f"below {below:g}: as in training", f"from {below:g} on: never seen in training")
        handles = [
            Line2D([], [], color=color, marker="o", markersize=4, linestyle="", label=label)
            for color, label in zip(PALETTE, names, strict=False)
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


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
        _dots(ax, truth[:, i], aligned[:, i], np.arange(len(truth)), PALETTE[0], size=4.0, alpha=0.35)
        ax.set(title=plain(f"{name}: 1 − R² = {max(1 - r2[i], 0.0):.1e}"), xlabel=plain(f"true {name}"))
        ax.locator_params(nbins=5)
    axes[0].set_ylabel("affine map of latent variables")
    return figure


def _dots(
    ax: Axes,
    x: Float[np.ndarray, " sample"],
    y: Float[np.ndarray, " sample"],
    rows: Int[np.ndarray, " chosen"],
    color: str,
    *,
    size: float | int,
    alpha: float = 0.45,
) -> None:
    """Draw the chosen samples; integers are moved a little, or their points would lie on one another."""
    whole = np.array_equal(x, np.round(x))
    apart = np.random.default_rng(0).uniform(-0.25, 0.25, len(x)) if whole else np.zeros(len(x))
    ax.scatter((x + apart)[rows], y[rows], s=size, color=color, alpha=alpha, linewidth=0)


def _correlation(x: Float[np.ndarray, " sample"], z: Float[np.ndarray, " sample"]) -> str:
    value = float(np.corrcoef(x, z)[0, 1])
    # Enough digits to tell it from one.
    places = int(np.clip(2 - np.floor(np.log10(max(1 - abs(value), 1e-9))), 3, 6))
    return f"{value:.{places}f}".replace("-", "−")
