"""Text, tables and JSON: results go to standard output, all else to standard error."""

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from sparsedyn._warnings import Report

PIPE_WIDTH = 120
"""Characters per line where output is not a terminal, so that tables are not folded in a log."""


def console(*, stderr: bool = False) -> Console:
    """Return a console on the present standard output, or on standard error."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, markup=False)


ANY_WIDTH = 10_000
"""Characters that no table is wide."""
SPELLING = r"\w+=(?:'[^']*'|[\w.]*)"
BOTH = re.compile(rf"{SPELLING}(?:, {SPELLING})*(?:, say)? \((--[^)]*)\)")
"""An option as it is written in Python, and as it is typed: gaps='cut' (--gaps cut)."""


def as_typed(text: str) -> str:
    """Return a message of the library with its options as they are typed, where it has both spellings."""
    return BOTH.sub(r"\1", text)


def findings(report: "Report") -> list[dict[str, str]]:
    """Return the findings of a report as JSON values, options as they are typed."""
    return [{"check": finding.check, "message": as_typed(finding.message)} for finding in report]


def note(text: str, *, quiet: bool = False) -> None:
    """Write a remark to standard error."""
    if not quiet:
        console(stderr=True).print(as_typed(text), soft_wrap=True)


def show_error(text: str, *, title: str = "Error: ") -> None:
    """Write an error to standard error."""
    console(stderr=True).print(Text.assemble((title, "bold red"), as_typed(text).rstrip("\n")), soft_wrap=True)


def show_text(text: str) -> None:
    """Write plain text to standard output, as it is."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def show_json(content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write one JSON document to standard output; what is not a finite number becomes null."""
    show_text(json.dumps(jsonable(content), allow_nan=False, ensure_ascii=False))


def jsonable(value: Any) -> Any:
    """Return `value` in plain numbers, texts, lists and dictionaries."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Write a table to standard output; columns after the first are aligned to the right.

    Where the output is so narrow that words would be broken, every row is written as pairs.
    """
    rows, out = list(rows), console()
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold")
    for i, name in enumerate(columns):
        # Rich would break any column where it lacks room, even one of single words.
        whole = " " not in max([name, *(row[i] for row in rows)], key=len)
        table.add_column(name, justify="left" if i == 0 else "right", overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*row)
    unbroken = Measurement.get(out, out.options.update(width=ANY_WIDTH), table).minimum
    if unbroken <= out.width:
        out.print(table)
        return
    if title:
        out.print(Text(title, "bold"))
    for first, *cells in rows:
        pairs = [(name, cell) for name, cell in zip(columns[1:], cells, strict=True) if cell]
        show_pairs(pairs, title=f"{columns[0]} {first}")


def show_pairs(pairs: Iterable[tuple[str, str]], *, title: str = "") -> None:
    """Write names and their values to standard output, one pair per line."""
    table = Table(box=None, show_header=False, title=title or None, title_justify="left", title_style="bold")
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(name, text)
    console().print(table)


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, a dash where there is none."""
    return f"{value:.{digits}g}" if math.isfinite(value) else "–"


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.3g} %" if math.isfinite(share) else "–"


def between(low: float, high: float, scale: float = 1.0) -> str:
    """Write an interval."""
    return f"{number(scale * low, 2)} to {number(scale * high, 2)}"


def plural(count: int, noun: str) -> str:
    """Write a count and its noun."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{count:,} {noun}s"
