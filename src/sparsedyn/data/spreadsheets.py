"""Names in text files that spreadsheets open: none of them is taken for a formula, which could do anything."""

import re

FORMULA = re.compile(r"'*[=+\-@].")
"""How a formula begins. An apostrophe before it keeps it a text; names that begin with one so get another."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def inert(text: str) -> str:
    """Return a name that no spreadsheet takes for a formula: with an apostrophe before it where one would."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def as_named(text: str) -> str:
    """Undo `inert`."""
    return text[1:] if text.startswith("'") and inert(text[1:]) == text else text
