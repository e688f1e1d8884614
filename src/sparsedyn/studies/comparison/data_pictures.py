"""Pictures of the data of a comparison, and of forecasts."""

from collections.abc import Mapping, Sequence

import numpy as np

from sparsedyn.data import Trajectories
from sparsedyn.plotting import trajectories
from sparsedyn.plotting.fans import draw_fan, off_scale, plausible_range
from sparsedyn.plotting.layout import in_figure
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.answer import most_and_least_stable
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.curves import trajectory_labels
from sparsedyn.studies.document import Block, Fold, Picture, bold, plain
from sparsedyn.studies.document.words import listing, plural

OVERVIEW = 5
"""How many test trajectories the pictures of the data show."""


def data_pictures(contents: Contents) -> list[Picture]:
    """Return the states and the inputs of the first few test trajectories."""
    if contents.test is None:
        return []
    some = contents.test[: min(OVERVIEW, len(contents.test))]
    variables = (("states", some.state_names), ("inputs", some.input_names))
    return [_overview(contents, some, name, names) for name, names in variables if names]


def shown_cells(contents: Contents) -> list[str]:
    """Return the cells whose forecasts are shown first: the most and the least stable."""
    return most_and_least_stable(contents.at(contents.horizons[-1]))


def fans(contents: Contents, shown: Mapping[str, str]) -> list[Block]:
    """Return the forecasts of the cells in `shown`, each with a remark (Markdown), and all others in a fold."""
    known = {
        label: cell
        for label, cell in contents.cells.items()
        if {"fan_states", "truth", "time_index"} <= cell.arrays.keys()
    }
    first = [_fan(contents, label, known[label], remark) for label, remark in shown.items() if label in known]
    others = [_fan(contents, label, cell, "") for label, cell in known.items() if label not in shown]
    fold = [Fold(f"The other {len(others)}" if first else f"All {len(others)}", others)] if others else []
    return [*first, *fold]


def _overview(contents: Contents, some: Trajectories, name: str, names: Sequence[str]) -> Picture:
    count = plural(len(some), "test trajectory")
    title = f"{name.capitalize()} of {count}"
    return Picture(
        name=name,
        alt=f"Line charts, a panel each: {listing(list(names), 24)} of {count} against time.",
        caption=f"{title}." + (" An input is held from one row to the next." if name == "inputs" else ""),
        draw=lambda: in_figure(trajectories, some, names, clock=contents.clock, title=title),
    )


def _fan(contents: Contents, label: str, cell: StoredCell, remark: str) -> Picture:
    """The forecasts of the first kept test trajectory by all members of a cell."""
    truth = cell.arrays["truth"].astype(np.float64)
    # Short trajectories are padded with NaN.
    inside = np.isfinite(truth[0]).all(axis=-1)
    predicted = cell.arrays["fan_states"][:, 0, inside].astype(np.float64)
    plausible, look, states = plausible_range(truth), contents.looks[label], truth.shape[2]
    lost = int(off_scale(predicted, plausible).any(axis=-1).sum())
    off = f" Members that leave the plausible range: {lost} of {len(predicted)}." if lost else ""
    name = trajectory_labels(contents, cell.arrays)[0]
    return Picture(
        name=f"fan-{cell.slug}",
        alt=f"Line charts, a panel per state: forecasts of {name} by {look.label} against the truth.{off}",
        caption=f"{bold(look.label)}, {plain(name)}.{off}{f' {remark}' if remark else ''}",
        draw=lambda: in_figure(
            draw_fan,
            contents.clock.times(cell.arrays["time_index"][inside]),
            predicted,
            truth[0, inside],
            plausible,
            state_names=contents.state_names(states),
            state_units=contents.state_units(states),
            time_label=contents.clock.label,
            title=f"{look.label}: forecasts of {name}",
            color=look.color,
        ),
    )
