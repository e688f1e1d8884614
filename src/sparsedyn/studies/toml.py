"""Write plain tables as TOML: what the standard library reads but does not write."""

import json
from collections.abc import Mapping
from typing import Any


def to_toml(table: Mapping[str, Any]) -> str:
    """Return a TOML document of texts, numbers, Booleans, lists and tables, which `tomllib` reads back equal.

    Values come first, then tables, then lists of tables; what is nested deeper is written inline.
    """
    plain = {key: value for key, value in table.items() if not _is_table(value) and not _is_tables(value)}
    parts = [_pairs(plain)] if plain else []
    parts += [f"[{_key(key)}]\n{_pairs(value)}" for key, value in table.items() if _is_table(value)]
    for key, value in table.items():
        if _is_tables(value):
            parts += [f"[[{_key(key)}]]\n{_pairs(item)}" for item in value]
    return "\n".join(parts)


def _pairs(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # TOML's quoted text is JSON's, but for the character DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())} }}" if value else "{}"
    raise TypeError(f"expected a text, number, Boolean, list or table to write as TOML; got {value!r}.")


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else _value(key)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(item, Mapping) for item in value)
