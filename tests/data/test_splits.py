"""What is held out of a fit."""

import numpy as np
import pytest

from sparsedyn import DataError
from sparsedyn.data.splits import hold_out, last_share, random_share


@pytest.mark.parametrize(
    ("count", "share", "least", "held"), [(10, 0.2, 1, 2), (3, 0.1, 1, 1), (2, 0.9, 1, 1), (40, 0.1, 8, 8)]
)
def test_the_last_are_held_out_and_never_all(count: int, share: float, least: int, held: int):
    first, last = last_share(count, share, least=least)
    assert (len(range(count)[first]), len(range(count)[last])) == (count - held, held)


def test_trajectories_are_held_out_whole_where_there_are_enough():
    values = np.arange(6 * 20).reshape(6, 20)
    first, last = hold_out(6, 20, 0.2, from_trajectories=5)
    assert (values[first].shape, values[last].shape) == ((5, 20), (1, 20))
    first, last = hold_out(4, 20, 0.2, from_trajectories=5)
    assert (values[:4][first].shape, values[:4][last].shape) == ((4, 16), (4, 4))
    with pytest.raises(DataError, match="at least 8 rows to fit to beside the 8 that are held out; got 12"):
        hold_out(1, 12, 0.2, least_rows=8)


def test_random_places_are_those_of_the_seed():
    kept, held = random_share(10, 0.3, seed=1)
    assert sorted([*kept, *held]) == list(range(10))
    assert len(held) == 3
    np.testing.assert_array_equal(random_share(10, 0.3, seed=1)[1], held)
    assert not np.array_equal(random_share(10, 0.3, seed=2)[1], held)
    with pytest.raises(DataError, match="of 10 samples, 1 would be held out and 9 left to fit; expected at least 3"):
        random_share(10, 0.1, seed=0, least=3)
