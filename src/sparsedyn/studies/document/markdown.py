"""A document as a Markdown page, for documentation and code hosts."""

import re
from collections import Counter
from collections.abc import Sequence

from sparsedyn.studies.document.blocks import Block, Chart, Column, Document, Entry, Fold, Picture, Table, Text
from sparsedyn.studies.document.text import plain

EMPHASIS = {"best": "**", "near": "*"}


def to_markdown(document: Document, *, folder: str, remark: str, source: str) -> str:
    """Return the page, with links to `folder/NAME.png` for every picture; folds, charts and what they leave empty go.

    `remark` (Markdown) stands below the title, `source` (Markdown) below every picture.
    """
    parts = [f"# {_title(document.title)}", remark, *document.leads]
    for section in document.sections:
        blocks = [text for block in section.blocks if (text := _block(block, folder, source))]
        if blocks:
            parts += [f"## {section.heading}", *blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def small(markdown: str) -> str:
    """Return `markdown` of one line in small print."""
    return f"<small>{markdown}</small>"


def _title(text: str) -> str:
    # Generators of sites put it into the head of a page, and the theme Material unescapes it there. Behind a word
    # joiner, which is not seen, no letter begins a tag.
    return plain(re.sub(r"<(?=[a-zA-Z/!?])", "<\u2060", text))


def _block(block: Block, folder: str, source: str) -> str:
    if isinstance(block, Text):
        return block.markdown.strip()
    if isinstance(block, Table):
        return _apart(block) if block.apart else _table(block.columns, list(block.entries()))
    if isinstance(block, Picture):
        return _picture(block, folder, source)
    assert isinstance(block, Chart | Fold)
    return ""


def _picture(picture: Picture, folder: str, source: str) -> str:
    file = f"{folder}/{picture.name}.png"
    # A link to itself: pictures that are wider than the page's column can be looked at in full size.
    return f"[![{plain(picture.alt)}]({file})]({file})\n\n{picture.caption}<br>\n{small(source)}"


def _apart(table: Table) -> str:
    """Split a table whose columns have headings over them, which Markdown has no syntax for."""
    rows = list(table.entries())
    uses = Counter(column.name for column in table.columns if column.over)
    leading = [i for i, column in enumerate(table.columns) if not column.over]
    parts: dict[str, list[int]] = {}
    for i, column in enumerate(table.columns):
        if column.over:
            parts.setdefault(column.name if uses[column.name] > 1 else column.over, []).append(i)
    written = []
    for title, own in parts.items():
        heads = [table.columns[i] for i in leading]
        heads += [Column(c.over if uses[c.name] > 1 else c.name, c.text) for c in (table.columns[i] for i in own)]
        body = [[row[i] for i in (*leading, *own)] for row in rows]
        name = _one_line(title, " ")
        written.append(f"**{name[:1].upper()}{name[1:]}**\n\n{_table(heads, body)}")
    return "\n\n".join(written)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Entry]]) -> str:
    heads = [_one_line("\n".join(part for part in (column.over, column.name) if part)) for column in columns]
    rule = [":--" if column.text else "--:" for column in columns]
    lines = [heads, rule, *([_entry(entry) for entry in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _entry(entry: Entry) -> str:
    emphasis = EMPHASIS.get(entry.mark, "")
    text = f"{emphasis}{_one_line(entry.text)}{emphasis}"
    return f"{text}<br>{small(_one_line(entry.note))}" if entry.note else text


def _one_line(markdown: str, between: str = "<br>") -> str:
    """Keep line breaks, and escape bars, which would end a table cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", markdown.replace("\n", between))
