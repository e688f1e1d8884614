"""State-space models of inputs and outputs: the common contract, and what is found in plants that are known."""

import copy
import warnings
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import sparsedyn
from sparsedyn import DataError, MagnitudePruning, SparsedynWarning, SparseStateSpace, Trajectories
from sparsedyn.estimators.state_space._elimination import Point
from sparsedyn.estimators.state_space._network import halves
from sparsedyn.estimators.state_space._report import report_of
from sparsedyn.estimators.state_space._search import Found
from sparsedyn.estimators.state_space._windows import folds
from sparsedyn.estimators.state_space.state_space import statistics_of
from sparsedyn.models import StateSpace

DT = 0.5
FIELDS = [field.name for field in fields(StateSpace)]


def record(rows: int, seed: int, noise: float = 0.0, bend: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and inputs of a lag of first order, `z+ = 0.9 z + 0.2 u - bend z u`, `y = 2 z + 1`."""
    rng = np.random.default_rng(seed)
    u = np.repeat(rng.uniform(-1, 1, -(-rows // 6)), 6)[:rows]
    z, states = 0.3, []
    for value in u:
        states.append(z)
        z = 0.9 * z + 0.2 * value - bend * z * value
    y = 2 * np.asarray(states) + 1
    return (y + noise * rng.normal(size=rows))[:, None], u[:, None]


def data(*lengths: int, seed: int = 0, **plant: float) -> Trajectories:
    """Records of the lag."""
    made = [record(rows, seed + i, **plant) for i, rows in enumerate(lengths)]
    names = {"state_names": ["y"], "input_names": ["u"]}
    return Trajectories([y for y, _ in made], [u for _, u in made], dt=DT, **names)


LINEAR = {"states": 1, "units": "none"}
TEST = data(90, 60, seed=100)


@pytest.fixture(scope="module")
def linear() -> SparseStateSpace:
    """A linear model of a linear plant, from records of unequal length."""
    return SparseStateSpace(**LINEAR).fit(data(90, 70, 50))


def test_a_linear_plant_is_found_to_the_last_digits(linear: SparseStateSpace):
    np.testing.assert_allclose(linear.model_.A, [[0.9]], rtol=1e-5)
    assert linear.forecast(TEST).rmse()[0] < 1e-5
    assert linear.score(TEST) > 1 - 1e-4
    assert not linear.report_


def test_units_have_no_influence(linear: SparseStateSpace):
    size, other = 3e5, 2e-6
    train = data(90, 70, 50)
    scaled = train.with_rows([size * y for y in train.states], [other * u for u in train.inputs], train.time)
    again = SparseStateSpace(**LINEAR).fit(scaled)
    np.testing.assert_allclose(again.model_.A, linear.model_.A, rtol=1e-6)
    np.testing.assert_array_equal(again.kept_, linear.kept_)
    here, there = (model.coefficients() for model in (linear, again))
    np.testing.assert_allclose(there.loc["z1+", "u"], here.loc["z1+", "u"] / other, rtol=1e-5)
    np.testing.assert_allclose(there.loc["y", "z1"], here.loc["y", "z1"] * size, rtol=1e-5)


def test_the_variables_are_remembered(linear: SparseStateSpace):
    assert (linear.state_names_, linear.input_names_, linear.dt_) == (("y",), ("u",), DT)
    assert linear.latent_names_ == ("z1",)


def test_the_warm_up_is_not_scored(linear: SparseStateSpace):
    forecast = linear.forecast(TEST, warmup=3)
    assert forecast.predicted.shape == (1, 2, 90, 1)
    assert forecast.warmup == 3
    before = forecast.predicted.copy()
    forecast.predicted[:, :, :3] += 100.0
    again = sparsedyn.Forecast(forecast.predicted, TEST, forecast.std, warmup=3)
    shown = sparsedyn.Forecast(before, TEST, forecast.std, warmup=3)
    np.testing.assert_array_equal(again.rmse(), shown.rmse())
    np.testing.assert_array_equal(again.skill(), shown.skill())
    assert again.score([20])["rfmse"].tolist() == shown.score([20])["rfmse"].tolist()
    assert linear.evaluate(TEST, horizons=(10,))["diverged"].tolist() == [0.0]


@pytest.mark.parametrize("warmup", [0, 60, True])
def test_a_warm_up_that_does_not_fit_is_refused(linear: SparseStateSpace, warmup: object):
    with pytest.raises(DataError, match="warmup: expected a number of rows from 1 to 59"):
        linear.forecast(TEST, warmup=warmup)


def test_simulation_begins_from_outputs_or_from_a_latent_state(linear: SparseStateSpace):
    y, u = TEST.states[0], TEST.inputs[0]
    made = linear.simulate(y[:4], 90, u)
    assert made.dims == ("time", "state")
    np.testing.assert_allclose(made, linear.forecast(TEST, warmup=4).predicted[0, 0], rtol=1e-9)
    held = u[:, 0]
    for t, inputs in (
        (DT * np.arange(90), u),
        (7 + DT * np.arange(90), pd.DataFrame({"u": held})),
        (DT * np.arange(90), lambda t: held[round(t / DT)]),
    ):
        np.testing.assert_allclose(linear.simulate(y[:4], t, inputs), made, rtol=1e-9)
    both = linear.simulate(np.stack([y[:4], y[:4]]), 90, np.stack([u, u]))
    assert both.dims == ("trajectory", "time", "state")
    np.testing.assert_allclose(both.isel(trajectory=1), made, rtol=1e-9)
    assert linear.simulate(y[0], 5, u[:5]).shape == (5, 1)
    rest = linear.simulate([0.0], 5, u[:5], latent=True)
    values = {sparsedyn.equations.symbol("z1"): 0.0, sparsedyn.equations.symbol("u"): u[0, 0]}
    assert float(rest[0, 0]) == pytest.approx(float(linear.equations()[1].subs(values)))
    every_third = linear.simulate(y[:4], 3 * DT * np.arange(10), np.repeat(u[::3][:10], 1, axis=0))
    assert every_third.sizes["time"] == 10


def test_predictions_are_free_runs(linear: SparseStateSpace):
    y, u = TEST.states[0], TEST.inputs[0]
    np.testing.assert_allclose(linear.predict(y, u), y, atol=1e-4)
    first, second = linear.predict(TEST)
    assert (len(first), len(second)) == TEST.lengths


def test_equations_are_in_the_datas_units(linear: SparseStateSpace, capsys: pytest.CaptureFixture[str]):
    following, output = linear.equations()
    z = sparsedyn.equations.symbol("z1")
    table = linear.coefficients()
    assert float(following.coeff(z)) == pytest.approx(0.9, rel=1e-5)
    # The gain from input to output is the plant's, whatever the latent coordinate.
    gain = table.loc["y", "z1"] * table.loc["z1+", "u"]
    assert gain == pytest.approx(0.4, rel=1e-4)
    assert float(output.coeff(z)) == pytest.approx(table.loc["y", "z1"])
    linear.print()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" = ")[0] for line in lines] == ["z1[k+1]", "y[k]"]


def test_a_file_gives_the_model_back(linear: SparseStateSpace, tmp_path: Path):
    linear.save(tmp_path / "model")
    back = sparsedyn.load(tmp_path / "model")
    assert type(back) is SparseStateSpace
    assert back.get_params() == linear.get_params()
    np.testing.assert_array_equal(back.forecast(TEST).predicted, linear.forecast(TEST).predicted)
    assert back.report_ == linear.report_
    pd.testing.assert_frame_equal(back.path_, linear.path_)


@pytest.mark.slow
def test_fits_of_the_same_data_are_the_same(linear: SparseStateSpace):
    train = data(90, 70, 50)
    again = SparseStateSpace(**LINEAR)
    assert again.fit(list(train.states), DT, list(train.inputs), names=["y"], input_names=["u"]) is again
    np.testing.assert_allclose(again.forecast(TEST).predicted, linear.forecast(TEST).predicted, rtol=1e-7, atol=1e-9)


@pytest.mark.slow
def test_validation_judges(linear: SparseStateSpace):
    train, other = data(90, 70, 50), data(80, seed=50)
    one, two = SparseStateSpace(**LINEAR).fit(train, other), SparseStateSpace(**LINEAR).fit(train, validation=other)
    np.testing.assert_allclose(one.forecast(TEST).predicted, two.forecast(TEST).predicted, rtol=1e-7, atol=1e-9)


def test_a_clone_has_the_parameters_and_no_fit(linear: SparseStateSpace):
    again = clone(linear)
    assert again.get_params() == linear.get_params()
    assert not [name for name in vars(again) if name.endswith("_")]


@pytest.mark.slow
def test_an_output_that_the_input_does_not_move_is_warned_of():
    rng = np.random.default_rng(3)
    with (
        pytest.warns(SparsedynWarning, match="no better than the mean"),
        pytest.warns(SparsedynWarning, match="No dependence on u0"),
    ):
        model = SparseStateSpace(**LINEAR).fit(rng.normal(size=(300, 1)), 1.0, rng.normal(size=(300, 1)))
    assert {finding.check for finding in model.report_} == {"no-better-than-mean", "input-without-effect"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.score(rng.normal(size=(50, 1)), 1.0, rng.normal(size=(50, 1))))


def test_a_forecast_beyond_the_range_of_training_says_so(linear: SparseStateSpace):
    model = copy.deepcopy(linear)
    small = StateSpace.zeros(1, 1, 1, ("square",))
    changes = {name: getattr(linear.model_, name) for name in ("A", "B", "c", "C", "D", "d")}
    changes |= {"H": np.ones((1, 1)), "low": np.full(1, -0.5), "high": np.full(1, 0.5)}
    model.model_ = StateSpace(**{field: changes.get(field, getattr(small, field)) for field in FIELDS})
    u = (TEST.inputs[0] - linear.statistics_.u_mean) / linear.statistics_.u_std
    with pytest.warns(SparsedynWarning, match="beyond the range of training"):
        forecast = model.forecast(TEST[0])
    assert [finding.check for finding in forecast.report] == ["outside-training"]
    assert forecast.report[0].message.startswith(f"{int(np.sum(np.abs(u) > 0.5))} of 90 rows")
    np.testing.assert_allclose(forecast.predicted, linear.forecast(TEST[0]).predicted)


@pytest.mark.parametrize(
    ("blocks", "apart", "expected"),
    [([0.1] * 8, 0.1, []), ([0.1] * 7 + [0.5], 0.1, ["undetermined"]), ([0.1] * 8, 0.9, ["undetermined"])],
)
def test_a_record_that_does_not_determine_the_model_is_warned_of(
    linear: SparseStateSpace, blocks: list[float], apart: float, expected: list[str]
):
    held_out = np.square(blocks)
    weights = linear.model_.ravel()
    point = Point(linear.model_, weights, weights != 0, 0.01, held_out, np.ones(8))
    found = Found(linear.model_, weights != 0, linear.mean_, linear.covariance_, 0.01, "linear", point, {}, {}, apart)
    assert [finding.check for finding in report_of(found, linear.variables_, TEST)] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"states": 0}, "states: expected 'auto', or an integer of at least 1; got 0"),
        ({"states": "many"}, "states: expected 'auto'"),
        ({"units": "relu"}, "units: expected one of auto, none, polynomial, quadratic, tanh, network"),
        ({"nonlinear_units": 0}, "nonlinear_units: expected None, or an integer of at least 1"),
        ({"max_weights": 1}, "max_weights: expected None, or an integer of at least 3"),
        ({"technique": "l1"}, "technique: expected none with units='auto'.* units='network'"),
        ({"units": "network", "max_weights": 9}, "max_weights: expected None with units='network'"),
        ({"units": "network", "steps": 0}, "steps: expected an integer of at least 1"),
        ({"seed": -1}, "seed: expected an integer from 0"),
    ],
)
def test_parameters_out_of_range_are_refused(given: dict[str, object], expected: str):
    with pytest.raises(ValueError, match=expected):
        SparseStateSpace(**given).fit(data(50))


def test_too_few_rows_are_refused_with_the_number_needed():
    with pytest.raises(DataError, match=r"expected at least 30 rows in all .* got 12"):
        SparseStateSpace().fit(data(12))


def test_an_output_that_never_changes_is_refused():
    with pytest.raises(DataError, match="'y' is constant"):
        SparseStateSpace().fit(np.ones((60, 1)), 1.0, np.arange(60.0), names=["y"])


@pytest.fixture(scope="module")
def bilinear() -> SparseStateSpace:
    return SparseStateSpace().fit(data(240, noise=0.005, bend=0.1))


@pytest.mark.slow
def test_a_bilinear_plant_is_found(bilinear: SparseStateSpace):
    assert bilinear.model_.units
    assert bilinear.forecast(data(300, seed=100, bend=0.1), warmup=5).rmse()[0] < 0.005


@pytest.mark.slow
def test_a_bilinear_plant_takes_one_state(bilinear: SparseStateSpace):
    assert bilinear.model_.sizes[0] == 1
    assert bilinear.nonzeros_[0] <= 12


@pytest.mark.slow
def test_a_network_is_trained_on_free_runs_and_pruned(tmp_path: Path):
    train, test = data(150, 150, noise=0.005, bend=0.1), data(200, seed=100, bend=0.1)
    given = {"units": "network", "nonlinear_units": 8, "steps": 500, "technique": [MagnitudePruning(0.5)]}
    model = SparseStateSpace(1, **given).fit(train)
    parts = model.model_
    assert sum(np.count_nonzero(part) for part in (parts.F, parts.G, parts.H)) == 12
    assert model.nonzeros_[0] <= model.weights_ - 12
    found = model.forecast(test, warmup=5).rmse()[0]
    assert found < 0.75 * SparseStateSpace(**LINEAR).fit(train).forecast(test, warmup=5).rmse()[0]
    assert model.path_["units"].tolist() == ["network"]
    model.save(tmp_path / "network.safetensors")
    again = sparsedyn.load(tmp_path / "network.safetensors")
    assert again.get_params()["technique"] == given["technique"]
    np.testing.assert_allclose(again.forecast(test, warmup=5).rmse(), found)


def test_a_network_is_judged_by_rows_it_was_not_fitted_to():
    given, others = data(100, 60), data(50, seed=7)
    fitted, judged = halves(folds(given, statistics_of(given)))
    assert (fitted.sum(axis=1).tolist(), judged.sum(axis=1).tolist()) == ([80, 48], [20, 12])
    assert not (fitted & judged).any()
    fitted, judged = halves(folds(given, statistics_of(given), others))
    assert fitted.sum(axis=1).tolist() == [100, 60, 5]
    assert judged.sum(axis=1).tolist() == [0, 0, 45]


@pytest.mark.slow
def test_a_sensor_at_the_end_of_its_range_is_modelled_and_said():
    whole = data(120, 90)
    cut = whole.with_rows([np.minimum(y, 1.9) for y in whole.states], whole.inputs, whole.time)
    with pytest.warns(SparsedynWarning, match=r"y is exactly 1\.9, its greatest value, in \d"):
        model = SparseStateSpace(**LINEAR).fit(cut)
    assert [finding.check for finding in model.report_] == ["clipped-output"]
    np.testing.assert_allclose(model.model_.A, [[0.9]], rtol=1e-4)
    test = TEST.with_rows([np.minimum(y, 1.9) for y in TEST.states], TEST.inputs, TEST.time)
    assert model.forecast(test, warmup=20).rmse()[0] < 1e-3
    assert "Min(1.9, " in str(model.equations(digits=3)[-1])


@pytest.mark.slow
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_an_oscillation_without_inputs_has_two_states(decay: float):
    k = np.arange(80)
    y = 3 + np.exp(-decay * k) * np.sin(0.3 * k)
    model = SparseStateSpace(units="none").fit(y, 1.0)
    assert model.model_.sizes[0] == 2
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(model.model_.A)), np.exp(-decay), rtol=1e-4)
    assert model.held_out_ < 0.01
    assert not model.report_


def test_nothing_is_said_of_inputs_where_there_are_none():
    noise = np.random.default_rng(0).normal(size=80)
    with pytest.warns(SparsedynWarning, match="no better than the mean of the outputs. What the outputs did before"):
        SparseStateSpace(1, units="none").fit(noise, 1.0)
