"""Cheap proposals of the equation regressor: what they find, on what they are judged, and what a user can ask."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sparsedyn
from sparsedyn import EquationRegressor
from sparsedyn.equations import compiled, parsed, text
from sparsedyn.estimators.equation.proposals._composites import composites
from sparsedyn.estimators.equation.proposals._judge import EXACT, Judge
from sparsedyn.estimators.equation.proposals._separations import separations
from sparsedyn.estimators.equation.proposals._table import Table, plain

ROWS = 120


def table(seed: int, **ranges: tuple[float, float]) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({name: rng.uniform(*ends, ROWS) for name, ends in ranges.items()})


LAWS: dict[str, tuple[dict[str, tuple[float, float]], Any]] = {
    "a power law": ({"a": (1, 5), "b": (1, 5), "c": (-4, -1)}, lambda a, b, c: 0.3 * a**1.5 * c / b**2),
    "a distance": ({n: (-2.0, 2.0) for n in "abcd"}, lambda a, b, c, d: np.sqrt((a - b) ** 2 + (c - d) ** 2)),
    "an occupation": ({"w": (1, 4), "T": (1, 4)}, lambda w, T: w**2 / (np.exp(0.7 * w / T) - 1)),
    "an angle": ({"n": (1, 3), "x": (0.1, 1)}, lambda n, x: np.arcsin(np.sin(x) / n)),
    "a vapour pressure": ({"T": (1.0, 100.0)}, lambda T: 10 ** (7.2 - 1730 / (T + 233))),
}


@pytest.mark.parametrize("law", LAWS)
def test_laws_are_found_without_networks(law: str):
    ranges, function = LAWS[law]
    frame = table(0, **ranges)
    regressor = EquationRegressor().fit(frame, function(**frame))
    assert regressor.found_ is None
    fresh = table(1, **ranges)
    np.testing.assert_allclose(regressor.predict(fresh), function(**fresh), rtol=1e-6, atol=1e-9)
    assert regressor.pareto()["error"].iloc[-1] < 1e-8


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_products_and_sums_of_functions_of_different_columns_are_told_apart(noise: float):
    rng = np.random.default_rng(0)
    x = rng.uniform([600, 250, 0.2, 0.2], [900, 390, 0.9, 0.9], (500, 4))
    hot, cold, one, other = x.T
    exchanged = (hot**4 - cold**4) / (1 / one + 1 / other - 1)
    for target, wanted in (
        (exchanged, [(True, ((0, 1), (2, 3)))]),
        (hot * np.sin(cold / 50) + np.sqrt(one + other) * 1e3, [(False, ((0, 1), (2, 3)))]),
        (np.sqrt((hot - cold) ** 2 + 1e6 * (one - other) ** 2), []),
    ):
        off = noise * np.sqrt(np.mean(target**2)) * rng.normal(size=len(x))
        found = separations(Table(x, target + off, ("hot", "cold", "one", "other"), np.ones(len(x))))
        assert [(one.multiplied, one.columns) for one in found[:1]] == wanted


def test_rows_that_are_too_few_for_two_polynomials_tell_nothing_apart():
    x = np.random.default_rng(0).uniform(1, 3, (15, 6))
    names = ("a", "b", "c", "d", "e", "f")
    assert separations(Table(x, x[:, 0] * np.sin(x[:, 1]) + x[:, 5] ** 2, names, np.ones(15))) == []


SUMS: dict[str, tuple[bool, Any]] = {
    "a*exp(-b/c) + b**2": (False, lambda a, b, c: a * np.exp(-b / c) + b**2),
    "b + log(a + c)*c": (False, lambda a, b, c: b + np.log(a + c) * c),
    "3.7*exp(-0.8*a*b) + 1.3*c": (True, lambda a, b, c: 3.7 * np.exp(-0.8 * a * b) + 1.3 * c),
}


@pytest.mark.parametrize("law", SUMS)
def test_sums_with_a_function_of_several_columns_are_proposed(law: str):
    numbers, function = SUMS[law]
    x = np.random.default_rng(0).uniform(1, 4, (400, 3))
    y = function(*x.T)
    judge = Judge(("a", "b", "c"), x[:300], y[:300], x[300:], y[300:])
    proposed = composites(Table(judge.x, judge.y, judge.names, np.ones(300)), numbers=numbers)
    tried = (judge.judged(plain(expression)) for expression in proposed)
    assert min(one.error for one in tried if one is not None) < EXACT


def test_noise_is_told_from_a_law_and_rounds_what_it_leaves_open():
    frame = table(0, a=(1, 5), b=(1, 5))
    clean = 2.5 * frame["a"] ** 2 / frame["b"]
    noisy = clean + 0.01 * np.sqrt(np.mean(clean**2)) * np.random.default_rng(1).normal(size=ROWS)
    regressor = EquationRegressor().fit(frame, noisy)
    assert text(regressor.equation(), 2) in ("2.5*a**2/b", "5*a**2/(2*b)")
    constants = regressor.constants()
    assert (constants["low"] < 2.5).all()
    assert (constants["high"] > 2.5).all()
    assert regressor.constants(0.5)["high"][0] < constants["high"][0]
    assert regressor.alternatives()["equation"][0] == regressor.equation()
    assert regressor.pareto()["complexity"].iloc[0] == 1, "the simplest equation is a constant, whatever it leaves"


def test_own_forms_are_judged_with_the_rest(tmp_path: Path):
    frame = table(0, x=(0.2, 9.0))
    target = 3.17 * np.log(1 + np.exp(0.93 * frame["x"]))
    regressor = EquationRegressor(candidates=["height*log(1 + exp(rate*x))", "a*x**2"]).fit(frame, target)
    assert regressor.found_ is None
    np.testing.assert_allclose(regressor.predict(frame), target, rtol=1e-7)
    regressor.save(tmp_path / "law.safetensors")
    back = sparsedyn.load(tmp_path / "law.safetensors")
    assert back.constants().equals(regressor.constants())
    assert back.pareto().equals(regressor.pareto())


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("a*x/(b + x", "candidates: expected a form"),
        ("__import__('os').system('x')", "candidates: expression: expected numbers"),
        ("x.real", "candidates: expression: expected numbers"),
        (3, "candidates: expected texts"),
    ],
)
def test_forms_are_only_read(form: Any, message: str, as_users_run: None):
    frame = table(0, x=(0.2, 9.0))
    with pytest.raises(ValueError, match=message):
        EquationRegressor(candidates=[form]).fit(frame, frame["x"] ** 2)


@pytest.mark.parametrize(
    ("form", "fine"),
    [("2*x*z + 1", True), ("exp(x)", False), ("x/z", False), ("x**3", True), ("sqrt(x)", False), ("x**z", False)],
)
def test_only_functions_of_the_table_are_proposed(form: str, fine: bool):
    from sparsedyn.estimators.equation._tables import _allowed
    from sparsedyn.models import units_of

    allowed = _allowed((units_of({"constant": 1, "identity": 2, "product": 1}),))
    assert allowed(parsed(form, ["x", "z"])) is fine


def test_proposals_alone_answer_without_networks():
    rng = np.random.default_rng(0)
    table = rng.uniform(-1, 1, (40, 2))
    found = EquationRegressor(trials=0).fit(table, table[:, 0] * np.exp(table[:, 1]))
    assert found.found_ is None
    assert text(found.equation()) == "x0*exp(x1)"


def test_a_target_that_no_column_explains_is_told_of(tmp_path: Path):
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 3, (60, 1))
    with pytest.warns(sparsedyn.SparsedynWarning, match="no column explains the target"):
        regressor = EquationRegressor(trials=0).fit(x, rng.normal(size=60))
    assert [finding.check for finding in regressor.report_] == ["empty-equation"]
    regressor.save(tmp_path / "nothing.model")
    assert sparsedyn.load(tmp_path / "nothing.model").report_ == regressor.report_
    with pytest.warns(sparsedyn.SparsedynWarning, match="explains [0-9]+% of the target's variance"):
        EquationRegressor(trials=0, proposals=False, candidates="a*x0 + b").fit(x, x[:, 0] + rng.normal(size=60))


@pytest.mark.parametrize("kind", [int, bool])
def test_tables_of_zeros_and_ones_have_equations(kind: type):
    x = np.random.default_rng(0).integers(0, 2, (100, 3)).astype(kind)
    # A power of such a column is the column itself.
    found = [EquationRegressor(trials=0).fit(x, y).equation() for y in (x[:, 0] ^ x[:, 1], x[:, 0] | x[:, 2])]
    names = ["x0", "x1", "x2"]
    assert found == [parsed("x0 + x1 - 2*x0*x1", names), parsed("x0 + x2 - x0*x2", names)]


def test_a_target_that_is_zero_in_all_samples_to_fit_is_no_error():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)), np.zeros(60)
    y[7] = 1.0
    with pytest.warns(sparsedyn.SparsedynWarning):
        EquationRegressor(trials=0).fit(x, y)


@pytest.mark.parametrize("law", ["sin(a)", "b*sin(a)", "9.81*b*cos(a/2)"])
def test_roots_of_squares_of_sines_are_sines(law: str):
    frame = table(1, a=(0.5, 3.0), b=(0.5, 3.0))
    expected = parsed(law, ["a", "b"])
    target = compiled([expected], ["a", "b"])(frame.to_numpy())[:, 0]
    assert text(EquationRegressor(trials=0).fit(frame, target).equation(), 6) == text(expected, 6)


def test_a_power_law_over_many_decades_holds_for_small_values_too():
    x = 10 ** np.random.default_rng(1).uniform(-12, 12, (200, 3))
    y = 6.67e-11 * x[:, 0] * x[:, 1] / x[:, 2] ** 2
    regressor = EquationRegressor(trials=0).fit(x, y)
    np.testing.assert_allclose(regressor.predict(x), y, rtol=1e-6)
    assert not regressor.report_


def test_equations_of_the_largest_samples_alone_are_told_of():
    rng = np.random.default_rng(1)
    x = 10 ** rng.uniform(-3, 3, (200, 3))
    y = x[:, 0] * x[:, 1] / x[:, 2] ** 2 * np.exp(0.05 * rng.normal(size=200))
    with pytest.warns(sparsedyn.SparsedynWarning, match="Fit the logarithm of the target"):
        EquationRegressor(trials=0).fit(x, y)
    logs = EquationRegressor(trials=0).fit(np.log(x), np.log(y))
    assert not logs.report_
    assert {str(one) for one in logs.equation().free_symbols} == {"x0", "x1", "x2"}
