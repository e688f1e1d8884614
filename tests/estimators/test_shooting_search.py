"""Parts of the search by states: saturations of two variables, weights by a model's states, rounding along chaos."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sparsedyn import Trajectories
from sparsedyn.estimators.shooting_search._along import proposed, weighed
from sparsedyn.estimators.shooting_search._dense import refined
from sparsedyn.estimators.shooting_search._library import library
from sparsedyn.estimators.shooting_search._models import _finished
from sparsedyn.estimators.shooting_search._noise import shapes_of
from sparsedyn.estimators.shooting_search._paths import Paths, paths_of
from sparsedyn.estimators.shooting_search._problem import LENGTHS, Candidate, Problem, problem_of
from sparsedyn.estimators.shooting_search._rounding import rounded, shortened
from sparsedyn.estimators.shooting_search._saturations import Saturations
from sparsedyn.training.shooting.products import COS, POWER, SIGMOID_OF_TWO, SIN, Factor, Term

T = np.linspace(0, 10, 150)


def x(i: int, power: int = 1) -> Factor:
    return Factor(POWER, i, -1, power)


def measured(right: Callable[[np.ndarray], list[float]], start: list[float], noise: float = 0.0) -> Paths:
    found = solve_ivp(lambda _, z: right(z), (0, 10), start, t_eval=T, rtol=1e-9, atol=1e-9).y.T
    noisy = found * (1 + noise * np.random.default_rng(0).normal(size=found.shape))
    return paths_of(Trajectories(noisy, dt=T[1]))


def grown(
    problem: Problem, terms: list[Term], coefficients: list[float], equations: list[int], levels: int | None = None
) -> Candidate:
    made = problem.fit(terms, coefficients, equations, 0)
    for level in range(len(problem.cuts) if levels is None else levels):
        made = refined(problem, problem.again(made, level))
    return made


def test_a_rate_that_saturates_in_two_states_is_proposed():
    def right(z: np.ndarray) -> list[float]:
        return [-z[0] + 1 / (1 + np.exp(0.5 - 2 * z[1] - z[2])), z[2], -z[1] - 0.1 * z[2]]

    paths = measured(right, [0.9, 1.5, 0.0])
    problem = problem_of(paths, [0], 3e-5)
    guesses = Saturations(paths).guesses(0)
    fits = [problem.fit(*one, [0] * len(one.terms), 0, iterations=40) for one in guesses]
    best = min(fits, key=lambda one: one.score)
    assert [term.factors for term in best.terms] == [(x(0),), (Factor(SIGMOID_OF_TWO, 1, 2),)]
    np.testing.assert_allclose(best.coefficients, [-1, 1], atol=1e-2)
    np.testing.assert_allclose(best.terms[1].inside, [-2, 0.5, -1], atol=3e-2)


def test_sizes_of_errors_are_those_of_the_states_of_a_model():
    rng = np.random.default_rng(0)
    fitted = [2 + np.sin(T), np.exp(-T / 3)]
    series = [one * (1 + 0.1 * rng.normal(size=len(T))) for one in fitted]
    shapes = np.concatenate(shapes_of(series, fitted))
    share = shapes / np.abs(np.concatenate(fitted))
    assert share.std() < 0.02 * share.mean()
    flat = np.concatenate(shapes_of([one + 0.1 * rng.normal(size=len(T)) for one in fitted], fitted))
    np.testing.assert_array_equal(flat, np.ones(2 * len(T)))


LORENZ = [Term(factors) for factors in ((x(0),), (x(1),), (x(0), x(2)), (x(0),), (x(1),), (x(0), x(1)), (x(2),))]


COEFFICIENTS, EQUATIONS = [-10.0, 10.0, -1.0, 28.0, -1.0, 1.0, -8 / 3], [0, 0, 1, 1, 1, 2, 2]


def lorenz(z: np.ndarray) -> list[float]:
    return [10 * (z[1] - z[0]), z[0] * (28 - z[2]) - z[1], z[0] * z[1] - 8 / 3 * z[2]]


def test_constants_of_a_chaotic_motion_become_round_numbers():
    paths = measured(lorenz, [2.3, 8.1, 12.4], noise=0.01)
    problem = problem_of(paths, range(3), 3e-5, (3, 5, 15, 50))
    made = grown(problem, LORENZ, COEFFICIENTS, EQUATIONS)
    assert not np.allclose(made.coefficients, COEFFICIENTS, atol=1e-4)
    problem, _, (made, *_) = weighed(problem, paths, [made])
    np.testing.assert_array_equal(rounded(problem, made).coefficients, COEFFICIENTS)


def test_a_noisy_chaotic_motion_is_followed_to_its_end():
    paths = measured(lorenz, [2.3, 8.1, 12.4], noise=0.05)
    problem = problem_of(paths, range(3), 3e-5, (3, *LENGTHS))
    (made,), problem, _ = _finished(problem, paths, [grown(problem, LORENZ, COEFFICIENTS, EQUATIONS, 3)])
    assert problem.cuts[made.level].length == len(T) - 1
    # Noise of 5 %, in proportion to the states, in units of their root mean squares.
    assert np.all(np.sqrt(made.squares / problem.counts) < 0.05)
    np.testing.assert_array_equal(rounded(problem, made).coefficients, COEFFICIENTS)


def test_what_explains_a_models_states_more_simply_is_proposed():
    paths = measured(lambda z: [z[1], -np.sin(z[0]) * np.cos(z[0])], [1.0, 0.0], noise=0.02)
    problem = problem_of(paths, range(2), 3e-5)
    polynomial = [Term((x(1),)), Term((x(0),)), Term((x(0, 3),)), Term((x(0, 5),))]
    made = grown(problem, polynomial, [1, -1, 0.6, -0.1], [0, 1, 1, 1])
    points = np.concatenate([nodes.reshape(-1, 2) for nodes in paths.nodes])
    best, *near = proposed(problem, paths, library(points, 2), made)
    assert {(e, t.factors) for e, t in zip(best.equations, best.terms, strict=True)} == {
        (0, (x(1),)),
        (1, (Factor(SIN, 0), Factor(COS, 0))),
    }
    assert all(one.key != best.key and one.score >= best.score for one in near)


def short_by_likelihood(values: list[float], errors: list[float], correlation: float) -> list[float]:
    """What two constants of these standard errors are rounded to."""
    covariance = np.outer(errors, errors) * np.array([[1, correlation], [correlation, 1]])
    information = np.linalg.inv(covariance)
    given = np.array(values)
    return shortened(given, information, lambda made: float((made - given) @ information @ (made - given))).tolist()


def test_constants_that_are_known_only_together_are_rounded_together():
    # Alone, 27.66 with an error of 0.23 may well be 27.5 or 27.8.
    assert short_by_likelihood([27.66, -0.951], [0.23, 0.031], -0.97) == [28, -1]
    assert short_by_likelihood([27.66, -0.751], [0.23, 0.031], -0.97) != [28, -1]
    assert short_by_likelihood([27.66, -0.951], [0.23, 0.031], 0.0)[0] == 27.7


@pytest.mark.parametrize("size", [0.1, 1.0, 100.0])
def test_powers_of_ten_are_as_near_from_below_as_from_above(size: float):
    for value in (0.97, 1.03):
        assert short_by_likelihood([value * size, 3.0], [0.03 * size, 0.01], 0.0) == [size, 3.0]
    for value in (0.91, 1.09):
        assert short_by_likelihood([value * size, 3.0], [0.05 * size, 0.01], 0.0)[0] != size
