"""What techniques and timings take in a table, and which values: checked here, without JAX, and by their classes.

A function per name, whose parameters are the arguments with their kinds and defaults; it raises `ValueError` for values
that are out of range. Values may also be those of an instance: arrays, tracers, other techniques.
"""

import difflib
import inspect
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, get_type_hints

from sparsedyn.sparsify.catalogue import TECHNIQUES

Number = Annotated[Any, "a number"]
Whole = Annotated[Any, "a whole number"]
Text = Annotated[Any, "text"]
Flag = Annotated[Any, "true or false"]
Numbers = Annotated[Any, "a list of numbers"]
Wholes = Annotated[Any, "a list of whole numbers"]
Nested = Annotated[Any, "a table with a type"]
Value = Annotated[Any, "a value"]

TENTHS = tuple(i / 10 for i in range(1, 8))
SCOPES = ("layer", "global")
REGROW = ("zero", "fan-in", "fan-out")


def check_number(name: str, value: Any, *, low: float = 0.0, below: float = math.inf) -> None:
    """Raise `ValueError` unless a scalar hyperparameter is a finite number in [low, below); arrays pass unchecked."""
    if getattr(value, "shape", ()):
        return
    # Under jit and vmap hyperparameters are tracers or placeholders without values.
    if isinstance(value, str | bool) or (isinstance(value, int | float) and not low <= value < below):
        least = "a finite number" if low == -math.inf else f"a number of at least {low:g}"
        wanted = least + ("" if below == math.inf else f" and below {below:g}")
        raise ValueError(f"{name}: expected {wanted}; got {value!r}.")


def check_fractions(at: tuple[float, ...]) -> None:
    """Raise `ValueError` unless `at` are increasing fractions of training."""
    numbers = all(isinstance(fraction, int | float) for fraction in at)
    if not numbers or not at or list(at) != sorted(set(at)) or not 0.0 <= at[0] <= at[-1] <= 1.0:
        raise ValueError(
            f"at: expected increasing fractions of training in [0, 1]; got {at}. Write e.g. (0.1, 0.2, 0.3): shares of "
            "the run, not steps or epochs."
        )


def evenly(begin: float, end: float, times: int) -> tuple[float, ...]:
    """Return `times` fractions from just after `begin` to `end`, evenly spaced; the last is `end`."""
    if not (0.0 <= begin < end <= 1.0):
        raise ValueError(
            f"begin, end: expected fractions of training with 0 <= begin < end <= 1; got {begin}, {end}. "
            "Times are shares of the run (0.5 is halfway), not steps or epochs."
        )
    if times < 1:
        raise ValueError(f"times: expected at least 1; got {times}.")
    return tuple(begin + (end - begin) * (i + 1) / times for i in range(times))


def l1(weight: Number = 1e-4) -> None:
    """`L1`, and `L2`."""
    check_number("weight", weight)


def root(weight: Number = 5e-3, a: Number = 0.01) -> None:
    """`L05` and its like."""
    check_number("weight", weight)
    check_number("a", a, low=1e-12)


def l0(
    weight: Number = 1e-3, drop_rate: Number = 0.5, beta: Number = 2.0 / 3.0, gamma: Number = -0.1, zeta: Number = 1.1
) -> None:
    """`L0`."""
    check_number("weight", weight)
    check_number("drop_rate", drop_rate, low=1e-6, below=1.0)


def soft_threshold(initial: Number = -2.0, dense_start: Flag = True) -> None:
    """`STR`."""
    check_number("initial", initial, low=-math.inf)


def magnitude(sparsity: Number = 0.75, timing: Nested = None, scope: Text = "global") -> None:
    """`MagnitudePruning`."""
    check_number("sparsity (75 % zeros are written 0.75)", sparsity, below=1.0)
    if scope not in SCOPES:
        raise ValueError(f"scope: expected 'layer' or 'global'; got {scope!r}.")


def dsr(
    sparsity: Number = 0.5,
    reallocate: Number = 100.0,
    tolerance: Number = 0.1,
    threshold: Number = 1e-3,
    period: Number = 0.02,
    end: Number = 0.6,
    regrow: Text = "zero",
) -> None:
    """`DSR`."""
    check_number("sparsity (half zeros are written 0.5)", sparsity, below=1.0)
    for name, value in {"reallocate": reallocate, "tolerance": tolerance, "threshold": threshold}.items():
        check_number(name, value)
    if regrow not in REGROW:
        raise ValueError(f"regrow: expected one of {', '.join(REGROW)}; got {regrow!r}.")
    if not 0.0 < period <= end <= 1.0:
        raise ValueError(
            f"period, end: expected fractions of training with 0 < period <= end <= 1; got {period}, {end}."
        )


