"""How often each function was found: a bar per regularizer, with what others reported as a diamond."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sparsedyn.plotting.groups import diamond
from sparsedyn.plotting.layout import headline, panels
from sparsedyn.plotting.style import PALETTE, styled, tint
from sparsedyn.plotting.text import plain

ROOM = 0.76
"""The share of a row that its bars take."""


@styled
def found_shares(
    functions: Sequence[str],
    shares: Mapping[str, Sequence[float]],
    single: Mapping[str, Sequence[float]],
    published: Mapping[str, Sequence[float]],
    *,
    title: str,
) -> Figure:
    """Draw the share of trials that found each function, by regularizer; all values are shares from 0 to 1 or NaN.

    A thin line marks the share of `single` networks, a diamond what was `published`. After Kim et al. 2019, table V.
    """
    count = len(shares)
    figure, (ax,) = panels(1, 1, 7.6, 0.7 + (0.16 + 0.17 * count) * len(functions))
    headline(figure, title)
    height = ROOM / count
    for number, (name, values) in enumerate(shares.items()):
        rows = np.arange(len(functions)) + (number - (count - 1) / 2) * height
        color = PALETTE[number]
        ax.barh(rows, 100 * np.asarray(values), height=0.9 * height, color=tint(color, 0.15), linewidth=0)
        alone = 100 * np.asarray(single[name])
        ax.vlines(alone, rows - 0.45 * height, rows + 0.45 * height, color="#FFFFFF", linewidth=2.6)
        ax.vlines(alone, rows - 0.45 * height, rows + 0.45 * height, color="#222222", linewidth=1.1)
        known = np.isfinite(published[name])
        ax.add_line(diamond(list(100 * np.asarray(published[name])[known]), list(rows[known])))
    ax.set_yticks(range(len(functions)), [plain(name, 40) for name in functions])
    ax.set(xlim=(0, 103), ylim=(len(functions) - 0.5, -0.5), xlabel="trials that found the function, %")
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    handles: list[Artist] = [Patch(color=tint(PALETTE[i], 0.15), label=name) for i, name in enumerate(shares)]
    if any(np.isfinite(values).any() for values in single.values()):
        (line,) = ax.plot([], [], color="#222222", linewidth=1.1, marker="|", linestyle="", label="single networks")
        handles.append(line)
    if any(np.isfinite(values).any() for values in published.values()):
        handles.append(diamond([], [], "published"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
