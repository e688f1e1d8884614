"""The report on functions: how often each was found, beside what others reported, and what was found instead."""

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from sparsedyn.studies.equations.functions import GOALS, NAMES, goal, settings_of
from sparsedyn.studies.equations.html import Column, code, table
from sparsedyn.studies.equations.page import Material, Page
from sparsedyn.studies.figures.found_shares import found_shares
from sparsedyn.studies.figures.front import front
from sparsedyn.studies.page.picture import Picture
from sparsedyn.studies.page.write import DASH, duration, listing, percent, plural, quantity

MEANINGS = {
    "trial": "One independent search, or one network as published. It is judged by its own choice, the equation of "
    "least score, and knows nothing beyond the sampled domain.",
    "score": "n ln(max(training, held-out mean squared error as a share of the variance) + 1e-13) + k ln n for k "
    "weights and n samples to train on; least is best.",
    "found": "What a trial has to reach; here: ",
    "automatic choice": "The equation of least score over all trials of a cell: what a user of this package gets.",
    "single networks": "Of the networks that began at random, with nothing to build on: the share that were exact by "
    "themselves. A trial is a population of networks, so this is what to compare with trials that are single networks.",
    "not finite": "Trials that ended without finite weights. They count as failures; with restarts, each is replaced "
    "by the next one that ends finite.",
    "held-out error": "Root mean square error on samples that were not trained on, as a share of the target's standard "
    "deviation.",
    "error beyond": "The same on a box that is larger than the sampled domain, without noise; computed when the search "
    "was over.",
    "right form": "Fitted to the truth beyond the domain, the equation's constants reproduce it to 1e-6.",
}


def page(material: Material) -> Page:
    """Return the report on functions."""
    settings, results = settings_of(material.spec), material.results
    grouped = by_function(results)
    functions = list(dict.fromkeys(results["function"]))
    sections = [
        ("results", "Results", _beside(grouped, functions)),
        ("equations", "The equations that were chosen", _chosen(material)),
        ("failures", "What was found instead", _instead(material)),
        ("front", "What length buys", ""),
    ]
    meanings = {
        name: text + (GOALS[goal(settings)] + "." if name == "found" else "") for name, text in MEANINGS.items()
    }
    count = len(settings.seeds)
    size = (
        f"{plural(len(functions), 'function')}, {plural(settings.trials, 'trial')} with {listing(_names(results))}"
        f"{f', {count} sets of samples' if count > 1 else ''}, {settings.points} samples to train on"
        f"{f', {percent(settings.noise)} noise' if settings.noise else ', no noise'}."
    )
    return Page(size, _answer(material, grouped), sections, _pictures(material, grouped, functions), meanings)


