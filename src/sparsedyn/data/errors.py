"""The one error of this room, and the words its messages share."""

import difflib
from collections.abc import Iterable, Sequence

from sparsedyn._spelling import spelt


class DataError(ValueError):
    """Data or a request about data that cannot be used.

    The message names the place (file, trajectory, row, column), what was expected, what came, and the fix, with its
    options as whoever called spells them: in Python, or on the command line.
    """

    def __init__(self, message: object = "", *more: object):
        super().__init__(spelt(message) if isinstance(message, str) else message, *more)


def listing(names: Iterable[object], limit: int = 20) -> str:
    """Write names for a message: quoted, comma separated, at most `limit` of them."""
    shown = [repr(str(name)) for name in names]
    if not shown:
        return "none"
    rest = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {rest} more" if rest > 0 else "")


def closest(name: str, known: Sequence[str]) -> str:
    """Write " Did you mean 'b'?" for the known name nearest to `name`; empty without a near one."""
    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f" Did you mean {folded[found[0]]!r}?" if found else ""


def trajectory_place(labels: Sequence[str], index: int) -> str:
    """Name a trajectory for a message: its label, and its position where the label does not tell it."""
    label = labels[index]
    return f"trajectory {label!r}" + ("" if label == str(index) else f" (index {index})")


def in_all(count: int) -> str:
    """Say how many more there are of what a message shows the first of; empty for a single one."""
    return f" (the first of {count})" if count > 1 else ""
