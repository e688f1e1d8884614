"""The report on functions: how often each was found, beside what others reported, and what was found instead."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.plotting import pareto
from sparsedyn.plotting.layout import in_figure
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Column, Document, Picture, Section, Table, Text, bold, code, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import DASH, duration, listing, percent, plural, quantity
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.equations.functions import GOALS, NAMES, goal, settings_of
from sparsedyn_papers.equations.spec import EquationsSpec, FunctionsSpec
from sparsedyn_papers.figures.found_shares import found_shares

MOST_FAILURES = 3
FEWEST_STEPS = 3
"""Fronts of fewer equations show nothing."""
TRIALS = {
    "search": "One independent search by a population of networks",
    "as-published": "One network, trained once",
}
LENGTHS = {"search": "symbols of the equation as it is written", "as-published": "weights that are left"}
MEANINGS = {
    "trial": "{trial} that knows nothing beyond the sampled domain, judged by the equation it ends with.",
    "found": "What a trial has to reach; here: {found}.",
    "automatic choice": "The equation of least score over all trials of a cell: what one gets who does not know the "
    "truth.",
    "score": "n ln(e^2 + 1e-13) + c ln n: e is the larger of training and held-out error as a share of the target's "
    "standard deviation, n the number of samples to train on, c that of {length}.",
    "single networks": "Of the networks that began at random, with nothing to build on: the share that were exact by "
    "themselves. This is what to compare with others' trials that are single networks.",
    "not finite": "Trials that ended without finite weights. They count as failures; with restarts, each is replaced "
    "by the next one that ends finite.",
    "held-out error": "Root mean square error on samples that were not trained on, as a share of the target's standard "
    "deviation.",
    "error beyond": "The same on a box that is larger than the sampled domain, without noise; computed when the search "
    "was over.",
    "right form": "Fitted to the truth beyond the domain, the equation's constants reproduce it to 1e-6.",
}


def document(study: StoredStudy[EquationsSpec]) -> Document:
    """Return the report on functions."""
    settings, results = settings_of(study.spec), study.results
    grouped = by_function(results)
    functions = list(dict.fromkeys(results["function"]))
    several = [_shares(study, grouped, functions)] if len(functions) > 1 else []
    sections = [
        Section("results", "Results", [_beside(grouped, functions, paper(settings)), *several]),
        Section("equations", "The equations that were chosen", [_chosen(study)]),
        Section("failures", "What was found instead", _instead(study)),
        Section("front", "What length buys", _front(study)),
    ]
    count = len(settings.seeds)
    size = (
        f"{plural(len(functions), 'function')}, {plural(settings.trials, 'trial')} with {listing(_names(results))}"
        f"{f', {count} sets of samples' if count > 1 else ''}, {settings.points} samples to train on"
        f"{f', {percent(settings.noise)} noise' if settings.noise else ', no noise'}."
    )
    return framed(
        study,
        sections,
        size=size,
        answer=_answer(study, grouped),
        meanings=_meanings(settings, grouped),
    )


def _meanings(settings: FunctionsSpec, grouped: pd.DataFrame) -> dict[str, str]:
    """Say what is meant by the words that this report uses."""
    recipe, wanted = settings.recipe, goal(settings)
    unused = {
        "single networks": not np.isfinite(grouped["single"]).any(),
        "not finite": not grouped["not_finite"].any(),
        "right form": wanted != "right",
    }
    return {
        name: text.format(trial=TRIALS[recipe], found=GOALS[wanted], length=LENGTHS[recipe])
        for name, text in MEANINGS.items()
        if not unused.get(name, False)
    }


def kept(cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Return the cells with no more than the page and the table need: no samples, and the one front that is shown."""
    shown = example(cells)
    return [
        StoredCell(cell.slug, cell.facts if cell is shown else {**cell.facts, "front": []}, arrays={}) for cell in cells
    ]


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


