"""Packages that provide studies, found through the entry points of the group "sparsedyn.studies"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from sparsedyn.studies.errors import StudyError

GROUP = "sparsedyn.studies"


@dataclass(frozen=True)
class Provider:
    """What a package provides for studies; an entry point names a module and in it an object of this class.

    `catalogue` is the name of a package: every file `NAME.toml` in it or below it is the built-in study NAME. `kinds`
    are those that a spec may name, each the place of a `sparsedyn.studies.kind.Kind`, as "module:object": it is
    imported when a study of this kind is read, so that listing studies stays quick. So are `addition`, the place of a
    `sparsedyn.studies.comparison.document.Addition` to comparisons and their reports, and `pages`, which are written
    with the pages of published studies: functions from all those studies to a document, by the name of the page.
    """

    catalogue: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    addition: str = ""
    pages: Mapping[str, str] = field(default_factory=dict)


@cache
def providers() -> dict[str, Provider]:
    """Return what the installed packages provide, by the names of their entry points, in alphabetical order.

    Raises `StudyError` for an entry point that cannot be used.
    """
    return {point.name: _loaded(point) for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _loaded(point: EntryPoint) -> Provider:
    package = point.dist.name if point.dist is not None else point.module
    try:
        provider = point.load()
    except Exception as error:  # importing its modules may raise anything
        raise StudyError(
            f"{package}: its studies, {point.value}, cannot be imported ({type(error).__name__}: {error}). Update the "
            f"package, or remove it: pip uninstall {package}"
        ) from error
    if not isinstance(provider, Provider):
        raise StudyError(
            f"{package}: expected its entry point {point.name!r} of the group {GROUP!r} to name an object of the class "
            f"{Provider.__module__}.{Provider.__name__}; {point.value} is of the class {type(provider).__name__}."
        )
    return provider
