"""Ours beside what others reported of the same comparison, as HTML for the report and as Markdown for other pages."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from sparsedyn.studies.comparison.spec import PublishedRow, PublishedSpec
from sparsedyn.studies.markdown import markdown_text, plain
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.write import DASH, bounds, quantity

WITHIN, ABOVE, BELOW = "within", "above", "below"
HINTS = {
    WITHIN: "the published share lies within our 95 % interval",
    ABOVE: "the published share lies above our 95 % interval",
    BELOW: "the published share lies below our 95 % interval",
}
CAVEAT = (
    "Intervals are ours, over members and test trajectories. A published share comes from an ensemble of its own and "
    "is itself uncertain, the more so the fewer networks it had; our intervals are not widened for that. A share "
    "outside does not yet contradict ours, and one within agrees only as closely as the interval is narrow."
)
# Shares come as decimals and percentages, which need not agree in the last bit.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Pair:
    """Our value with its interval, the published one, and where that lies (empty where it is not compared)."""

    ours: str
    theirs: str
    interval: str = ""
    place: str = ""


@dataclass(frozen=True)
class Sheet:
    """One table: a heading per pair, a row per published cell."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Pair, ...]], ...]


def published_figures(contents: Contents) -> PublishedSpec | None:
    """Return what the study's spec has of published figures; raises `StudyError` for a broken one."""
    return None if contents.study is None else contents.study.published


def key_of(contents: Contents, cell: str) -> str | None:
    """Return the results' name of the cell that a spec names by its label, None if it is not among them."""
    return next((key for key, look in contents.looks.items() if cell in (look.label, key)), None)


def published_section(contents: Contents) -> str:
    """Return the tables (HTML), what can be said of them, and where the published values are from."""
    published = published_figures(contents)
    if published is None:
        return ""
    sentence = agreement_sentence(contents, published)
    tables = "".join(_html(sheet) for sheet in _sheets(contents, published))
    caption = (
        f'<p class="caption"><span class="key near">tinted</span>: the published share lies within our 95 % interval. '
        f"{CAVEAT}</p>"
    )
    paragraphs = [f"Published values: {published.source}.", *_paragraphs(published.notes)]
    notes = "".join(f'<p class="caption">{escape(text)}</p>' for text in paragraphs)
    return (f"<p>{sentence}</p>" if sentence else "") + caption + tables + notes


def published_markdown(contents: Contents) -> str:
    """Return the same as Markdown, empty without published values: what agrees, then the tables, then the notes."""
    published = published_figures(contents)
    if published is None:
        return ""
    sentence = agreement_sentence(contents, published)
    blocks = [sentence] if sentence else []
    for sheet in _sheets(contents, published):
        blocks += [f"**{sheet.title}**", _markdown(sheet)]
    notes = map(markdown_text, _paragraphs(published.notes))
    blocks += [f"{CAVEAT} Published values: {markdown_text(published.source)}.", *notes]
    return "\n\n".join(blocks) + "\n"


def agreement_sentence(contents: Contents, published: PublishedSpec) -> str:
    """Say for how many cells the published share lies within our interval, at the longest horizon of both."""
    shared = [h for h in published.horizons if h in contents.horizons]
    if not shared:
        return ""
    longest = max(shared)
    at = published.horizons.index(longest)
    places = [_share(contents, row, longest, at).place for row in published.rows]
    known = [place for place in places if place]
    if not known:
        return ""
    rows = "1 row" if len(known) == 1 else f"{len(known)} rows"
    return (
        f"The published share at {longest:,} steps lies within our 95 % interval for {known.count(WITHIN)} of {rows}."
    )


def _sheets(contents: Contents, published: PublishedSpec) -> Iterator[Sheet]:
    """The three tables; the second and the third only if something of the kind was published."""
    horizons = list(enumerate(published.horizons))
    names = tuple(contents.clock.horizon(h) for h in published.horizons)
    labels = [_label(contents, row) for row in published.rows]
    shares = [tuple(_share(contents, row, h, i) for i, h in horizons) for row in published.rows]
    yield Sheet("Diverged forecasts, %", names, tuple(zip(labels, shares, strict=True)))
    if any(row.rfmse is not None for row in published.rows):
        errors = [tuple(_error(contents, row, h, i) for i, h in horizons) for row in published.rows]
        title = "RFMSE of the forecasts that did not diverge, mean ± standard deviation"
        yield Sheet(title, names, tuple(zip(labels, errors, strict=True)))
    if any(row.sparsity is not None for row in published.rows):
        zeros = [(_sparsity(contents, row),) for row in published.rows]
        yield Sheet("Sparsity", ("weights that are exactly zero, %",), tuple(zip(labels, zeros, strict=True)))