def _answer(study: StoredStudy[EquationsSpec], grouped: pd.DataFrame) -> list[str]:
    results = study.results
    sentences = [_choices(results)]
    theirs = paper(settings_of(study.spec))
    for name, part in grouped.groupby("regularizer", sort=False):
        worst = part.iloc[int(part["share"].argmin())]
        share = percent(part["reached"].sum() / part["trials"].sum())
        text = f"With {NAMES[str(name)]}, **{share}** of all trials found theirs"
        if np.isfinite(part["published"]).any():
            text += f", against {percent(part['published'].mean())} in the {theirs}"
        if worst["share"] < 1 and len(part) > 1:
            text += f"; the fewest, {worst['reached']} of {worst['trials']}, for {code(worst['function'])}"
        sentences.append(f"{text}.")
    networks = f"A trial took {grouped['networks'].mean():.3g} networks on average"
    if np.isfinite(grouped["single"]).any():
        networks += (
            f"; of single networks, begun at random, {percent(grouped['single'].mean())} were exact by themselves"
        )
    if grouped["networks"].max() > 1:
        sentences.append(f"{networks}.")
    lost = int(grouped["not_finite"].sum())
    if lost:
        sentences.append(
            f"{lost} of {plural(int(grouped['trials'].sum()), 'trial')} did not end finite and count as failures; with "
            f"restarts the mean share is {percent(grouped['share_restarted'].mean())} rather than "
            f"{percent(grouped['share'].mean())}."
        )
    return sentences


def _choices(results: pd.DataFrame) -> str:
    by_name = results.groupby("function")["choice_reached"].all()
    right, cells, functions = int(results["choice_reached"].sum()), len(results), len(by_name)
    if cells == functions:
        return f"The automatic choice found **{right} of {plural(functions, 'function')}**."
    text = f"The automatic choice found the function in **{right} of {cells}** cells"
    return f"{text}; {int(by_name.sum())} of {functions} functions in every cell." if functions > 1 else f"{text}."


def paper(settings: FunctionsSpec) -> str:
    """Name where published shares are from; they are for samples without noise."""
    return "paper, without noise" if settings.noise else "paper"


def _beside(grouped: pd.DataFrame, functions: Sequence[str], theirs: str) -> Table:
    """Ours beside the published shares: a row per function, columns by regularizer."""
    names = list(dict.fromkeys(grouped["regularizer"]))
    lookup = {(row["function"], row["regularizer"]): row for row in grouped.to_dict("records")}
    published = bool(np.isfinite(grouped["published"]).any())
    restarted = bool(grouped["not_finite"].any())
    alone = bool(np.isfinite(grouped["single"]).any())
    columns = [Column("function", text=True)]
    for name in names:
        columns.append(Column(f"{NAMES[name]}: found", group=True))
        columns += [Column(theirs)] * published + [Column("with restarts")] * restarted
        columns += [Column("single networks")] * alone + [Column("automatic choice")]
    rows = []
    for function in functions:
        line = [code(function)]
        for name in names:
            row = lookup.get((function, name))
            if row is None:
                line += [DASH] * (2 + published + restarted + alone)
                continue
            line.append(f"{row['reached']} of {row['trials']}")
            line += [_share(row["published"])] * published + [_share(row["share_restarted"])] * restarted
            line += [_share(row["single"])] * alone + [f"{row['choices']} of {row['cells']}"]
        rows.append(line)
    if len(functions) == 1:
        return Table(columns, rows)
    mean = ["mean"]
    for name in names:
        part = grouped[grouped["regularizer"] == name]
        mean.append(percent(part["share"].mean()))
        mean += [_share(part["published"].mean())] * published + [_share(part["share_restarted"].mean())] * restarted
        mean += [_share(part["single"].mean())] * alone + [f"{part['choices'].sum()} of {part['cells'].sum()}"]
    return Table(columns, [*rows, mean])


def _chosen(study: StoredStudy[EquationsSpec]) -> Table:
    """Every cell's automatic choice."""
    columns = [
        Column("cell", text=True),
        Column("equation", text=True),
        Column("found"),
        Column("held-out error"),
        Column("error beyond"),
        Column("time"),
    ]
    seconds = {cell.facts["label"]: study.seconds.get(cell.slug) for cell in study.cells}
    rows = [
        [
            plain(row["cell"]),
            code(row["equation"]),
            "yes" if row["choice_reached"] else bold("no"),
            _error(row["held_out"]),
            _error(row["beyond"]),
            DASH if seconds.get(row["cell"]) is None else duration(float(seconds[row["cell"]] or 0.0)),
        ]
        for row in study.results.to_dict("records")
    ]
    return Table(columns, rows)


