"""When a discovered equation is the true one, and where equations go in the long run."""

import numpy as np
import pytest

from sparsedyn.equations.coordinates import Affine, transformed
from sparsedyn.models import PRIMITIVES, Library
from sparsedyn_papers.champion2019 import pendulum, spiral
from sparsedyn_papers.champion2019.attractor import attractor
from sparsedyn_papers.champion2019.lorenz import LORENZ
from sparsedyn_papers.champion2019.truth import Alignment, Discovered, Structure, aligned

CUBIC = Library(3, 3)
EXACT = LORENZ.coefficients(CUBIC, {})


@pytest.fixture(scope="module")
def states() -> np.ndarray:
    return attractor(CUBIC, EXACT[None], np.array([[1.0, 1.0, 20.0]]), time=40.0).path[0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 4, 9])
def test_lorenz_is_recognized_in_any_coordinates(states: np.ndarray, seed: int):
    rng = np.random.default_rng(seed)
    change = Affine(rng.normal(size=(3, 3)), 3 * rng.normal(size=3))
    moved = change(states)
    coefficients = transformed(CUBIC, EXACT, change, states)
    near = aligned(states + 0.3 * rng.normal(size=states.shape), moved)

    def compared(numbers: np.ndarray, terms: int = 7) -> Structure:
        return LORENZ.structure(Discovered(CUBIC, numbers, moved, near, near.change, terms))

    found = compared(coefficients)
    assert found.right
    assert found.residual < 1e-9
    np.testing.assert_allclose(list(found.parameters.values()), [10.0, 1.0, 28.0, 8 / 3], rtol=1e-7)
    assert not compared(coefficients, 8).right
    # A cubic term of a per mille is another equation.
    spoiled = coefficients.copy()
    spoiled[-1, 0] += 1e-3 * np.abs(coefficients).max()
    assert not compared(spoiled).right


def test_alignment_is_exact_where_it_can_be(states: np.ndarray):
    change = Affine(np.array([[2.0, 1, 0], [0, 1, 0], [1, 0, 3]]), np.array([1.0, 2.0, 3.0]))
    found = aligned(states, change(states))
    np.testing.assert_allclose(found.change.matrix, change.inverse().matrix, atol=1e-9)
    np.testing.assert_allclose(found.r2, 1.0)
    assert aligned(states, states[:, :1]).r2[0] == pytest.approx(1.0)
    assert aligned(states, states[:, :1]).r2[2] < 0.1


def test_rotations_and_swings_are_recognized():
    def of(library: Library, numbers: np.ndarray, slope: float = 1.0) -> Discovered:
        alignment = Alignment(np.array([[slope]]), np.zeros(1), np.ones(1))
        return Discovered(library, numbers, np.zeros((1, 2)), alignment, alignment.change, 1)

    sines = (PRIMITIVES["sin"],)
    plane, circle = Library(2, 3, sines), np.zeros((Library(2, 3, sines).size, 2))
    circle[plane.monomials.index((1,)), 0], circle[plane.monomials.index((0,)), 1] = -1.8, 0.45
    assert spiral.structure(of(plane, circle)).parameters["omega"] == pytest.approx(0.9)
    assert not spiral.structure(of(plane, np.abs(circle))).right
    line, swing = Library(2, 3, sines), np.zeros((Library(2, 3, sines).size, 1))
    swing[len(line.monomials), 0] = -1.1
    assert pendulum.structure(of(line, swing, -0.9)).parameters["k"] == pytest.approx(0.99)
    swing[0, 0] = 0.1
    assert not pendulum.structure(of(line, swing)).right


def test_exponents_are_those_of_linear_and_of_lorenz_equations():
    line = Library(1, 1)
    growth = attractor(line, np.array([[[0.0], [-0.5]]]), np.array([[1.0]]), time=20.0)
    assert growth.lyapunov[0] == pytest.approx(-0.5, abs=1e-6)
    found = attractor(CUBIC, EXACT[None], np.array([[1.0, 1.0, 20.0]]), time=300.0)
    assert found.lyapunov[0] == pytest.approx(0.906, abs=0.05)
    assert found.path.std(axis=1)[0] == pytest.approx([7.9, 9.0, 8.6], rel=0.05)


def test_the_angular_velocity_is_that_of_the_turn():
    turn = np.stack([np.cos(0.9 * np.arange(0, 20, 0.05)), np.sin(0.9 * np.arange(0, 20, 0.05))], axis=1)
    assert spiral.angular_velocity(turn, 0.05)["omega"] == pytest.approx(0.9)
