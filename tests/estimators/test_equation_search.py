"""Pieces of the search for equations of trajectories: noise, guards, prices, changes of shape."""

import numpy as np
import pytest

from sparsedyn.data import Trajectories
from sparsedyn.estimators.equation.trajectories._outcome import Constant
from sparsedyn.estimators.equation.trajectories._way import constants_table
from sparsedyn.estimators.shooting_search._guards import singular, unwound, vanishes
from sparsedyn.estimators.shooting_search._nearby import runaways
from sparsedyn.estimators.shooting_search._noise import noise_of
from sparsedyn.estimators.shooting_search._paths import paths_of
from sparsedyn.estimators.shooting_search._problem import VANISHING, Problem, problem_of
from sparsedyn.estimators.shooting_search._rounding import errors_of, shortened
from sparsedyn.estimators.shooting_search._search import Offer, improved
from sparsedyn.estimators.shooting_search._shapes import scaled
from sparsedyn.training.shooting import products as kinds
from sparsedyn.training.shooting.products import Factor, Term

X, Y = Factor(kinds.POWER, 0), Factor(kinds.POWER, 1)
DECAY = 5 * np.exp(-np.linspace(0, 8, 150))


def test_differences_tell_noise_in_proportion_from_constant_noise():
    rng = np.random.default_rng(0)
    ours = noise_of([DECAY * (1 + 0.05 * rng.normal(size=150))], [DECAY])
    sizes = ours.shapes[0] / ours.shapes[0][0]
    np.testing.assert_allclose(sizes[::30], (DECAY / DECAY[0])[::30], rtol=0.15)
    # Its logarithm was smoothed: relative errors are small where the state is, too.
    assert np.sqrt(np.mean(np.square(ours.smooth[0] / DECAY - 1))) < 0.03
    constant = noise_of([DECAY + 0.05 * rng.normal(size=150)], [DECAY])
    np.testing.assert_array_equal(constant.shapes[0], 1.0)
    assert constant.scale == pytest.approx(0.05, rel=0.2)


def test_a_search_that_has_taken_its_arithmetic_adds_nothing():
    one = problem(DECAY[:, None])
    candidate = one.fit([Term(())], [-1.0], [0], 0)
    offer = Offer([Term((X,))], [0])
    one.course.worked(10**5, 4, 10, 150)
    assert one.course.exhausted
    assert improved(one, candidate, offer, set()) is candidate
    one.course.plan({"x": 10})
    one.course.worked(10**4, 4, 10, 15)
    assert not one.course.exhausted
    assert improved(one, candidate, offer, set()).score < candidate.score - 100


def test_a_function_costs_less_from_the_second_time_on_in_any_order():
    one = problem(DECAY[:, None])
    sine, product = Term((Factor(kinds.SIN, 0),)), Term((Factor(kinds.COS, 0), Factor(kinds.SIN, 0)))
    both = one.cost([sine, product], [0, 0])
    assert both == pytest.approx(one.cost([product, sine], [0, 0]))
    assert both < one.cost([sine], [0]) + one.cost([product], [0]) - 2
    powers = one.cost([Term((X,)), Term((X._replace(power=2),))], [0, 0]) - one.cost_of_constants(2)
    apart = one.cost([Term((X,))], [0]) + one.cost([Term((X._replace(power=2),))], [0]) - 2 * one.cost_of_constants(1)
    assert powers == pytest.approx(apart)


def test_constants_cost_more_where_there_are_few_rows_for_each():
    many, few = problem(np.tile(DECAY, 20)[:, None]), problem(DECAY[:8, None])
    assert many.cost_of_constants(2) == pytest.approx(2 * np.log(many.counts[0]), rel=0.01)
    assert few.cost_of_constants(2) == pytest.approx(2 * np.log(8) * 8 / 4)
    assert few.cost_of_constants(6) == np.inf


def test_terms_with_a_pole_among_measured_values_are_known():
    low, high = np.array([0.1, -1.0]), np.array([2.0, 1.0])
    assert singular(Term((X, Factor(kinds.HILL, 0, 1)), (-0.5,)), low, high)
    assert not singular(Term((X, Factor(kinds.HILL, 0, 1)), (0.5,)), low, high)
    assert not singular(Term((Factor(kinds.HILL, 1, 2),), (0.5,)), low, high)
    assert singular(Term((Factor(kinds.HILL, 1, 2),), (-0.5,)), low, high)
    assert singular(Term((Factor(kinds.FREE_POWER, 1),), (-0.5,)), low, high)
    assert not singular(Term((Factor(kinds.FREE_POWER, 0),), (-0.5,)), low, high)
    # Just below the least value there is no pole either, but what has one sign keeps it.
    assert singular(Term((X, Factor(kinds.HILL, 0, 1)), (-0.05,)), low, high)
    assert not singular(Term((X, Factor(kinds.HILL, 0, 1)), (0.01,)), low, high)
    assert singular(Term((Factor(kinds.RATIO, 0, 1),), (0.5, 2.0)), low, high)
    assert not singular(Term((Factor(kinds.RATIO, 0, 1),), (0.5, 0.2)), low, high)


