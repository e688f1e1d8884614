"""The points of a grid: every combination of its values, and what it is called."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.grid import axes_of
from sparsedyn.studies.slugs import slug_of


@dataclass(frozen=True)
class Combination:
    """One point of the grid: its number, counted from 0 in the grid's order, and its settings by dotted key."""

    number: int
    settings: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The settings in words, e.g. "2 x 25, adam, 0.001, batch 32"."""
        return ", ".join(in_words(key, value) for key, value in self.settings.items())


def combinations(spec: StudySpec) -> list[Combination]:
    """Return all points of the grid; the axes named first vary slowest. Raises `Misfit` where two share a folder."""
    axes = axes_of(spec)
    points = [
        Combination(i, dict(zip(axes, values, strict=True)))
        for i, values in enumerate(itertools.product(*axes.values()))
    ]
    folders: dict[str, Combination] = {}
    for point in points:
        other = folders.setdefault(slug_of(point.label), point)
        if other is not point:
            raise _one_folder(other, point, axes)
    return points


def in_words(key: str, value: Any) -> str:
    """Write one setting so that it can be told from the others: "adam", "batch 32"."""
    if key in ("model.hidden", "model.activation", "training.optimizer", "training.schedule", "training.learning_rate"):
        return briefly(key, value)
    return f"{key.partition('.')[2].replace('_', ' ')} {briefly(key, value)}"


def briefly(key: str, value: Any) -> str:
    """Write the value of one setting."""
    if key == "model.hidden":
        widths = [int(width) for width in value]
        alike = len(set(widths)) == 1
        return f"{len(widths)} x {widths[0]}" if alike else "-".join(map(str, widths)) or "no hidden layer"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _one_folder(first: Combination, second: Combination, axes: Mapping[str, tuple[Any, ...]]) -> Misfit:
    """Return the complaint about two points whose cells would have one folder."""
    # Names are made of the settings: what makes two of them alike is a value that reads like another one.
    key = next(key for key in axes if first.settings[key] != second.settings[key])
    values = (first.settings[key], second.settings[key])
    return Misfit(
        ("search", "grid", key, axes[key].index(values[1])),
        f"expected values that give every combination a folder of its own; got {values[0]!r} and {values[1]!r}, for "
        f"which it is {slug_of(second.label)!r}. Change one.",
    )
