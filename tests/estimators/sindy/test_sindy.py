"""SINDy: known plants are found, from clean data and with noise; its contract; what it refuses."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
import xarray as xr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import sparsedyn
from sparsedyn import DataError, SINDy, SparsedynWarning, Trajectories
from sparsedyn.equations import compiled, symbol, text

PLANTS: dict[str, tuple[int, dict[tuple[str, str], float]]] = {
    "lorenz63": (
        2,
        {
            ("x", "x"): -10.0, ("y", "x"): 10.0, ("x", "y"): 28.0, ("y", "y"): -1.0, ("x z", "y"): -1.0,
            ("x y", "z"): 1.0, ("z", "z"): -8 / 3,
        },
    ),
    "duffing": (
        3,
        {
            ("velocity", "position"): 1.0, ("velocity", "velocity"): -0.3, ("position", "velocity"): 1.0,
            ("position^3", "velocity"): -1.0, ("force", "velocity"): 1.0,
        },
    ),
    "lotka-volterra": (
        2,
        {
            ("prey", "prey"): 1.0, ("prey predators", "prey"): -1.0, ("prey harvest", "prey"): -1.0,
            ("prey predators", "predators"): 1.0, ("predators", "predators"): -1.0,
            ("predators harvest", "predators"): -1.0,
        },
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded() -> dict[str, Trajectories]:
    return {name: sparsedyn.simulate(name, trajectories=4, steps=1000, seed=0) for name in PLANTS}


def noisy(data: Trajectories, share: float, seed: int = 0) -> Trajectories:
    """White noise, in shares of each state's standard deviation."""
    rng = np.random.default_rng(seed)
    spread = np.concatenate(data.states).std(axis=0)
    states = [x + share * spread * rng.normal(size=x.shape) for x in data.states]
    return Trajectories(states, data.inputs, dt=data.dt, state_names=data.state_names, input_names=data.input_names)


def largest_error(fitted: SINDy, name: str) -> float:
    """The largest relative error of a coefficient, once the support is checked."""
    found = fitted.coefficients()
    truth = pd.DataFrame(0.0, index=found.index, columns=found.columns)
    for (term, state), value in PLANTS[name][1].items():
        truth.loc[term, state] = value
    np.testing.assert_array_equal(found != 0, truth != 0)
    there = truth.to_numpy() != 0
    return float(np.max(np.abs(found.to_numpy()[there] / truth.to_numpy()[there] - 1)))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "lorenz63")) for name in PLANTS]
)
@pytest.mark.parametrize("options", [{}, {"threshold": 0.1}, {"weak": True}])
def test_plants_are_found_from_clean_data(recorded: dict[str, Trajectories], name: str, options: dict[str, Any]):
    assert largest_error(SINDy(PLANTS[name][0], **options).fit(recorded[name]), name) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTS)
def test_plants_are_found_under_one_percent_of_noise(recorded: dict[str, Trajectories], name: str):
    fitted = SINDy(PLANTS[name][0], "auto").fit(noisy(recorded[name], 0.01))
    assert largest_error(fitted, name) < 0.05
    assert fitted.score(recorded[name]) > 0.99


@pytest.mark.slow
def test_simulation_follows_the_plant_and_the_equations(recorded: dict[str, Trajectories]):
    data = recorded["duffing"]
    fitted = SINDy(3).fit(data)
    x0 = np.stack([x[0] for x in data.states])
    found = fitted.simulate(x0, data.time[0], np.stack(data.inputs))
    assert found.shape == (4, 1000, 2)
    np.testing.assert_allclose(found[:, :300], np.stack(data.states)[:, :300], atol=0.02)
    np.testing.assert_array_equal(fitted.simulate(x0[1], data.time[0], data.inputs[1]), found[1])
    assert text(fitted.equations(digits=2)[0]) in ("velocity", "1.0*velocity")
    derivative = fitted.predict(data.states[0], data.inputs[0])
    names = ["position", "velocity", "force"]
    written = compiled(fitted.equations(), names)(np.hstack([data.states[0], data.inputs[0]]))
    np.testing.assert_allclose(derivative, written, rtol=1e-9, atol=1e-9)


