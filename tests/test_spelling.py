"""Messages have one spelling of an option: that of whoever called."""

import warnings

import pytest

from sparsedyn import SparsedynWarning
from sparsedyn._spelling import TYPED
from sparsedyn.data import DataError

TEXT = "Cut it with gaps='cut' (--gaps cut), say where with time_zone='UTC' (--time-zone UTC); f(x) stays."
PYTHON = "Cut it with gaps='cut', say where with time_zone='UTC'; f(x) stays."


@pytest.mark.parametrize(("typed", "expected"), [(False, PYTHON), (True, TEXT)])
def test_errors_and_warnings_are_spelt_for_their_caller(typed: bool, expected: str):
    before = TYPED.set(typed)
    try:
        assert str(DataError(TEXT)) == expected
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warnings.warn(TEXT, SparsedynWarning, stacklevel=1)
        assert str(caught[0].message) == expected
    finally:
        TYPED.reset(before)
