"""TOML documents: plain tables as text, and the line at which a key of a text stands."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import tomlkit

from sparsedyn.studies.errors import KeyPath

CLOSERS = ("", "]", "]}", "]]", "]}]", "]]]", '"""', "'''")
"""Endings that may complete a text that is cut between two lines."""


def to_toml(table: Mapping[str, Any]) -> str:
    """Return a TOML document of texts, numbers, Booleans, lists and tables, which `tomllib` reads back equal.

    Values come first, then tables, then lists of tables; what is nested deeper is written inline.
    """
    document = tomlkit.document()
    for key, value in table.items():
        if isinstance(value, Mapping):
            document[key] = _filled(tomlkit.table(), value)
        elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
            tables = tomlkit.aot()
            for item in value:
                tables.append(_filled(tomlkit.table(), item))
            document[key] = tables
        else:
            document[key] = _inline(value)
    return tomlkit.dumps(document)


def line_of(text: str, path: KeyPath) -> int:
    """Return the line, counted from 1, at which `path` begins in a valid TOML text, else the nearest table around it.

    A path leads to a value in the parsed text, for example `("techniques", 0, "label")`.
    """
    # Neither tomllib nor tomlkit tells where a value stood. But the line of a value is the first one with which the
    # text, cut after it, has that value.
    lines = text.replace("\r\n", "\n").split("\n")

    @cache
    def parsed(count: int) -> Any:
        for closer in CLOSERS:
            try:
                return tomllib.loads("\n".join([*lines[:count], closer]))
            except tomllib.TOMLDecodeError:
                continue
        return None

    while path and not _has(parsed(len(lines)), path):
        path = path[:-1]
    if not path:
        return 1
    before, after = 0, len(lines)
    while (cut := _between(before, after, lambda count: parsed(count) is not None)) is not None:
        if _has(parsed(cut), path):
            after = cut
        else:
            before = cut
    return before + 1


def _between(before: int, after: int, fits: Callable[[int], bool]) -> int | None:
    """Return a number that fits, as near to the middle as possible; None if no number between the two does."""
    middle = (before + after) // 2
    return next(filter(fits, sorted(range(before + 1, after), key=lambda count: abs(count - middle))), None)


def _has(value: Any, path: KeyPath) -> bool:
    for part in path:
        if isinstance(part, int):
            if not isinstance(value, list) or part >= len(value):
                return False
        elif not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def _filled(target: Any, table: Mapping[str, Any]) -> Any:
    for key, value in table.items():
        target[key] = _inline(value)
    return target


def _inline(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _filled(tomlkit.inline_table(), value)
    if isinstance(value, list | tuple):
        items = tomlkit.array()
        for item in value:
            items.append(_inline(item))
        return items
    return value
