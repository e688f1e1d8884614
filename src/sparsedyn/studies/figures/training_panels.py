"""Losses and share of zero weights during training, per technique."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sparsedyn.plotting.histories import draw_losses, draw_sparsity, loss_handles, loss_limits
from sparsedyn.plotting.layout import balanced, standalone
from sparsedyn.plotting.log_axis import log_ticks
from sparsedyn.plotting.style import Look, styled
from sparsedyn.plotting.text import plain

COLUMNS = 5


@styled
def training_curves(histories: Mapping[str, pd.DataFrame], looks: Mapping[str, Look]) -> Figure:
    """Draw for every cell the losses (median over members, band from lowest to highest), below them the sparsity.

    `histories` holds per cell a table with the columns epoch, member, loss, validation, sparsity (a share).
    """
    columns = balanced(len(histories), COLUMNS)
    bands = -(-len(histories) // columns)
    wide = {1: 7.0, 2: 4.5, 3: 3.6, 4: 2.85}.get(columns, 2.4)
    figure = standalone()
    figure.set_size_inches(wide * columns, 2.5 * bands + 0.6)
    figure.suptitle("Training: loss and share of zero weights", x=0.01, ha="left")
    grid = figure.add_gridspec(2 * bands, columns, height_ratios=[3, 1] * bands)
    limits = loss_limits(histories.values())
    for i, (cell, table) in enumerate(histories.items()):
        band, column = divmod(i, columns)
        upper = figure.add_subplot(grid[2 * band, column])
        lower = figure.add_subplot(grid[2 * band + 1, column], sharex=upper)
        draw_losses(upper, table, looks[cell].color)
        draw_sparsity(lower, table, looks[cell].color)
        upper.set(ylim=limits, title=plain(looks[cell].label, 30))
        log_ticks(upper.yaxis)
        first, last = column == 0, i + columns >= len(histories)
        upper.tick_params(labelbottom=False, labelleft=first)
        lower.tick_params(labelleft=first)
        upper.set_ylabel("loss" if first else "")
        lower.set(ylabel="zeros, %" if first else "", xlabel="epoch" if last else "")
    figure.legend(handles=loss_handles(), loc="outside lower center", ncols=3)
    return figure
