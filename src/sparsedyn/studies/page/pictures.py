"""Which pictures a study gets: each with its file name, its words, and how it is drawn from what is stored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.figure import Figure

from sparsedyn.studies import figures
from sparsedyn.studies.page.answer import listing
from sparsedyn.studies.page.contents import Cell, Contents
from sparsedyn.studies.page.curves import band_name, error_curve, trajectory_labels
from sparsedyn.studies.page.how import wall_times


@dataclass(frozen=True)
class Picture:
    """A figure still to be drawn: `name` of its files, `part` of the page, alternative text, caption (HTML)."""

    name: str
    part: str
    alt: str
    caption: str
    draw: Callable[[], Figure]


def pictures(contents: Contents) -> Iterator[Picture]:
    """Yield every picture whose data are stored."""
    yield _divergence(contents)
    for picture in (_violins, _over_time, _training_size, _sparsity, _maps, _training, _cost):
        found = picture(contents)
        if found:
            yield found
    yield from fans(contents)


def _names(contents: Contents) -> str:
    return listing([look.label for look in contents.looks.values()], 20)


def _divergence(contents: Contents) -> Picture:
    names = contents.horizon_names()
    return Picture(
        name="divergence",
        part="divergence",
        alt=f"Bar chart, share of diverged forecasts of {_names(contents)} at {listing(list(names.values()), 8)}. "
        "The numbers are in the table above.",
        caption="Share of forecasts that had diverged by each horizon; whiskers: 95 % intervals over members and "
        "trajectories. Lighter bars: averaged weights.",
        draw=lambda: figures.divergence_bars(contents.results, contents.looks, names),
    )


def _violins(contents: Contents) -> Picture | None:
    tables = {key: cell.forecasts for key, cell in contents.cells.items() if cell.forecasts is not None}
    if not tables:
        return None
    return Picture(
        name="rfmse",
        part="divergence",
        alt=f"Violin plot, distribution of the RFMSE of {_names(contents)} at every horizon. "
        "Means and intervals are in the table above.",
        caption="Each violin is the distribution over forecasts that had not diverged by the horizon (logarithmic "
        "axis); bar: middle half, white dot: mean. Where a technique lost its worst forecasts to divergence, what "
        "remains looks better than it is: read this together with the shares above.",
        draw=lambda: figures.error_violins(tables, contents.looks, contents.horizon_names()),
    )


def _over_time(contents: Contents) -> Picture | None:
    found = {key: error_curve(contents.clock, cell.curves) for key, cell in contents.cells.items()}
    curves = {key: curve for key, curve in found.items() if curve is not None}
    if not curves:
        return None
    band = band_name(contents.cells[next(iter(curves))].curves)
    marks = contents.clock.times(np.asarray(contents.horizons) - 1)
    return Picture(
        name="error-over-time",
        part="time",
        alt=f"Line chart on a logarithmic axis, error against time of {_names(contents)}.",
        caption=f"Error at each time, mean over states, in standard deviations: median over all forecasts and {band}; "
        "diverged ones are included and leave through the top.",
        draw=lambda: figures.error_over_time(
            curves, contents.looks, time_label=contents.clock.label, marks=tuple(marks.tolist()), band=band
        ),
    )


def _training_size(contents: Contents) -> Picture | None:
    if "train_trajectories" not in contents.results or contents.results["train_trajectories"].nunique() < 2:
        return None
    longest = contents.horizons[-1]
    return Picture(
        name="training-size",
        part="sparsity",
        alt=f"Line chart, RFMSE and share diverged of {_names(contents)} against the number of training trajectories.",
        caption="What more training data buy; whiskers: 95 % intervals.",
        draw=lambda: figures.training_size(
            contents.at(longest), horizon_name=contents.horizon_names()[longest]
        ),
    )


def _sparsity(contents: Contents) -> Picture:
    longest = contents.horizons[-1]
    return Picture(
        name="sparsity-error",
        part="sparsity",
        alt=f"Scatter plot, nonzero weights against RFMSE and share diverged of {_names(contents)}.",
        caption="The nearer to the lower left corner, the fewer weights and the better the forecasts. Lines: 95 % "
        "intervals; a configuration without any surviving forecast has no point on the left.",
        draw=lambda: figures.sparsity_against_error(
            contents.at(longest), contents.looks, horizon_name=contents.horizon_names()[longest]
        ),
    )


def _maps(contents: Contents) -> Picture | None:
    shares = {
        key: figures.agreement(cell.curves["reach"], cell.alive())
        for key, cell in contents.cells.items()
        if "reach" in cell.curves
    }
    if not shares:
        return None
    shape = next(iter(shares.values())).shape
    # Cells of one study have the same variables.
    outputs, features = contents.state_names(shape[0]), contents.feature_names(*shape)
    return Picture(
        name="input-output",
        part="maps",
        alt=f"Heat maps, share of members in which a state or input reaches a derivative: {_names(contents)}.",
        caption="Row: the state whose derivative is computed; column: the state or input that it may depend on. Dark: "
        "in every member a path of nonzero weights leads there; white: in none.",
        draw=lambda: figures.input_output_maps(
            shares, contents.looks, output_names=outputs, feature_names=features
        ),
    )


def _training(contents: Contents) -> Picture | None:
    tables = {key: cell.history for key, cell in contents.cells.items() if cell.history is not None}
    if not tables:
        return None
    return Picture(
        name="training",
        part="training",
        alt=f"Line charts, training and validation loss and share of zero weights by epoch: {_names(contents)}.",
        caption="Median over members; bands: lowest to highest member. Below each: share of weights that are zero, in "
        "percent. The loss includes penalties only where the technique adds them.",
        draw=lambda: figures.training_curves(tables, contents.looks),
    )


def _cost(contents: Contents) -> Picture | None:
    seconds = wall_times(contents.run, {key: look.label for key, look in contents.looks.items()})
    if not seconds:
        return None
    return Picture(
        name="cost",
        part="cost",
        alt=f"Bar chart, wall time of each group of configurations, {sum(seconds.values()):.0f} seconds in all.",
        caption=f"Configurations of one shape are trained as one computation, so time is known by group: "
        f"{sum(seconds.values()):,.0f} s in all.",
        draw=lambda: figures.cost_bars(seconds),
    )


def fans(contents: Contents) -> Iterator[Picture]:
    """Yield a fan per cell: the forecasts of the first stored test trajectory by all members."""
    for key, cell in contents.cells.items():
        if {"fan_states", "truth", "time_index"} <= cell.curves.keys():
            yield _fan(contents, key, cell)


def _fan(contents: Contents, key: str, cell: Cell) -> Picture:
    truth = cell.curves["truth"].astype(np.float64)
    inside = np.isfinite(truth[0]).all(axis=-1)
    predicted = cell.curves["fan_states"][:, 0, inside].astype(np.float64)
    plausible, look, states = figures.plausible_range(truth), contents.looks[key], truth.shape[2]
    lost = int(figures.off_scale(predicted, plausible).any(axis=-1).sum())
    off = f" {lost} of {len(predicted)} members leave the plausible range and are cut." if lost else ""
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
            title=f"{look.label}: {name} and its forecasts",
            color=look.color,
        ),
    )