def test_what_runs_away_is_nan_from_then_on():
    """x' = x^2 from 1 reaches infinity at t = 1."""
    t = np.linspace(0.0, 0.5, 200)
    fitted = SINDy(2).fit((1 / (1 - t))[:, None], t)
    times = np.linspace(0.0, 2.0, 21)
    found = fitted.simulate([1.0], times)
    np.testing.assert_allclose(found[:9, 0], 1 / (1 - times[:9]), rtol=1e-3)
    assert np.isnan(found[12:]).all()


def oscillator(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Positions and times of x'' = -4 x - 0.2 x' started at rest."""
    t = 0.02 * np.arange(rows)
    rate = np.sqrt(4 - 0.01)
    return (np.exp(-0.1 * t) * (np.cos(rate * t) + 0.1 / rate * np.sin(rate * t)))[:, None], t


def test_second_order_from_positions_alone():
    q, t = oscillator()
    for options in ({}, {"weak": True}):
        fitted = SINDy(1, 0.1, order=2, **options).fit(q, t, names=["q"])
        assert [text(equation, 3) for equation in fitted.equations()] == ["q_dot", "-4*q - 0.2*q_dot"]
        assert fitted.coefficients().columns.tolist() == ["q_dot"]
        np.testing.assert_allclose(fitted.simulate([1.0, 0.0], t)[:, 0], q[:, 0], atol=2e-3)
    velocity = np.gradient(q[:, 0], t, edge_order=2)[:, None]
    acceleration = -4 * q - 0.2 * velocity
    exact = SINDy(1, 0.05, order=2).fit(q, t, x_dot=velocity, x_ddot=acceleration)
    np.testing.assert_allclose(exact.coefficients()["x0_dot"], [0, -4, -0.2], atol=1e-9)
    with pytest.raises(DataError, match="x_ddot"):
        SINDy(1, order=2).fit(q, t, x_ddot=acceleration)


def test_given_derivatives_functions_and_a_threshold_per_equation():
    rng = np.random.default_rng(0)
    x, u = rng.uniform(-2, 2, (300, 2)), rng.uniform(-1, 1, 300)
    x_dot = np.stack([0.05 * x[:, 0] + np.sin(x[:, 1]), 3 * u - np.cos(x[:, 0])], axis=1)
    fitted = SINDy(1, (0.01, 0.1), functions=["sin", "cos"]).fit(x, 0.1, u, x_dot)
    assert [text(e, 6) for e in fitted.equations()] == ["0.05*x0 + sin(x1)", "3*u0 - cos(x0)"]
    assert fitted.score(x, 0.1, u, x_dot) == pytest.approx(1.0)
    assert SINDy(1, (0.1, 0.1), functions=["sin", "cos"]).fit(x, 0.1, u, x_dot).coefficients().loc["x0", "x0"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["l0", "l1"])
def test_penalties_choose_the_same_terms(
    recorded: dict[str, Trajectories], optimizer: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sparsedyn.estimators.sindy._gradient.STEPS", 3000)
    assert largest_error(SINDy(2, 0.2, optimizer=optimizer).fit(recorded["lotka-volterra"]), "lotka-volterra") < 0.01


def test_an_ensemble_tells_terms_from_accidents(recorded: dict[str, Trajectories]):
    data = noisy(recorded["lorenz63"], 0.01)
    fitted = SINDy(2, 0.2, ensemble=40, weak=True).fit(data)
    inclusion = fitted.inclusion()
    truth = pd.DataFrame(False, index=inclusion.index, columns=inclusion.columns)
    for term, state in PLANTS["lorenz63"][1]:
        truth.loc[term, state] = True
    assert inclusion.to_numpy()[truth.to_numpy()].min() > 0.9
    assert inclusion.to_numpy()[~truth.to_numpy()].max() < 0.5
    assert largest_error(fitted, "lorenz63") < 0.05
    assert fitted.members_.shape == (40, 10, 3)
    with pytest.raises(ValueError, match="ensemble=100"):
        SINDy().fit(recorded["lorenz63"]).inclusion()


def test_every_layout_gives_the_same_equations(recorded: dict[str, Trajectories]):
    data = recorded["lotka-volterra"]
    expected = SINDy().fit(data).coefficients_
    states, inputs, time = list(data.states), list(data.inputs), data.time[0]
    frames = [pd.DataFrame(x, columns=list(data.state_names)) for x in states]
    array = xr.DataArray(
        np.stack(states),
        dims=("trajectory", "time", "state"),
        coords={"time": time, "state": list(data.state_names)},
    )
    for x, t in ((states, data.dt), (np.stack(states), time), (frames, [time] * 4), (array, None)):
        fitted = SINDy().fit(x, t, inputs if isinstance(x, list) else np.stack(inputs), input_names=["harvest"])
        np.testing.assert_allclose(fitted.coefficients_, expected, rtol=1e-6, atol=1e-12)
    assert fitted.state_names_ == data.state_names
    np.testing.assert_allclose(SINDy().fit(data.to_xarray()).coefficients_, expected, rtol=1e-6, atol=1e-12)
    one = pd.DataFrame(states[0], columns=["a", "b"], index=pd.Index(time, name="t"))
    assert SINDy().fit(one, u=inputs[0]).coefficients().columns.tolist() == ["a", "b"]
    assert SINDy().fit(states[0], time, inputs[0][:, 0]).input_names_ == ("u0",)


def test_a_file_gives_back_the_estimator(recorded: dict[str, Trajectories], tmp_path: Path):
    fitted = SINDy(2, (0.2, 0.3, 0.2), functions=["sin"], ensemble=5).fit(recorded["lorenz63"])
    fitted.save(tmp_path / "lorenz.safetensors")
    back = sparsedyn.load(tmp_path / "lorenz.safetensors")
    assert isinstance(back, SINDy)
    assert back.equations() == fitted.equations()
    np.testing.assert_array_equal(back.coefficients_, fitted.coefficients_)
    assert back.get_params() == fitted.get_params() | {"functions": ("sin",)}
    pd.testing.assert_frame_equal(back.inclusion(), fitted.inclusion())
    x0, t = recorded["lorenz63"].states[0][0], recorded["lorenz63"].time[0][:50]
    # Products of matrices are rounded by where these lie in memory.
    np.testing.assert_allclose(back.simulate(x0, t), fitted.simulate(x0, t), rtol=1e-9)
    own = sparsedyn.Primitive("own", lambda g: g * g, lambda g: g**2)
    with pytest.warns(SparsedynWarning):
        rough = SINDy(1, 0.1, functions=[own], refine=False).fit(recorded["lorenz63"].head(50))
    with pytest.raises(ValueError, match="own cannot be saved"):
        rough.save(tmp_path / "own.safetensors")


def test_scikit_learn_conventions(recorded: dict[str, Trajectories]):
    fitted = SINDy(2, "auto", functions=("sin",))
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert copy.set_params(threshold=0.3).threshold == 0.3
    assert repr(SINDy(3)) == "SINDy(degree=3)"
    for call in (copy.coefficients, copy.equations, copy.inclusion, lambda: copy.simulate([1.0], [0, 1])):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call()


X = np.random.default_rng(0).normal(size=(50, 2)).cumsum(axis=0)
BROKEN = np.where(np.arange(100).reshape(50, 2) == 41, np.nan, X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X,), "t: expected the sample time"),
        ((BROKEN, 0.1), "row 20.*'x1'.*NaN"),
        ((X, np.r_[0:49, 50]), "row 49: irregular"),
        ((X, np.arange(50)[::-1]), "time must increase"),
        ((X, np.arange(49)), r"expected is one time per row"),
        ((X * [1, 0] + [0, 3], 0.1), "'x1': expected values that change"),
        ((X, 0.1, X[:40]), "40 rows"),
        ((X, 0.1, None, X[:, :1]), "x_dot: expected the shapes"),
        ((X[:6], 0.1), "expected at least as many rows"),
        ((X[:6], 0.1, None, X[:6]), "expected at least as many rows"),
        ((X, True), "t: expected the sample time"),
    ],
)
def test_bad_data_give_one_clear_message(arguments: tuple[Any, ...], message: str, as_users_run: None):
    with pytest.raises(DataError, match=message):
        SINDy(3).fit(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degree": -1}, "degree: expected"),
        ({"threshold": -0.1}, "threshold: expected"),
        ({"threshold": "best"}, "threshold: expected"),
        ({"threshold": (0.1, 0.1, 0.1)}, "threshold: expected one number, or one for each of 2"),
        ({"functions": ["sine"]}, "functions: unknown primitive 'sine'"),
        ({"optimizer": "lasso"}, "optimizer: expected one of stlsq, l0, l1"),
        ({"derivative": "spine"}, "derivative: expected one of auto"),
        ({"order": 3}, "order: expected 1 or 2"),
        ({"ensemble": 1}, "ensemble: expected"),
        ({"ensemble": 5, "optimizer": "l1"}, "ensemble: expected optimizer='stlsq'"),
    ],
)
def test_bad_parameters_give_one_clear_message(options: dict[str, Any], message: str, as_users_run: None):
    with pytest.raises(ValueError, match=message):
        SINDy(**options).fit(X, 0.1)


