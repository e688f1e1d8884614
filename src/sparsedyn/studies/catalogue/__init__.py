"""The built-in studies, one TOML file each, and those that other packages add. Importing this costs nothing."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from sparsedyn.studies.errors import StudyError, near_miss
from sparsedyn.studies.providers import providers

SUFFIX = ".toml"


def studies() -> dict[str, Traversable]:
    """Return the files of the built-in studies by name, in alphabetical order.

    Raises `StudyError` where two packages have a study of one name.
    """
    found: dict[str, Traversable] = {}
    owners: dict[str, str] = {}
    for provider in providers().values():
        for file in _below(files(provider.catalogue)):
            name = file.name.removesuffix(SUFFIX)
            if name in found:
                raise StudyError(
                    f"{name}: expected one study of this name; {owners[name]} and {provider.catalogue} have one each. "
                    "Rename one, or uninstall its package."
                )
            found[name], owners[name] = file, provider.catalogue
    return dict(sorted(found.items()))


def list_studies() -> dict[str, str]:
    """Return a one-line description of each built-in study, by name, read from the files without validation."""
    tables = {name: tomllib.loads(file.read_text(encoding="utf-8")) for name, file in studies().items()}
    return {
        name: str(table.get("title") or str(table.get("description", "")).strip().partition("\n")[0])
        for name, table in tables.items()
    }


def check_known(name_or_path: str | Path) -> None:
    """Raise `StudyError` where there is neither a built-in study of this name nor such a file.

    This check runs before the imports that validation needs.
    """
    builtin = studies()
    if str(name_or_path) not in builtin and not Path(name_or_path).exists():
        raise StudyError(
            f"{name_or_path}: there is no such file and no built-in study of that name."
            f"{near_miss(str(name_or_path), builtin)} Built in: {', '.join(builtin)}."
        )


def _below(folder: Traversable) -> Iterator[Traversable]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry)
        elif entry.name.endswith(SUFFIX):
            yield entry
