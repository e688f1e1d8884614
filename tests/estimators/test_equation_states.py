"""Equations that explain measured states: exact on clean data, right in form with noise, under inputs, and honest."""

import ast
import copy
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import sparsedyn
from sparsedyn import EquationLearner, Trajectories
from sparsedyn.equations import symbol, text
from sparsedyn.estimators import shooting_search
from sparsedyn.estimators._report import drifts
from sparsedyn.estimators.equation import trajectories
from sparsedyn.estimators.equation.trajectories._doubts import doubts
from sparsedyn.estimators.equation.trajectories._outcome import Constant
from sparsedyn.estimators.equation.trajectories._smooth import smooth_inputs
from sparsedyn.estimators.shooting_search import _models as models
from sparsedyn.estimators.shooting_search._models import found
from sparsedyn.estimators.shooting_search._problem import Problem
from sparsedyn.estimators.sindy._simulation import function, held, integrated
from sparsedyn.training.shooting import kernel
from sparsedyn.training.shooting import products as kinds
from sparsedyn.training.shooting.products import Factor, Term, parameters, program

T = np.linspace(0, 10, 150)


def logistic() -> np.ndarray:
    return 1 / (1 + 9 * np.exp(-T))


@pytest.fixture(scope="module")
def grown() -> EquationLearner:
    return EquationLearner().fit(logistic(), T[1], names=["n"], progress=False)


def test_a_clean_logistic_is_found_exactly(grown: EquationLearner, tmp_path: Path):
    assert grown.search_ == "states"
    assert text(grown.equations()[0], 6) == "-n**2 + n"
    assert grown.found_ == [None]
    table = grown.constants()
    assert list(table["state"]) == ["n", "n"]
    assert np.all((table["low"] <= table["value"]) & (table["value"] <= table["high"]))
    np.testing.assert_allclose(np.sort(table["value"]), [-1, 1], atol=1e-4)
    assert grown.alternatives()["odds"].iloc[0] == 1.0
    np.testing.assert_allclose(grown.simulate([0.1], 150)[:, 0], logistic(), atol=1e-6)
    grown.save(tmp_path / "grown.safetensors")
    back = sparsedyn.load(tmp_path / "grown.safetensors")
    assert back.equations() == grown.equations()
    assert back.constants().equals(grown.constants())
    np.testing.assert_array_equal(back.simulate([0.2], 20), grown.simulate([0.2], 20))


def test_an_oscillator_is_found_in_noise():
    found = solve_ivp(lambda _, x: [x[1], -2.1 * x[0] - 0.3 * x[1]], (0, 10), [2.0, 0.0], t_eval=T, rtol=1e-9)
    noisy = found.y.T * (1 + 0.05 * np.random.default_rng(0).normal(size=(150, 2)))
    learner = EquationLearner().fit(noisy, T[1], names=["x", "v"], progress=False)
    x, v = symbol("x"), symbol("v")
    first, second = learner.equations()
    assert first.free_symbols == {v}
    assert float(first.coeff(v)) == pytest.approx(1, abs=0.05)
    assert second.free_symbols == {x, v}
    assert float(second.coeff(x)) == pytest.approx(-2.1, abs=0.1)
    assert float(second.coeff(v)) == pytest.approx(-0.3, abs=0.1)


def test_several_trajectories_under_held_inputs():
    data = sparsedyn.simulate("lotka-volterra", trajectories=2, steps=60, seed=0)
    learner = EquationLearner().fit(data, progress=False)
    prey, predators, harvest = map(symbol, ("prey", "predators", "harvest"))
    truth = (prey - prey * predators - harvest * prey, prey * predators - predators - harvest * predators)
    off = [(a - b).expand() for a, b in zip(learner.equations(), truth, strict=True)]
    assert all(abs(float(number)) < 2e-4 for one in off for number in one.as_coefficients_dict().values())
    assert np.all(learner.evaluate(data, horizons=(60,))["rfmse"] < 1e-4)
    assert learner.dependence(data).shape == (1, 2, 3)


def test_what_only_networks_have_is_left_to_them():
    data = Trajectories([logistic()[:, None]], dt=T[1], state_names=["n"])
    with pytest.raises(ValueError, match="search: 'states' does not go with a known part that is a function"):
        EquationLearner(search="states", known=lambda x, u: x).fit(data)
    with pytest.raises(ValueError, match="floor: expected a share"):
        EquationLearner(floor=0).fit(data)


def test_a_search_tells_how_far_it_is():
    said: list[tuple[float, str]] = []
    data = Trajectories([logistic()[:, None]], dt=T[1], state_names=["n"])
    found(data, 3e-5, on_progress=lambda done, note: said.append((done, note)))
    done = [share for share, _ in said]
    assert done == sorted(done)
    assert done[0] == 0
    assert 0.5 < done[-1] <= 1
    assert list(dict.fromkeys(note for _, note in said)) == ["n", "constants"]


