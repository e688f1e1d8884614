"""TOML text to a validated study; what is wrong with it is said with file, line, key and fix."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sparsedyn.studies import catalogue
from sparsedyn.studies.comparison.cells import expand
from sparsedyn.studies.comparison.spec import TABLES, StudySpec
from sparsedyn.studies.errors import Misfit, StudyError, near_miss, shown
from sparsedyn.studies.messages import Message, Tables, hint_for_syntax, messages_of
from sparsedyn.studies.toml import line_of
from sparsedyn_papers.autoencoders import spec as autoencoders
from sparsedyn_papers.equations import spec as equations

AnyStudySpec = StudySpec | equations.EquationsSpec | autoencoders.AutoencodersSpec

Kind = tuple[type[equations.EquationsSpec] | type[autoencoders.AutoencodersSpec], Tables]

KINDS: dict[str, Kind] = {
    "equations": (equations.EquationsSpec, equations.TABLES),
    "autoencoders": (autoencoders.AutoencodersSpec, autoencoders.TABLES),
}
"""What a study is validated as, and its tables, by the kind that it names; without any it is a comparison."""

SHOWN = 8
"""Mistakes named in one error; a spec of another kind altogether would otherwise fill the screen."""


def load(name_or_path: str | Path) -> AnyStudySpec:
    """Return the study of a TOML file, or the built-in one of that name.

    Relative data files are looked for beside the TOML file. Raises `StudyError` with one line per problem:
    `FILE, line N, KEY: what was expected, what came, the fix`.
    """
    builtin = catalogue.studies()
    name = str(name_or_path)
    if name in builtin:
        return parse(builtin[name].read_text(encoding="utf-8"), f"{name}.toml")
    catalogue.check_known(name_or_path)
    path = Path(name_or_path)
    if path.is_dir():
        raise StudyError(f"{path}: expected a TOML file or the name of a built-in study; this is a folder.")
    return parse(_text(path), str(path), folder=path.resolve().parent)


def with_mnist(spec: AnyStudySpec, folder: str | Path) -> AnyStudySpec:
    """Return a study of digits with the images of MNIST in `folder`; raises `StudyError` for any other study."""
    if not isinstance(spec, equations.EquationsSpec) or spec.digits is None:
        raise StudyError(f"{spec.name}: images are for studies of digits; it has none. Leave --mnist out.")
    table = spec.resolved()
    table["digits"]["mnist"] = str(Path(folder).resolve())
    return equations.EquationsSpec.model_validate(table)


def parse(text: str, source: str, *, folder: Path | None = None) -> AnyStudySpec:
    """Return the study of a TOML text; `source` names it in messages, `folder` is where its files are."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(_syntax(error, text, source)) from error
    try:
        tables = TABLES if "kind" not in table else _kind(table["kind"])[1]
        return _validated(_absolute(table, folder))
    except ValidationError as error:
        raise StudyError(_message(source, text, messages_of(error, tables))) from error
    except Misfit as error:
        raise StudyError(_message(source, text, [Message(error.path, str(error))])) from error


def _validated(table: dict[str, Any]) -> AnyStudySpec:
    """Return the study, a comparison of techniques unless it says another kind."""
    if "kind" in table:
        made: AnyStudySpec = _kind(table["kind"])[0].model_validate(table)
        return made
    spec = StudySpec.model_validate(table)
    expand(spec)
    return spec


def _kind(name: Any) -> Kind:
    if not isinstance(name, str) or name not in KINDS:
        known = ", ".join(repr(kind) for kind in KINDS)
        raise Misfit(("kind",), f"expected one of {known}; got {shown(name)}.{near_miss(str(name), KINDS)}")
    return KINDS[name]


def _absolute(table: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Let relative data files start from the spec's folder rather than from wherever the command is typed."""
    digits = table.get("digits")
    if folder is not None and isinstance(digits, dict) and isinstance(digits.get("mnist"), str) and digits["mnist"]:
        table = {**table, "digits": {**digits, "mnist": str(folder / digits["mnist"])}}
    data = table.get("data")
    files = data.get("files") if isinstance(data, dict) else None
    if folder is None or files is None:
        return table
    files = [files] if isinstance(files, str) else files
    if not isinstance(files, list):
        return table
    placed = [str(folder / file) if isinstance(file, str) and file else file for file in files]
    return {**table, "data": {**table["data"], "files": placed}}


def _message(source: str, text: str, found: list[Message]) -> str:
    texts = [f"{source}, line {line_of(text, c.path)}, {c.key}: {c.text}" for c in found[:SHOWN]]
    if len(found) > SHOWN:
        texts.append(f"{source}: and {len(found) - SHOWN} more.")
    return "\n".join(texts)


def _syntax(error: tomllib.TOMLDecodeError, text: str, source: str) -> str:
    what, _, place = str(error).partition(" (at ")
    if place.startswith("end of document"):
        place = f"line {len(text.splitlines()) or 1}, the end"
    return f"{source}, {place.rstrip(')')}: this is not valid TOML: {what}. {hint_for_syntax(what)}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path}: expected a TOML file in UTF-8; byte {error.start} is not. Save it as UTF-8 text."
        ) from error
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from error
