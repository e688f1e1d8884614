"""One guard for all readers: what a file claims to hold is compared with a budget before anything is allocated."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sparsedyn import _memory

from .errors import DataError

PARSED = 40
"""Bytes of Python objects that a character of JSON may become: an empty list takes 56 bytes, and a place in another."""
NUMBER = 8
"""Bytes of a number."""


def check_memory(size: float, claimed: str) -> None:
    """Raise `DataError` where `size` bytes are beyond the budget; `claimed` says what takes them, as "2 arrays".

    The budget is the environment variable `SPARSEDYN_MEMORY`, by default half of the memory that is free.
    """
    if too_much := beyond(size):
        raise DataError(f"it claims to hold {claimed}, {too_much} If it is not meant to be so large, it is damaged.")


def beyond(size: float) -> str:
    """Write that so many bytes are beyond the budget, and what to do; empty where they are not."""
    try:
        allowed = _memory.budget()
    except ValueError as error:
        raise DataError(str(error)) from error
    if size <= allowed:
        return ""
    said = f"as {_memory.VARIABLE} sets it" if _memory.is_set() else "half of what is free"
    return (
        f"which would take {_memory.amount(size)} of memory; the budget is {_memory.amount(allowed)}, {said}. Set the "
        f"environment variable {_memory.VARIABLE}='{_memory.amount(1.2 * size)}' for more."
    )


def check_numbers(*shape: int, claimed: str) -> None:
    """Raise `DataError` where numbers of this shape are beyond the budget."""
    size = NUMBER
    for length in shape:
        size *= length
    check_memory(size, claimed)


def parsed_json(text: str | bytes) -> Any:
    """Return what a JSON text says; `ValueError` for one that is nested too deep, as for any that is no JSON."""
    check_memory(PARSED * len(text), f"{len(text)} characters of JSON")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("its lists and tables are nested too deep") from error


@contextmanager
def only_data_errors(kind: str) -> Iterator[None]:
    """Turn what a reader raises for a file that nobody foresaw into a `DataError`; `kind` is what it is none of.

    Libraries that read files have errors of their own, and damaged files reach places that none of them checks.
    """
    try:
        yield
    except (DataError, Warning):
        raise
    except MemoryError as error:
        raise DataError(f"it takes more memory than there is ({short(error)}); it may be damaged.") from error
    except Exception as error:
        raise DataError(
            f"it is no readable {kind} ({type(error).__name__}: {short(error)}); it is damaged. Write it again."
        ) from error


def short(error: BaseException, length: int = 200) -> str:
    """Return the message of an error on one line, without the end of a long one."""
    text = " ".join(str(error).split())
    return text if len(text) <= length else text[: length - 3] + "..."
