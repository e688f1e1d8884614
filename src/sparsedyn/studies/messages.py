"""Validation messages: what was expected, what was given, and the fix."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sparsedyn.studies.errors import KeyPath, Misfit, near_miss, shown
from sparsedyn.studies.spec import Table

Tables = Mapping[str, type[Table]]

EXAMPLES = {
    "name": '"my-study"',
    "horizons": "[100, 1000]",
    "data": "system = ...",
    "train": "20",
    "validation": "5",
    "test": "20",
    "label": '"L1"',
    "kind": '"equations"',
    "suite": '"table5"',
    "system": '"kinematics"',
}

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in brackets",
    "list_type": "a list in brackets",
    "dict_type": 'a table such as { type = "l1" }',
    "model_type": "a table",
}

SYNTAX_HINTS = {
    "Invalid value": "Texts need quotes; true and false are written small.",
    "Cannot overwrite a value": "A key may stand only once in its table: remove one of the two.",
    "Cannot declare": "A table may stand only once: remove one, or write [[...]] for a list of tables.",
    "Expected '=' after a key": "Write key = value; a table's name stands in brackets, [data].",
    "Unclosed array": "A bracket ] is missing.",
    "Unterminated string": "A closing quote is missing.",
    "Expected newline or end of document": "Is a quote, comma or bracket missing before this place?",
}


class Message(NamedTuple):
    """The error in the value at `path`."""

    path: KeyPath
    text: str

    @property
    def key(self) -> str:
        """The path as a reader of the file would write it, list entries counted from 1."""
        parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in self.path]
        return "".join(parts).lstrip(".") or "the whole file"


def tables_of(spec: type[Table]) -> dict[str, type[Table]]:
    """Return the tables that a spec may have, by their keys; the document itself by the empty one."""
    found: dict[str, type[Table]] = {"": spec}
    waiting = [spec]
    for table in waiting:
        for key, field in table.model_fields.items():
            for inner in _tables_in(field.annotation):
                if key not in found:
                    found[key] = inner
                    waiting.append(inner)
    return found


def _tables_in(annotation: Any) -> Iterator[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for part in get_args(annotation):
        yield from _tables_in(part)


def messages_of(error: ValidationError, tables: Tables) -> list[Message]:
    """Return what is wrong, one message per key, in the order of the spec's keys; `tables` are those it may have."""
    found = [_message(details, tables) for details in error.errors(include_url=False)]
    # A list whose only entry is refused also counts as empty: the error of the entry is the more precise one.
    return [one for one in found if not any(_is_within(other.path, one.path) for other in found)]


def _is_within(path: KeyPath, outer: KeyPath) -> bool:
    return len(path) > len(outer) and path[: len(outer)] == outer


def hint_for_syntax(message: str) -> str:
    """Return the usual fix of a syntax error."""
    hints = (hint for start, hint in SYNTAX_HINTS.items() if message.startswith(start))
    return next(hints, "Look just before this place.")


def _message(details: ErrorDetails, tables: Tables) -> Message:
    path, kind, context = details["loc"], details["type"], details.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Misfit):
        return Message((*path, *cause.path), str(cause))
    if isinstance(cause, Exception):
        return Message(path, str(cause))
    if kind == "missing":
        return Message(path, f"missing. {_how_to_add(path, tables)}")
    if kind == "extra_forbidden":
        return Message(path, _unknown_key(path, tables))
    return Message(path, f"expected {_expected(kind, context)}; got {shown(details['input'])}.{_fix(details)}")


def _expected(kind: str, context: Mapping[str, Any]) -> str:
    if kind in EXPECTED:
        return EXPECTED[kind]
    if kind == "too_short":
        return f"at least {context['min_length']} entry in the list"
    if kind == "literal_error":
        return f"one of {context['expected']}"
    if kind == "string_too_short":
        return "some text"
    if kind == "string_pattern_mismatch":
        return "letters, digits, dots, dashes and underscores (folders are named after it)"
    bounds = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
    return next((bounds[key].format(value) for key, value in context.items() if key in bounds), kind.replace("_", " "))


def _fix(details: ErrorDetails) -> str:
    value, kind = details["input"], details["type"]
    if isinstance(value, str) and kind in ("int_type", "float_type", "bool_type"):
        return " Numbers, true and false are written without quotes."
    if kind == "string_type":
        return " Put it in quotes."
    if kind == "int_from_float" or (kind == "int_type" and isinstance(value, float)):
        return f" Write {round(value)}." if abs(value) < 1e15 else ""
    if kind in ("tuple_type", "list_type"):
        return f" Write [{shown(value)}]." if not isinstance(value, Mapping) else " Write [{ ... }]."
    if kind == "model_type" and isinstance(value, list):
        return " Write it as [name], with single brackets."
    return ""


def _how_to_add(path: KeyPath, tables: Tables) -> str:
    name = str(path[-1])
    if name == "techniques":
        return 'Add at least one: [[techniques]], label = "L1", technique = [{ type = "l1", weight = 1e-4 }].'
    if name in tables:
        return f"Add a table [{name}]."
    return f"Add e.g. {name} = {EXAMPLES.get(name, '...')}."


def _unknown_key(path: KeyPath, tables: Tables) -> str:
    """A misspelt key, or a known one in the wrong table, which happens easily after a [table] line."""
    key = str(path[-1])
    here = next((part for part in reversed(path[:-1]) if isinstance(part, str)), "")
    known = tables[here].model_fields
    elsewhere = [name for name, table in tables.items() if key in table.model_fields]
    close = near_miss(key, known)
    if elsewhere and not close:
        place = f"in [{elsewhere[0]}]" if elsewhere[0] else "at the top of the file, before the first [table]"
        return f"unknown key here; {key} belongs {place}. Move it."
    return f"unknown key.{close} Known here: {', '.join(known)}."
