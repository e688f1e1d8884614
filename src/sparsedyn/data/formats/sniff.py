"""What a text file looks like: the options that would read it, all at once, as a proposal and never by themselves."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..errors import DataError
from ..options import PRESETS, ReadOptions
from .lines import text_file
from .other_lines import footer, others, said_of
from .text import FALSE, FORTRAN, MISSING, TRUE, UNIT_OF_CELL, cells_of, whole_line

LOOKED_AT = 2000
"""Lines that decide about separators, decimals and texts; encodings and uneven lines are looked for in all."""
SELDOM = 0.4
"""Share of the cells of a column that are empty, from which on it is logged less often than others."""
SWITCHES = (
    ("on", "off"), ("ON", "OFF"), ("On", "Off"), ("yes", "no"), ("YES", "NO"), ("Yes", "No"), ("open", "closed"),
    ("OPEN", "CLOSED"), ("Open", "Closed"), ("ein", "aus"), ("EIN", "AUS"), ("Ein", "Aus"), ("an", "aus"),
    ("ja", "nein"), ("Ja", "Nein"), ("wahr", "falsch"), ("WAHR", "FALSCH"), ("T", "F"), ("Y", "N"), ("high", "low"),
    ("HIGH", "LOW"), ("running", "stopped"), ("RUNNING", "STOPPED"), ("auf", "zu"), ("AUF", "ZU"), ("start", "stop"),
    ("RUN", "STOP"), ("Run", "Stop"), ("run", "stop"),
)  # fmt: skip
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d+")
THREE = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{2,4})\b.*")


class Sniffed(NamedTuple):
    """Options that would read a file, over those given; what was seen, in words; and what a reader has to decide."""

    options: ReadOptions
    given: ReadOptions
    seen: tuple[str, ...]
    asks: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is anything to propose."""
        return self.options != self.given or bool(self.asks)

    def hint(self) -> str:
        """Write what the file looks like and the options that would read it."""
        looks = f"The file looks like: {', '.join(self.seen)}. " if self.seen else ""
        give = f"Give {self.options.written()}." if self.options != self.given else ""
        for name, preset in PRESETS.items():
            changed = self.options.changed()
            # Plain ASCII is cp1252 as well.
            if changed == {key: value for key, value in preset.items() if key in changed or key != "encoding"}:
                give += f" In short: like={name!r} (--like-{name})."
        return " ".join([looks + give, *self.asks]).strip()


def sniffed(path: Path, given: ReadOptions, time: str | None = None) -> Sniffed:
    """Return what a text file looks like; `time` is the column of times, if it is known."""
    options = given
    seen: list[str] = []
    asks: list[str] = []
    try:
        file = text_file(path, given.encoding)
    except DataError:
        options = replace(options, encoding="cp1252")
        seen.append("text that is not UTF-8, cp1252 perhaps")
        file = text_file(path, "cp1252", "replace")
    # Of a large file its beginning.
    lines = file.beginning()
    lines = lines[: max(0, file.size - given.skip_footer)]
    lines[:LOOKED_AT] = _whole(lines[:LOOKED_AT])
    named = _named(lines)
    separator = given.separator or named or _separator(lines[:LOOKED_AT])
    if not (given.separator or named):
        if separator not in (",", ";", "\t"):
            options = replace(options, separator=separator)
        if separator != ",":
            seen.append(
                {"whitespace": "columns between blanks", "\t": "tabs"}.get(separator, f"cells between {separator}")
            )
    rows = [cells_of(line, separator) for line in lines[:LOOKED_AT]]
    start = _start(rows, options)
    options, seen = _above(rows, start, options, seen, named is not None)
    names = rows[start] if start < len(rows) else []
    first = start + (not _is_data(names, options)) + options.units_row
    odd = others(lines, start, first, separator)
    if below := footer(odd, lines):
        options = replace(options, skip_footer=given.skip_footer + below)
        seen.append(f"{below} lines below the table ({lines[-below].strip()[:40]!r}, ...)")
    body = [_trimmed(row) for i, row in enumerate(rows[first:], start=first) if i not in odd]
    options, seen, asks = _marks(body, options, seen, asks)
    options, seen, asks = _texts(names, body, options, seen, asks, time)
    if options != given and separator == ";" and not named:
        options = replace(options, separator=separator)
    asks += _thousands(names, body, options, separator)
    uneven = _uneven(lines, start, separator, odd)
    return Sniffed(options, given, tuple(seen), tuple([*asks, *said_of(odd, lines), *uneven]))