def test_calls_that_do_not_fit_the_model(recorded: dict[str, Trajectories]):
    fitted = SINDy(3).fit(recorded["duffing"])
    for call, message in (
        (lambda: fitted.predict(np.zeros((5, 3))), "x: expected 2 columns"),
        (lambda: fitted.predict(np.zeros((5, 2))), "u: expected 1 columns"),
        (lambda: fitted.predict([np.zeros((5, 2))] * 2, [np.zeros((5, 1))]), "u: expected inputs for each of 2"),
        (lambda: fitted.simulate([0.0, 0.0], [0.0, 1.0]), "u: expected inputs"),
        (lambda: fitted.simulate([0.0, 0.0], [0.0, 1.0], np.zeros((3, 1))), "u: expected 2 rows"),
        (lambda: fitted.simulate([0.0, 0.0], [1.0, 0.0], np.zeros((2, 1))), "t: expected increasing"),
    ):
        with pytest.raises(DataError, match=message):
            call()


LINEAR = np.array([[-1.0, 2.0, 0.0], [0.0, -1.0, 3.0], [0.5, 0.0, -2.0]])
TABLE = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 3)), columns=list("abc"))
RATES = pd.DataFrame(TABLE.to_numpy() @ LINEAR.T, columns=list("abc"))


@pytest.fixture(scope="module")
def linear() -> SINDy:
    return SINDy(1).fit(TABLE, 0.1, x_dot=RATES)


