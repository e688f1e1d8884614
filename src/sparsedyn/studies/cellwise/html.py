"""Sections of a page as HTML."""

from html import escape

from sparsedyn.studies.cellwise.page import Column, Section, Table
from sparsedyn.studies.page.write import DASH

LONGEST = 360


def body(section: Section) -> str:
    """Return what stands in a section (HTML), its pictures left out."""
    lead = f"<p>{escape(section.lead)}</p>" if section.lead else ""
    return lead + (_table(section.table) if section.table is not None else "")


def code(equation: str) -> str:
    """Return an equation as text of a program, cut where it is beyond reading; a dash for none."""
    shown = equation if len(equation) <= LONGEST else f"{equation[:LONGEST]}… ({len(equation):,} characters)"
    return f'<code class="equation">{escape(shown)}</code>' if shown else DASH


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col"{_classes(column)}>{escape(column.name)}</th>' for column in table.columns)
    rows = []
    for first, *others in table.rows:
        line = "".join(f"<td{_classes(c)}>{cell}</td>" for c, cell in zip(table.columns[1:], others, strict=True))
        rows.append(f'<tr><th scope="row">{first}</th>{line}</tr>')
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _classes(column: Column) -> str:
    names = [name for name, given in (("text", column.text), ("group", column.group)) if given]
    return f' class="{" ".join(names)}"' if names else ""
