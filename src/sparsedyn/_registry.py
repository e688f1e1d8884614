"""Names whose meaning is imported at its first use, so that help and messages can list them without JAX."""

from collections.abc import Iterator, Mapping
from pkgutil import resolve_name
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A read-only mapping from names to objects, made from `{"name": "module:object"}`.

    Modules are given relative to `package`. Names, their order and their number need no import; a value does.
    """

    def __init__(self, package: str, places: Mapping[str, str]):
        self._package = package
        self._places = dict(places)

    def __getitem__(self, name: str) -> T:
        value: T = resolve_name(f"{self._package}.{self._places[name]}")
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<names in {self._package}: {', '.join(self)}>"
