"""Forms of a user's own beside what is found: fitted to the states, judged by the same criterion, and reported."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import sparsedyn
from sparsedyn import EquationLearner, EquationRegressor, Trajectories
from sparsedyn.equations import compiled, parsed, symbol, text
from sparsedyn.equations.symbolic import symbols
from sparsedyn.estimators.equation._forms import forms_of
from sparsedyn.estimators.equation.trajectories._own import _with_size
from sparsedyn.estimators.equation.trajectories._reading import terms_of, worth
from sparsedyn.estimators.shooting_search._paths import paths_of
from sparsedyn.estimators.shooting_search._straying import PRICE, straying
from sparsedyn.estimators.shooting_search._written import expression

T = np.linspace(0, 10, 60)


def test_forms_are_judged_with_the_rest(tmp_path: Path):
    grown = 1 / (1 + 9 * np.exp(-T))
    forms = ["n*exp(-_*n)*_", "r*n*(1 - n/K)", "b*log(-n)"]
    learner = EquationLearner(candidates=forms).fit(grown, T[1], names=["n"], progress=False)
    fared = learner.compare_candidates()
    assert list(fared["candidate"]) == ["r*n*(1 - n/K)", "n*exp(-_*n)*_", "b*log(-n)"]
    assert fared["odds"][0] == pytest.approx(1.0, abs=0.01)
    assert fared["odds"][1] > 1e6
    assert fared["equation"][2] is None
    assert text(fared["equation"][0].expand(), 3) in ("n - n**2", "-n**2 + n")
    assert len(learner.alternatives(1.5)) == 1
    learner.save(tmp_path / "grown.model")
    assert sparsedyn.load(tmp_path / "grown.model").compare_candidates().equals(fared)


def test_columns_with_units_in_their_names_are_not_taken_for_constants():
    grown = 1 / (1 + 9 * np.exp(-T))
    learner = EquationLearner(candidates="r*n*(1 - n/K)")
    with pytest.raises(ValueError, match=r"'n' in .* would be a constant, but a column is called 'n \[g/L\]'"):
        learner.fit(grown, T[1], names=["n [g/L]"], progress=False)
    (form,) = forms_of("r*n [g/L]*(1 - n [g/L]/K)", ["n [g/L]"])
    assert [str(constant) for constant in form.constants] == ["K", "r"]
    assert symbol("n [g/L]") in form.expression.free_symbols


def test_constants_that_look_like_mistyped_columns_are_refused():
    with pytest.raises(ValueError, match=r"'substrat' in .* would be a constant, and a column is called 'substrate'"):
        forms_of("mu*substrat/(K + substrat)", ["substrate"])
    with pytest.raises(ValueError, match="'Prey'"):
        forms_of("a*Prey", ["prey", "hare"])
    for form, names in (("k_10*x_1", ["x_1"]), ("rate*rates", ["rates"]), ("K*k", ["k"])):
        assert forms_of(form, names)


@pytest.mark.slow
def test_a_form_that_terms_cannot_be_wins_where_it_is_right():
    t = np.linspace(0, 8, 40)

    def field(_: float, x: np.ndarray) -> np.ndarray:
        return 1.2 * x / (0.5 + x + x**2 / 2) - 0.3 * x

    x = solve_ivp(field, (0, 8), [0.02], t_eval=t, rtol=1e-9, atol=1e-9).y.T
    forms = ["mu*x/(K + x) - d*x", "mu*x/(K + x + x**2/Ki) - d*x"]
    learner = EquationLearner(candidates=forms).fit(x, t[1], names=["x"], progress=False)
    points = np.linspace(0.1, 3, 20)[:, None]
    np.testing.assert_allclose(learner.predict(points)[:, 0], field(0.0, points[:, 0]), rtol=1e-3, atol=1e-4)
    fared = learner.compare_candidates().set_index("candidate")["odds"]
    assert fared[forms[1]] == pytest.approx(1.0, abs=0.01)
    assert fared[forms[0]] > 1e6
    named = learner.constants().set_index("name")
    assert named.loc["Ki", "low"] < 2.0 < named.loc["Ki", "high"]


@pytest.mark.slow
def test_forms_of_maps_are_judged_on_the_next_state():
    x = [0.3]
    for _ in range(80):
        x.append(x[-1] * np.exp(2.6 * (1 - x[-1] / 1.5)))
    ricker = {"n": ["n*exp(r*(1 - n/K))", "a*n/(1 + b*n)"]}
    few = {"primitives": {"identity": 2}, "hidden": 1, "networks": 1}
    learner = EquationLearner(1, generations=1, steps=20, time="discrete", candidates=ricker, **few)
    learner.fit(np.asarray(x), names=["n"], progress=False)
    fared = learner.compare_candidates()
    assert fared["candidate"][0] == "n*exp(r*(1 - n/K))"
    assert fared["odds"][0] == 1.0
    np.testing.assert_allclose(learner.simulate([0.3], 20)[:, 0], x[:20], rtol=1e-6)


def test_tables_say_how_forms_fared():
    x = np.linspace(0.2, 9, 60)[:, None]
    growth = 3 * x[:, 0] / (1.7 + x[:, 0])
    forms = ["top*(1 - exp(-k*x0))", "_*x0/(_ + x0)", "log(-x0)"]
    regressor = EquationRegressor(trials=0, candidates=forms).fit(x, growth)
    fared = regressor.compare_candidates()
    assert list(fared["candidate"]) == [forms[1], forms[0], forms[2]]
    assert fared["odds"][0] == 1.0
    assert fared["error"][1] > 1e-3
    assert fared["equation"][2] is None
    assert text(regressor.equation(), 4) == "3*x0/(x0 + 1.7)"


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ({"m": "a*n"}, "candidates: there is no equation of 'm'"),
        (["a*n + ("], "candidates: expected a form"),
        (["__import__('os').system('x')"], "candidates: expression: expected numbers"),
        (3, "candidates: expected texts such as"),
    ],
)
def test_wrong_forms_are_refused(candidates: Any, message: str):
    with pytest.raises(ValueError, match=message):
        EquationLearner(candidates=candidates).fit(T**2, T[1], names=["n"], progress=False)


@pytest.mark.parametrize(
    "form",
    [
        "2*x*y**2 - 3",
        "x/(2.5 + x) - 0.3*x*y/(1 + 2*x + 3*y)",
        "x**2/(0.5 + 2*x**2)",
        "0.7*x/(1 + exp(-2 - 3*y))",
        "2*exp(-0.3*x**2)*y + sqrt(Abs(x))*log(Abs(y))",
        "sin(x - y)*3 + cos(x)**2 - sin(1.5*y) + tanh(0.4*x)",
        "x**1.3*y - Abs(y)/x",
    ],
)
def test_expressions_are_read_as_terms(form: str):
    names = symbols(["x", "y"])
    expr = parsed(form, ["x", "y"])
    read = terms_of(expr, names)
    assert read is not None
    again = expression([term for _, term in read], [number for number, _ in read], names)
    points = np.random.default_rng(0).uniform(0.3, 2.0, (20, 2))
    values = compiled([expr, again], ["x", "y"])(points)
    np.testing.assert_allclose(values[:, 0], values[:, 1], rtol=1e-12)


def test_what_is_no_sum_of_terms_is_priced_alike():
    x, y = symbol("x"), symbol("y")
    assert terms_of(parsed("x/(1 + x + x**2)", ["x"]), [x]) is None
    assert worth(parsed("2*x*y", ["x", "y"]), {x, y}) == pytest.approx(1.9)
    assert worth(x / (1 + x + x**2), {x}) > worth(x / (1 + x), {x})


def test_what_runs_away_from_the_data_pays_for_it():
    t = np.linspace(0, 6, 40)
    paths = paths_of(Trajectories([np.exp(-t)[:, None]], dt=t[1], state_names=["n"]))
    assert straying([parsed("-n", ["n"])], paths, ["n"]) == 0
    assert straying([parsed("-n + 3*n**3", ["n"])], paths, ["n"]) == PRICE
    assert straying([parsed("log(n - 2)", ["n"])], paths, ["n"]) == PRICE


def test_a_term_that_is_nothing_beside_the_others_is_not_written():
    x, y = symbol("x"), symbol("y")
    place = ["x", "y"], np.array([30.0, 0.5])
    assert _with_size(0.5 * x - 3e-146 * x**2 + 1e-9 * y, *place) == 0.5 * x + 1e-9 * y
    assert _with_size(2.0 * x * y, *place) == 2.0 * x * y
    assert _with_size(sympy.Integer(0), *place) == 0
    at_a_pole = 1 / (x - 30) + 0.5 * x
    assert _with_size(at_a_pole, *place) == at_a_pole
