"""Numbers and pieces of HTML, written the same way everywhere on the page."""

import base64
import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from sparsedyn.studies.figures.style import number

DASH = "–"


def percent(share: float) -> str:
    """Write a share as a percentage with one decimal."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else DASH


def quantity(value: float) -> str:
    """Write a positive number with two significant digits (three from 1 on)."""
    return number(value, 2 if abs(value) < 1 else 3)


def bounds(row: Mapping[str, Any] | Any, column: str) -> str:
    """Write the two ends of an interval, shares in percent."""
    low, high = float(row[f"{column}_low"]), float(row[f"{column}_high"])
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    if column.startswith("diverged"):
        return f"{100 * low:.1f}{DASH}{100 * high:.1f}"
    # Both ends to the same decimals, those that the lower end needs.
    places = 0 if low <= 0 else max(0, 1 - math.floor(math.log10(low)))
    return f"{low:.{min(places, 4)}f}{DASH}{high:.{min(places, 4)}f}"


def interval(row: Mapping[str, Any] | Any, column: str) -> str:
    """Write an interval for a sentence."""
    unit = " %" if column.startswith("diverged") else ""
    return f"95 % interval {bounds(row, column).replace(DASH, ' to ')}{unit}"


def picture(png: bytes, alt: str) -> str:
    """Return an image that is part of the page."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def figure(png: bytes, alt: str, caption: str) -> str:
    """Return an image with its caption (HTML)."""
    return f"<figure>{picture(png, alt)}<figcaption>{caption}</figcaption></figure>"


def section(name: str, title: str, body: str) -> str:
    """Return a section that the menu can link to."""
    # What is only for the mouse stays hidden until its script runs.
    attributes = ' class="interactive" hidden' if name == "explore" else ""
    return f'<section id="{escape(name)}"{attributes}><h2>{escape(title)}</h2>{body}</section>'


def fold(title: str, body: str) -> str:
    """Return a block that opens on click."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of terms and what they are (plain text)."""
    return f"<dl>{''.join(f'<dt>{escape(term)}</dt><dd>{escape(text)}</dd>' for term, text in pairs)}</dl>"