def test_waves_in_what_is_no_angle_but_goes_round_are_counted():
    sine, scaled_sine = Term((Factor(kinds.SIN, 0),)), Term((Factor(kinds.SIN_OF_MULTIPLE, 0),), (3.0,))
    spans = np.array([7.0, 1.0])
    assert unwound([sine, Term((X,))], spans) == 1
    assert unwound([sine, Term(()), Term((Factor(kinds.COS, 0), Y))], spans) == 0
    assert unwound([sine, Term((X,))], np.array([6.0, 1.0])) == 0
    assert unwound([scaled_sine, Term((X,))], np.array([2.5, 1.0])) == 1
    assert unwound([Term((Factor(kinds.SIN, 1),)), Term((X,))], spans) == 0


def problem(states: np.ndarray) -> Problem:
    data = Trajectories([states], dt=0.1, state_names=[f"x{i}" for i in range(states.shape[1])])
    return problem_of(paths_of(data, clean=True), range(states.shape[1]), 3e-5)


def test_an_equation_that_keeps_a_state_at_zero_costs_less_where_it_has_one_sign():
    positive, signed = problem(DECAY[:, None]), problem(DECAY[:, None] - 1)
    linear, constant = Term((X,)), Term(())
    assert vanishes(linear, 0)
    assert not vanishes(constant, 0)
    assert positive.cost([linear], [0]) == pytest.approx(signed.cost([linear], [0]) - VANISHING)
    both = [linear, constant], [0, 0]
    assert positive.cost(*both) == pytest.approx(signed.cost(*both))


def test_intervals_are_wider_where_noise_rests_on_few_values():
    few, many = (constants_table([Constant("x", 1.0, 0.1, freedom=n)], 0.95) for n in (5, np.inf))
    np.testing.assert_allclose(few[["low", "high"]], [[1 - 0.2571, 1 + 0.2571]], atol=1e-4)
    np.testing.assert_allclose(many[["low", "high"]], [[1 - 0.1960, 1 + 0.1960]], atol=1e-4)


def test_runs_from_nearby_states_are_counted_that_run_away():
    one = problem(DECAY[:, None])
    tame, wild = (
        one.fit([Term(factors)], [value], [0], 0, iterations=0) for factors, value in (((X,), -1.0), ((X,), 9.0))
    )
    assert runaways(one, tame) == 0
    assert runaways(one, wild._replace(coefficients=(9.0,))) == 1


def test_terms_with_constants_and_whole_equations_are_multiplied_by_variables():
    growth = Term((X, Factor(kinds.EXP, 0, 1)), (0.5,))
    found = dict(scaled([growth, Term((Y,))], [0, 0], [0, 1], np.array([2.0, 4.0])))
    assert found[(Term((Factor(kinds.EXP, 0, 1),), (0.5,)), Term((Y,)))] == (2.0, 1.0)
    assert found[(Term((X, Y, Factor(kinds.EXP, 0, 1)), (0.5,)), Term((Factor(kinds.POWER, 1, -1, 2),)))] == (
        0.25,
        0.25,
    )


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (-9.985, 0.0066, -10.0),  # two standard errors off a number that is thousands apart from the next
        (2.672, 0.0037, 2.672),  # numbers of three digits are everywhere
        (0.4983, 0.0011, 0.5),
        (0.4983, 0.0002, 0.4983),  # eight standard errors off
        (0.41237, 0.0101, 0.41),
        (-2.6661, 0.0007, -8 / 3),
        (0.34, 0.01, 0.34),  # thirds are not so likely beforehand
    ],
)
def test_constants_next_to_round_numbers_are_these(value: float, error: float, expected: float):
    information = np.asarray([[1 / error**2]])
    made = shortened(np.asarray([value]), information, lambda p: float((p[0] - value) ** 2 / error**2))
    assert made[0] == expected


def test_rounding_that_costs_more_than_errors_say_is_smaller():
    information = np.eye(1) / 0.0066**2
    made = shortened(np.asarray([-9.985]), information, lambda p: 1e9 * (p[0] + 9.985) ** 2)
    assert made[0] == -9.985


def test_directions_of_which_nothing_is_known_have_large_errors():
    information = np.array([[1e4, 1e4], [1e4, 1e4]])
    assert np.all(errors_of(information) > 1e3)
    np.testing.assert_allclose(errors_of(np.diag([4.0, 25.0])), [0.5, 0.2])
    np.testing.assert_array_equal(errors_of(np.diag([4.0, 0.0])), [0.5, np.inf])
