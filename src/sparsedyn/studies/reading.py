"""Read a validated study from TOML; errors name file, line, key and fix."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sparsedyn.studies import catalogue
from sparsedyn.studies.errors import Misfit, StudyError
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.kinds import DEFAULT, kind_named
from sparsedyn.studies.messages import Message, hint_for_syntax, messages_of, tables_of
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.toml import line_of

LARGEST = 1_000_000
"""Bytes of a study's text, at most."""
SHOWN = 8
"""The most mistakes in one error; a spec of another kind would otherwise fill the screen."""


def load(name_or_path: str | Path) -> AbstractStudySpec:
    """Return the study of a TOML file, or the built-in one of that name.

    Relative data files are looked for beside the TOML file. Raises `StudyError` with one line per problem:
    `FILE, line N, KEY: what was expected, what was given, the fix`.
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


def stored_spec(directory: str | Path) -> AbstractStudySpec:
    """Return the study that a directory holds."""
    file = Path(directory) / "study.toml"
    if not file.is_file():
        raise StudyError(
            f"{directory}: expected the directory of a study; there is no study.toml in it. Give "
            "the folder that `sparsedyn study run -o` made."
        )
    return parse(_text(file), str(file))


def with_mnist(spec: AbstractStudySpec, folder: str | Path) -> AbstractStudySpec:
    """Return a study of digits with the images of MNIST in `folder`; raises `StudyError` for any other study."""
    return spec.with_images(str(Path(folder).resolve()))


def parse(text: str, source: str, *, folder: Path | None = None) -> AbstractStudySpec:
    """Return the study of a TOML text; `source` names it in messages, `folder` is where its files are."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(_syntax(error, text, source)) from error
    except RecursionError as error:
        raise StudyError(
            f"{source}: its lists and tables are nested too deep. No study needs more than three."
        ) from error
    try:
        kind = kind_named(table.get("kind", DEFAULT))
        return _validated(kind, table if folder is None else _placed(table, kind.paths, folder))
    except Misfit as error:
        raise StudyError(_message(source, text, [Message(error.path, str(error))])) from error
    except ValidationError as error:
        raise StudyError(_message(source, text, messages_of(error, {**tables_of(kind.spec), **kind.tables}))) from error


def _validated(kind: Kind, table: dict[str, Any]) -> AbstractStudySpec:
    spec = kind.spec.model_validate(table)
    kind.check(spec)
    return spec


def _placed(table: dict[str, Any], paths: Sequence[str], folder: Path) -> dict[str, Any]:
    """Resolve relative files against the spec's folder rather than the working directory."""
    for path in paths:
        key, _, name = path.partition(".")
        inner = table.get(key)
        if isinstance(inner, dict) and name in inner:
            table = {**table, key: {**inner, name: _beside(inner[name], folder)}}
    return table


def _beside(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_beside(item, folder) for item in value]
    return str(folder / value) if isinstance(value, str) and value else value


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
        size = path.stat().st_size
        if size > LARGEST:
            raise StudyError(f"{path}: expected a study of at most {LARGEST} bytes; got {size}. Give another file.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(
            f"{path}: expected a TOML file in UTF-8; byte {error.start} is not. Save it as UTF-8 text."
        ) from error
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from error