def _instead(study: StoredStudy[EquationsSpec]) -> list[Text | Table]:
    """Trials that ended with another equation, and why that is none of the truth; nothing where there are none."""
    columns = [
        Column("cell", text=True),
        Column("equation", text=True),
        Column("trials"),
        Column("error beyond"),
        Column("why", text=True),
    ]
    rows = []
    for cell in study.cells:
        wanted = cell.facts["goal"]
        failed = [trial for trial in cell.facts["trials"] if not trial[wanted]]
        counts = Counter(trial["equation"] for trial in failed)
        examples = {trial["equation"]: trial for trial in failed}
        order = sorted(examples, key=lambda equation: (-counts[equation], _larger_error(examples[equation])))
        for equation in order[:MOST_FAILURES]:
            trial = examples[equation]
            why = why_not(trial, wanted)
            line = [plain(cell.facts["label"]), code(equation), str(counts[equation]), _error(trial.get("beyond"))]
            rows.append([*line, why])
    if not rows:
        return []
    lead = f"Of every cell the {MOST_FAILURES} commonest at most, of equally common ones those of least error."
    return [Text(lead), Table(columns, rows)]


def why_not(trial: dict[str, object], wanted: str) -> str:
    """Return why a trial did not reach its goal (Markdown)."""
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


def _shares(study: StoredStudy[EquationsSpec], grouped: pd.DataFrame, functions: Sequence[str]) -> Picture:
    names, theirs = list(dict.fromkeys(grouped["regularizer"])), paper(settings_of(study.spec))

    def by_name(column: str) -> dict[str, list[float]]:
        found = {}
        for name in names:
            own = grouped[grouped["regularizer"] == name].set_index("function")[column]
            found[NAMES[name]] = [float(own.get(function, np.nan)) for function in functions]
        return found

    return Picture(
        name="found",
        alt="Bars: share of trials that found each function, by regularizer.",
        caption=" ".join(
            text
            for text, shown in (
                ("Share of trials that found each function.", True),
                ("Line: single networks that were exact by themselves.", np.isfinite(grouped["single"]).any()),
                (f"Diamond: share of trials in the {theirs}, judged by eye.", np.isfinite(grouped["published"]).any()),
            )
            if shown
        ),
        draw=lambda: found_shares(
            functions,
            by_name("share"),
            by_name("single"),
            by_name("published"),
            title="How often each function was found",
        ),
    )


def example(cells: Sequence[StoredCell]) -> StoredCell | None:
    """Return the cell whose front has the most steps, the first of those; none where that is no more than a start and
    an end.
    """
    longest = max(cells, key=lambda cell: len(steps(cell)))
    return longest if len(steps(longest)) >= FEWEST_STEPS else None


def steps(cell: StoredCell) -> list[Mapping[str, Any]]:
    """Return the equations of a cell's front that no equally simple or simpler one beats, the simplest first."""
    points = [point for point in cell.facts["front"] if point["finite"]]
    found: list[Mapping[str, Any]] = []
    for point in sorted(points, key=lambda point: (point["complexity"], _larger_error(point))):
        if not found or _larger_error(point) < _larger_error(found[-1]):
            found.append(point)
    return found


def _front(study: StoredStudy[EquationsSpec]) -> list[Picture]:
    """The front of one example."""
    cell = example(study.cells)
    if cell is None:
        return []
    facts, shown = cell.facts, steps(cell)
    chosen = facts["trials"][facts["chosen"]]["equation"] if facts["chosen"] >= 0 else ""
    table = pd.DataFrame(
        {
            "complexity": [point["complexity"] for point in shown],
            "error": [_larger_error(point) for point in shown],
            "equation": [point["equation"] for point in shown],
        }
    )
    label = str(facts["label"])
    return [
        Picture(
            name="front",
            alt=f"Error against complexity of the best equations found for {label}.",
            caption=f"The best equations of all trials by complexity, for {code(facts['function'])}. The error is the "
            "larger of training and held-out samples, as a share of the target's standard deviation.",
            draw=lambda: in_figure(pareto, table, chosen=chosen, title=f"Error against complexity: {label}"),
        )
    ]


def _larger_error(point: Mapping[str, Any]) -> float:
    return max(_known(point["train"]), _known(point["held_out"]))


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
