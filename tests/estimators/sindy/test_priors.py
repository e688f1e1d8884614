"""What is known before data are seen: parts of the right-hand side, values, signs, absent terms, conservation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import sparsedyn
from sparsedyn import Constraints, SINDy
from sparsedyn.equations import text

T = 0.05 * np.arange(300)


def solved(field: Any, x0: list[float], t: np.ndarray = T) -> np.ndarray:
    return np.asarray(solve_ivp(field, (t[0], t[-1]), x0, t_eval=t, method="DOP853", rtol=1e-10, atol=1e-12).y).T


PENDULUM = solved(lambda _, x: [x[1], -2 * np.sin(x[0]) - 0.1 * x[1]], [1.5, 0.0])
NAMES = ["theta", "w"]
DAMPED = {("w", "w"): -0.1}
KNOWN: dict[str, Any] = {
    "text": {"w": "-2*sin(theta)"},
    "sympy": {"w": -2 * sympy.sin(sympy.Symbol("theta"))},
    "function": lambda x, u: np.stack([np.zeros(len(x)), -2 * np.sin(x[:, 0])], axis=1),
}


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.parametrize("threshold", [0.05, "auto"])
def test_the_rest_of_a_pendulum_is_found(kind: str, threshold: Any, tmp_path: Path):
    fitted = SINDy(1, threshold, known=KNOWN[kind]).fit(PENDULUM, T, names=NAMES)
    np.testing.assert_allclose(fitted.coefficients_, [[0, 0], [0, 0], [1, -0.1]], atol=1e-6)
    np.testing.assert_allclose(fitted.simulate(PENDULUM[0], T), PENDULUM, atol=1e-5)
    slopes = np.stack([PENDULUM[:, 1], -2 * np.sin(PENDULUM[:, 0]) - 0.1 * PENDULUM[:, 1]], axis=1)
    np.testing.assert_allclose(fitted.predict(PENDULUM), slopes, atol=1e-5)
    assert fitted.score(PENDULUM, T) > 0.999
    if kind == "function":
        assert text(fitted.equations(digits=2)[1]) == "-0.1*w + known_w(theta, w)"
        with pytest.raises(ValueError, match=r"known: a function cannot be saved. Give the known part as text"):
            fitted.save(tmp_path / "no.safetensors")
        return
    assert text(fitted.equations(digits=2)[1]) == "-0.1*w - 2*sin(theta)"
    fitted.save(tmp_path / "pendulum.safetensors")
    back = sparsedyn.load(tmp_path / "pendulum.safetensors")
    assert isinstance(back, SINDy)
    assert back.equations() == fitted.equations()
    np.testing.assert_array_equal(back.simulate(PENDULUM[0], T[:20]), fitted.simulate(PENDULUM[0], T[:20]))
    assert SINDy(1, 0.05, known=back.known).fit(PENDULUM, T, names=NAMES).equations(digits=3) == back.equations(3)


def test_known_parts_of_second_order_and_of_maps():
    fitted = SINDy(1, 0.05, order=2, known={"theta": "-2*sin(theta)"}).fit(PENDULUM[:, :1], T, names=["theta"])
    np.testing.assert_allclose(fitted.coefficients()["theta_dot"], [0, 0, -0.1], atol=1e-6)
    x = [0.3]
    for _ in range(60):
        x.append(3.7 * x[-1] * (1 - x[-1]))
    rest = SINDy(2, 0.01, time="discrete", known={"x": "3.7*x"}).fit(np.asarray(x), names=["x"])
    np.testing.assert_allclose(rest.coefficients()["x"], [0, 0, -3.7], atol=1e-8)


SIR = solved(lambda _, x: [-0.5 * x[0] * x[1], 0.5 * x[0] * x[1] - 0.2 * x[1], 0.2 * x[1]], [0.99, 0.01, 0.0], 4 * T)
BALANCES = [{(term, state): 1.0 for state in "SIR"} for term in ("S", "I", "S I")]
ONLY = {state: ["S", "I", "S I"] for state in "SIR"}


@pytest.mark.parametrize("threshold", [0.05, "auto"])
def test_conservation_and_signs_are_kept_under_noise(threshold: Any):
    noisy = SIR + 0.005 * np.random.default_rng(0).normal(size=SIR.shape)
    rules = Constraints(equalities=BALANCES, only=ONLY, bounds={("S I", "S"): (None, 0), ("I", "R"): (0, None)})
    found = SINDy(2, threshold, constraints=rules).fit(noisy, 4 * T[1], names=list("SIR")).coefficients()
    np.testing.assert_allclose(found.sum(axis=1), 0.0, atol=1e-12)
    assert found.loc["S I", "S"] <= 0 <= found.loc["I", "R"]
    np.testing.assert_allclose(found.loc[["S I", "I"]], [[-0.5, 0.5, 0], [0, -0.2, 0.2]], atol=0.03)


def test_values_bounds_and_absent_terms():
    rules = Constraints(fixed={("w", "theta"): 1.0}, exclude=[("1", "w")], bounds={("w", "w"): (-0.05, 0)})
    fitted = SINDy(1, 0.01, functions=["sin"], constraints=rules).fit(PENDULUM, T, names=NAMES)
    found = fitted.coefficients()
    assert found.loc["w", "theta"] == 1.0
    assert found.loc["1", "w"] == 0.0
    assert found.loc["w", "w"] == pytest.approx(-0.05, abs=1e-12)
    free = SINDy(1, 0.01, functions=["sin"], constraints=Constraints()).fit(PENDULUM, T, names=NAMES)
    plain = SINDy(1, 0.01, functions=["sin"]).fit(PENDULUM, T, names=NAMES)
    np.testing.assert_allclose(free.coefficients_, plain.coefficients_, atol=1e-7)


def test_a_file_keeps_constraints(tmp_path: Path):
    rules = Constraints(
        {("w", "theta"): 1.0}, {("w", "w"): (None, 0)}, [("1", "w")], {"theta": ["w"]}, [({("1", "w"): 2.0}, 0.0)]
    )
    fitted = SINDy(1, 0.01, constraints=rules).fit(PENDULUM, T, names=NAMES)
    fitted.save(tmp_path / "rules.safetensors")
    back = sparsedyn.load(tmp_path / "rules.safetensors")
    assert back.constraints == rules
    assert back.equations() == fitted.equations()


SWING = np.stack([np.cos(2 * T), -2 * np.sin(2 * T)], axis=1)


@pytest.mark.filterwarnings("ignore:fit:sparsedyn.SparsedynWarning")
@pytest.mark.parametrize("threshold", ["auto", 0.5, 6.0])
def test_terms_that_restrictions_need_are_kept(threshold: float | str):
    sums: list[Any] = [({("x", "v"): 1, ("v", "v"): 1}, -4.0)]
    for rules in (Constraints(equalities=sums), Constraints(bounds={("x", "v"): (-5, -3)})):
        table = SINDy(1, threshold, constraints=rules).fit(SWING, T, names=["x", "v"]).coefficients()
        assert table.loc["x", "v"] == pytest.approx(-4)
    rules = Constraints(bounds={("v", "v"): (-1, -0.1)})
    table = SINDy(1, threshold, constraints=rules).fit(SWING, T, names=["x", "v"]).coefficients()
    assert table.loc["v", "v"] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"constraints": Constraints({("thta", "w"): 1.0})}, "fixed: there is no term 'thta'. Did you mean 'theta'"),
        ({"constraints": Constraints(exclude=[("w", "v")])}, "exclude: there is no state 'v'. The states are: 'theta'"),
        ({"constraints": Constraints(exclude=["w"])}, "exclude: expected a pair of a term and a state; got 'w'"),
        ({"constraints": Constraints(bounds={("w", "w"): (1, 0)})}, "bounds: expected a range"),
        (
            {"constraints": Constraints(equalities=[({("w", "w"): 1}, 1.0), ({("w", "w"): 1}, 2.0)])},
            "equalities that can hold together",
        ),
        ({"constraints": Constraints(DAMPED, {("w", "w"): (2, 3)})}, r"expected \('w', 'w'\) within its bounds"),
        ({"constraints": Constraints(DAMPED, exclude=[("w", "w")])}, "but exclude or only leaves this term out"),
        ({"constraints": Constraints(DAMPED, only={"w": ["theta"]})}, "but exclude or only leaves this term out"),
        ({"constraints": Constraints({}, {("w", "w"): (-1, -0.1)}, [("w", "w")])}, "bounds: .* is not zero within"),
        ({"constraints": Constraints({("w", "w"): np.nan})}, r"fixed: expected a number for \('w', 'w'\); got nan"),
        ({"constraints": Constraints(equalities=[{("w", "w"): "a"}])}, "equalities: expected a weight for .*; got 'a'"),
        ({"constraints": {"w": 1}}, "constraints: expected none or sparsedyn.Constraints"),
        ({"constraints": Constraints(), "ensemble": 5}, "ensemble: expected None along with constraints"),
        ({"known": {"v": "1"}}, "known: there is no equation of 'v'"),
        ({"known": {"w": "2*y"}}, "expression: expected numbers, the variables theta, w"),
        ({"known": lambda x, u: x[:, 0]}, r"known: expected values \(row, state\) of the shape"),
    ],
)
def test_what_is_not_understood_is_said(options: dict[str, Any], message: str, as_users_run: None):
    with pytest.raises(ValueError, match=message):
        SINDy(1, 0.01, **options).fit(PENDULUM, T, names=NAMES)
