"""What works where Numba cannot be imported, or has no place for what it compiles."""

from collections.abc import Callable
from typing import Any

import numba
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn._native import _tell_unkept, kept


def test_code_without_a_place_is_compiled_anew_and_it_is_told_once(monkeypatch: pytest.MonkeyPatch):
    asked = []

    def njit(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
            asked.append(options["cache"])
            if options["cache"]:
                raise RuntimeError("cannot cache function: no locator available")
            return function

        return decorated

    monkeypatch.setattr(numba, "njit", njit)
    _tell_unkept.cache_clear()
    with pytest.warns(SparsedynWarning, match="Set NUMBA_CACHE_DIR to a folder that can be written") as told:
        assert kept()(len) is len
        assert kept()(len) is len
    assert len(told) == 1
    assert asked == [True, False] * 2
    _tell_unkept.cache_clear()
