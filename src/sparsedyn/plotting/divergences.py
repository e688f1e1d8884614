"""Which share of forecasts diverged: horizons side by side, a bar per entry in each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sparsedyn.plotting.entries import Entries, labelled
from sparsedyn.plotting.groups import Groups, Values, diamond, group_legend
from sparsedyn.plotting.layout import arrange_one
from sparsedyn.plotting.style import INK, Look, looks_of, styled
from sparsedyn.plotting.text import number

COLUMNS = ["diverged", "diverged_low", "diverged_high"]


@styled
def divergence(
    scores: Entries[pd.DataFrame],
    *,
    horizons: Mapping[int, str] | None = None,
    looks: Mapping[str, Look] | None = None,
    title: str = "",
    ax: Axes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw the share of forecasts that diverged within each horizon, in percent, and return the axes.

    `scores` is the table that `model.evaluate(data)` returns, or several of them by label; needed are the columns
    `horizon`, `diverged`, `diverged_low` and `diverged_high` (shares from 0 to 1). Whiskers are the intervals.
    `horizons` says which are shown (rows) and what they are called; by default all. `looks`, `ax`: as for
    `error_over_time`.
    """
    entries = labelled(scores)
    looks = looks_of(entries, looks)
    if horizons is None:
        horizons = {h: f"{h:,} steps" for h in sorted({int(h) for table in entries.values() for h in table["horizon"]})}
    groups = Groups(horizons, list(looks))
    panels = arrange_one(groups.width, 3.0, ax=ax, figure=figure, title=title)
    (ax,) = panels.axes
    # Room for the numbers above the bars.
    draw_shares(ax, groups, entries, looks, furthest=1.1 * highest(entries))
    _write_numbers(ax, groups, entries)
    if panels.figure is not None and list(entries) != [""]:
        group_legend(panels.figure, list(looks.values()))
    return ax


def draw_shares(
    ax: Axes,
    groups: Groups,
    scores: Mapping[str, pd.DataFrame],
    looks: Mapping[str, Look],
    reference: Values | None = None,
    *,
    furthest: float | None = None,
) -> None:
    """Draw bars of shares with their intervals, and diamonds at `reference` values (in percent).

    The axis ends at `furthest` (in percent), by default at the highest mark. After Haugstvedt et al. 2023, figures 6,
    8, 10 and 12.
    """
    groups.prepare(ax)
    shares = {label: shares_of(table) for label, table in scores.items()}
    for label, horizon, at in groups.places():
        look = looks[label]
        if horizon in shares.get(label, {}):
            share, low, high = shares[label][horizon]
            ax.bar(at, share, width=0.86 * groups.room, color=look.fill, edgecolor=look.color, linewidth=0.6)
            if np.isfinite([low, high]).all():
                ax.plot([at, at], [low, high], color=INK, linewidth=1.1, solid_capstyle="butt")
        if (label, horizon) in (reference or {}):
            ax.add_line(diamond([at], [(reference or {})[label, horizon]]))
    end = 1.04 * (highest(scores, reference) if furthest is None else furthest)
    ax.set_ylim(0, end)
    ax.locator_params(nbins=6, axis="y")
    ax.set_yticks([tick for tick in ax.get_yticks() if tick <= min(100, end)])
    ax.set_ylabel("diverged, %")


def _write_numbers(ax: Axes, groups: Groups, scores: Mapping[str, pd.DataFrame]) -> None:
    """Write the shares above their bars: a bar of zero would look like a missing one."""
    shares = {label: shares_of(table) for label, table in scores.items()}
    for label, horizon, at in groups.places():
        if horizon in shares.get(label, {}):
            share, _, high = shares[label][horizon]
            top = float(np.nanmax([share, high, 0.0]))
            ax.annotate(number(share), (at, top), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=7.5)


def highest(scores: Mapping[str, pd.DataFrame], reference: Values | None = None) -> float:
    """Return the highest mark of any entry, in percent, at least 2."""
    ends = [values for table in scores.values() for values in shares_of(table).values()]
    return float(np.nanmax(np.concatenate([*ends, list((reference or {}).values()), [2.0]])))


def shares_of(table: pd.DataFrame) -> dict[int, np.ndarray]:
    """Return share and interval in percent by horizon."""
    return dict(zip(table["horizon"].astype(int), (100 * table[COLUMNS]).to_numpy(np.float64), strict=True))
