"""Which pictures a study gets: each with its file name, its words, and how it is drawn from what is stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.figure import Figure

from sparsedyn.studies import figures
from sparsedyn.studies.page.contents import Cell, Contents
from sparsedyn.studies.page.curves import band_name, error_curve, trajectory_labels
from sparsedyn.studies.page.how import wall_times
from sparsedyn.studies.page.write import duration, listing


@dataclass(frozen=True)
class Picture:
    """A figure still to be drawn: its files' `name`, its `part` of the page, what it shows, a caption (HTML)."""

    name: str
    part: str
    alt: str
    caption: str
    draw: Callable[[], Figure]


def pictures(contents: Contents) -> Iterator[Picture]:
    """Yield every picture whose data are stored."""
    for make in (_divergence, _violins, _over_time, _training_size, _sparsity, _maps, _training, _cost):
        picture = make(contents)
        if picture is not None:
            yield picture
    for key, cell in contents.cells.items():
        if {"fan_states", "truth", "time_index"} <= cell.curves.keys():
            yield _fan(contents, key, cell)


def _names(contents: Contents) -> str:
    return listing([look.label for look in contents.looks.values()], 20)


def _divergence(contents: Contents) -> Picture:
    names = contents.horizon_names()
    return Picture(
        name="divergence",
        part="horizons",
        alt=f"Bar chart: share of diverged forecasts of {_names(contents)} at "
        f"{listing(list(names.values()), 8)}. The table above has the numbers.",
        caption="Share of forecasts that had diverged by each horizon, in percent. Whiskers: 95 % intervals over "
        "members and trajectories. Fainter: averaged weights.",
        draw=lambda: figures.divergence_bars(contents.results, contents.looks, names),
    )


def _violins(contents: Contents) -> Picture | None:
    tables = {key: cell.forecasts for key, cell in contents.cells.items() if cell.forecasts is not None}
    if not tables:
        return None
    return Picture(
        name="rfmse",
        part="horizons",
        alt=f"Violin plot: distribution of the RFMSE of {_names(contents)} at every horizon. The table above has "
        "means and intervals.",
        caption="Each violin is the distribution over the forecasts that had not diverged by the horizon, on a "
        "logarithmic axis. Bar: the middle half; ring: the mean. Where many forecasts diverged, the easy "
        "ones remain and look better than the technique is: read this together with the shares above.",
        draw=lambda: figures.error_violins(tables, contents.looks, contents.horizon_names()),
    )


def _over_time(contents: Contents) -> Picture | None:
    found = {key: error_curve(contents.clock, cell.curves) for key, cell in contents.cells.items()}
    curves = {key: curve for key, curve in found.items() if curve is not None}
    if not curves:
        return None
    band = band_name(contents.cells[next(iter(curves))].curves)
    marks = tuple(contents.clock.times(np.asarray(contents.horizons) - 1).tolist())
    label = contents.clock.label
    return Picture(
        name="error-over-time",
        part="time",
        alt=f"Line chart with a logarithmic axis: error against time of {_names(contents)}.",
        caption=f"Error at each time, mean over states, in standard deviations: the median over forecasts, and "
        f"{band}. Diverged forecasts are counted and leave through the top.",
        draw=lambda: figures.error_over_time(curves, contents.looks, time_label=label, marks=marks, band=band),
    )


def _training_size(contents: Contents) -> Picture | None:
    if "train_trajectories" not in contents.results or contents.results["train_trajectories"].nunique() < 2:
        return None
    longest = contents.horizons[-1]
    name = contents.horizon_names()[longest]
    return Picture(
        name="training-size",
        part="sparsity",
        alt=f"Line chart: RFMSE and share diverged of {_names(contents)} against the training trajectories.",
        caption="What more training data buy. Whiskers: 95 % intervals.",
        draw=lambda: figures.training_size(contents.at(longest), horizon_name=name),
    )


def _sparsity(contents: Contents) -> Picture:
    longest = contents.horizons[-1]
    name = contents.horizon_names()[longest]
    return Picture(
        name="sparsity-error",
        part="sparsity",
        alt=f"Scatter plot: nonzero weights against RFMSE and share diverged of {_names(contents)}.",
        caption="The nearer to the lower left corner, the fewer weights and the better the forecasts. Lines: 95 % "
        "intervals. Without a forecast that did not diverge there is no point on the left.",
        draw=lambda: figures.sparsity_against_error(contents.at(longest), contents.looks, horizon_name=name),
    )


def _maps(contents: Contents) -> Picture | None:
    having = {key: cell for key, cell in contents.cells.items() if "reach" in cell.curves}
    if not having:
        return None
    shares = {key: figures.agreement(cell.curves["reach"], cell.alive()) for key, cell in having.items()}
    # The cells of one study have the same variables.
    outputs, features = next(iter(shares.values())).shape
    rows, columns = contents.state_names(outputs), contents.feature_names(outputs, features)
    return Picture(
        name="input-output",
        part="maps",
        alt=f"Heat maps: share of members in which a state or input reaches a derivative. {_names(contents)}.",
        caption="Row: the state whose derivative is computed. Column: the state or, right of the line, the input "
        "that it may depend on. Full colour: in every member a path of nonzero weights leads there; none: in none.",
        draw=lambda: figures.input_output_maps(shares, contents.looks, output_names=rows, feature_names=columns),
    )


def _training(contents: Contents) -> Picture | None:
    tables = {key: cell.history for key, cell in contents.cells.items() if cell.history is not None}
    if not tables:
        return None
    return Picture(
        name="training",
        part="training",
        alt=f"Line charts: training loss, validation loss and share of zero weights of {_names(contents)}.",
        caption="Mean squared error of the scaled derivatives, penalties left out: median over members, bands from "
        "the lowest to the highest. Below: share of weights that are zero, in percent.",
        draw=lambda: figures.training_curves(tables, contents.looks),
    )


def _cost(contents: Contents) -> Picture | None:
    seconds = wall_times(contents.run)
    if not seconds:
        return None
    total = duration(sum(seconds.values()))
    return Picture(
        name="cost",
        part="cost",
        alt=f"Bar chart: wall time of each part of the study, {total} in all.",
        caption=f"{total} in all. Configurations of one shape are trained as one computation, so that their time is "
        "known together only.",
        draw=lambda: figures.cost_bars(seconds),
    )


def _fan(contents: Contents, key: str, cell: Cell) -> Picture:
    """The forecasts of the first kept test trajectory by all members of a cell."""
    truth = cell.curves["truth"].astype(np.float64)
    # A short trajectory is filled up with NaN.
    inside = np.isfinite(truth[0]).all(axis=-1)
    predicted = cell.curves["fan_states"][:, 0, inside].astype(np.float64)
    plausible, look, states = figures.plausible_range(truth), contents.looks[key], truth.shape[2]
    lost = int(figures.off_scale(predicted, plausible).any(axis=-1).sum())
    off = f" Members that leave the plausible range: {lost} of {len(predicted)}." if lost else ""
    name = trajectory_labels(contents, cell.curves)[0]
    return Picture(
        name=f"fan-{cell.slug}",
        part="fans",
        alt=f"Line charts, a panel per state: forecasts of {name} by {look.label} against the truth.{off}",
        caption=f"<b>{escape(look.label)}</b>, {escape(name)}.{off}",
        draw=lambda: figures.forecast_fan(
            contents.clock.times(cell.curves["time_index"][inside]),
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
