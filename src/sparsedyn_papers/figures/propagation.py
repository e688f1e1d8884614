"""Propagated curves of several models and of the truth, with the end of training marked."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import PALETTE, styled
from sparsedyn.plotting.text import plain

TRUTH = "true"
LABELS = {TRUTH: "true", "eql": "equations (EQL)", "relu": "ReLU network", "euler": "Euler scheme, true equations"}
MARGIN = 0.6


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
    truth, columns = curves[TRUTH], len(samples)
    figure, axes = panels(len(names) * columns, columns, 3.1, 2.1)
    headline(figure, title)
    colors = dict(zip([name for name in curves if name != TRUTH], PALETTE, strict=False))
    for i, ax in enumerate(axes):
        state, sample = i // columns, samples[i % columns]
        true = truth[sample, :, state]
        ax.axvline(time[span], color="#8A8A8A", linewidth=0.8, linestyle=":")
        ax.plot(time, true, color="#222222", linewidth=2.4, alpha=0.35, label=LABELS[TRUTH])
        for name, color in colors.items():
            label = plain(LABELS.get(name, name))
            ax.plot(time, _finite(curves[name][sample, :, state]), color=color, linewidth=1.2, label=label)
        room = MARGIN * max(float(np.ptp(true)), 1e-9)
        ax.set(xlim=(time[0], time[-1]), ylim=(true.min() - room, true.max() + room))
        ax.locator_params(nbins=5)
        ax.set_title(plain(f"test series {sample + 1}") if state == 0 else "")
        ax.set_ylabel(plain(names[state]) if i % columns == 0 else "")
        ax.set_xlabel(plain(time_label) if state == len(names) - 1 else "")
    axes[0].annotate(
        "end of training", (time[span], 1.0), xycoords=("data", "axes fraction"), xytext=(3, -3),
        textcoords="offset points", va="top", fontsize=7.5, color="#5A5A5A",
    )  # fmt: skip
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(curves))
    return figure


def _finite(values: Float[np.ndarray, " step"]) -> Float[np.ndarray, " step"]:
    """Leave gaps where a model blew up beyond what can be drawn."""
    return np.where(np.abs(values) < 1e6, values, np.nan)
