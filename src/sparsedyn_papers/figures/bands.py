"""Shares and errors as a paper arranges them: horizons side by side, in bands where there are many."""

import math
from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting.divergences import draw_shares, highest
from sparsedyn.plotting.groups import Groups, Values, group_legend
from sparsedyn.plotting.layout import headline, standalone
from sparsedyn.plotting.style import Look, styled
from sparsedyn.plotting.violins import draw_errors, surviving_errors, violin_limits

# More entries than this would be too thin side by side: the horizons then go on in another band below.
MOST_ENTRIES = 72


@styled
def panel_bars(
    results: pd.DataFrame,
    looks: Mapping[str, Look],
    horizon_names: Mapping[int, str],
    published: Values,
    *,
    title: str,
) -> Figure:
    """Draw the share in percent of every cell in `looks`, its interval as a whisker.

    `results` needs the columns cell, horizon, diverged, diverged_low, diverged_high (shares between 0 and 1).
    `published` has, by cell and horizon, what others found, in percent: a diamond on the bar.
    """
    tables = {cell: table for cell, table in results.groupby(results["cell"].astype(str)) if cell in looks}
    marks = _marks(published, looks, horizon_names)
    furthest = highest(tables, marks)
    figure = standalone()
    for ax, groups in _bands(figure, title, horizon_names, looks):
        draw_shares(ax, groups, tables, looks, marks, furthest=furthest)
    return _finished(figure, looks, "published" if marks else "")


@styled
def panel_violins(
    forecasts: Mapping[str, pd.DataFrame],
    looks: Mapping[str, Look],
    horizon_names: Mapping[int, str],
    published: Values,
    *,
    title: str,
) -> Figure:
    """Draw an upright violin of errors per horizon and cell in `looks`.

    `forecasts` holds per cell a table with the columns horizon, rfmse, diverged. `published` has, by cell and horizon,
    the mean that others found: a diamond.
    """
    errors = {
        cell: {h: surviving_errors(table, h) for h in horizon_names if (table["horizon"] == h).any()}
        for cell, table in forecasts.items()
        if cell in looks
    }
    marks = {place: value for place, value in _marks(published, looks, horizon_names).items() if value > 0}
    limits = violin_limits(errors, marks)
    figure = standalone()
    for ax, groups in _bands(figure, title, horizon_names, looks):
        draw_errors(ax, groups, errors, looks, marks, limits=limits)
    return _finished(figure, looks, "published mean" if marks else "")


def _marks(published: Values, looks: Mapping[str, Look], horizons: Mapping[int, str]) -> Values:
    """Keep the published numbers of what is shown."""
    return {
        (cell, horizon): value
        for (cell, horizon), value in published.items()
        if math.isfinite(value) and cell in looks and horizon in horizons
    }


def _bands(
    figure: Figure, title: str, horizon_names: Mapping[int, str], looks: Mapping[str, Look]
) -> Iterator[tuple[Axes, Groups]]:
    """Yield axes below one another with the horizons that they show."""
    horizons = list(horizon_names)
    bands = math.ceil(len(horizons) * len(looks) / MOST_ENTRIES)
    each = math.ceil(len(horizons) / min(bands, len(horizons)))
    chunks = [horizons[i : i + each] for i in range(0, len(horizons), each)]
    named = [Groups({h: horizon_names[h] for h in chunk}, list(looks)) for chunk in chunks]
    figure.set_size_inches(named[0].width, 0.9 + 2.75 * len(named))
    headline(figure, title)
    for i, groups in enumerate(named):
        yield figure.add_subplot(len(named), 1, i + 1), groups


def _finished(figure: Figure, looks: Mapping[str, Look], reference: str) -> Figure:
    # Every band as wide as the first, also when it has fewer horizons.
    for ax in figure.axes:
        ax.set_xlim(figure.axes[0].get_xlim())
    group_legend(figure, list(looks.values()), reference)
    return figure
