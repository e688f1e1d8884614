"""Errors of studies."""

import difflib
from collections.abc import Iterable
from typing import Any

KeyPath = tuple[str | int, ...]
"""The path to a value in a parsed TOML text, such as `("techniques", 0, "label")`."""


class StudyError(ValueError):
    """A study spec or a study directory that cannot be used.

    The message names the place (file, line and key, or directory), what was expected, what came, and the fix.
    """


class StudyInterrupted(KeyboardInterrupt):
    """A study was stopped with Ctrl-C or SIGTERM; its message says how far it was and how to resume it."""


def near_miss(name: str, known: Iterable[str]) -> str:
    """Write the question " Did you mean 'b'?" for the known name nearest to `name`, if one is near."""
    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""


class Misfit(ValueError):
    """Values of a spec that contradict each other; `path` leads to the one to change."""

    def __init__(self, path: KeyPath, message: str):
        super().__init__(message)
        self.path = path


def shown(value: Any) -> str:
    """Write a value the way TOML does, cut to a readable length."""
    empty = "an empty list" if value in ([], ()) else "a list"
    names = {bool: str(value).lower(), dict: "a table", list: empty, tuple: empty}
    text = names.get(type(value), f'"{value}"' if isinstance(value, str) else repr(value))
    return text if len(text) <= 60 else text[:57] + "..."
