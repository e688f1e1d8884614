"""Compiled integration is the one in NumPy."""

import sys

import numpy as np
import pytest

from sparsedyn import Primitive, SparsedynWarning
from sparsedyn.models import PRIMITIVES, Library
from sparsedyn.training.shooting import motion as module
from sparsedyn.training.shooting.motion import motion
from sparsedyn.training.shooting.segments import segments
from sparsedyn.training.shooting.terms import TermField

FUNCTIONS = tuple(PRIMITIVES[name] for name in ("sin", "cos", "exp", "sigmoid", "tanh", "log", "sqrt"))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_compiled", lambda: None)


def field(order: int, functions: tuple[Primitive, ...] = FUNCTIONS) -> TermField:
    """Two equations of half the terms of a library of two states and an input."""
    library = Library(2 * order + 1, 3, functions)
    terms, equations = np.nonzero(np.random.default_rng(0).random((library.size, 2)) < 0.5)
    return TermField(library, terms, equations, np.linspace(0.1, 0.5, len(terms)), 2, order)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("powers", [1, 3])
def test_compiled_is_as_plain(order: int, powers: int, request: pytest.FixtureRequest):
    rng, made = np.random.default_rng(1), field(order)
    data = segments([rng.normal(size=(23, 2 * order))], [rng.normal(size=(22, powers, 1))], [rng.uniform(0, 0.05, 22)])
    starts = np.stack([data.measured[:, 0]] * 2)
    starts[1, 0] = 1e9  # runs away
    parameters = 0.3 * rng.normal(size=(2, len(made.terms)))
    found = motion(made, starts, parameters, data, substeps=2)
    without = motion(made, starts, parameters, data, substeps=2, sensitive=False)
    request.getfixturevalue("plain")
    expected = motion(made, starts, parameters, data, substeps=2)
    assert np.isnan(expected.states).any()
    assert not np.isnan(expected.states[0]).any()
    np.testing.assert_allclose(found.states, expected.states, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(without.states, found.states)
    assert found.sensitivities is not None
    assert expected.sensitivities is not None
    np.testing.assert_allclose(found.sensitivities[0], expected.sensitivities[0], rtol=1e-11, atol=1e-13)


def test_own_functions_are_not_compiled():
    own = Primitive("sin", lambda g: g * g, lambda g: g**2)
    assert field(1, (own,)).program is None
    assert field(1).program is not None


def test_compiled_code_can_be_turned_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARSEDYN_NATIVE", "0")
    assert module._compiled.__wrapped__() is None


def test_a_broken_numba_is_told_of(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SPARSEDYN_NATIVE", raising=False)
    monkeypatch.setitem(sys.modules, "sparsedyn.training.shooting.compiled", None)
    with pytest.warns(SparsedynWarning, match="SPARSEDYN_NATIVE=0"):
        assert module._compiled.__wrapped__() is None
