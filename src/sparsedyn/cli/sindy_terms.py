"""What stands in the options of `sparsedyn sindy`: thresholds, functions, and what is known beforehand."""

import math
import re
from collections.abc import Sequence
from typing import Any

from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.values import check_choice
from sparsedyn.models.catalogue import PRIMITIVES

AUTO = "auto"
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
BOUNDS = re.compile(rf"(?:(?P<low>{NUMBER})\s*<=\s*)?(?P<term>[^<>]+?)(?:\s*<=\s*(?P<high>{NUMBER}))?")
ABOVE = re.compile(rf"(?P<term>[^<>]+?)\s*>=\s*(?P<low>{NUMBER})")
VALUE = re.compile(rf"(?P<term>.+?)\s*=\s*(?P<value>{NUMBER})")


def threshold_of(text: str) -> float | list[float] | str:
    """Return `auto`, a number, or a number per equation; raises `UsageProblem`."""
    if text.strip() == AUTO:
        return AUTO
    try:
        numbers = [float(piece) for piece in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(0 <= one < math.inf for one in numbers):
        raise UsageProblem(f"--threshold: expected auto, or numbers of at least 0, such as 0.1; got {text!r}.")
    return numbers if len(numbers) > 1 else numbers[0]


def lags_of(text: str, *, discrete: bool) -> int | str:
    """Return `auto` or a number of rows; raises `UsageProblem`, also for lags of derivatives."""
    if text != AUTO and not text.isdecimal():
        raise UsageProblem(f"--lags: expected auto, or a number of rows of at least 0; got {text!r}.")
    if text != "0" and not discrete:
        raise UsageProblem(f"--lags {text}: expected along with --discrete, whose equations have rows; got it without.")
    return text if text == AUTO else int(text)


def functions_of(text: str | None) -> tuple[str, ...]:
    """Return names of functions; raises `UsageProblem` for those that are none."""
    names = tuple(piece.strip() for piece in (text or "").split(",") if piece.strip())
    for name in names:
        check_choice("--functions", name, PRIMITIVES)
    if len(set(names)) < len(names):
        raise UsageProblem(f"--functions: expected every name once; got {text!r}.")
    return names


def known_of(texts: Sequence[str] | None) -> dict[str, str] | None:
    """Return the known parts by state; raises `UsageProblem`."""
    found = {}
    for text in texts or ():
        name, equals, right = (piece.strip() for piece in text.partition("="))
        if not (name and equals and right) or name in found:
            raise UsageProblem(f"--known: expected 'state = expression', each state once; got {text!r}.")
        found[name] = right
    return found or None


def restrictions_of(
    fix: Sequence[str] | None, bound: Sequence[str] | None, exclude: Sequence[str] | None, only: Sequence[str] | None
) -> dict[str, Any]:
    """Return the arguments of `sparsedyn.Constraints`; raises `UsageProblem`."""
    found: dict[str, Any] = {}
    for text in fix or ():
        state, right = _of_state("--fix", text, "'x: v = 1'")
        if not (value := VALUE.fullmatch(right)):
            raise UsageProblem(f"--fix: expected 'state: term = number', such as 'x: v = 1'; got {text!r}.")
        found.setdefault("fixed", {})[value["term"], state] = float(value["value"])
    for text in bound or ():
        state, right = _of_state("--bound", text, "'v: v <= 0'")
        term, limits = _bounds(right, text)
        found.setdefault("bounds", {})[term, state] = limits
    for text in exclude or ():
        state, right = _of_state("--exclude", text, "'x: u, x^2'")
        found.setdefault("exclude", []).extend((term.strip(), state) for term in right.split(","))
    for text in only or ():
        state, right = _of_state("--terms", text, "'x: v'")
        found.setdefault("only", {})[state] = [term.strip() for term in right.split(",")]
    return found


def _bounds(right: str, text: str) -> tuple[str, tuple[float | None, float | None]]:
    """Return a term, and its least and greatest coefficient."""
    found = ABOVE.fullmatch(right) or BOUNDS.fullmatch(right)
    low, high = (None, None) if found is None else (found.groupdict().get(name) for name in ("low", "high"))
    if found is None or (low is None and high is None):
        raise UsageProblem(
            f"--bound: expected 'state: term <= number', 'state: term >= number' or both, 'state: -1 <= term <= 1'; "
            f"got {text!r}."
        )
    return found["term"], (None if low is None else float(low), None if high is None else float(high))


def _of_state(option: str, text: str, example: str) -> tuple[str, str]:
    state, colon, right = (piece.strip() for piece in text.partition(":"))
    if not (state and colon and right):
        raise UsageProblem(f"{option}: expected a state, a colon and a term, such as {example}; got {text!r}.")
    return state, right
