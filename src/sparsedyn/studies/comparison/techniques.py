"""The tables of techniques and averages in a spec, checked by building them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sparsedyn.estimators import average_from_spec
from sparsedyn.sparsify import TECHNIQUES, AbstractSparsifier, AbstractTiming, from_spec, to_spec
from sparsedyn.sparsify.spec import TIMINGS
from sparsedyn.studies.errors import KeyPath, Misfit, near_miss, shown
from sparsedyn.training import AVERAGES


def technique_table(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a technique, e.g. `{"type": "l1", "weight": 1e-4}`, with its defaults written out.

    Raises `Misfit` for a table that describes none.
    """
    checked = _checked(table, ())
    try:
        technique = from_spec(checked)
        technique.turns()
        return to_spec(technique)
    except (ValueError, TypeError) as error:
        raise Misfit((), str(error)) from error


def average_table(value: Any) -> dict[str, Any]:
    """Return the table of an average, which may be written as its name alone; raises `Misfit`.

    A table may have a `label`, which distinguishes two averages of one type in the results.
    """
    table = {"type": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("type"), str):
        raise Misfit(
            (),
            f'expected "none", "swa" or a table such as {{type = "swa", start = 0.75}}; got {shown(value)}.',
        )
    name, known = table["type"], ("none", *AVERAGES)
    if name not in known:
        raise Misfit((), f"expected one of {', '.join(known)}; got {name!r}.{near_miss(name, known)}")
    arguments = {key: argument for key, argument in table.items() if key not in ("type", "label")}
    allowed = arguments_of(AVERAGES[name]) if name != "none" else {}
    for key, argument in arguments.items():
        if key not in allowed:
            takes = ", ".join(("label", *allowed))
            raise Misfit((key,), f"unknown argument of {name}.{near_miss(key, allowed)} It takes: {takes}.")
        arguments[key] = _of_kind(allowed[key], argument, (key,))
    if not isinstance(table.get("label", name), str):
        raise Misfit(("label",), f"expected text; got {shown(table['label'])}.")
    try:
        average = None if name == "none" else average_from_spec({"type": name, **arguments})
        if average is not None:
            average.turns()
    except (ValueError, TypeError) as error:
        raise Misfit((), str(error)) from error
    label = {"label": table["label"]} if "label" in table else {}
    return {"type": name, **label, **arguments}


def arguments_of(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """Return the arguments that a technique, timing or average takes in a spec."""
    # Whether an average is switched on is decided by the runner.
    return {field.name: field for field in dataclasses.fields(cls) if field.name != "active"}


def _checked(value: Any, path: KeyPath) -> Any:
    """Return nested tables with every argument of its type; names are left to `from_spec`."""
    if isinstance(value, list | tuple):
        return [_checked(item, (*path, i)) for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    cls = {**TECHNIQUES, **TIMINGS}.get(str(value.get("type")))
    known = arguments_of(cls) if cls is not None else {}
    table = {}
    for key, argument in value.items():
        inner = _checked(argument, (*path, key))
        table[key] = _of_kind(known[key], inner, (*path, key)) if key in known else inner
    return table


def _of_kind(field: dataclasses.Field[Any], value: Any, path: KeyPath) -> Any:
    """Return `value` if it is of the kind that the argument takes; 1 becomes 1.0 where that is due."""
    expected = _kind(field)
    fits = {
        "a number": _is_number(value),
        "a whole number": _is_number(value) and not isinstance(value, float),
        "text": isinstance(value, str),
        "true or false": isinstance(value, bool),
        "a list of numbers": isinstance(value, list) and all(_is_number(item) for item in value),
        "a table with a type": isinstance(value, Mapping),
        "a value": True,
    }
    if not fits[expected]:
        raise Misfit(path, f"expected {expected}; got {shown(value)}.")
    if expected == "a number":
        return float(value)
    if expected == "a list of numbers" and "float" in str(field.type):
        return [float(item) for item in value]
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _kind(field: dataclasses.Field[Any]) -> str:
    """Name the kind of value that an argument takes, from its default or, without one, its type."""
    default = None if field.default is dataclasses.MISSING else field.default
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        ((AbstractTiming, AbstractSparsifier), "a table with a type"),
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "text"),
        (tuple, "a list of numbers"),
    )
    for types, kind in kinds:
        if isinstance(default, types):
            return kind
    text = str(field.type)
    if "AbstractSparsifier" in text:
        return "a value" if "tuple" in text else "a table with a type"
    return "a list of numbers" if "tuple" in text else "a number" if "float" in text else "a value"
