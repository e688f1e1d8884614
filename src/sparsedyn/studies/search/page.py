"""The page of a search: what was tried, at what cost, and the best points."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from sparsedyn.studies.document import Block, Column, Entry, Picture, Table, Text, plain
from sparsedyn.studies.document.words import DASH, listing, plural, quantity
from sparsedyn.studies.search.losses_by_value import losses_by_value
from sparsedyn.studies.search.record import SearchRecord, Tried
from sparsedyn.studies.search.space import Range
from sparsedyn.studies.search.trial_values import Values, trial_values

SHOWN = 30
"""Rows of the table of points."""
ENOUGH = 5
"""Trials trained to the end from which on the page says how their values go with the objective."""


def _nothing(point: Tried) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Terms:
    """The terms that a kind of study uses for its searches.

    A point is called `noun`, what is minimized `objective`; `how` says how points were compared and on which data
    (Markdown). A value above `lost_above` counts as lost. `columns` and `entries` add to the table of points.
    `crossed` says that the points are all combinations of the values rather than chosen one after another; their table
    then counts places.
    """

    noun: str
    objective: str
    how: str
    lost_above: float = math.inf
    columns: Sequence[Column] = ()
    entries: Callable[[Tried], Sequence[Entry | str]] = field(default=_nothing)
    crossed: bool = False


def search_blocks(record: SearchRecord, terms: Terms) -> list[Block]:
    """Return the rungs, the best points, and a picture of all of them by their values."""
    titles = plain(listing([record.wording.title(key) for key in record.axes], 8))
    lead = f"{plural(len(record.tried), terms.noun)} of {titles}. {terms.how}"
    return [Text(lead), _rungs(record, terms), *_best(record, terms), *_picture(record, terms)]


def search_sentences(record: SearchRecord, terms: Terms) -> list[str]:
    """Return how many points were trained to the end, the best of them, and how values go with the objective."""
    done = [point for point in record.tried if point.state == "complete"]
    given_up = len(record.tried) - len(done)
    count = f"Of {plural(len(record.tried), terms.noun)}, {len(done)} were trained to the end"
    count += f" and {given_up} given up after a share of training." if given_up else "."
    if record.best is None:
        return [f"{count} None has a finite {terms.objective}."]
    best = record.best
    words = plain(record.wording.short_label(best.values))
    sentences = [f"{count} The least {terms.objective}, **{_value(best.objective)}**, has **{words}**."]
    others = sorted(point.objective for point in done)
    if len(others) > 1 and math.isfinite(others[1]):
        sentences.append(f"The next best {terms.noun} has {_value(others[1])}.")
    if len(done) >= ENOUGH:
        sentences += [_tendency(record, terms, key, done) for key in record.axes]
    return sentences


def _rungs(record: SearchRecord, terms: Terms) -> Table:
    """What every rung spent on a point, how many there were, and how many went on."""
    spent = list(record.rungs[0])
    names = (f"{terms.noun}s", *spent, f"least {terms.objective}", "lost", "go on")
    rows: list[list[Entry | str]] = []
    for number, budget in enumerate(record.rungs, 1):
        values = [point.rungs[number - 1] for point in record.reached(number)]
        if not values:
            break
        on = str(len(record.reached(number + 1))) if number < len(record.rungs) else DASH
        lost = sum(value > terms.lost_above or value == math.inf for value in values)
        budgets = [f"{budget[name]:,g}" for name in spent]
        # A training of few steps may pass a rung without a value there, which is then not a number.
        least = min((value for value in values if value < math.inf), default=math.inf)
        rows.append([str(number), f"{len(values):,}", *budgets, _value(least), str(lost), on])
    return Table([Column("rung", text=True), *map(Column, names)], rows)


def _best(record: SearchRecord, terms: Terms) -> list[Block]:
    """The points that came furthest, the best ones first."""
    ranked = sorted(record.tried, key=_place)
    shown = ranked[:SHOWN]
    title = "All" if len(ranked) <= SHOWN else f"The best {SHOWN} of {len(ranked):,}"
    settings = [Column(plain(record.wording.title(key)), text=True, group=i == 0) for i, key in enumerate(record.axes)]
    name = "place" if terms.crossed else terms.noun
    columns = [Column(name, text=True), *settings, Column(terms.objective, group=True), *terms.columns]
    rows = [
        [
            str(place if terms.crossed else point.number),
            *_settings(record, point),
            _outcome(point),
            *terms.entries(point),
        ]
        for place, point in enumerate(shown, 1)
    ]
    spread = any(_spread(point) for point in shown)
    small = f"Small print: the lowest and the highest {terms.objective} among the networks."
    return [Text(f"**{title} {terms.noun}s**"), Table(columns, rows), *([Text(small)] if spread else [])]


def _place(point: Tried) -> tuple[int, int, float, int]:
    given_up = point.state == "pruned"
    value = (point.rungs[-1] if point.rungs else math.inf) if given_up else point.objective
    return given_up, -len(point.rungs), value, point.number


def _settings(record: SearchRecord, point: Tried) -> list[str]:
    return [plain(record.wording.short(key, point.values[key])) for key in record.axes]


def _outcome(point: Tried) -> Entry:
    if point.state == "complete":
        return Entry(_value(point.objective), _spread(point))
    reached = f"rung {len(point.rungs)}: {_value(point.rungs[-1])}" if point.rungs else DASH
    return Entry(DASH, f"{reached}, given up")


def _spread(point: Tried) -> str:
    if point.spread is None or point.spread[0] == point.spread[1]:
        return ""
    return f"{_value(point.spread[0])}{DASH}{_value(point.spread[1])}"


def _tendency(record: SearchRecord, terms: Terms, key: str, done: Sequence[Tried]) -> str:
    """Say how the objective goes with one axis, over the points that were trained to the end."""
    name, tried = plain(record.wording.title(key)), record.axes[key]
    objective = np.array([point.objective for point in done])
    if isinstance(tried, Range):
        values = np.array([point.values[key] for point in done], np.float64)
        varied = np.ptp(values) > 0 and len(set(objective)) > 1
        rank = float(spearmanr(values, objective).statistic) if varied else 0.0
        shown = f"{rank:+.2f}".replace("-", "−")
        return f"Rank correlation of the {terms.objective} with {name}: {shown} (negative: more is better)."
    parts = []
    for value in tried:
        text = record.wording.value(key, value)
        chosen = objective[[record.wording.value(key, point.values[key]) == text for point in done]]
        parts.append(f"{_value(chosen.min()) if chosen.size else DASH} with {plain(text)} ({chosen.size})")
    listed = ", ".join(parts)
    return f"By {name}, the least {terms.objective} (and how many {terms.noun}s were trained to the end) is {listed}."


def _picture(record: SearchRecord, terms: Terms) -> list[Picture]:
    """The points by the values of every axis that has several."""
    axes = {key: tried for key, tried in record.axes.items() if isinstance(tried, Range) or len(tried) > 1}
    if not axes:
        return []
    return [_by_value(record, terms, list(axes)) if terms.crossed else _in_order(record, terms, axes)]


def _by_value(record: SearchRecord, terms: Terms, axes: Sequence[str]) -> Picture:
    """Crossed points after the first rung, at which all of them were."""
    losses = np.array([point.rungs[0] for point in record.tried])
    on = np.array([len(point.rungs) > 1 or len(record.rungs) == 1 for point in record.tried])
    titles = {key: record.wording.title(key) for key in axes}
    values = {titles[key]: [record.wording.value(key, point.values[key]) for point in record.tried] for key in axes}
    return Picture(
        "search",
        f"Strip charts: {terms.objective} of every {terms.noun} after the first rung, by the value of each setting.",
        f"Every dot is one {terms.noun} after the first rung, blue where it went on to the second. Bar: the middle "
        "half; line across: the median. A loss of one (dotted) is that of a model that knows only the mean. "
        f"Above {terms.lost_above:g}, or not finite, is lost: counted at the right, and part of the quartiles.",
        partial(losses_by_value, values, losses, on),
    )


def _in_order(record: SearchRecord, terms: Terms, axes: Mapping[str, Any]) -> Picture:
    """Points that were chosen one after another."""
    tried: dict[str, Values] = {}
    for key, axis in axes.items():
        values = [point.values[key] for point in record.tried]
        words = [record.wording.value(key, value) for value in values]
        tried[record.wording.title(key)] = np.array(values, np.float64) if isinstance(axis, Range) else words
    logarithmic = {record.wording.title(key): isinstance(axis, Range) and axis.log for key, axis in axes.items()}
    return Picture(
        "search",
        f"{terms.objective.capitalize()} by {terms.noun} and by every value that was tried.",
        f"The {terms.objective} (less is better) of all {terms.noun}s in their order, and by the values they had. "
        "Crosses at the upper edge were given up, or all their networks diverged in training.",
        partial(
            trial_values,
            np.array([point.objective for point in record.tried]),
            np.array([point.state == "pruned" for point in record.tried]),
            tried,
            logarithmic,
            title=f"{terms.noun.capitalize()}s",
        ),
    )


def _value(value: float) -> str:
    return quantity(float(value)).replace("-", "−") if math.isfinite(value) else DASH