def by_function(results: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of every function and regularizer over all seeds of data."""
    return results.groupby(["function", "regularizer"], sort=False, as_index=False).agg(
        trials=("trials", "sum"),
        reached=("reached", "sum"),
        share=("share", "mean"),
        share_restarted=("share_restarted", "mean"),
        single=("single", "mean"),
        networks=("networks", "mean"),
        not_finite=("not_finite", "sum"),
        choices=("choice_reached", "sum"),
        cells=("cell", "count"),
        published=("published", "first"),
    )


def _names(results: pd.DataFrame) -> list[str]:
    return [NAMES[name] for name in dict.fromkeys(results["regularizer"])]


def _answer(material: Material, grouped: pd.DataFrame) -> list[str]:
    results = material.results
    right, cells = int(results["choice_reached"].sum()), len(results)
    functions = results["function"].nunique()
    always = int(results.groupby("function")["choice_reached"].all().sum())
    what = "function" if functions == 1 else "functions"
    sentences = [
        f"The automatic choice found <b>{always} of {functions}</b> {what} in every cell ({right} of {cells} cells)."
    ]
    for name, part in grouped.groupby("regularizer", sort=False):
        worst = part.iloc[int(part["share"].argmin())]
        share = percent(part["reached"].sum() / part["trials"].sum())
        text = f"With {NAMES[str(name)]}, <b>{share}</b> of all trials found theirs"
        if np.isfinite(part["published"]).any():
            text += f", against {percent(part['published'].mean())} in the paper"
        text += f"; the fewest, {worst['reached']} of {worst['trials']}, for {code(worst['function'])}."
        sentences.append(text)
    if np.isfinite(grouped["single"]).any():
        sentences.append(
            f"A trial took {grouped['networks'].mean():.3g} networks on average; of single networks, begun at random, "
            f"{percent(grouped['single'].mean())} were exact by themselves."
        )
    lost = int(grouped["not_finite"].sum())
    if lost:
        sentences.append(
            f"{lost} of {plural(int(grouped['trials'].sum()), 'trial')} did not end finite and count as failures; with "
            f"restarts the mean share is {percent(grouped['share_restarted'].mean())} rather than "
            f"{percent(grouped['share'].mean())}."
        )
    return sentences


def _beside(grouped: pd.DataFrame, functions: Sequence[str]) -> str:
    """Ours beside the published shares: a row per function, columns by regularizer."""
    names = list(dict.fromkeys(grouped["regularizer"]))
    lookup = {(row["function"], row["regularizer"]): row for row in grouped.to_dict("records")}
    published = bool(np.isfinite(grouped["published"]).any())
    restarted = bool(grouped["not_finite"].any())
    columns = [Column("function", text=True)]
    for name in names:
        columns.append(Column(f"{NAMES[name]}: found", group=True))
        columns += [Column("paper")] * published + [Column("with restarts")] * restarted
        columns += [Column("single networks"), Column("automatic choice")]
    rows = []
    for function in functions:
        line = [code(function)]
        for name in names:
            row = lookup.get((function, name))
            if row is None:
                line += [DASH] * (3 + published + restarted)
                continue
            line.append(f"{row['reached']} of {row['trials']}")
            line += [_share(row["published"])] * published + [_share(row["share_restarted"])] * restarted
            line += [_share(row["single"]), f"{row['choices']} of {row['cells']}"]
        rows.append(line)
    mean = ["mean"]
    for name in names:
        part = grouped[grouped["regularizer"] == name]
        mean.append(percent(part["share"].mean()))
        mean += [_share(part["published"].mean())] * published + [_share(part["share_restarted"].mean())] * restarted
        mean += [_share(part["single"].mean()), f"{part['choices'].sum()} of {part['cells'].sum()}"]
    return table(columns, [*rows, mean])


def _chosen(material: Material) -> str:
    """Every cell's automatic choice."""
    columns = [
        Column("cell", text=True),
        Column("equation", text=True),
        Column("found"),
        Column("held-out error"),
        Column("error beyond"),
        Column("time"),
    ]
    seconds = {cell.facts["label"]: material.seconds.get(cell.slug) for cell in material.cells}
    rows = [
        [
            escape(row["cell"]),
            code(row["equation"]),
            "yes" if row["choice_reached"] else "<b>no</b>",
            _error(row["held_out"]),
            _error(row["beyond"]),
            DASH if seconds.get(row["cell"]) is None else duration(float(seconds[row["cell"]] or 0.0)),
        ]
        for row in material.results.to_dict("records")
    ]
    return table(columns, rows)


def _instead(material: Material) -> str:
    """Trials that ended with another equation, the commonest verdict of each."""
    columns = [
        Column("cell", text=True),
        Column("equation", text=True),
        Column("error beyond"),
        Column("why", text=True),
    ]
    rows = []
    for cell in material.cells:
        for trial in cell.facts["trials"]:
            if not trial[cell.facts["goal"]]:
                why = why_not(trial, cell.facts["goal"])
                rows.append([escape(cell.facts["label"]), code(trial["equation"]), _error(trial.get("beyond")), why])
    if not rows:
        return ""
    most = 40
    rest = f"<p>The first {most} of {len(rows)} trials.</p>" if len(rows) > most else ""
    return rest + table(columns, rows[:most])


def why_not(trial: dict[str, object], wanted: str) -> str:
    """Return why a trial did not reach its goal (HTML)."""
    if not trial["finite"]:
        return "no finite weights"
    if wanted == "exact":
        return f"held-out error {_error(trial['held_out'])}"
    spurious = trial["spurious"]
    if isinstance(spurious, list) and spurious:
        return f"spurious: {', '.join(code(str(term)) for term in spurious[:3])}"
    if wanted == "right" and not trial["form"]:
        return "another form"
    if wanted == "right" and _known(trial["constants"]) > 0.05:
        return f"a constant is {percent(_known(trial['constants']))} off"
    return "error beyond the domain"


def _pictures(material: Material, grouped: pd.DataFrame, functions: Sequence[str]) -> list[Picture]:
    names = list(dict.fromkeys(grouped["regularizer"]))

    def by_name(column: str) -> dict[str, list[float]]:
        found = {}
        for name in names:
            own = grouped[grouped["regularizer"] == name].set_index("function")[column]
            found[NAMES[name]] = [float(own.get(function, np.nan)) for function in functions]
        return found

    shares = Picture(
        name="found",
        part="results",
        alt="Bars: share of trials that found each function, by regularizer, with published shares as diamonds.",
        caption="Share of trials that found each function. Line: single networks that were exact by themselves. "
        "Diamond: published share of trials, judged by eye."
        if np.isfinite(grouped["published"]).any()
        else "Share of trials that found each function. Line: single networks that were exact by themselves.",
        draw=lambda: found_shares(
            functions,
            by_name("share"),
            by_name("single"),
            by_name("published"),
            title="How often each function was found",
        ),
    )
    return [shares, *_front(material)]


def _front(material: Material) -> list[Picture]:
    """The front of one example: the cell with the longest, the first of those."""
    fronts = [(len(cell.facts["front"]), -i, cell) for i, cell in enumerate(material.cells)]
    longest, _, cell = max(fronts, key=lambda entry: entry[:2])
    if longest < 2:
        return []
    points = [point for point in cell.facts["front"] if point["finite"]]
    points = sorted(points, key=lambda point: (point["complexity"], point["held_out"]))
    errors = np.asarray([max(_known(point["train"]), _known(point["held_out"])) for point in points])
    better = [i for i in range(len(points)) if i == 0 or errors[i] < errors[:i].min()]
    shown = [points[i] for i in better]
    facts = cell.facts
    chosen = facts["trials"][facts["chosen"]]["equation"] if facts["chosen"] >= 0 else ""
    place = next((i for i, point in enumerate(shown) if point["equation"] == chosen), -1)
    label = str(facts["label"])
    return [
        Picture(
            name="front",
            part="front",
            alt=f"Error against complexity of the best equations found for {escape(label)}.",
            caption=f"The best equations of all trials by complexity, for {code(facts['function'])}. The error is the "
            "larger of training and held-out samples, as a share of the target's standard deviation.",
            draw=lambda: front(
                np.asarray([point["complexity"] for point in shown], np.float64),
                errors[better],
                [point["equation"] for point in shown],
                place,
                title=f"Error against complexity: {label}",
            ),
        )
    ]


def _known(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.inf


def _share(value: float) -> str:
    return percent(value) if np.isfinite(value) else DASH


def _error(value: object) -> str:
    number = _known(value)
    return (
        DASH
        if not np.isfinite(number)
        else "0"
        if number == 0
        else f"{number:.1e}"
        if number < 1e-3
        else quantity(number)
    )
