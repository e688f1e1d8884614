"""Terms have to pay for themselves."""

import numpy as np
import pytest

from sparsedyn.training.parsimony import FLOOR, bic, penalized


def test_a_term_pays_that_divides_the_error_by_its_price():
    price = np.log(4.0)
    assert penalized(1e-4, 3, price=price) == pytest.approx(penalized(1e-4 / 4, 4, price=price))
    assert penalized(np.array([0.0, 1.0]), np.array([5, 0]), price=price).tolist() == [-np.inf, 0.0]


def test_schwarz_counts_samples_and_ignores_rounding():
    assert bic(1e-3, 2, 100) == pytest.approx(100 * np.log(1e-3 + FLOOR) + 2 * np.log(100))
    assert bic(0.0, 3, 100) > bic(FLOOR / 1e3, 2, 100)
