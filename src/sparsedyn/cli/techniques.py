"""Sparsification techniques in short: `l1:1e-4`, `magnitude:0.75`, `magnitude:sparsity=0.9,scope=global`."""

import dataclasses
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.errors import UsageProblem

if TYPE_CHECKING:
    from sparsedyn.sparsify import AbstractSparsifier

DEFAULT = ("l1:1e-4", "magnitude:0.75")
FOR_FEW = ("l1:1e-3", "magnitude:0.75")
"""For few trajectories: see `sparsedyn.cli.fit.suit`."""
DENSE = "none"


def techniques(texts: Sequence[str]) -> list["AbstractSparsifier"]:
    """Return what the texts stand for, in their order; `none` alone is dense. Raises `UsageProblem`."""
    if list(texts) == [DENSE]:
        return []
    return [technique(text) for text in texts]


def technique(text: str) -> "AbstractSparsifier":
    """Return the technique that one text stands for.

    `name`, `name:value` (its first argument), `name:argument=value,...`, or a TOML table such as
    `{ type = "magnitude", sparsity = 0.9, timing = { type = "stages", at = [0.1, 0.2] } }`.
    """
    from sparsedyn.sparsify import from_spec
    from sparsedyn.studies.comparison.techniques import technique_table
    from sparsedyn.studies.errors import Misfit

    table = toml_table(text) if text.lstrip().startswith("{") else short_form(text)
    try:
        return from_spec(technique_table(table))
    except Misfit as error:
        place = "".join(f" {key}:" for key in error.path)
        raise UsageProblem(f"--technique {text}:{place} {error}") from error


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
    from sparsedyn.sparsify import TECHNIQUES
    from sparsedyn.sparsify.spec import TIMINGS

    name, _, rest = text.strip().partition(":")
    name = name.strip()
    table: dict[str, Any] = {"type": name}
    for position, piece in enumerate(piece.strip() for piece in rest.split(",") if piece.strip()):
        argument, equals, written = (part.strip() for part in piece.partition("="))
        if not equals:
            if position or name not in TECHNIQUES:
                raise UsageProblem(
                    f"--technique {text}: expected name, name:value or name:argument=value,...; got "
                    f"{piece!r}. Names: {', '.join((*TECHNIQUES, DENSE))}."
                )
            argument, written = dataclasses.fields(TECHNIQUES[name])[0].name, argument
        table[argument] = {"type": written} if written in TIMINGS else plain_value(written)
    return table


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
