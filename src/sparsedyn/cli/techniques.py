"""Sparsification techniques in short: `l1:1e-4`, `magnitude:0.75`, `magnitude:sparsity=0.9,scope=global`."""

import dataclasses
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.values import did_you_mean
from sparsedyn.sparsify.arguments import TIMINGS, kinds
from sparsedyn.sparsify.catalogue import TECHNIQUES

if TYPE_CHECKING:
    from sparsedyn.sparsify import AbstractSparsifier

DEFAULT = ("l1:1e-4", "magnitude:0.75")
FOR_FEW = ("l1:1e-3", "magnitude:0.75")
"""For few trajectories: see `sparsedyn.cli.fit.suit`."""
DENSE = "none"


def techniques(texts: Sequence[str]) -> list["AbstractSparsifier"]:
    """Return the techniques that the texts stand for, in their order; `none` alone means dense.

    Raises `UsageProblem`.
    """
    return [technique(text) for text in texts if list(texts) != [DENSE]]


def technique(text: str) -> "AbstractSparsifier":
    """Return the technique that one text stands for.

    `name`, `name:value` (its first argument), `name:argument=value,...`, or a TOML table such as
    `{ type = "magnitude", sparsity = 0.9, timing = { type = "stages", at = [0.1, 0.2] } }`.
    """
    check_names([text])
    from sparsedyn.studies.comparison.techniques import technique_table

    with misfits(text):
        table = technique_table(table_of(text))
    from sparsedyn.sparsify import from_spec

    return from_spec(table)


def check_techniques(texts: Sequence[str]) -> None:
    """Raise `UsageProblem` for a text that stands for no technique, without importing any."""
    from sparsedyn.studies.comparison.techniques import check_technique

    check_names(texts)
    for text in texts:
        if list(texts) != [DENSE]:
            with misfits(text):
                check_technique(table_of(text))


@contextmanager
def misfits(text: str) -> Iterator[None]:
    """Turn what does not fit in a table into an error of usage."""
    from sparsedyn.studies.errors import Misfit

    try:
        yield
    except Misfit as error:
        place = "".join(f" {key}:" for key in error.path)
        raise UsageProblem(f"--technique {text}:{place} {error}") from error


def table_of(text: str) -> dict[str, Any]:
    """Return the table that a text stands for."""
    return toml_table(text) if in_toml(text) else short_form(text)


def check_names(texts: Sequence[str]) -> None:
    """Raise `UsageProblem` for a text that names no technique."""
    for text in texts:
        name = toml_table(text).get("type") if in_toml(text) else text.partition(":")[0].strip()
        if name not in TECHNIQUES and list(texts) != [DENSE]:
            raise UsageProblem(
                f"--technique {text}: expected name, name:value or name:argument=value,...; got the name {name!r}."
                f"{did_you_mean(str(name), TECHNIQUES)} Names: {', '.join(TECHNIQUES)}; {DENSE}, on its own, is dense."
            )


def in_toml(text: str) -> bool:
    """Return whether a text is a TOML table rather than a short form."""
    return text.lstrip().startswith("{")


def toml_table(text: str) -> dict[str, Any]:
    """Return an inline TOML table."""
    try:
        table: dict[str, Any] = tomllib.loads(f"technique = {text}")["technique"]
    except tomllib.TOMLDecodeError as error:
        raise UsageProblem(
            f'--technique {text}: expected a TOML table such as {{ type = "l1", weight = 1e-4 }}; {error}.'
        ) from error
    return table


def short_form(text: str) -> dict[str, Any]:
    """Return `name:value,argument=value` as a table."""
    name, _, rest = text.strip().partition(":")
    name = name.strip()
    table: dict[str, Any] = {"type": name}
    for position, piece in enumerate(piece.strip() for piece in rest.split(",") if piece.strip()):
        argument, equals, written = (part.strip() for part in piece.partition("="))
        if not equals:
            if position:
                raise UsageProblem(
                    f"--technique {text}: expected name, name:value or name:argument=value,...; got {piece!r} without "
                    "its argument's name. Only the first value may do without."
                )
            argument, written = first_argument(name), argument
        table[argument] = {"type": written} if written in TIMINGS else plain_value(written)
    return table


def first_argument(name: str) -> str:
    """Return the name of the first argument of a technique."""
    known = kinds(name)
    return next(iter([field.name for field in dataclasses.fields(TECHNIQUES[name])] if known is None else known), "")


def plain_value(written: str) -> Any:
    """Return a number or a truth value where the text is one, else the text."""
    if written in ("true", "false"):
        return written == "true"
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written