@pytest.mark.parametrize("rates", [RATES[list("cab")], RATES.add_suffix("_dot")[["c_dot", "b_dot", "a_dot"]]])
def test_measured_derivatives_are_found_by_their_names(rates: pd.DataFrame):
    np.testing.assert_allclose(SINDy(1).fit(TABLE, 0.1, x_dot=rates).coefficients_[1:], LINEAR.T, atol=1e-9)


def test_columns_are_found_by_their_names(linear: SINDy):
    turned, expected, t = TABLE[list("cba")], RATES.to_numpy(), np.arange(3) * 0.1
    array = xr.DataArray(turned.to_numpy(), dims=("time", "state"), coords={"state": list("cba")})
    dataset = xr.Dataset({name: ("time", TABLE[name].to_numpy()) for name in "bca"})
    for x in (turned, array, dataset):
        np.testing.assert_allclose(linear.predict(x), expected, atol=1e-9)
    assert linear.score(turned, 0.1, x_dot=RATES[list("bca")]) == pytest.approx(1)
    found = linear.simulate([1.0, 2.0, 3.0], t)
    start = pd.Series([3.0, 2.0, 1.0], index=list("cba"))
    for x0 in (start, start.to_frame().T, [start], start.to_xarray()):
        np.testing.assert_array_equal(np.asarray(linear.simulate(x0, t)).reshape(found.shape), found)


