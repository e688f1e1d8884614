"""Steps compiled by Numba: the arithmetic of JAX's steps, and bits that depend on nothing but the member."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.sparsify import (
    DSR,
    L0,
    L05,
    L1,
    L2,
    STR,
    AbstractSparsifier,
    Chain,
    Freeze,
    MagnitudePruning,
    On,
    Phases,
    SequentialThresholding,
)
from sparsedyn.training import SWA, Progress, derivative_matching, fit, learning_rates, optimizer
from sparsedyn.training.fit import _prepare
from sparsedyn.training.native import native_steps, plan

MEMBERS = 3


def samples(rows: int = 600) -> Samples:
    rng = np.random.default_rng(0)
    x, u = (rng.standard_normal((rows, width), dtype=np.float32) for width in (3, 2))
    return Samples(x, u, np.sin(x) + u[:, :1])


def prepared(technique: AbstractSparsifier, network: dict[str, Any], **more: Any) -> tuple[Any, Any]:
    """A run and its state before the first step."""
    choice: dict[str, Any] = {
        "batch": 12,
        "optimizer": optimizer("adam"),
        "shuffle": "shared",
        "members": MEMBERS,
    } | more
    keys = jax.random.split(jax.random.key(0), choice["members"])
    models = eqx.filter_vmap(lambda key: MLP(3, 2, key=key, **network))(keys)
    rates = np.asarray(learning_rates("cosine", 1e-2, 40), np.float32)
    return _prepare(
        models, samples(), technique, rates, keys, choice["batch"], derivative_matching, choice["optimizer"],
        SWA(active=0.0), None, None, None, choice["shuffle"], 0, None,
    )  # fmt: skip


NETWORKS: list[dict[str, Any]] = [
    {"hidden": (9, 20)},
    {"hidden": (17,), "activation": "tanh", "bias": False},
    {"hidden": (5, 40, 6), "activation": "silu", "skip": True},
    {"hidden": (33, 33), "activation": "sigmoid", "skip": True},
    {"hidden": ()},
]


@pytest.mark.parametrize(
    ("technique", "network", "more"),
    [
        (Chain(), NETWORKS[0], {}),
        (Chain(L1(1e-2)), NETWORKS[1], {"optimizer": optimizer("adamw", 0.5)}),
        (Chain(L1(1e-3), STR(-3.0)), NETWORKS[2], {"optimizer": optimizer("momentum", 0.1)}),
        (
            Chain(STR(-2.0), Phases(L2(1e-2), at=(0.0, 0.5), levels=(0.0, 1.0)), MagnitudePruning(0.5)),
            NETWORKS[3],
            {"optimizer": optimizer("sgd"), "shuffle": "member"},
        ),
        (Chain(On((0, -1), L1(1e-2)), On(1, STR(-3.0)), Freeze(0.1), DSR()), NETWORKS[0], {"batch": 50}),
        (SequentialThresholding(0.1), NETWORKS[4], {"batch": 1}),
    ],
)
def test_steps_are_those_of_jax(technique: AbstractSparsifier, network: dict[str, Any], more: dict[str, Any]) -> None:
    run, state = prepared(technique, network, **more)
    assert run.native is not None
    reference = dataclasses.replace(run, native=None)
    expected, found = (one.revise(one.advance(state, 0, 5), 0, 5, 0.5) for one in (reference, run))
    expected, found = (one.advance(state, 5, 12) for one, state in ((reference, expected), (run, found)))
    for a, b in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=2e-3, atol=2e-5)
    held_out = samples(35)
    errors = [one._evaluated(found, found.members.trainable, held_out) for one in (reference, run)]
    np.testing.assert_allclose(*map(np.asarray, errors), rtol=1e-5)


@pytest.mark.parametrize(
    ("technique", "more"),
    [(L05(1e-3), {}), (Chain(L1(), L0(1e-3)), {}), (L1(), {"optimizer": optimizer("lion")})],
)
def test_what_is_not_covered_is_left_to_jax(technique: AbstractSparsifier, more: dict[str, Any]) -> None:
    run, _ = prepared(technique, NETWORKS[0], **more)
    assert run.native is None


def test_other_activations_and_the_wish_of_the_user_are_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = prepared(L1(), {"hidden": (4,), "activation": "gelu"})
    assert run.native is None
    run, state = prepared(L1(), {"hidden": (4,)})
    monkeypatch.setenv("SPARSEDYN_NATIVE", "0")
    plan._compiled.cache_clear()
    try:
        assert native_steps(run.program, run.sparsifier, state) is None
    finally:
        plan._compiled.cache_clear()


def trained(members: int = MEMBERS, chosen: slice = slice(None), **more: Any) -> Any:
    """The trained weights of some of the members, and who is alive."""
    keys = jax.random.split(jax.random.key(0), members)[chosen]
    models = eqx.filter_vmap(lambda key: MLP(3, 2, (9, 20), key=key))(keys)
    choice = {"rates": learning_rates("cosine", 1e-2, 60), "batch": 12, "optimizer": optimizer("adam", 1.0)} | more
    return fit(models, samples(), sparsifier=Chain(L1(1e-3), MagnitudePruning(0.5)), keys=keys, **choice)


def test_a_member_trains_alike_alone_and_with_others() -> None:
    together, alone = trained(), trained(chosen=slice(1, 2))
    for a, b in zip(jax.tree.leaves(together.last), jax.tree.leaves(alone.last), strict=True):
        np.testing.assert_array_equal(a[1:2], b)


def test_members_that_are_alike_are_trained_once_until_they_part() -> None:
    keys = jax.random.split(jax.random.key(0), 2)[np.array([0, 1, 0, 1])]
    models = eqx.filter_vmap(lambda key: MLP(3, 2, (9, 20), key=key))(keys)
    rates = np.repeat(np.asarray(learning_rates("cosine", 1e-2, 60), np.float32)[None], 4, axis=0)
    rates[2:, 40:] = 3e-3
    told: list[Progress] = []

    def run(chosen: slice) -> Any:
        own = jax.tree.map(lambda a: a[chosen] if eqx.is_array(a) else a, models)
        sparsifier = Chain(L1(jnp.full(4, 1e-3)[chosen]), MagnitudePruning(0.5))
        return fit(
            own, samples(), sparsifier=sparsifier, rates=rates[chosen], keys=keys[chosen], batch=12,
            optimizer=optimizer("adam", 1.0), on_progress=told.append,
        )  # fmt: skip

    together = run(slice(None))
    assert told[-1].shared == 2 * 40
    for member in range(4):
        alone = run(slice(member, member + 1))
        assert told[-1].shared == 0
        for a, b in zip(jax.tree.leaves(together.last), jax.tree.leaves(alone.last), strict=True):
            np.testing.assert_array_equal(a[member : member + 1], b)


def test_models_that_are_alike_are_judged_once() -> None:
    keys = jax.random.split(jax.random.key(0), 2)[np.array([0, 1, 0, 1])]
    models = eqx.filter_vmap(lambda key: MLP(3, 2, (9, 20), key=key))(keys)
    rates = np.full((4, 100), 1e-3, np.float32)
    rates[3, 60:] = 3e-3
    judged: list[int] = []

    def criterion(models: Any) -> np.ndarray:
        judged.append(len(models.weights[0]))
        return np.abs(models.weights[0]).sum(axis=(1, 2))

    found = fit(
        models, samples(), sparsifier=Chain(), rates=rates, keys=keys, batch=12, validation=samples(30),
        criterion=criterion,
    )  # fmt: skip
    assert judged == [2, 3]
    losses = [record["validation"] for record in found.history]
    assert losses[0][:2] == losses[0][2:]
    assert losses[1][0] == losses[1][2] != losses[1][3] != losses[1][1]
    np.testing.assert_allclose(found.best_value, np.abs(found.best.weights[0]).sum(axis=(1, 2)), rtol=1e-6)


def test_threads_and_pauses_change_no_bit() -> None:
    run, state = prepared(Chain(L1(1e-3)), NETWORKS[0])
    whole = run.advance(state, 0, 40)
    other, state = prepared(Chain(L1(1e-3)), NETWORKS[0])
    other.native.plan = other.native.plan._replace(threads=2)
    for begin, end in ((0, 7), (7, 8), (8, 40)):
        state = other.advance(state, begin, end)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_member_that_diverges_stays_as_it_was() -> None:
    rates = np.full((MEMBERS, 60), 1e-3, np.float32)
    rates[1, 10:] = 1e30
    found, calm = trained(rates=rates), trained(rates=np.full((MEMBERS, 60), 1e-3, np.float32))
    assert found.alive.tolist() == [True, False, True]
    for a, b in zip(jax.tree.leaves(found.last), jax.tree.leaves(calm.last), strict=True):
        np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]])
