"""Changes of coordinates: exact on polynomials, and Lorenz's equations found again behind random ones."""

import numpy as np
import pytest

from sparsedyn.equations.coordinates import Affine, contributions_at, transformed
from sparsedyn.equations.sparse_coordinates import sparsest
from sparsedyn.equations.standard_form import canonical
from sparsedyn.models import PRIMITIVES, Library

LIBRARY = Library(3, 3)


def lorenz() -> np.ndarray:
    names, found = LIBRARY.names("xyz"), np.zeros((LIBRARY.size, 3))
    terms = {"x": (-10, 28, 0), "y": (10, -1, 0), "z": (0, 0, -8 / 3), "x z": (0, -1, 0), "x y": (0, 0, 1)}
    for term, row in terms.items():
        found[names.index(term)] = row
    return found


@pytest.fixture(scope="module")
def attractor() -> np.ndarray:
    state, rows = np.array([1.0, 2.0, 20.0]), []
    for _ in range(6000):
        for _ in range(5):
            x, y, z = state
            state = state + 0.002 * np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
        rows.append(state)
    return np.array(rows[500:])


def mixing(seed: int) -> Affine:
    rng = np.random.default_rng(seed)
    return Affine(0.1 * rng.normal(size=(3, 3)), rng.normal(size=3))


def test_a_change_and_its_inverse(attractor):
    change = mixing(0)
    np.testing.assert_allclose(change.inverse()(change(attractor)), attractor, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(change.after(change)(attractor), change(change(attractor)), rtol=1e-9, atol=1e-9)


def test_coefficients_move_with_their_variables(attractor):
    change = mixing(1)
    moved = transformed(LIBRARY, lorenz(), change, attractor)
    velocity = LIBRARY.evaluate(attractor) @ lorenz() @ change.matrix.T
    np.testing.assert_allclose(LIBRARY.evaluate(change(attractor)) @ moved, velocity, rtol=1e-6, atol=1e-6)
    back = transformed(LIBRARY, moved, change.inverse(), change(attractor))
    np.testing.assert_allclose(back, lorenz(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_lorenz_is_found_again_in_its_own_form(attractor, seed):
    change = mixing(seed)
    hidden = transformed(LIBRARY, lorenz(), change, attractor)
    assert np.count_nonzero(hidden) > 12
    states = change(attractor)
    found = sparsest(LIBRARY, hidden, states, seed=seed)
    moved = transformed(LIBRARY, hidden, found, states)
    moved = np.where(contributions_at(LIBRARY, moved, found.states(states)) > 0.02, moved, 0.0)
    assert np.count_nonzero(moved) == 7
    tidy = canonical(LIBRARY, moved)
    final = transformed(LIBRARY, moved, tidy, found.states(states))
    np.testing.assert_allclose(final, lorenz(), rtol=5e-3, atol=5e-3)


def test_second_order_states_move_with_their_velocities():
    library = Library(2, 2)
    coefficients = np.zeros((library.size, 1))
    coefficients[library.names("zv").index("z")] = -4.0
    change = Affine(np.array([[2.0]]), np.array([1.0]))
    points = np.random.default_rng(0).normal(size=(50, 2))
    moved = dict(zip(library.names("wv"), transformed(library, coefficients, change, points)[:, 0], strict=True))
    # w = 2 z + 1: w'' = -4 (w - 1).
    assert {name: round(float(value), 6) for name, value in moved.items() if value} == {"1": 4.0, "w": -4.0}


def test_fewest_terms_of_an_equation_of_second_order():
    """w'' = -4 (w - 1) - v/10 becomes z'' = -4 z - z'/10 about its equilibrium."""
    library = Library(2, 2)
    coefficients = np.zeros((library.size, 1))
    for term, value in {"1": 4.0, "w": -4.0, "v": -0.1}.items():
        coefficients[library.names("wv").index(term)] = value
    rng = np.random.default_rng(0)
    states = np.column_stack([1 + rng.normal(size=800), 2 * rng.normal(size=800)])
    change = sparsest(library, coefficients, states, starts=3)
    moved = transformed(library, coefficients, change, states)
    kept = contributions_at(library, moved, change.states(states)) > 0.02
    assert {name for name, here in zip(library.names("zv"), kept[:, 0], strict=True) if here} == {"z", "v"}


def test_motion_on_a_circle_comes_to_two_terms_although_cubes_are_lines_there():
    """An oblique look at a rotation, in a library with sines that are not in use."""
    library = Library(2, 3, (PRIMITIVES["sin"],))
    angle = np.linspace(0, 20, 400)
    oblique = Affine(np.array([[1.0, 0.2], [0.4, 1.0]]), np.array([0.3, -0.5]))
    states = oblique(np.column_stack([np.cos(angle), np.sin(angle)]))
    rotation = np.zeros((library.size, 2))
    rotation[library.names("xy").index("y"), 0], rotation[library.names("xy").index("x"), 1] = -0.9, 0.9
    hidden = transformed(library, rotation, oblique, oblique.inverse()(states))
    assert np.count_nonzero(hidden) == 6
    change = sparsest(library, hidden, states, starts=4)
    moved = transformed(library, hidden, change, states)
    moved = np.where(contributions_at(library, moved, change.states(states)) > 0.02, moved, 0.0)
    assert np.count_nonzero(moved) == 2
    tidy = canonical(library, moved)
    final = transformed(library, moved, tidy, change(states))
    np.testing.assert_allclose(np.sign(final[2, 0]) * final, np.sign(rotation[2, 0]) * rotation, atol=1e-4)
