"""Pieces of the search for equations of trajectories: noise, guards, prices, changes of shape."""

import numpy as np
import pytest

from sparsedyn.data import Trajectories
from sparsedyn.estimators.equation.trajectories._guards import singular, vanishes
from sparsedyn.estimators.equation.trajectories._nearby import runaways
from sparsedyn.estimators.equation.trajectories._noise import noise_of
from sparsedyn.estimators.equation.trajectories._paths import paths_of
from sparsedyn.estimators.equation.trajectories._problem import VANISHING, Problem, problem_of
from sparsedyn.estimators.equation.trajectories._shapes import scaled
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


def test_terms_with_a_pole_among_measured_values_are_known():
    low, high = np.array([0.1, -1.0]), np.array([2.0, 1.0])
    assert singular(Term((X, Factor(kinds.HILL, 0, 1)), (-0.5,)), low, high)
    assert not singular(Term((X, Factor(kinds.HILL, 0, 1)), (0.5,)), low, high)
    assert not singular(Term((Factor(kinds.HILL, 1, 2),), (0.5,)), low, high)
    assert singular(Term((Factor(kinds.HILL, 1, 2),), (-0.5,)), low, high)
    assert singular(Term((Factor(kinds.FREE_POWER, 1),), (-0.5,)), low, high)
    assert singular(Term((Factor(kinds.RATIO, 0, 1),), (0.5, 2.0)), low, high)
    assert not singular(Term((Factor(kinds.RATIO, 0, 1),), (0.5, 0.2)), low, high)


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


def test_runs_from_nearby_states_are_counted_that_run_away():
    one = problem(DECAY[:, None])
    tame, wild = (
        one.fit([Term(factors)], [value], [0], 0, iterations=0) for factors, value in (((X,), -1.0), ((X,), 9.0))
    )
    assert runaways(one, tame) == 0
    assert runaways(one, wild._replace(coefficients=(9.0,))) == 10


def test_terms_with_constants_and_whole_equations_are_multiplied_by_variables():
    growth = Term((X, Factor(kinds.EXP, 0, 1)), (0.5,))
    found = dict(scaled([growth, Term((Y,))], [0, 0], [0, 1], np.array([2.0, 4.0])))
    assert found[(Term((Factor(kinds.EXP, 0, 1),), (0.5,)), Term((Y,)))] == (2.0, 1.0)
    assert found[(Term((X, Y, Factor(kinds.EXP, 0, 1)), (0.5,)), Term((Factor(kinds.POWER, 1, -1, 2),)))] == (
        0.25,
        0.25,
    )
