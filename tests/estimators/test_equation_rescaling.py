"""Units have no influence on equations of trajectories: not on their form, on constants only by the factor."""

from functools import cache

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

from sparsedyn import EquationLearner, Trajectories
from sparsedyn.equations import symbol

T = np.linspace(0, 10, 60)
NAMES = ("x", "y")
UNITS, SECOND = (10.0**-4.3, 10.0**2.6), 10.0**3.7
"""The units of the first and of the second variable and of time, far from one and from each other."""
SHARES = [0.0, 0.03]
TIGHT, ROUNDED = 1e-4, 3.0
"""Constants may differ by rounding in their last steps, as a share; once rounded, by so many standard errors, as units
say which numbers are round."""


def saturating(z: np.ndarray) -> list[float]:
    return [0.5 - 1.3 * z[0] / (0.7 + z[0])]


def predators(z: np.ndarray) -> list[float]:
    return [z[0] * (1.1 - 0.4 * z[1]), z[1] * (0.1 * z[0] - 0.4)]


def path(kind: str, share: float) -> np.ndarray:
    right, start = {"saturating": (saturating, [3.0]), "predators": (predators, [10.0, 5.0])}[kind]
    x = solve_ivp(lambda _, z: right(z), (0, 10), start, t_eval=T, rtol=1e-10, atol=1e-12).y.T
    return x * (1 + share * np.random.default_rng(1).normal(size=x.shape))


def unscaled(equations: tuple[sympy.Expr, ...], scale: np.ndarray, clock: float) -> list[sympy.Expr]:
    """Return equations in scaled units in those from before."""
    back = {symbol(name): symbol(name) * size for name, size in zip(NAMES, scale, strict=False)}
    return [
        sympy.expand(one.subs(back, simultaneous=True) / size * clock)
        for one, size in zip(equations, scale, strict=True)
    ]


@cache
def found(kind: str, share: float) -> EquationLearner:
    """What is found in the units of the path itself."""
    x = path(kind, share)
    return EquationLearner().fit(x, T[1], names=NAMES[: x.shape[1]], progress=False)


@pytest.mark.parametrize("share", [0.0, pytest.param(0.03, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["predators", pytest.param("saturating", marks=pytest.mark.slow)])
def test_units_of_states_and_time(kind: str, share: float):
    x, here = path(kind, share), found(kind, share)
    names, scale = NAMES[: x.shape[1]], np.array(UNITS[: x.shape[1]])
    there = EquationLearner().fit(x * scale, T[1] * SECOND, names=names, progress=False)
    constants, others = here.constants(), there.constants()
    width = ((constants["high"] - constants["low"]) / constants["value"].abs()).to_numpy()
    assert list(others["state"]) == list(constants["state"])
    states = [np.asarray(x[::5, j]) for j in range(len(names))]
    symbols = [symbol(name) for name in names]
    for one, other in zip(here.equations(), unscaled(there.equations(), scale, SECOND), strict=True):
        assert other.free_symbols == one.free_symbols
        values, likewise = (sympy.lambdify(symbols, each, "numpy")(*states) for each in (one, other))
        near = ROUNDED * float(width.max()) / 4 if share else TIGHT
        np.testing.assert_allclose(likewise, values, atol=near * np.abs(values).max())


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
def test_units_of_inputs(share: float):
    u = np.repeat(np.random.default_rng(0).uniform(-1, 2, 10), 6)[:, None]
    x = [1.0]
    for value in u[:-1, 0]:
        x.append(float(np.exp(-0.7 * T[1]) * x[-1] + (1 - np.exp(-0.7 * T[1])) * value * 3 / 0.7))
    states = np.array(x)[:, None] * (1 + share * np.random.default_rng(1).normal(size=(60, 1)))
    found = []
    for (a, b), s in (((1.0, 1.0), 1.0), (UNITS, SECOND)):
        data = Trajectories([states * a], [u * b], dt=T[1] * s, state_names=["x"], input_names=["u"])
        (right,) = EquationLearner().fit(data, progress=False).equations()
        terms = right.as_coefficients_dict()
        assert set(terms) == {symbol("x"), symbol("u")}
        found.append([float(terms[symbol("x")]) * s, float(terms[symbol("u")]) * b / a * s])
    np.testing.assert_allclose(found[1], found[0], rtol=0.02 if share else TIGHT)
