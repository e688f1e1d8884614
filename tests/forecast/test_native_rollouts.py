"""Forecasts compiled by Numba are those of JAX, and bits depend on the member alone."""

import importlib
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

from sparsedyn.data import Scaling
from sparsedyn.forecast import rollout
from sparsedyn.models import MLP

module = importlib.import_module("sparsedyn.forecast.rollout")
SCALING = Scaling.identity(3, 2)


def networks(members: int = 3, **network: Any) -> Any:
    keys = jax.random.split(jax.random.key(0), members)
    return eqx.filter_vmap(lambda key: MLP(3, 2, key=key, **network))(keys)


def data(trajectories: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((trajectories, 3)), rng.standard_normal((trajectories, 12, 2))


@pytest.mark.parametrize(
    ("network", "method", "trajectories"),
    [
        ({"hidden": (9, 20)}, "euler", 70),
        ({"hidden": (17,), "activation": "tanh", "skip": True, "bias": False}, "rk4", 5),
        ({"hidden": (5, 4), "activation": "silu", "skip": True}, "map", 1),
        ({"hidden": (6,), "activation": "sigmoid"}, "rk4", 65),
    ],
)
def test_forecasts_are_those_of_jax(
    monkeypatch: pytest.MonkeyPatch, network: dict[str, Any], method: str, trajectories: int
) -> None:
    models, (x0, inputs) = networks(**network), data(trajectories)
    found = rollout(models, x0, inputs, scaling=SCALING, dt=0.05, method=method)
    alone = rollout(jax.tree.map(lambda a: a[1:2] if eqx.is_array(a) else a, models), x0, inputs, scaling=SCALING,
                    dt=0.05, method=method)  # fmt: skip
    np.testing.assert_array_equal(found[1:2], alone)
    monkeypatch.setattr(module, "native_rollout", lambda *_: None)
    expected = rollout(models, x0, inputs, scaling=SCALING, dt=0.05, method=method)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_what_diverges_is_no_number_in_all_states_and_others_go_on(activation: str) -> None:
    models, (x0, inputs) = networks(hidden=(8,), activation=activation), data(3)
    calm = rollout(models, x0, inputs, scaling=SCALING, dt=0.05)
    x0[1] = np.nan
    found = rollout(models, x0, inputs, scaling=SCALING, dt=0.05)
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[:, [0, 2]], calm[:, [0, 2]])


def test_double_precision_and_other_activations_are_left_to_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    x0, inputs = data(2)
    native = []
    original = module.native_rollout
    monkeypatch.setattr(module, "native_rollout", lambda *given: native.append(original(*given)))
    rollout(networks(hidden=(4,)), x0, inputs, scaling=SCALING, dt=0.05, precision="float64")
    rollout(networks(hidden=(4,), activation="gelu"), x0, inputs, scaling=SCALING, dt=0.05)
    assert native == [None]
