"""Text that Markdown leaves as it is."""

import re
from html import escape


def plain(text: str) -> str:
    """Return `text` as Markdown that reads as `text`, on one line that something else begins."""
    return re.sub(r"([\\`*_{}\[\]|~])", r"\\\1", escape(" ".join(text.split()), quote=False))


def markdown_text(text: str) -> str:
    """Return `text` as `plain` does, for a line that it may also begin: no heading comes of it."""
    return plain(text).replace("#", r"\#")
