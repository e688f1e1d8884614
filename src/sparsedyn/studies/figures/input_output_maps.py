"""Which state and input reaches which derivative, and how many members agree on it."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.studies.figures.style import Look, bottom, panels, plain, styled

COLUMNS = 4


@styled
def input_output_maps(
    shares: dict[str, Float[np.ndarray, "output feature"]],
    looks: dict[str, Look],
    *,
    output_names: tuple[str, ...],
    feature_names: tuple[str, ...],
) -> Figure:
    """Draw a heat map per cell: the share of members in which the feature reaches the output through nonzero weights."""
    outputs, features = len(output_names), len(feature_names)
    columns = min(COLUMNS, len(shares))
    wide, high = float(np.clip(0.17 * features, 1.5, 5)), float(np.clip(0.17 * outputs, 0.9, 5))
    figure, axes = panels(len(shares), columns, wide + 0.25, high + 0.45)
    label_room = (0.07 * max(map(len, output_names)), 0.07 * max(map(len, feature_names)))
    figure.set_size_inches(
        figure.get_figwidth() + label_room[0] + 1.0, figure.get_figheight() + label_room[1]
    )
    figure.suptitle("Which column reaches the derivative of which row", x=0.01, ha="left")
    for i, (ax, (cell, share)) in enumerate(zip(axes, shares.items(), strict=True)):
        image = ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
        ax.set_title(plain(looks[cell].label, max(16, int(7 * wide))))
        _grid(ax, outputs, features)
        ax.set_yticks(
            range(outputs), [plain(n) for n in output_names] if i % columns == 0 else [""] * outputs
        )
        ax.set_xticks(range(features), [""] * features)
    for ax in bottom(axes, columns):
        ax.set_xticks(range(features), [plain(n) for n in feature_names], rotation=90)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 2.4 / figure.get_figheight()), aspect=16, pad=0.02)
    bar.set_label("share of members")
    bar.outline.set_visible(False)  # type: ignore[operator]  # the stub calls the outline a spine
    return figure


def agreement(
    reach: Float[np.ndarray, "member output feature"] | np.ndarray, alive: np.ndarray
) -> Float[np.ndarray, "output feature"]:
    """Return the share of the living members in which each feature reaches each output, NaN without any."""
    living = np.asarray(reach, np.float64)[np.asarray(alive, bool)]
    return living.mean(axis=0) if len(living) else np.full(reach.shape[1:], np.nan)


def _grid(ax: Axes, outputs: int, features: int) -> None:
    ax.grid(False)
    ax.set_xticks(np.arange(features + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(outputs + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color="white", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
