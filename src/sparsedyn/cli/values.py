"""Values of options, checked before anything is imported for the work."""

import difflib
import math
from collections.abc import Iterable

from sparsedyn.cli.errors import UsageProblem


def check_choice(option: str, name: str, known: Iterable[str]) -> None:
    """Raise `UsageProblem` unless `name` is one of the known ones."""
    names = list(known)
    if name not in names:
        raise UsageProblem(f"{option}: expected one of {', '.join(names)}; got {name!r}.{did_you_mean(name, names)}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question with the known name that is nearest to `name`; nothing where none is near."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_positive(option: str, value: float | None) -> None:
    """Raise `UsageProblem` unless a value that was given is a positive, finite number."""
    if value is not None and not 0.0 < value < math.inf:
        raise UsageProblem(f"{option}: expected a positive number; got {value:g}.")
