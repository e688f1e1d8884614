"""The labels of points of a space: "2 x 25, adam, 0.001, batch 32"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wording:
    """Words for axes and values, by dotted key.

    `names` are those of axes in labels, empty where values speak for themselves; `titles` those of columns and panels.
    Without any an axis has the last part of its key. `formats` write values that differ from the usual ones.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)

    def title(self, key: str) -> str:
        """Return the name of an axis by itself."""
        return self.titles.get(key) or self.names.get(key) or _plain(key)

    def value(self, key: str, value: Any) -> str:
        """Write a value of an axis."""
        return self.formats[key](value) if key in self.formats else value_text(value)

    def setting(self, key: str, value: Any) -> str:
        """Write a value with the name of its axis where needed: "adam", "batch 32"."""
        return f"{self.names.get(key, _plain(key))} {self.value(key, value)}".lstrip()

    def label(self, point: Mapping[str, Any]) -> str:
        """Write a point."""
        return ", ".join(self.setting(key, value) for key, value in point.items())

    def short(self, key: str, value: Any) -> str:
        """Write a value of an axis, numbers with three digits."""
        return self.value(key, _rounded(value))

    def short_label(self, point: Mapping[str, Any]) -> str:
        """Write a point whose numbers were drawn: with three digits."""
        return self.label({key: _rounded(value) for key, value in point.items()})


def _plain(key: str) -> str:
    return key.partition(".")[2].replace("_", " ")


def _rounded(value: Any) -> Any:
    return float(f"{value:.3g}") if isinstance(value, float) else value


def value_text(value: Any) -> str:
    """Write a value: numbers in short, lists with dashes, Booleans as TOML has them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "-".join(map(value_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
