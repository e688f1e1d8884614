"""Lines below the column names that are no rows of the table: column names that come again, and remarks at the end."""

import re
from collections.abc import Mapping, Sequence

from .text import cells_of

ROW = re.compile(r"[+-]?[.,]?\d")
"""How the first cell of a row begins: with a number or a date."""
COUNT = re.compile(r"\d+\s+[^\W\d]")
"""A number and a word, "450 rows": as the only cell of a line a remark."""
MOST = 50
"""Lines at the end that are looked at."""


def others(lines: Sequence[str], start: int, first: int, separator: str) -> dict[int, str]:
    """Return what lines from `first` on are no rows, by their place: `names`, as in line `start`, or `remarks`."""
    if first <= start or start >= len(lines):
        return {}
    head = lines[start].strip()
    width = len(cells_of(lines[start], separator))
    found = {i: "names" for i in range(first, len(lines)) if head and lines[i].strip() == head}
    remarks: list[int] = []
    for i in range(len(lines) - 1, max(first, len(lines) - MOST) - 1, -1):
        cells = [cell.strip() for cell in cells_of(lines[i], separator) if cell.strip()]
        remark = len(cells) == 1 < width and COUNT.match(cells[0])
        if cells and ROW.match(cells[0]) and not remark:
            return {**dict.fromkeys(remarks, "remarks"), **found}
        if cells and not lines[i].startswith("#"):
            remarks.append(i)
    # Rows that begin with text, as with a label, look the same.
    return found


def said_of(found: Mapping[int, str], lines: Sequence[str]) -> list[str]:
    """Write which lines repeat the column names, and what to do, which no option does."""
    places = sorted(i for i, one in found.items() if one == "names")
    if not places:
        return []
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    shown = lines[places[0]].strip()[:40]
    return [
        f"Line {places[0] + 1} ({shown!r}){more} repeats the column names: remove it, or cut the file there where "
        "another recording begins."
    ]


def footer(found: Mapping[int, str], lines: Sequence[str]) -> int:
    """Return how many lines there are from the first remark on, which stand at the end."""
    return len(lines) - min((i for i, one in found.items() if one == "remarks"), default=len(lines))
