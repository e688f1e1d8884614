"""Which pictures a study gets: each with its file name, its words, and how it is drawn from what is stored."""

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from sparsedyn.equations import THRESHOLD, THRESHOLDS, depends
from sparsedyn.studies import figures
from sparsedyn.studies.comparison.agreement import ceiling
from sparsedyn.studies.page.contents import Cell, Contents
from sparsedyn.studies.page.curves import band_name, error_curve, trajectory_labels
from sparsedyn.studies.page.how import wall_times
from sparsedyn.studies.page.panels import panel_pictures
from sparsedyn.studies.page.picture import Picture, labels
from sparsedyn.studies.page.write import duration, listing, plural
from sparsedyn.studies.search.section import CAPTION, search_figure

OVERVIEW = 5
"""How many test trajectories the pictures of the data show."""


def pictures(contents: Contents) -> Iterator[Picture]:
    """Yield every picture whose data are stored."""
    for make in (
        _search,
        _divergence,
        _violins,
        _over_time,
        _training_size,
        _sparsity,
        _maps,
        _agreement,
        _training,
        _cost,
    ):
        picture = make(contents)
        if picture is not None:
            yield picture
    yield from panel_pictures(contents)
    yield from _data(contents)
    for key, cell in contents.cells.items():
        if {"fan_states", "truth", "time_index"} <= cell.curves.keys():
            yield _fan(contents, key, cell)


def _search(contents: Contents) -> Picture | None:
    figure = search_figure(contents.directory)
    if figure is None:
        return None
    return Picture(
        name="search",
        part="search",
        alt="Strip charts: validation loss of every combination after the first rung, by the value of each setting.",
        caption=CAPTION,
        draw=lambda: figure,
    )


def _divergence(contents: Contents) -> Picture:
    names = contents.horizon_names()
    return Picture(
        name="divergence",
        part="horizons",
        alt=f"Bar chart: share of diverged forecasts of {labels(contents.looks)} at "
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
        alt=f"Violin plot: distribution of the RFMSE of {labels(contents.looks)} at every horizon. The table above has "
        "means and intervals.",
        caption="Each violin is the distribution over the forecasts that had not diverged by the horizon, on a "
        "logarithmic axis. Bar: the middle half; ring: the mean. Where many forecasts diverged, the easy "
        "ones remain and look better than the technique is: read this together with the shares above.",
        draw=lambda: figures.error_violins(tables, contents.looks, contents.horizon_names()),
    )


def _data(contents: Contents) -> Iterator[Picture]:
    """The states and the inputs of the first few test trajectories."""
    if contents.test is None:
        return
    some = contents.test[: min(OVERVIEW, len(contents.test))]
    times = [contents.clock.times(np.arange(length)) for length in some.lengths]
    parts = (
        ("states", some.states, some.state_names, some.state_units, "States", False),
        ("inputs", some.inputs, some.input_names, some.input_units, "Inputs", True),
    )
    for name, values, names, units, title, held in parts:
        if names:
            yield _overview(contents, name, times, values, names, units, tuple(some.labels), title, held)


def _overview(
    contents: Contents,
    name: str,
    times: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    names: tuple[str, ...],
    units: tuple[str, ...],
    labels: tuple[str, ...],
    title: str,
    held: bool,
) -> Picture:
    count = plural(len(times), "test trajectory")
    lines = tuple(f"trajectory {label}" for label in labels)
    return Picture(
        name=name,
        part="data",
        alt=f"Line charts, a panel each: {listing(list(names), 24)} of {count} against time.",
        caption=f"{title} of {count}." + (" An input is held from one row to the next." if held else ""),
        draw=lambda: figures.data_overview(
            times,
            values,
            names=names,
            units=units,
            labels=lines,
            time_label=contents.clock.label,
            title=f"{title} of {count}",
            steps=held,
        ),
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
        alt=f"Line chart with a logarithmic axis: error against time of {labels(contents.looks)}.",
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
        alt=f"Line chart: RFMSE and share diverged of {labels(contents.looks)} against the training trajectories.",
        caption="What more training data buy. Whiskers: 95 % intervals.",
        draw=lambda: figures.training_size(contents.at(longest), horizon_name=name),
    )


