"""Banks of random units: what is fitted, and how networks grow by them."""

import numpy as np
import pytest

from sparsedyn.data import Samples
from sparsedyn.estimators.equation._candidates import SCREENED, candidate_terms
from sparsedyn.estimators.equation._growth import Parent, unexplained, with_connections, with_terms
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models import units_of
from sparsedyn.models.eql import places

LAYOUT = Layout(2, (units_of("general"),) * 2)
X = np.random.default_rng(0).uniform(1.0, 3.0, (SCREENED, 2))
NATURAL = np.ones(2)


def _left(values: np.ndarray, y: np.ndarray) -> float:
    """What the best of some columns, times a number, plus another, leaves of `y`, relative to its spread."""
    centred, target = values - values.mean(axis=0), y - y.mean()
    norm = np.linalg.norm(centred, axis=0)
    best = np.argmax(np.abs(target @ centred) / np.where(norm > 1e-4, norm, np.inf))
    column = centred[:, best] / norm[best]
    return float(np.linalg.norm(target - column * (column @ target)) / np.linalg.norm(target))


@pytest.mark.parametrize(
    "y", [X[:, 0] ** 2 / (np.exp(X[:, 1]) - 1), np.sqrt(X[:, 0] ** 2 + X[:, 1]), np.exp(X[:, 0] / X[:, 1] - 0.3)]
)
def test_some_candidate_term_is_the_function_itself(y):
    left = [_left(candidate_terms(LAYOUT, X, y, NATURAL, np.random.default_rng(seed)).values, y) for seed in range(4)]
    assert min(left) < 1e-5


def _parent(y: np.ndarray, flat: np.ndarray | None, layout: Layout = LAYOUT) -> Parent:
    return unexplained(layout, flat, Samples(X, np.zeros((len(X), 0)), y[:, None]))


def test_a_connection_that_is_missing_is_found():
    """`x0 / (0.98 x1)` gets `0.02 x0` in its denominator: at first order nothing else explains what is left."""
    matrices = [np.zeros(shape) for shape in LAYOUT.shapes()]
    rows = [i for i, (p, _) in enumerate(places(LAYOUT.hidden[0])) if p.name == "identity"][:2]
    for feature, row in enumerate(rows):
        matrices[0][feature, places(LAYOUT.hidden[0])[row][1][0]] = 1.0
    place, (above, below) = next(
        (i, own) for i, (p, own) in enumerate(places(LAYOUT.hidden[1])) if p.name == "division"
    )
    matrices[1][rows[0], above], matrices[1][rows[1], below], matrices[2][place, 0] = 1.0, 0.98, 1.0
    y = X[:, 0] / (0.98 * X[:, 1] + 0.02 * X[:, 0])
    flat = np.concatenate([matrix.ravel() for matrix in matrices])
    before = _parent(y, flat)
    candidates = candidate_terms(LAYOUT, X, y, NATURAL, np.random.default_rng(0))
    after = [_parent(y, with_connections(LAYOUT, candidates, before, 1, np.random.default_rng(s))) for s in range(5)]
    assert np.linalg.norm(before.residual) > 5 * min(np.linalg.norm(network.residual) for network in after)


def test_a_term_explains_something_and_further_ones_leave_the_parents_units_alone():
    # No function with a pole: training sees those guarded, and so do candidate terms.
    layout = Layout(2, (units_of({"constant": 1, "identity": 3, "sin": 2, "product": 3}),) * 2)
    y = X[:, 0] * X[:, 1] * np.sin(X[:, 0] * X[:, 1] ** 2)
    candidates = candidate_terms(layout, X, y, NATURAL, np.random.default_rng(0))
    one = with_terms(layout, candidates, _parent(y, None, layout), 1, np.random.default_rng(1))
    more = with_terms(layout, candidates, _parent(y, one, layout), 2, np.random.default_rng(2))
    assert np.std(_parent(y, one, layout).residual) < 0.99 * np.std(y)
    assert np.count_nonzero(more) > np.count_nonzero(one)
    inner = sum(int(np.prod(shape)) for shape in layout.shapes()[:-1])
    kept = np.flatnonzero(one[:inner])
    np.testing.assert_array_equal(more[kept], one[kept])


def test_what_float32_cannot_hold_is_no_candidate_and_no_warning():
    y = X[:, 0] * np.exp(X[:, 1])
    candidates = candidate_terms(LAYOUT, X, y, NATURAL, np.random.default_rng(0))
    parent = _parent(y, with_terms(LAYOUT, candidates, _parent(y, None), 2, np.random.default_rng(1)))
    huge = parent._replace(entering=[part * 10.0 ** np.linspace(0, 60, part.shape[1]) for part in parent.entering])
    assert np.isfinite(with_connections(LAYOUT, candidates, huge, 2, np.random.default_rng(2))).all()
