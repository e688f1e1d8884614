"""Ctrl-C in compiled code."""

import pytest

from sparsedyn._stopping import Terminated, interruptible


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Terminated])
def test_what_numba_makes_of_a_signal_is_the_signal(kind: type[KeyboardInterrupt]):
    with pytest.raises(kind), interruptible():
        raise SystemError("returned a result with an exception set") from kind()


def test_other_errors_stay():
    with pytest.raises(SystemError, match="something else"), interruptible():
        raise SystemError("something else")