def _share(contents: Contents, row: PublishedRow, horizon: int, at: int) -> Pair:
    theirs, own = row.diverged[at], _own(contents, row, horizon)
    shown = _percent(theirs)
    if own is None or not math.isfinite(float(own["diverged"])):
        return Pair(DASH, shown)
    ours, ends = f"{100 * float(own['diverged']):.1f}", bounds(own, "diverged")
    place = _place(theirs, float(own["diverged_low"]), float(own["diverged_high"]))
    return Pair(ours, shown, "" if ends == DASH else ends, place)


def _place(theirs: float, low: float, high: float) -> str:
    """Say where a published percentage lies, seen from our interval of shares."""
    if not all(math.isfinite(value) for value in (theirs, low, high)):
        return ""
    if theirs / 100 > high + ROUNDING:
        return ABOVE
    return BELOW if theirs / 100 < low - ROUNDING else WITHIN


def _error(contents: Contents, row: PublishedRow, horizon: int, at: int) -> Pair:
    own = _own(contents, row, horizon)
    mean = row.rfmse[at] if row.rfmse is not None else math.nan
    std = row.rfmse_std[at] if row.rfmse_std is not None else math.nan
    theirs = _plus_minus(_decimals(mean), _decimals(std))
    if own is None:
        return Pair(DASH, theirs)
    ours = quantity(float(own["rfmse"]))
    # The spread with the decimals of the mean.
    places, spread = len(ours.partition(".")[2]), float(own.get("rfmse_std", math.nan))
    return Pair(_plus_minus(ours, f"{spread:.{places}f}" if math.isfinite(spread) else DASH), theirs)


def _sparsity(contents: Contents, row: PublishedRow) -> Pair:
    key = key_of(contents, row.cell)
    own = math.nan if key is None else float(contents.first(key).get("sparsity_exact", math.nan))
    theirs = _percent(row.sparsity if row.sparsity is not None else math.nan)
    return Pair(f"{100 * own:.1f}" if math.isfinite(own) else DASH, theirs)


def _own(contents: Contents, row: PublishedRow, horizon: int) -> "pd.Series[Any] | None":
    key = key_of(contents, row.cell)
    return None if key is None else contents.lookup(key, horizon)


def _label(contents: Contents, row: PublishedRow) -> str:
    key = key_of(contents, row.cell)
    return row.cell if key is None else contents.looks[key].label


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


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def _html(sheet: Sheet) -> str:
    groups = "".join(
        f'<th colspan="2" class="group">{escape(name).replace(" (", "<br>(")}</th>' for name in sheet.headings
    )
    pair = '<th scope="col" class="group">ours</th><th scope="col">published</th>'
    head = (
        f'<thead><tr><th></th>{groups}</tr><tr><th scope="col" class="text">configuration</th>'
        f"{pair * len(sheet.headings)}</tr></thead>"
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>{"".join(_html_pair(pair) for pair in pairs)}</tr>'
        for label, pairs in sheet.rows
    )
    return f'<h3>{escape(sheet.title)}</h3><div class="wide"><table>{head}<tbody>{rows}</tbody></table></div>'


def _html_pair(pair: Pair) -> str:
    interval = f"<small>{pair.interval}</small>" if pair.interval else ""
    if not pair.place:
        return f'<td class="group">{pair.ours}{interval}</td><td>{pair.theirs}</td>'
    tint = ' class="near"' if pair.place == WITHIN else ""
    return (
        f'<td class="group">{pair.ours}{interval}</td>'
        f'<td{tint} title="{HINTS[pair.place]}">{pair.theirs}<small>{pair.place}</small></td>'
    )


def _markdown(sheet: Sheet) -> str:
    headings = [f"{name.partition(' (')[0]}: ours<br>published" for name in sheet.headings]
    lines = [["configuration", *headings], ["---", *["---:"] * len(headings)]]
    lines += [[plain(label), *map(_markdown_pair, pairs)] for label, pairs in sheet.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_pair(pair: Pair) -> str:
    ours = f"{pair.ours} <small>({pair.interval})</small>" if pair.interval else pair.ours
    theirs = f"{pair.theirs} <small>{pair.place}</small>" if pair.place else pair.theirs
    return f"{ours}<br>*{theirs}*"
