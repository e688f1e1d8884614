"""Tables of a page."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from sparsedyn.studies.page.write import DASH

LONGEST = 360


class Column(NamedTuple):
    """A column: its name, and whether it holds text rather than numbers."""

    name: str
    text: bool = False
    group: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """Return a table (HTML) of cells that are HTML already; the first cell of a row names it."""
    head = "".join(f'<th scope="col"{_classes(column)}>{escape(column.name)}</th>' for column in columns)
    body = []
    for first, *others in rows:
        line = "".join(f"<td{_classes(c)}>{cell}</td>" for c, cell in zip(columns[1:], others, strict=True))
        body.append(f'<tr><th scope="row">{first}</th>{line}</tr>')
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'


def code(equation: str) -> str:
    """Return an equation as text of a program, cut where it is beyond reading; a dash for none."""
    shown = equation if len(equation) <= LONGEST else f"{equation[:LONGEST]}… ({len(equation):,} characters)"
    return f'<code class="equation">{escape(shown)}</code>' if shown else DASH


def _classes(column: Column) -> str:
    names = [name for name, given in (("text", column.text), ("group", column.group)) if given]
    return f' class="{" ".join(names)}"' if names else ""
