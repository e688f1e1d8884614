"""Damage: bytes and JSON values changed at places that are drawn, by Hypothesis, by a generator or by a fuzzer."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Draw = Callable[[int], int]
"""Returns an integer from 0 to below its argument."""

NUMBERS = (0, 1, -1, 2, 3, 255, 256, 10**6, 10**12, 2**31, 2**63, -(2**63), 10**400, 0.5, 1e308, 5e-324, -0.0)
VALUES: tuple[Any, ...] = (
    *NUMBERS,
    *(float("nan"), float("inf"), None, True, False, "", "x", "\x00", "nan", "=1+1", "a" * 300, "\u202e", "x0**x1"),
    *([], {}, [[]], {"": []}, [0] * 1000),
)
"""What stands in the place of a value of JSON."""


def damaged(content: bytes, draw: Draw, words: tuple[bytes, ...]) -> bytes:
    """Return content with one to four changes: bytes flipped, set, cut, moved, repeated, or words put in."""
    for _ in range(1 + draw(4)):
        at = draw(len(content) + 1)
        span = draw(min(64, len(content) - at) + 1)
        kind = draw(7)
        if kind == 0 and at < len(content):
            content = content[:at] + bytes([content[at] ^ (1 << draw(8))]) + content[at + 1 :]
        elif kind == 1 and at < len(content):
            content = content[:at] + bytes([(0, 0x7F, 0x80, 0xFF)[draw(4)]]) * span + content[at + span :]
        elif kind == 2:
            content = content[:at] + content[at + span :]
        elif kind == 3:
            content = content[:at]
        elif kind == 4:
            content = content[:at] + content[at : at + span] * (1 + draw(50)) + content[at:]
        else:
            content = content[:at] + words[draw(len(words))] * (1 + draw(3)) + content[at + (kind == 6) * span :]
    return content


def changed(value: Any, draw: Draw) -> Any:
    """Return a value of JSON in which one place is changed."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    if not inner or draw(5) == 0:
        return VALUES[draw(len(VALUES))]
    key, old = inner[draw(len(inner))]
    copy = value.copy()
    kind = draw(8)
    if kind == 0:
        copy.pop(key)
    elif kind == 1 and isinstance(copy, list):
        copy.insert(key, old)
    else:
        copy[key] = changed(old, draw)
    return copy


def reshaped(arrays: dict[str, np.ndarray], draw: Draw) -> dict[str, np.ndarray]:
    """Return named arrays of which one is of another type, shape or name, has other values, or is gone."""
    name = sorted(arrays)[draw(len(arrays))]
    rest = {key: array for key, array in arrays.items() if key != name}
    array = arrays[name]
    kind = draw(8)
    if kind == 0:
        return rest
    if kind == 1:
        return rest | {f"{name}.{draw(3)}": array}
    if kind == 2:
        return rest | {name: array.astype(("int64", "float16", "bool", "float64", "uint8")[draw(5)])}
    if kind == 3:
        return rest | {name: array.reshape(-1)}
    if kind == 4:
        return rest | {name: array[..., : draw(array.shape[-1] + 1)] if array.ndim else array[None]}
    if kind == 5:
        return rest | {name: np.repeat(array[None], 1 + draw(3), axis=0)}
    flat = np.array(array).reshape(-1)
    if flat.size:
        with np.errstate(all="ignore"):
            flat[draw(flat.size)] = (np.nan, np.inf, 0, 1, 1e308)[draw(5)] if flat.dtype.kind == "f" else draw(2)
    return rest | {name: flat.reshape(array.shape)}


def generator(seed: Iterable[int]) -> Draw:
    """Return what draws from a generator of random numbers."""
    rng = np.random.default_rng(list(seed))
    return lambda bound: int(rng.integers(bound))
