"""Units of equation learners: homogeneous equations only, fewer variables, and constants with units."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsedyn
from sparsedyn import DataError, EquationLearner, EquationRegressor
from sparsedyn.equations import parsed, symbol, text
from sparsedyn.estimators.equation._plant_units import plant_units
from sparsedyn.estimators.equation._units import constant_dimensions, dimension_of, groups, written
from sparsedyn.estimators.equation.trajectories._dimensions import dimensions_of
from sparsedyn.estimators.equation.trajectories._reading import terms_of
from sparsedyn.estimators.shooting_search._prior import Prior

pytest.importorskip("pint")

ROWS = 100
UNITS: dict[str, Any] = {"m": "kg", "p": "kg*m/s", "c": {"m": 1, "s": -1}, "E": "J"}


def table(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: rng.uniform(1.0, 3.0, ROWS) for name in ("p", "m", "c")})


def energy(p: Any, m: Any, c: Any) -> Any:
    return np.sqrt(p**2 * c**2 + m**2 * c**4) - 0.5 * m * c**2


def test_units_make_three_variables_one():
    frame, fresh = table(0), table(1)
    regressor = EquationRegressor(units=UNITS).fit(frame, energy(**frame).rename("E"))
    assert regressor.found_ is None
    np.testing.assert_allclose(regressor.predict(fresh), energy(**fresh), rtol=1e-9)
    own = [dimension_of(UNITS[name], name) for name in frame]
    found = groups(own, dimension_of("J", "E"), [True] * 3)
    assert found is not None
    assert len(found[0]) == 1


def test_constants_have_units():
    frame = pd.DataFrame({"t": np.linspace(0.1, 3.0, ROWS), "v": np.random.default_rng(0).uniform(1, 5, ROWS)})
    fall = frame["v"] * frame["t"] - 0.5 * 9.81 * frame["t"] ** 2
    regressor = EquationRegressor(units={"t": "s", "v": "m/s", "y": "m"}).fit(frame, fall)
    assert text(regressor.equation()) == "t*(-4.905*t + v)"
    constants = regressor.constants()
    assert constants["value"].tolist() == [pytest.approx(-4.905)]
    assert constants["unit"].tolist() == ["m/s**2"]


@pytest.mark.parametrize(
    ("form", "unit", "expected"),
    [
        ("2.5*x", "m", {"2.5": {}}),
        ("2.5*x", "s", {"2.5": {"second": 1, "meter": -1}}),
        ("exp(-2.5*x)", "", {"-2.5": {"meter": -1}}),
        ("exp(-x)*x**2", "m**2", {"-1": {"meter": -1}}),
        ("exp(x)", "", None),
        ("x/(2.5 + x)", "", {"2.5": {"meter": 1}}),
        ("x + x**2", "m", None),
        ("sqrt(x**2 + 2.5)", "m", {"2.5": {"meter": 2}}),
        ("x**x", "", None),
    ],
)
def test_what_is_homogeneous(form: str, unit: str, expected: dict[str, dict[str, int]] | None):
    x = symbol("x")
    found = constant_dimensions(parsed(form, ["x"]), {x: dimension_of("m", "x")}, dimension_of(unit or None, "y"))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert {text(key): value for key, value in found.items()} == {k: v for k, v in expected.items() if v}


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"t": "s"}, "'v', 'y' missing"),
        ({"t": "s", "v": "m/s", "y": "m", "w": "m"}, "'w' unknown"),
        ({"t": "h", "v": "m/s", "y": "m"}, "Multiply the column by 3600"),
        ({"t": "wibble", "v": "m/s", "y": "m"}, "'t': expected a unit that pint knows"),
    ],
)
def test_wrong_units_are_refused(units: dict[str, Any], message: str):
    frame = pd.DataFrame({"t": np.linspace(0.1, 3.0, 30), "v": np.linspace(1, 2, 30) ** 2})
    with pytest.raises(DataError, match=message):
        EquationRegressor(units=units).fit(frame, frame["t"] * frame["v"])


def fallen(time: np.ndarray) -> np.ndarray:
    """Height above the outlet of a tank that empties: dh/dt = -0.4 sqrt(h)."""
    return np.square(2.0 - 0.2 * time)


def test_constants_of_a_tank_have_units(capsys: pytest.CaptureFixture[str], tmp_path: Any):
    time = np.linspace(0, 6, 60)
    learner = EquationLearner(units={"h": "m", "t": "min"}).fit(fallen(time), time[1], names=["h"], progress=False)
    constants = learner.constants()
    assert constants["unit"].tolist() == ["m**(1/2)/min"]
    assert constants["value"][0] == pytest.approx(-0.4, abs=1e-4)
    learner.print()
    assert "constants of h: -0.4 m**(1/2)/min" in capsys.readouterr().out
    learner.save(tmp_path / "tank.model")
    assert sparsedyn.load(tmp_path / "tank.model").constants().equals(constants)


def test_a_pendulum_has_sines_of_angles_only():
    data = sparsedyn.simulate("duffing", trajectories=1, steps=60, seed=0)
    names, inputs = data.state_names, data.input_names
    units = {names[0]: "rad", names[1]: "rad/s", "t": "s"} | dict.fromkeys(inputs, "rad/s**2")
    learner = EquationLearner(units=units).fit(data, progress=False)
    table = learner.constants()
    assert set(table["unit"]) <= {"", "1/s", "1/s**2"}
    assert set(table["unit"][table["state"] == names[1]]) >= {"1/s", "1/s**2"}
    points = {symbol("x"): dimension_of("m", "x"), symbol("a"): {}}
    prior = Prior((), frozenset([0]))
    read = {form: terms_of(parsed(form, ["x", "a"]), list(points)) for form in ("x*sin(a)", "sin(x)", "sin(2*x)*a")}
    allowed = {form: prior.allows(terms[0][1]) for form, terms in read.items() if terms}
    assert allowed == {"x*sin(a)": True, "sin(x)": False, "sin(2*x)*a": True}


@pytest.mark.parametrize(
    ("form", "unit", "expected"),
    [
        ("mu*x/(K + x)", "mg/L/h", ["mg/l", "mg/(h*l)"]),
        ("x*exp(-mu*x)/K", "mg/L/h", ["h", "l/mg"]),
        ("mu*x**K", "mg/L/h", ["", "mg**(3/10)/(h*l**(3/10))"]),
        ("mu*x + K*sin(x)", "mg/L/h", None),
    ],
)
def test_dimensions_of_constants_follow_from_scaling(form: str, unit: str, expected: list[str] | None):
    constants = [symbol("K"), symbol("mu")]
    units = plant_units({"x": "mg/L", "t": "h"}, ["x"], [], [], discrete=False)
    assert units is not None
    points = np.linspace(0.3, 2.0, 30)[:, None]
    expr = parsed(form, ["x", "K", "mu"])
    found = dimensions_of(expr, constants, [0.7, 1.3], points, {symbol("x"): units.columns["x"]}, units.rate("x"))
    assert (found and [written(one) for one in found]) == expected


def test_times_that_were_made_seconds_are_not_called_years():
    frame = pd.DataFrame({"year": np.arange(1900.0, 1930.0), "h": fallen(np.linspace(0, 6, 30))})
    learner = EquationLearner(units={"h": "m", "t": "year"})
    with pytest.warns(sparsedyn.SparsedynWarning), pytest.raises(DataError, match="units: time is in seconds here"):
        learner.fit(frame, "year", names=["h"], progress=False)
    dated = frame[["h"]].set_index(pd.date_range("2023-01-01", periods=30, freq="D"))
    with pytest.raises(DataError, match="units: time is in seconds here"):
        learner.fit(dated, progress=False)


def test_units_of_plants_are_as_written_or_those_of_the_si():
    kept = plant_units({"x": "km", "v": "m/s", "t": "s"}, ["x"], ["v"], [], discrete=False)
    assert kept is not None
    assert written(kept.rate("x")) == "km/s"
    joined = plant_units({"E": "J", "m": "kg", "v": "m/s", "time": "s"}, ["E"], ["m", "v"], [], discrete=False)
    assert joined is not None
    assert written(joined.rate("E")) == "kg*m**2/s**3"
    with pytest.raises(DataError, match="'v' unknown; 't' missing"):
        plant_units({"x": "km", "v": "m/s"}, ["x"], [], [], discrete=False)


def test_a_factor_of_one_has_the_unit_that_the_target_lacks():
    frame = table(0)
    units = {"m": "kg", "p": "kg*m/s", "c": "m/s", "T": "K"}
    regressor = EquationRegressor(trials=0, units=units).fit(frame, (frame.p * frame.c).rename("T"))
    assert regressor.equation() == parsed("c*p", ["c", "p"])
    constants = regressor.constants()
    assert constants["value"].tolist() == [1.0]
    assert dimension_of(constants["unit"][0], "1") == dimension_of("K/J", "1")
