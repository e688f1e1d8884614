"""Pictures of the scores of a comparison: at the horizons, over time, against size, in training, by cost."""

import numpy as np

from sparsedyn.studies import figures
from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.curves import band_name, error_curve
from sparsedyn.studies.document import Picture, plain
from sparsedyn.studies.document.run_facts import wall_times
from sparsedyn.studies.document.words import duration, listing

Pictures = list[Picture]
"""Empty where what they show is not stored."""


def labels(contents: Contents) -> str:
    """List the cells, for the description of a picture."""
    return listing(list(contents.looks), 20)


def at_horizons(contents: Contents) -> Pictures:
    """Return bars of the shares diverged and violins of the errors."""
    return [_divergence(contents), *_violins(contents)]


def over_time(contents: Contents) -> Pictures:
    """Return the error against time."""
    found = {key: error_curve(contents.clock, cell.arrays) for key, cell in contents.cells.items()}
    curves = {key: curve for key, curve in found.items() if curve is not None}
    if not curves:
        return []
    band = band_name(contents.cells[next(iter(curves))].arrays)
    marks = tuple(contents.clock.times(np.asarray(contents.horizons) - 1).tolist())
    label = contents.clock.label
    return [
        Picture(
            name="error-over-time",
            alt=f"Line chart with a logarithmic axis: error against time of {labels(contents)}.",
            caption=f"Error at each time, mean over states, in standard deviations: the median over forecasts, and "
            f"{band}. Diverged forecasts are counted and leave through the top.",
            draw=lambda: figures.error_over_time(curves, contents.looks, time_label=label, marks=marks, band=band),
        )
    ]


def against_size(contents: Contents) -> Pictures:
    """Return errors against the training trajectories, if several numbers were tried, and against weights."""
    return [*_training_size(contents), _sparsity(contents)]


def in_training(contents: Contents) -> Pictures:
    """Return losses and sparsity over training."""
    tables = {key: cell.tables["history"] for key, cell in contents.cells.items() if "history" in cell.tables}
    if not tables:
        return []
    return [
        Picture(
            name="training",
            alt=f"Line charts: training loss, validation loss and share of zero weights of {labels(contents)}.",
            caption="Mean squared error of the scaled derivatives, penalties left out: median over members, bands from "
            "the lowest to the highest. Below: share of weights that are zero, in percent.",
            draw=lambda: figures.training_curves(tables, contents.looks),
        )
    ]


def cost(contents: Contents) -> Pictures:
    """Return the wall times of the parts of the study."""
    seconds = wall_times(contents.run)
    if not seconds:
        return []
    total = duration(sum(seconds.values()))
    return [
        Picture(
            name="cost",
            alt=f"Bar chart: wall time of each part of the study, {total} in all.",
            caption=f"{total} in all. Configurations of one shape are trained as one computation, so that only their "
            "common time is known.",
            draw=lambda: figures.cost_bars(seconds),
        )
    ]


def _divergence(contents: Contents) -> Picture:
    names = contents.horizon_names()
    return Picture(
        name="divergence",
        alt=f"Bar chart: share of diverged forecasts of {labels(contents)} at {listing(list(names.values()), 8)}. The "
        "table above has the numbers.",
        caption="Share of forecasts that had diverged by each horizon, in percent. Whiskers: 95 % intervals over "
        "members and trajectories. Fainter: averaged weights.",
        draw=lambda: figures.divergence_bars(contents.results, contents.looks, names),
    )


def _violins(contents: Contents) -> Pictures:
    tables = {key: cell.tables["forecasts"] for key, cell in contents.cells.items() if "forecasts" in cell.tables}
    if not tables:
        return []
    return [
        Picture(
            name="rfmse",
            alt=f"Violin plot: distribution of the RFMSE of {labels(contents)} at every horizon. The table above has "
            "means and intervals.",
            caption="Each violin is the distribution over the forecasts that had not diverged by the horizon, on a "
            "logarithmic axis. Bar: the middle half; ring: the mean. Where many forecasts diverged, the easy "
            "ones remain and look better than the technique is: read this together with the shares above.",
            draw=lambda: figures.error_violins(tables, contents.looks, contents.horizon_names()),
        )
    ]


def _training_size(contents: Contents) -> Pictures:
    if "train_trajectories" not in contents.results or contents.results["train_trajectories"].nunique() < 2:
        return []
    longest = contents.horizons[-1]
    name = contents.horizon_names()[longest]
    return [
        Picture(
            name="training-size",
            alt=f"Line chart: RFMSE and share diverged of {labels(contents)} against the training trajectories.",
            caption=f"RFMSE and share diverged within {plain(name)} against the number of training trajectories. "
            "Whiskers: 95 % intervals.",
            draw=lambda: figures.training_size(contents.at(longest), horizon_name=name),
        )
    ]


def _sparsity(contents: Contents) -> Picture:
    longest = contents.horizons[-1]
    name = contents.horizon_names()[longest]
    return Picture(
        name="sparsity-error",
        alt=f"Scatter plot: nonzero weights against RFMSE and share diverged of {labels(contents)}.",
        caption="The nearer to the lower left corner, the fewer weights and the better the forecasts. Lines: 95 % "
        "intervals. Without a forecast that did not diverge there is no point on the left.",
        draw=lambda: figures.sparsity_against_error(contents.at(longest), contents.looks, horizon_name=name),
    )
