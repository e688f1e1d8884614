"""Numbers, intervals, counts and lists in words, written the same way everywhere in a report."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sparsedyn.plotting.text import number

DASH = "–"
"""Stands for an unknown value."""


def percent(share: float) -> str:
    """Write a share as a percentage: one decimal, none for 0 and 100."""
    return f"{_hundredths(share)} %" if math.isfinite(share) else DASH


def quantity(value: float) -> str:
    """Write a positive number with two significant digits (three from 1 on)."""
    return number(value, 2 if abs(value) < 1 else 3)


def bounds(row: Mapping[str, Any] | Any, column: str) -> str:
    """Write the two ends of an interval, shares in percent."""
    low, high = float(row[f"{column}_low"]), float(row[f"{column}_high"])
    if not (math.isfinite(low) and math.isfinite(high)):
        return DASH
    if column.startswith("diverged"):
        return f"{_hundredths(low)}{DASH}{_hundredths(high)}"
    # A single forecast has no spread.
    if low == high:
        return DASH
    # Both ends with the decimals that the lower one needs: two significant digits, three from 1 on.
    places = min(4, max(0, (1 if low < 1 else 2) - math.floor(math.log10(low)))) if low > 0 else 2
    return f"{low:.{places}f}{DASH}{high:.{places}f}"


def interval(row: Mapping[str, Any] | Any, column: str) -> str:
    """Write an interval for a sentence."""
    unit = " %" if column.startswith("diverged") else ""
    return f"95 % interval {bounds(row, column).replace(DASH, ' to ')}{unit}"


def listing(names: Sequence[str], most: int = 4) -> str:
    """Write "a", "a and b" or "a, b and 3 others"; with semicolons where a name has a comma in it."""
    shown = list(names)
    if len(shown) > most + 1:
        shown = [*shown[:most], f"{len(shown) - most} others"]
    comma = "; " if any("," in name for name in shown) else ", "
    return shown[0] if len(shown) == 1 else f"{comma.join(shown[:-1])} and {shown[-1]}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def duration(seconds: float) -> str:
    """Write a wall time."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _hundredths(share: float) -> str:
    return f"{100 * share:.0f}" if share in (0, 1) else f"{100 * share:.1f}"