def test_inputs_are_found_by_their_names():
    forces = pd.DataFrame(np.random.default_rng(2).normal(size=(60, 2)), columns=["heat", "flow"])
    rates = RATES.to_numpy() + forces.to_numpy() @ [[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]
    fitted = SINDy(1).fit(TABLE, 0.1, forces, rates)
    turned = forces[["flow", "heat"]]
    np.testing.assert_allclose(fitted.predict(TABLE, turned), rates, atol=1e-9)
    assert fitted.score(TABLE, 0.1, turned, rates) == pytest.approx(1)
    expected = fitted.simulate([1.0, 2.0, 3.0], [0.0, 0.1], forces[:2])
    np.testing.assert_array_equal(fitted.simulate([1.0, 2.0, 3.0], [0.0, 0.1], turned[:2]), expected)


def test_other_names_are_refused(linear: SINDy):
    other = TABLE.rename(columns={"c": "d"})
    message = r"expected the columns \['a', 'b', 'c'\], in any order; got \['a', 'b', 'd'\]"
    for call in (
        lambda: linear.predict(other),
        lambda: linear.score(other, 0.1),
        lambda: linear.simulate(other.iloc[0], [0.0, 0.1]),
        lambda: SINDy(1).fit(TABLE, 0.1, x_dot=other),
    ):
        with pytest.raises(DataError, match=message):
            call()


def test_numbers_of_columns_are_no_names():
    fitted = SINDy(1).fit(pd.DataFrame(TABLE.to_numpy()), 0.1, x_dot=RATES.to_numpy())
    assert fitted.state_names_ == ("x0", "x1", "x2")
    turned = pd.DataFrame(TABLE.to_numpy())[[2, 1, 0]]
    np.testing.assert_allclose(fitted.predict(turned), RATES.to_numpy(), atol=1e-9)


def test_thresholds_can_be_an_array(linear: SINDy):
    fitted = SINDy(1, np.array([0.1, 0.1, 0.7])).fit(TABLE, 0.1, x_dot=RATES)
    np.testing.assert_array_equal(fitted.thresholds_, [0.1, 0.1, 0.7])
    assert fitted.coefficients().loc["a", "c"] == 0 != linear.coefficients().loc["a", "c"]


def test_what_was_fitted_does_not_change_with_parameters(tmp_path: Path):
    fitted = SINDy(1).fit(TABLE, 0.1, x_dot=RATES)
    expected, table = fitted.equations(), fitted.coefficients()
    fitted.set_params(order=2)
    fitted.save(tmp_path / "linear.safetensors")
    back = sparsedyn.load(tmp_path / "linear.safetensors")
    assert isinstance(back, SINDy)
    assert fitted.equations() == back.equations() == expected
    pd.testing.assert_frame_equal(fitted.coefficients(), table)
    np.testing.assert_allclose(fitted.predict(TABLE), RATES, atol=1e-9)
    assert fitted.score(TABLE, 0.1, x_dot=RATES) == pytest.approx(1)


def test_a_score_needs_fewer_samples_than_a_fit():
    fitted = SINDy(3, 0.01).fit(TABLE, 0.1, x_dot=RATES)
    assert fitted.score(TABLE[:5], 0.1, x_dot=RATES[:5]) == pytest.approx(1)


def test_short_trajectories_are_fitted_without_windows():
    """Too few windows for 10 terms, rows enough: derivatives are estimated."""
    x = np.random.default_rng(0).normal(size=(18, 3)).cumsum(axis=0)
    with warnings.catch_warnings():  # of a random walk, which no equation explains
        warnings.simplefilter("ignore", sparsedyn.SparsedynWarning)
        assert SINDy(2, derivative="spline").fit(x, 0.1).coefficients_.shape == (10, 3)


def test_the_weak_form_and_measured_derivatives_exclude_each_other():
    with pytest.raises(DataError, match="x_dot: expected none with weak=True"):
        SINDy(1, weak=True).fit(TABLE, 0.1, x_dot=RATES)


def test_terms_that_depend_on_each_other_are_named():
    twice = TABLE.assign(d=2 * TABLE["a"])
    with pytest.warns(UserWarning, match="on these data a, d are linear combinations"):
        SINDy(1).fit(twice, 0.1, x_dot=RATES.assign(d=2 * RATES["a"]))
    t = 0.01 * np.arange(1000)
    with pytest.warns(UserWarning, match=r"on these data 1, x0\^2, x1\^2 are"):
        SINDy(2).fit(np.stack([np.cos(t), np.sin(t)], axis=1), t)


def test_symbols_are_those_of_the_rest_of_the_package(recorded: dict[str, Trajectories]):
    (x_dot, *_) = SINDy().fit(recorded["lorenz63"]).equations()
    assert x_dot.free_symbols == {symbol("x"), symbol("y")}
    assert isinstance(x_dot, sympy.Expr)


def test_what_is_returned_has_named_axes(recorded: dict[str, Trajectories]):
    data = recorded["duffing"]
    fitted = SINDy(3).fit(data)
    t, u = data.time[0][:50], data.inputs[0][:50]
    alone = fitted.simulate(data.states[0][0], t, u)
    assert alone.dims == ("time", "state")
    assert list(alone.state.values) == list(data.state_names)
    several = fitted.simulate(np.stack([x[0] for x in data.states]), t, np.stack(data.inputs)[:, :50])
    assert several.dims == ("trajectory", "time", "state")
    np.testing.assert_array_equal(several[0], alone)
    as_frame = pd.DataFrame(u, columns=list(data.input_names))
    np.testing.assert_array_equal(fitted.simulate(data.states[0][0], t, as_frame), alone)
    as_function = fitted.simulate(data.states[0][0], t, lambda time: u[int(np.searchsorted(t, time + 1e-9)) - 1])
    np.testing.assert_allclose(as_function, alone, rtol=1e-6)
    assert fitted.predict(data.states[0], data.inputs[0]).dims == ("sample", "state")


def test_forecasts_are_judged_by_a_table_and_derivatives_by_a_number(recorded: dict[str, Trajectories]):
    data = recorded["lotka-volterra"]
    fitted = SINDy(2).fit(data[:3])
    table = fitted.evaluate(data[3:], horizons=(10, 100))
    assert table["horizon"].tolist() == [10, 100]
    assert (table["rfmse"] < 1e-2).all()
    assert (table["diverged"] == 0).all()
    made = fitted.forecast(data[3:])
    followed = fitted.simulate(data.states[3][0], data.time[3], data.inputs[3])
    np.testing.assert_allclose(made.predicted[0, 0], followed)
    np.testing.assert_allclose(made.std, np.concatenate(data[:3].states).std(axis=0))
    assert 0.99 < fitted.score(data[3:]) <= 1
    # At another sample time, in the same units.
    halved = Trajectories(
        [data.states[3][::2]],
        [data.inputs[3][::2]],
        dt=2 * data.dt,
        state_names=data.state_names,
        input_names=data.input_names,
        state_units=data.state_units,
        input_units=data.input_units,
    )
    assert fitted.forecast(halved).predicted.shape == (1, 1, 500, 2)


def test_second_order_forecasts_begin_with_positions_alone():
    q, t = oscillator()
    fitted = SINDy(1, 0.1, order=2).fit(q, t, names=["q"])
    made = fitted.forecast(Trajectories(q, dt=0.02, state_names=["q"]))
    np.testing.assert_allclose(made.predicted[0, 0], q, atol=1e-3)
    assert fitted.evaluate(Trajectories(q, dt=0.02, state_names=["q"]), [100])["diverged"].tolist() == [0]


def test_validation_trajectories_choose_thresholds(recorded: dict[str, Trajectories]):
    data = recorded["lorenz63"]
    known, others = noisy(data[:1].head(300), 0.003), data[1:2]
    fitted = SINDy(2, "auto").fit(known, validation=others)
    assert largest_error(fitted, "lorenz63") < 0.05
    np.testing.assert_allclose(SINDy(2, "auto").fit(known, others).coefficients_, fitted.coefficients_, rtol=1e-9)
    with pytest.raises(DataError, match="validation: expected"):
        SINDy(2, "auto").fit(known, validation=recorded["duffing"])


def test_equations_are_printed(linear: SINDy, capsys: pytest.CaptureFixture[str]):
    linear.print()
    assert capsys.readouterr().out.splitlines() == ["da/dt = -a + 2*b", "db/dt = -b + 3*c", "dc/dt = 0.5*a - 2*c"]


def test_a_model_without_statistics_counts_errors_in_those_of_the_data(recorded: dict[str, Trajectories]):
    data = recorded["duffing"]
    fitted = SINDy(3).fit(data[:2])
    fitted.statistics_ = None  # as models from PySINDy and from files of earlier versions
    np.testing.assert_allclose(fitted.forecast(data[2:]).std, np.concatenate(data[2:].states).std(axis=0))


def test_a_refit_is_the_same(recorded: dict[str, Trajectories]):
    fitted = SINDy(2, "auto").fit(recorded["lotka-volterra"])
    before = fitted.coefficients_
    # Least squares round by where arrays lie in memory.
    np.testing.assert_allclose(fitted.fit(recorded["lotka-volterra"]).coefficients_, before, rtol=1e-9)
    whole = clone(fitted).set_params(degree=np.int64(2), seed=np.int64(0))
    np.testing.assert_allclose(whole.fit(recorded["lotka-volterra"]).coefficients_, before, rtol=1e-9)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_terms_without_a_finite_value_are_an_error_alone():
    with pytest.raises(DataError, match=r"exp\(x0\) is not, at some samples"):
        SINDy(1, functions=["exp"]).fit(1000 * np.cos(np.linspace(0, 9, 200)), 0.05)