def test_an_interrupted_search_leaves_what_was_fitted(grown: EquationLearner, monkeypatch: pytest.MonkeyPatch):
    before, constants = grown.equations(), grown.constants()
    calls = count()

    def stopped(*given: object, **settings: object) -> object:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return fit(*given, **settings)

    fit = Problem.fit
    monkeypatch.setattr(Problem, "fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        grown.fit(np.exp(-T), T[1], names=["m"], progress=False)
    assert grown.equations() == before
    assert grown.constants().equals(constants)
    assert grown.state_names_ == ("n",)


def test_chaotic_states_are_found_at_once_though_their_rows_are_far_apart():
    def lorenz(_: float, x: np.ndarray) -> list[float]:
        return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]

    states = solve_ivp(lorenz, (0, 10), [2.3, 8.1, 12.4], t_eval=T, method="LSODA", rtol=1e-5, atol=1e-7).y.T
    data = Trajectories([states], dt=T[1], state_names=["x", "y", "z"])
    made = found(data, 3e-5)
    assert made.problem.fits < 100
    best = made.candidates[0]
    powers = [tuple(factor.first for factor in term.factors) for term in best.terms]
    assert sorted(powers) == [(0,), (0,), (0, 1), (0, 2), (1,), (1,), (2,)]
    np.testing.assert_allclose(sorted(best.coefficients), [-10, -8 / 3, -1, -1, 1, 10, 28], rtol=2e-3)


def test_no_search_ends_by_a_clock():
    files = [path for room in (trajectories, shooting_search) for path in Path(room.__file__).parent.glob("*.py")]
    for path in [*files, Path(kernel.__file__)]:
        names = {alias.name for node in ast.walk(ast.parse(path.read_text())) for alias in getattr(node, "names", ())}
        assert not names & {"time", "perf_counter", "monotonic", "process_time", "datetime"}, path


@pytest.mark.slow
def test_many_rows_and_a_state_in_kelvin(as_users_run: None):
    start, t = np.asarray([303.0, 304.0, 305.0, 306.0]), 0.1 * np.arange(400)
    states = 293.15 + (start[:, None] - 293.15) * np.exp(-t / 50_000)
    learner = EquationLearner().fit(Trajectories(states[:, :, None], dt=0.1, state_names=["T"]), progress=False)
    np.testing.assert_allclose(learner.simulate([304.0], 400)[:, 0] - 304.0, states[1] - 304.0, rtol=2e-3, atol=1e-6)


ALL = (
    Term((Factor(kinds.POWER, 0, -1, 2), Factor(kinds.SIN_DIFFERENCE, 0, 1), Factor(kinds.SQRT, 1))),
    Term((Factor(kinds.SIGMOID_OF_TWO, 0, 1), Factor(kinds.ABS, 0)), (0.4, -0.3, 0.7)),
    Term((Factor(kinds.HILL, 0, 2), Factor(kinds.POWER, 1, -1, -1), Factor(kinds.LOG, 1)), (0.8,)),
    Term((Factor(kinds.RATIO, 1, 0), Factor(kinds.EXP, 0, 2)), (0.9, 0.4, -0.5)),
    Term((Factor(kinds.SIN_OF_MULTIPLE, 1, -1, 2), Factor(kinds.FREE_POWER, 0)), (1.3, 1.6)),
    Term((Factor(kinds.TANH, 0), Factor(kinds.COS_OF_MULTIPLE, 1), Factor(kinds.COS, 0, -1, -1)), (0.6, 0.9)),
)


