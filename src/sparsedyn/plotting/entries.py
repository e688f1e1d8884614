"""One thing, or several by label: what functions that compare take."""

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

Thing = TypeVar("Thing")
Entries: TypeAlias = Thing | Mapping[str, Thing]


def labelled(given: Entries[Thing]) -> dict[str, Thing]:
    """Return what was given by label, a single thing under the empty one; raises `ValueError` for an empty mapping."""
    if not isinstance(given, Mapping):
        return {"": given}
    if not given:
        raise ValueError("expected at least one entry to draw; got an empty mapping.")
    return dict(given)