def _sparsity(contents: Contents) -> Picture:
    longest = contents.horizons[-1]
    name = contents.horizon_names()[longest]
    return Picture(
        name="sparsity-error",
        part="sparsity",
        alt=f"Scatter plot: nonzero weights against RFMSE and share diverged of {labels(contents.looks)}.",
        caption="The nearer to the lower left corner, the fewer weights and the better the forecasts. Lines: 95 % "
        "intervals. Without a forecast that did not diverge there is no point on the left.",
        draw=lambda: figures.sparsity_against_error(contents.at(longest), contents.looks, horizon_name=name),
    )


def _maps(contents: Contents) -> Picture | None:
    having = {key: cell for key, cell in contents.cells.items() if "reach" in cell.curves}
    if not having:
        return None
    measured = all("strength" in cell.curves for cell in having.values())
    maps = {key: depends(c.curves["strength"]) if measured else c.curves["reach"] for key, c in having.items()}
    shares = {key: figures.share_of_members(maps[key], cell.alive()) for key, cell in having.items()}
    truths = [cell.curves["structure_true"] for cell in having.values() if "structure_true" in cell.curves]
    truth = truths[0] if measured and truths else None
    # The cells of one study have the same variables.
    outputs, features = next(iter(shares.values())).shape
    rows, columns = contents.state_names(outputs), contents.feature_names(outputs, features)
    how = (
        f"the derivative moves by more than {THRESHOLD:g} standard deviations when the column is exchanged"
        if measured
        else "a path of nonzero weights leads there"
    )
    framed = " Framed: what stands in the equations of the plant." if truth is not None else ""
    return Picture(
        name="input-output",
        part="maps",
        alt=f"Heat maps: share of members in which a derivative depends on a state or input. {labels(contents.looks)}.",
        caption="Row: the state whose derivative is computed. Column: the state or, right of the line, the input "
        f"that it may depend on. Full colour: in every member {how}; none: in none.{framed}",
        draw=lambda: figures.input_output_maps(
            shares, contents.looks, output_names=rows, feature_names=columns, truth=truth
        ),
    )


def _agreement(contents: Contents) -> Picture | None:
    longest = contents.horizons[-1]
    results, name = contents.at(longest), contents.horizon_names()[longest]
    if "jaccard" not in results or not results["jaccard"].notna().any():
        return None
    by_size = "train_trajectories" in results and results["train_trajectories"].nunique() > 1
    most = next((value for cell in contents.cells.values() if (value := ceiling(cell.curves)) is not None), None)
    limit = "" if most is None else f" A perfect model has {most:.2f} with the plant, whose weak terms are below that."
    return Picture(
        name="agreement",
        part="maps",
        alt=f"{'Line charts' if by_size else 'Dot plots'}: how alike members are in what depends on what, how near to "
        f"the plant, weights above 0.001, and spread of errors over members, of {labels(contents.looks)}.",
        caption="Jaccard index of maps of what depends on what: 1 is the same map. Full maps are alike without having "
        "learned the same, which kappa corrects for: 0 is what chance would give. Marks are taken at a strength of "
        f"{THRESHOLD:g}; {'bands' if by_size else 'lines'} reach over thresholds from {min(THRESHOLDS):g} to "
        f"{max(THRESHOLDS):g}.{limit} Spread: standard deviation over members of their mean error, diverged "
        "forecasts counted as 3.",
        draw=lambda: (
            figures.agreement_by_size(results, horizon_name=name)
            if by_size
            else figures.agreement_by_cell(results, contents.looks, horizon_name=name)
        ),
    )


def _training(contents: Contents) -> Picture | None:
    tables = {key: cell.history for key, cell in contents.cells.items() if cell.history is not None}
    if not tables:
        return None
    return Picture(
        name="training",
        part="training",
        alt=f"Line charts: training loss, validation loss and share of zero weights of {labels(contents.looks)}.",
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