def test_sensitivities_are_derivatives_of_states():
    equations, coefficients = [0, 1, 0, 1, 0, 1], [0.3, -0.4, 0.2, 0.5, -0.3, 0.2]
    made, p = program(ALL, equations, [0, 1], []), parameters(ALL, coefficients)
    start = np.array([[0.9, 0.6]])
    inputs, steps = np.zeros((1, 4, 1, 0)), np.full((1, 4), 0.2)

    def run(start: np.ndarray, p: np.ndarray, unknowns: int) -> tuple[np.ndarray, np.ndarray]:
        states, by = np.empty((1, 4, 2)), np.empty((1, 4, 2, unknowns))
        assert kernel.moved(tuple(made), p, start, inputs, steps, 2, np.full(2, 1e3), states, by)
        return states, by

    _, by = run(start, p, 2 + len(p))
    for place in range(2 + len(p)):
        ahead, behind = (
            run(start + h * (np.arange(2) == place), p + h * (np.arange(len(p)) == place - 2), 0)[0]
            for h in (1e-6, -1e-6)
        )
        np.testing.assert_allclose(by[..., place], (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-8)


def test_zero_says_nothing_of_a_state_far_from_it():
    t = np.linspace(0, 10, 200)
    kelvin = 293 + 0.5 * np.exp(-0.4 * t) + 0.005 * np.random.default_rng(0).normal(size=200)
    (found,) = EquationLearner().fit(kelvin[:, None], t, names=["T"]).equations()
    assert sympy.degree(found, symbol("T")) == 1
    assert float(found.coeff(symbol("T"))) == pytest.approx(-0.4, rel=0.1)


def test_fast_equations_are_integrated_where_steps_of_a_row_are_too_long(grown: EquationLearner):
    learner, n = copy.copy(grown), symbol("n")
    learner.candidates_ = [[grown.candidates_[0][0]._replace(expression=60 * (1 - n))]]
    exact = 1 - 0.9 * np.exp(-60 * T)[:, None]
    # One step of Runge and Kutta multiplies what is left by 5, since 60 dt = 4.
    np.testing.assert_allclose(learner.simulate([0.1], T), exact, atol=1e-6)
    data = Trajectories([exact], dt=T[1], state_names=["n"])
    np.testing.assert_allclose(learner.forecast(data, check_units=False).predicted[0, 0], exact, atol=1e-6)


def test_terms_without_a_value_somewhere_do_not_keep_a_search_from_ending(monkeypatch: pytest.MonkeyPatch):
    problem = SimpleNamespace(precision=1e-5, counts=np.ones(1))
    without = {2: SimpleNamespace(squares=np.zeros(1), sizes=np.array([np.nan]))}
    candidate = SimpleNamespace(squares=np.zeros(1), sizes=np.array([np.nan, 1e-6]))
    monkeypatch.setattr(models, "shares", lambda _, one: one.sizes)
    monkeypatch.setattr(models, "_without", lambda _, one, out: without[len(one.sizes)] if len(out) else one)
    assert models._plain(problem, candidate) is without[2]


def test_constants_that_data_do_not_carry_are_told_of():
    sure, open_ = Constant("x", 2.0, 0.1, freedom=20.0), Constant("y", -1.5, 1.0, freedom=20.0)
    assert doubts([sure] * 5, 20, noisy=True) == []
    assert [one.check for one in doubts([sure] * 6, 20, noisy=True)] == ["few-values"]
    assert doubts([sure] * 6, 20, noisy=False) == []
    (found,) = doubts([sure, open_], 100, noisy=True)
    assert found.check == "open-constants"
    assert "-1.5 in the equation of y." in found.message


@pytest.mark.parametrize("law", [lambda x: x**2, lambda x: -1 / x, lambda x: np.exp(x) - 0.5])
def test_integration_ends_where_states_run_away_in_finite_time(law: Any):
    times = np.linspace(0, 2, 40)
    (states,) = integrated(law, np.ones((1, 1)), times, [held(np.zeros((40, 0)))], method="LSODA")
    reached = np.isfinite(states[:, 0])
    assert 5 < reached.sum() < 30
    assert reached[: reached.sum()].all()


def test_inputs_that_run_smoothly_are_told_of():
    times = np.linspace(0, 20, 100)
    u = np.sin(times) ** 2

    def run(method: Any) -> Trajectories:
        (states,) = integrated(lambda c: c[:, 1:] - 0.5 * c[:, :1], np.ones((1, 1)), times, [method])
        return Trajectories([states], dt=times[1], inputs=[u[:, None]])

    (finding,) = smooth_inputs(run(function(lambda t: np.sin([t]) ** 2, times)))
    assert finding.check == "smooth-inputs"
    assert "SINDy" in finding.message
    assert not smooth_inputs(run(held(u[:, None])))


def test_residuals_that_are_no_noise_are_told_of():
    related = np.array([0.05, 0.7])
    finding = drifts(["x", "y"], related, 100, "Take others.")
    assert finding is not None
    assert finding.check == "related-residuals"
    assert "leave of y is no noise" in finding.message
    assert drifts(["x", "y"], np.array([0.05, 0.0]), 100, "") is None
    assert drifts(["x", "y"], related, 25, "") is None


@pytest.mark.slow
def test_a_plant_that_disturbances_drive_is_told_of():
    rng = np.random.default_rng(0)
    x = [3.0]
    for _ in range(200):
        x.append(0.05 + 0.95 * x[-1] + 0.05 * rng.normal())
    with pytest.warns(sparsedyn.SparsedynWarning, match="no noise of sensors"):
        EquationLearner().fit(np.array(x), 1.0)
