"""The tables of laws: they are read, have units that agree, and values where they are drawn."""

import numpy as np
import pytest

from sparsedyn_papers.laws import SUITES, read_laws, suite


@pytest.mark.parametrize(("name", "count"), [("feynman", 80), ("other-fields", 30)])
def test_laws_have_values_where_they_are_drawn(name: str, count: int):
    laws = suite(name)
    assert len({law.name for law in laws}) == len(laws) == count
    for law in laws[::8]:
        x, y = law.sampled(20, np.random.default_rng(0))
        assert x.shape == (20, len(law.variables))
        assert np.ptp(y) > 0
        assert set(law.units) == {*law.names, law.target}
    assert set(SUITES) == {"feynman", "other-fields"}


def test_units_of_laws_agree():
    pytest.importorskip("pint")
    from sparsedyn.equations import symbol
    from sparsedyn.estimators.equation._units import checked_units, constant_dimensions

    for law in suite("feynman")[::4]:
        units = checked_units(law.units, law.names, law.target)
        assert units is not None
        columns, target = units
        own = {symbol(key): value for key, value in columns.items()}
        found = constant_dimensions(law.truth, own, target)
        assert found is not None, law.name


def test_a_line_that_is_no_law_is_refused():
    with pytest.raises(ValueError, match="laws: expected"):
        read_laws("gravity | g = 9.81 | t [s] 0 1")
