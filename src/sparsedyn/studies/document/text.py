"""Plain text escaped for Markdown."""

import re
from collections.abc import Mapping
from html import escape

from sparsedyn.studies.document.words import DASH

LONGEST = 360
"""Characters of an equation that are shown."""

_INLINE = re.compile(r"([\\`*_{}\[\]|])")
_FIRST = re.compile(r"^(\d*)([#+.)-])")
_FIRST_UNESCAPABLE = re.compile(r"^[:=!?]")


def plain(text: str) -> str:
    """Return `text` as one line of Markdown in which everything special is escaped.

    It has no emphasis, code, link, HTML or entity, and is no heading, list or definition at the beginning of a line.
    """
    line = _INLINE.sub(r"\\\1", escape(" ".join(text.split()), quote=False)).replace("~", "&#126;")
    line = _FIRST.sub(r"\1\\\2", line)
    return _FIRST_UNESCAPABLE.sub(lambda match: f"&#{ord(match.group())};", line)


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of `text`, separated by blank lines, each escaped by `plain`."""
    return [plain(part) for part in re.split(r"\n\s*\n", text) if part.strip()]


def bold(text: str) -> str:
    """Return `text` escaped by `plain`, in bold."""
    return f"**{plain(text)}**"


def code(text: str) -> str:
    """Return `text` as code, shortened if it is too long to read; a dash for an empty text."""
    line = " ".join(text.split())
    if not line:
        return DASH
    if len(line) > LONGEST:
        line = f"{line[:LONGEST]}… ({len(line):,} characters)"
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if longest else ""
    return f"{fence}{room}{line}{room}{fence}"


def code_block(text: str, language: str = "") -> str:
    """Return `text` as a block of code."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.strip()}\n{fence}"


def definitions(meanings: Mapping[str, str]) -> str:
    """Return a list of words and what they mean (plain text)."""
    return "\n".join(f"- {bold(word)}: {plain(meaning)}" for word, meaning in meanings.items())