def threshold(threshold: Number = 0.1, at: Numbers = TENTHS) -> None:
    """`SequentialThresholding`."""
    check_number("threshold", threshold)
    check_fractions(tuple(at))


def freeze(at: Number = 0.1) -> None:
    """`Freeze`, and `OneShot`."""
    check_fractions((at,))


def support() -> None:
    """`Support`."""


def phases(technique: Nested, at: Numbers = (0.3, 0.6), levels: Numbers = (0.03, 1.0)) -> None:
    """`Phases`."""
    check_fractions(tuple(at))
    if len(levels) != len(at) or any(level < 0 for level in levels):
        raise ValueError(f"levels: expected {len(at)} factors of at least 0, one for each of at; got {tuple(levels)}.")


def chain(links: Value = ()) -> None:
    """`Chain`."""


def on(where: Wholes, technique: Nested) -> None:
    """`On`."""
    if not where or not all(isinstance(i, int) for i in where):
        raise ValueError(f"where: expected matrix numbers such as (0, -1); got {tuple(where)!r}.")


def one_shot(at: Number = 0.5) -> None:
    """`OneShot`."""
    check_fractions((at,))


def stages(at: Numbers = (0.1, 0.2, 0.3, 0.4), shares: Numbers = ()) -> None:
    """`Stages`."""
    check_fractions(tuple(at))
    if not shares:
        return
    increasing = list(shares) == sorted(set(shares)) and shares[0] > 0.0
    if len(shares) != len(at) or not increasing or shares[-1] != 1.0:
        raise ValueError(
            f"shares: expected {len(at)} increasing shares of the final sparsity, the last one 1; got {tuple(shares)}. "
            "Leave them out for equal parts."
        )


def cubic(begin: Number = 0.0, end: Number = 0.5, times: Whole = 50) -> None:
    """`Cubic`."""
    evenly(begin, end, times)


TIMINGS: dict[str, Callable[..., None]] = {"cubic": cubic, "stages": stages, "one-shot": one_shot}
ARGUMENTS: dict[str, Callable[..., None]] = {
    "l1": l1, "l2": l1, "l05": root, "l03": root, "l07": root, "l0": l0, "str": soft_threshold,
    "magnitude": magnitude, "dsr": dsr, "threshold": threshold, "freeze": freeze, "support": support,
    "phases": phases, "chain": chain, "on": on, **TIMINGS,
}  # fmt: skip
"""What techniques and timings take, by name."""


def kinds(name: str) -> dict[str, str] | None:
    """Return the arguments of a technique or timing with their kinds, in their order; `None` if they are not known."""
    if name not in ARGUMENTS:
        return None
    hints = get_type_hints(ARGUMENTS[name], include_extras=True)
    return {argument: hints[argument].__metadata__[0] for argument in inspect.signature(ARGUMENTS[name]).parameters}


def check_name(name: Any, known: Collection[str] = (*TECHNIQUES, *TIMINGS)) -> None:
    """Raise `ValueError` for what names neither a technique nor a timing."""
    if name not in known:
        raise ValueError(f"type: unknown technique {name!r}{nearest(name, known)}. Known: {', '.join(known)}.")


def check_names(name: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise `ValueError` for arguments that a technique or timing does not take."""
    takes = list(allowed)
    for key in given:
        if key not in takes:
            raise ValueError(f"{name}: unknown argument {key!r}{nearest(key, takes)}. It takes: {', '.join(takes)}.")


def check(name: str, given: Mapping[str, Any]) -> None:
    """Raise `ValueError` for arguments in a table that a technique or timing does not take, and values out of range."""
    if (takes := kinds(name)) is None:
        return
    check_names(name, given, takes)
    try:
        inspect.signature(ARGUMENTS[name]).bind(**given)
    except TypeError as error:
        raise ValueError(f"{name}: {error}. It takes: {', '.join(takes)}.") from error
    ARGUMENTS[name](**given)


def nearest(name: Any, known: Iterable[str]) -> str:
    """Return a question with the known name that is nearest; nothing where none is near."""
    spelt = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(str(name).casefold(), list(spelt), n=1)
    return f" (did you mean {spelt[close[0]]!r}?)" if close else ""
