"""The tables of techniques and averages in a spec, checked by building them, and before that without JAX."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sparsedyn.sparsify import arguments
from sparsedyn.studies.errors import KeyPath, Misfit, near_miss, shown


def technique_table(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a technique, e.g. `{"type": "l1", "weight": 1e-4}`, with its defaults written out.

    Raises `Misfit` for a table that describes none.
    """
    checked = check_technique(table)
    from sparsedyn.sparsify import from_spec, to_spec

    try:
        technique = from_spec(checked)
        technique.turns()
        return to_spec(technique)
    except (ValueError, TypeError) as error:
        raise Misfit((), str(error)) from error


def check_technique(table: dict[str, Any]) -> dict[str, Any]:
    """Return the table with every argument of its type, `Misfit` for what no technique takes; without JAX."""
    try:
        checked: dict[str, Any] = _checked(table, ())
    except Misfit:
        raise
    except ValueError as error:
        raise Misfit((), str(error)) from error
    return checked


def average_table(value: Any) -> dict[str, Any]:
    """Return the table of an average, which may be written as its name alone; raises `Misfit`.

    A table may have a `label`, which distinguishes two averages of one type in the results.
    """
    from sparsedyn.estimators import average_from_spec
    from sparsedyn.training import AVERAGES

    table = {"type": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping) or not isinstance(table.get("type"), str):
        raise Misfit(
            (),
            f'expected "none", "swa" or a table such as {{type = "swa", start = 0.75}}; got {shown(value)}.',
        )
    name, known = table["type"], ("none", *AVERAGES)
    if name not in known:
        raise Misfit((), f"expected one of {', '.join(known)}; got {name!r}.{near_miss(name, known)}")
    given = {key: argument for key, argument in table.items() if key not in ("type", "label")}
    allowed = arguments_of(AVERAGES[name]) if name != "none" else {}
    for key, argument in given.items():
        if key not in allowed:
            takes = ", ".join(("label", *allowed))
            raise Misfit((key,), f"unknown argument of {name}.{near_miss(key, allowed)} It takes: {takes}.")
        given[key] = _of_kind(_kind(allowed[key]), argument, (key,))
    if not isinstance(table.get("label", name), str):
        raise Misfit(("label",), f"expected text; got {shown(table['label'])}.")
    try:
        average = None if name == "none" else average_from_spec({"type": name, **given})
        if average is not None:
            average.turns()
    except (ValueError, TypeError) as error:
        raise Misfit((), str(error)) from error
    label = {"label": table["label"]} if "label" in table else {}
    return {"type": name, **label, **given}


def arguments_of(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """Return the arguments that a technique, timing or average takes in a spec."""
    # Whether an average is switched on is decided by the runner.
    return {field.name: field for field in dataclasses.fields(cls) if field.name != "active"}


def _checked(value: Any, path: KeyPath) -> Any:
    """Return nested tables with every argument of its type and in range; `ValueError` for names that are unknown."""
    if isinstance(value, list | tuple):
        return [_checked(item, (*path, i)) for i, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    known = arguments.kinds(str(value.get("type"))) or {}
    table = {}
    for key, argument in value.items():
        inner = _checked(argument, (*path, key))
        table[key] = _of_kind(known[key], inner, (*path, key)) if key in known else inner
    if "type" in table:
        arguments.check_name(table["type"])
        arguments.check(table["type"], {key: argument for key, argument in table.items() if key != "type"})
    return table


def _of_kind(expected: str, value: Any, path: KeyPath) -> Any:
    """Return `value` if it is of the kind that an argument takes; 1 becomes 1.0 where that is due."""
    fits = {
        "a number": _is_number(value),
        "a whole number": _is_whole(value),
        "text": isinstance(value, str),
        "true or false": isinstance(value, bool),
        "a list of numbers": isinstance(value, list) and all(map(_is_number, value)),
        "a list of whole numbers": isinstance(value, list) and all(map(_is_whole, value)),
        "a table with a type": isinstance(value, Mapping),
        "a value": True,
    }
    if not fits[expected]:
        raise Misfit(path, f"expected {expected}; got {shown(value)}.")
    if expected == "a number":
        return float(value)
    return [float(item) for item in value] if expected == "a list of numbers" else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and not isinstance(value, float)


def _kind(field: dataclasses.Field[Any]) -> str:
    """Name the kind of value that an argument of an average takes, from its default."""
    kinds = ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "text"))
    return next((text for kind, text in kinds if isinstance(field.default, kind)), "a value")
