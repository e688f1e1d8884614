"""Text for Markdown: nothing in it is taken for markup, and the report's captions (HTML) keep their emphasis."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

from sparsedyn.studies.markdown import plain

MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}


def paragraphs(text: str) -> str:
    """Return `text` as Markdown that reads as `text`; blank lines divide paragraphs."""
    parts = [plain(part) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    # What would begin a heading or a list.
    return "\n\n".join(re.sub(r"^(\d*)([#+.-])", r"\1\\\2", part) for part in parts)


def from_html(caption: str) -> str:
    """Return a caption or a cell (HTML) as Markdown: emphasis and code are kept, any other tag is dropped."""
    parser = _Caption()
    parser.feed(caption)
    parser.close()
    return "".join(parser.parts).strip()


def small(markdown: str) -> str:
    """Return `markdown`, which is to stay within a line, in small type."""
    return f"<small>{markdown}</small>"


def table(head: list[str], rows: list[list[str]], *, text: int = 1) -> str:
    """Return a table of Markdown cells; columns after the first `text` ones are aligned to the right."""
    return aligned(head, rows, [i < text for i in range(len(head))])


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], text: Sequence[bool]) -> str:
    """Return a table of Markdown cells; columns that hold no `text` are aligned to the right."""
    rule = [":--" if is_text else "--:" for is_text in text]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


class _Caption(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_code = self.in_code or tag == "code"
        self.parts.append(MARKS.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        self.in_code = self.in_code and tag != "code"
        self.parts.append(MARKS.get(tag, ""))

    def handle_data(self, data: str) -> None:
        if self.in_code:
            # Nothing in it is markup; a bar would end a table's cell.
            self.parts.append(data.replace("|", r"\|"))
            return
        # Spaces beside a tag count; `plain` would trim them.
        before, after = data[: len(data) - len(data.lstrip())], data[len(data.rstrip()) :]
        body = plain(data)
        self.parts.append(f"{' ' if before else ''}{body}{' ' if after and body else ''}")
