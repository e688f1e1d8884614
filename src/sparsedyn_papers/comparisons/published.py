"""Ours beside what others reported of the same comparison."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.document import Block, Column, Entry, Section, Table, Text, paragraphs, plain
from sparsedyn.studies.document.words import DASH, bounds, quantity
from sparsedyn_papers.tables import PublishedRow, PublishedSpec, published_of

WITHIN, ABOVE, BELOW = "within", "above", "below"
CAVEAT = (
    "*Italic*: the published share lies within our 95 % interval. Intervals are ours, over members and test "
    "trajectories. A published share comes from an ensemble of its own and is itself uncertain, the more so the fewer "
    "networks it had; our intervals are not widened for that. A share outside does not yet contradict ours, and one "
    "within agrees only as closely as the interval is narrow."
)
# Shares come as decimals and percentages, which need not agree in the last bit.
ROUNDING = 1e-9


def published_sections(contents: Contents) -> Sequence[Section]:
    """Return what agrees, the tables, and where the published values are from; no section without any."""
    published = published_of(contents.spec)
    if published is None:
        return []
    sentence = agreement_sentence(contents, published)
    blocks: list[Block] = [*([Text(sentence)] if sentence else []), Text(CAVEAT)]
    for title, table in _tables(contents, published):
        blocks += [Text(f"**{title}**"), table]
    notes = [f"Published values: {plain(published.source)}.", *paragraphs(published.notes)]
    return [Section("published", "Beside the published figures", [*blocks, Text("\n\n".join(notes))])]


def agreement_sentence(contents: Contents, published: PublishedSpec) -> str:
    """Say for how many cells the published share lies within our interval, at the longest horizon of both."""
    shared = [h for h in published.horizons if h in contents.horizons]
    if not shared:
        return ""
    longest = max(shared)
    at = published.horizons.index(longest)
    places = [_share(contents, row, longest, at)[1].note for row in published.rows]
    known = [place for place in places if place]
    if not known:
        return ""
    rows = "1 row" if len(known) == 1 else f"{len(known)} rows"
    return (
        f"The published share at {longest:,} steps lies within our 95 % interval for {known.count(WITHIN)} of {rows}."
    )


def _tables(contents: Contents, published: PublishedSpec) -> list[tuple[str, Table]]:
    """The three tables with their titles; the second and the third only if something of the kind was published."""
    horizons = list(enumerate(published.horizons))
    names = [contents.clock.horizon(h) for h in published.horizons]
    shares = [[_share(contents, row, h, i) for i, h in horizons] for row in published.rows]
    found = [("Diverged forecasts, %", _table(published, names, shares))]
    if any(row.rfmse is not None for row in published.rows):
        errors = [[_error(contents, row, h, i) for i, h in horizons] for row in published.rows]
        title = "RFMSE of the forecasts that did not diverge, mean ± standard deviation"
        found.append((title, _table(published, names, errors)))
    if any(row.sparsity is not None for row in published.rows):
        zeros = [[_sparsity(contents, row)] for row in published.rows]
        found.append(("Sparsity", _table(published, ["weights that are exactly zero, %"], zeros)))
    return found


def _table(published: PublishedSpec, names: Sequence[str], pairs: Sequence[Sequence[tuple[Entry, Entry]]]) -> Table:
    """A row per published cell, and under every name ours and theirs."""
    columns = [Column("configuration", text=True)]
    for name in names:
        over = name.replace(" (", "\n(")
        columns += [Column("ours", group=True, over=over), Column("published", over=over)]
    rows: list[list[Entry | str]] = [
        [plain(row.cell), *(entry for pair in line for entry in pair)]
        for row, line in zip(published.rows, pairs, strict=True)
    ]
    return Table(columns, rows)


def _share(contents: Contents, row: PublishedRow, horizon: int, at: int) -> tuple[Entry, Entry]:
    theirs, own = row.diverged[at], contents.lookup(row.cell, horizon)
    shown = _percent(theirs)
    if own is None or not math.isfinite(float(own["diverged"])):
        return Entry(DASH), Entry(shown)
    ours, ends = f"{100 * float(own['diverged']):.1f}", bounds(own, "diverged")
    place = _place(theirs, float(own["diverged_low"]), float(own["diverged_high"]))
    return Entry(ours, "" if ends == DASH else ends), Entry(shown, place, "near" if place == WITHIN else "")


def _place(theirs: float, low: float, high: float) -> str:
    """Say where a published percentage lies, seen from our interval of shares."""
    if not all(math.isfinite(value) for value in (theirs, low, high)):
        return ""
    if theirs / 100 > high + ROUNDING:
        return ABOVE
    return BELOW if theirs / 100 < low - ROUNDING else WITHIN


def _error(contents: Contents, row: PublishedRow, horizon: int, at: int) -> tuple[Entry, Entry]:
    own = contents.lookup(row.cell, horizon)
    mean = row.rfmse[at] if row.rfmse is not None else math.nan
    std = row.rfmse_std[at] if row.rfmse_std is not None else math.nan
    theirs = _plus_minus(_decimals(mean), _decimals(std))
    return Entry(DASH if own is None else _own_error(own)), Entry(theirs)


def _own_error(own: "pd.Series[Any]") -> str:
    ours = quantity(float(own["rfmse"]))
    # The spread with the decimals of the mean.
    places, spread = len(ours.partition(".")[2]), float(own.get("rfmse_std", math.nan))
    return _plus_minus(ours, f"{spread:.{places}f}" if math.isfinite(spread) else DASH)


def _sparsity(contents: Contents, row: PublishedRow) -> tuple[Entry, Entry]:
    known = row.cell in contents.looks
    own = float(contents.first(row.cell).get("sparsity_exact", math.nan)) if known else math.nan
    theirs = _percent(row.sparsity if row.sparsity is not None else math.nan)
    return Entry(f"{100 * own:.1f}" if math.isfinite(own) else DASH), Entry(theirs)


def _percent(value: float) -> str:
    """Write a published percentage with the decimals it came with."""
    return f"{value:g}" if math.isfinite(value) else DASH


def _decimals(value: float) -> str:
    """Write a published error with the decimals it came with, two at least: TOML keeps no trailing zeros."""
    if not math.isfinite(value):
        return DASH
    return f"{value:.2f}" if round(value, 2) == value else f"{value:g}"


def _plus_minus(mean: str, std: str) -> str:
    return mean if DASH in (mean, std) else f"{mean} ± {std}"
