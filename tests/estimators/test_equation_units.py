"""Units of the equation regressor: homogeneous equations only, fewer variables, and constants with units."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import DataError, EquationRegressor
from sparsedyn.equations import parsed, symbol, text
from sparsedyn.estimators.equation._units import constant_dimensions, dimension_of, groups

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