def _whole(lines: Sequence[str]) -> list[str]:
    """Return lines with cells over several of them in the first, and empty ones after it: places stay as they are."""
    found: list[str] = []
    while len(found) < len(lines):
        text, end = whole_line(lines, len(found))
        found += [text, *[""] * (end - len(found) - 1)]
    return found


def _named(lines: Sequence[str]) -> str | None:
    first = lines[0].strip() if lines else ""
    return first[4:5] if first.lower().startswith("sep=") and len(first) == len("sep=;") else None


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that divides most lines into the same number of cells, at least two; else a comma."""
    filled = [line for line in lines if line.strip(" ,;\t") and not line.startswith("#")]
    best, most = ",", 0.0
    for candidate in (";", "\t", ",", "|", "whitespace"):
        counts = Counter(len(cells_of(line, candidate)) for line in filled)
        alike = max((times for cells, times in counts.items() if cells > 1), default=0) / max(1, len(filled))
        # A comma divides numbers with a decimal comma as well: between equals the first of the list wins.
        if alike > most + 0.05:
            best, most = candidate, alike
    return best


def _trimmed(row: Sequence[str]) -> list[str]:
    cells = list(row)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _start(rows: Sequence[Sequence[str]], options: ReadOptions) -> int:
    """Return the line at which the table begins: the first that is as wide as most, after what is to be skipped."""
    widths = Counter((len(_trimmed(row)), len(row)) for row in rows if len(_trimmed(row)) > 1)
    usual, cells = widths.most_common(1)[0][0] if widths else (1, 1)

    def wide(row: Sequence[str]) -> bool:
        # The last column may be empty in most rows: its name is there all the same.
        return len(_trimmed(row)) == usual or (len(_trimmed(row)) > usual and len(row) == cells)

    filled = [i for i in range(options.skip_rows, len(rows)) if any(rows[i])]
    for place, i in enumerate(filled):
        following = [wide(rows[k]) for k in filled[place : place + 5]]
        if following[0] and sum(following) >= min(3, len(following)):
            if not (rows[i][0].startswith("#")):
                return i
    return options.skip_rows


def _above(
    rows: Sequence[Sequence[str]], start: int, options: ReadOptions, seen: list[str], named: bool
) -> tuple[ReadOptions, list[str]]:
    """Look for a preamble, the names of columns, and their units."""
    skipped = [row for row in rows[options.skip_rows + named : start] if any(row) and not row[0].startswith("#")]
    if skipped:
        options = replace(options, skip_rows=start)
        seen.append(f"{start} lines above the table")
    if start >= len(rows):
        return options, seen
    if options.header and _is_data(rows[start], options):
        options = replace(options, header=False)
        seen.append("no column names")
    elif options.header and not options.units_row and start + 2 < len(rows):
        below, after = rows[start + 1], rows[start + 2]
        if _numeric(below) == 0 and any(below) and _numeric(after) > 0 and len(_trimmed(below)) <= len(rows[start]):
            options = replace(options, units_row=True)
            seen.append("a row of units below the names")
    return options, seen


def _is_data(row: Sequence[str], options: ReadOptions) -> bool:
    filled = [cell for cell in row if cell]
    return bool(filled) and all(_is_number(cell) or DATE.fullmatch(cell) for cell in filled)


def _is_number(cell: str) -> bool:
    return any(form.fullmatch(cell) for form in (NUMBER, COMMA, POINTS, GROUPED, FORTRAN))


def _numeric(row: Sequence[str]) -> int:
    return sum(_is_number(cell) or bool(DATE.fullmatch(cell)) for cell in row)


def _marks(
    body: Sequence[Sequence[str]], options: ReadOptions, seen: list[str], asks: list[str]
) -> tuple[ReadOptions, list[str], list[str]]:
    """Look for decimal commas and marks of thousands."""
    cells = [cell for row in body for cell in row]
    commas = [cell for cell in cells if COMMA.fullmatch(cell)]
    points = any(NUMBER.fullmatch(cell) and "." in cell for cell in cells)
    if options.decimal == "," or options.thousands == ",":
        return options, seen, asks
    both = [cell for cell in cells if POINTS.fullmatch(cell) and "," in cell]
    if both:
        seen.append(f"decimal commas and points for thousands ({both[0]})")
        return replace(options, decimal=",", thousands="."), seen, asks
    grouped = [cell for cell in cells if GROUPED.fullmatch(cell)]
    if grouped and all(THOUSANDS.fullmatch(cell) for cell in commas):
        seen.append(f"commas for thousands ({grouped[0]})")
        return replace(options, thousands=","), seen, asks
    if any(THOUSANDS.fullmatch(cell) for cell in cells) and all(THOUSANDS.fullmatch(cell) for cell in commas):
        example = next(cell for cell in cells if THOUSANDS.fullmatch(cell))
        if points:
            seen.append(f"commas for thousands ({example})")
            return replace(options, thousands=","), seen, asks
        asks.append(
            f"{example!r} may be a number with a decimal comma or with thousands: say decimal=',' (--decimal ,) or "
            "thousands=',' (--thousands ,)."
        )
    elif commas and not points:
        seen.append(f"decimal commas ({commas[0]})")
        options = replace(options, decimal=",")
    return options, seen, asks


def _thousands(names: Sequence[str], body: Sequence[Sequence[str]], options: ReadOptions, separator: str) -> list[str]:
    """Ask about columns of files with semicolons whose values all have three digits after the point."""
    if separator != ";" or options.decimal == "," or options.thousands:
        return []
    columns = [[row[i] for row in body if i < len(row) and row[i]] for i in range(max(map(len, body), default=0))]
    points = [cell for column in columns for cell in column if NUMBER.fullmatch(cell) and "." in cell]
    doubtful = [i for i, column in enumerate(columns) if len(column) > 2 and all(map(THREE.fullmatch, column))]
    if not doubtful or not all(map(THREE.fullmatch, points)):
        return []
    i = doubtful[0]
    name = names[i] if i < len(names) and not _is_number(names[i]) else f"x{i + 1}"
    return [
        f"Every value of column {name!r} has three digits after the point: {columns[i][0]!r} may be "
        f"{columns[i][0].replace('.', '')}. If points stand between thousands, give decimal=',', thousands='.' "
        "(--decimal , --thousands .)."
    ]


def _texts(
    names: Sequence[str],
    body: Sequence[Sequence[str]],
    options: ReadOptions,
    seen: list[str],
    asks: list[str],
    time: str | None,
) -> tuple[ReadOptions, list[str], list[str]]:
    """Look for dates in an order of their own, texts for missing values, switches, and empty cells."""
    width = max(map(len, body), default=0)
    known = {*MISSING, *options.missing, *TRUE, *FALSE, *options.true, *options.false}
    seldom: list[str] = []
    with_units: list[str] = []
    missing, true, false, empty = list(options.missing), list(options.true), list(options.false), False
    for i in range(width):
        timed = i < len(names) and names[i] in (time or "").split(",")
        cells = [row[i] if i < len(row) else "" for row in body if row]
        texts = Counter(cell for cell in cells if cell not in known and not _is_number(cell))
        dates = [cell for cell in cells if DATE.fullmatch(cell)]
        if dates and len(dates) > len(cells) / 2:
            options, seen, asks = _day_first(dates, options, seen, asks)
            continue
        numbers = sum(map(_is_number, cells))
        if timed:
            continue
        gone = sum(cell in {*MISSING, *options.missing} for cell in cells)
        empty = empty or (numbers > 0 and gone > 0)
        seldom += [names[i]] if numbers and gone > SELDOM * len(cells) and i < len(names) else []
        pair = next((p for p in SWITCHES if texts and set(texts) <= set(p) and len(texts) == 2), None)
        if pair and not numbers:
            true.append(pair[0])
            false.append(pair[1])
            seen.append(f"switches ({pair[0]}, {pair[1]})")
        elif texts and not numbers and _units(texts):
            with_units.append(next(iter(texts)))
        elif texts and numbers > len(cells) / 2:
            empty = True
            missing += [text for text in texts if text not in missing]
    if with_units and not options.cell_units:
        seen.append(f"units in cells ({', '.join(with_units[:3])})")
        options = replace(options, cell_units=True)
    if missing != list(options.missing):
        new = [text for text in missing if text not in options.missing]
        seen.append(f"texts for missing values ({', '.join(new[:5])})")
    options = replace(options, missing=tuple(missing), true=tuple(true), false=tuple(false))
    if empty and seldom and options.fill == "refuse":
        # Between cuts nothing would be left.
        seen.append(f"columns that are mostly empty, as if logged less often ({', '.join(seldom[:5])})")
        options = replace(options, fill="hold")
        asks.append("If some of these are states, give fill='thin' (--fill thin).")
    elif empty and options.gaps == "refuse":
        seen.append("missing values")
        options = replace(options, gaps="cut")
    return options, seen, asks


def _units(texts: Mapping[str, int]) -> bool:
    """Whether texts are numbers that one unit follows."""
    found = [UNIT_OF_CELL.match(text) for text in texts]
    return len({one and one["unit"] for one in found}) == 1 and found[0] is not None


def _day_first(
    dates: Sequence[str], options: ReadOptions, seen: list[str], asks: list[str]
) -> tuple[ReadOptions, list[str], list[str]]:
    if options.day_first is not None or options.date_format is not None:
        return options, seen, asks
    parts = [found.groups() for cell in dates if (found := DATE.fullmatch(cell))]
    first, second = max(int(a) for a, _, _, _ in parts), max(int(b) for _, _, b, _ in parts)
    mark, year = parts[0][1], parts[0][3]
    if len(year) != 4:
        asks.append(f"{dates[0]!r} has no year of four digits: say date_format= (--date-format), such as '%d.%m.%y'.")
    elif mark == "." or (first > 12 >= second):
        seen.append(f"dates with the day first ({dates[0][:10]})")
        options = replace(options, day_first=True)
    elif second <= 12 and first <= 12:
        asks.append(
            f"{dates[0]!r} may be day {int(parts[0][0])} of month {int(parts[0][2])} or the other way round: say "
            "day_first=True (--day-first) or day_first=False (--month-first)."
        )
    return options, seen, asks


def _uneven(lines: Sequence[str], start: int, separator: str, others: Mapping[int, str]) -> list[str]:
    """Name lines that have more or fewer cells than the first line of the table."""
    if separator == "fixed" or start >= len(lines):
        return []
    width = len(_trimmed(cells_of(lines[start], separator)))
    odd = []
    for number, line in enumerate(lines[start:], start=start + 1):
        cells = cells_of(line, separator)
        uneven = len(cells) < width or len(_trimmed(cells)) > width
        if line.strip(" ,;\t") and uneven and not line.startswith("#") and number - 1 not in others:
            odd.append((number, len(cells)))
    if not odd:
        return []
    named = ", ".join(f"line {number} has {cells}" for number, cells in odd[:3])
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [
        f"Lines with other than {width} cells: {named}{more}. Correct them; what is missing at the end of a line is "
        "left out with gaps='cut' (--gaps cut)."
    ]
