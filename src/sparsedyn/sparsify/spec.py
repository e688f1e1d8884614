"""Techniques as plain dictionaries: the form they have in TOML files, saved models and reports."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from sparsedyn.sparsify.arguments import check_name, check_names
from sparsedyn.sparsify.base import AbstractSparsifier
from sparsedyn.sparsify.catalogue import TECHNIQUES
from sparsedyn.sparsify.compose import Chain
from sparsedyn.sparsify.timing import AbstractTiming, Cubic, OneShot, Stages

TIMINGS: dict[str, type[AbstractTiming]] = {"cubic": Cubic, "stages": Stages, "one-shot": OneShot}


def from_spec(spec: Mapping[str, Any]) -> AbstractSparsifier:
    """Build a technique from `{"type": name, argument: value, ...}`.

    Raises `ValueError` for an unknown name or argument, naming the nearest known one.
    """
    if not isinstance(spec, Mapping):
        raise ValueError(f'technique: expected a table such as {{type = "l1", weight = 1e-4}}; got {spec!r}.')
    built = _build(spec, {**TECHNIQUES, **TIMINGS})
    if not isinstance(built, AbstractSparsifier):
        raise ValueError(f"technique: expected one of {', '.join(TECHNIQUES)}; got the timing {spec['type']!r}.")
    return built


def _build(spec: Any, known: Mapping[str, type[Any]]) -> Any:
    if isinstance(spec, list | tuple):
        return tuple(_build(item, known) for item in spec)
    if not isinstance(spec, Mapping):
        return spec
    if "type" not in spec:
        raise ValueError(f'technique: expected a table with a type, such as {{type = "l1"}}; got {dict(spec)!r}.')
    name = spec["type"]
    check_name(name, known)
    cls = known[name]
    arguments = {key: _build(value, known) for key, value in spec.items() if key != "type"}
    fields = {field.name: field for field in dataclasses.fields(cls)}
    allowed = list(fields)
    for key, value in arguments.items():
        # One value per member, a path of hyperparameters, is an array; fractions and layer numbers are settings.
        if (
            key in fields
            and isinstance(value, tuple)
            and not fields[key].metadata.get("static", False)
            and cls is not Chain
        ):
            arguments[key] = jnp.asarray(value, jnp.float32)
    check_names(name, arguments, allowed)
    try:
        return Chain(*arguments.get("links", ())) if cls is Chain else cls(**arguments)
    except TypeError as error:
        raise ValueError(f"{name}: {error}. It takes: {', '.join(allowed)}.") from error


def resolve(technique: Any) -> Chain:
    """Return the chain for any way of naming techniques.

    A technique, a name such as `"l1"`, a dictionary with a type, a list of those, or nothing (dense).
    """
    if isinstance(technique, Chain):
        return technique
    items = technique if isinstance(technique, list | tuple) else () if technique is None else (technique,)
    return Chain(*(_one(item) for item in items))


def _one(item: Any) -> AbstractSparsifier:
    if isinstance(item, type):
        raise TypeError(f"technique: expected an instance; got the class {item.__name__}. Write {item.__name__}().")
    if isinstance(item, str):
        return from_spec({"type": item})
    if isinstance(item, Mapping):
        return from_spec(item)
    if not isinstance(item, AbstractSparsifier):
        raise TypeError(f"technique: expected one such as L1(1e-4), or its name; got {item!r}.")
    return item


def to_spec(technique: AbstractSparsifier | AbstractTiming) -> dict[str, Any]:
    """Return the dictionary that `from_spec` turns back into an equal technique."""
    names = {cls: name for name, cls in {**TECHNIQUES, **TIMINGS}.items()}
    if type(technique) not in names:
        raise ValueError(
            f"technique: {type(technique).__name__} has no name in a spec. Only built-in techniques can be "
            f"saved; known: {', '.join(names.values())}."
        )
    spec: dict[str, Any] = {"type": names[type(technique)]}
    for field in dataclasses.fields(technique):
        spec[field.name] = _plain(getattr(technique, field.name))
    return spec


def _plain(value: Any) -> Any:
    if isinstance(value, AbstractSparsifier | AbstractTiming):
        return to_spec(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "dtype"):
        return np.asarray(value).tolist()
    return value
