"""Techniques as dictionaries: there and back, and messages that name the near miss."""

import dataclasses
import inspect
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.sparsify import (
    DSR,
    L0,
    L03,
    L05,
    L07,
    L1,
    L2,
    STR,
    TECHNIQUES,
    AbstractPenalty,
    AbstractSparsifier,
    Chain,
    Cubic,
    Freeze,
    MagnitudePruning,
    On,
    OneShot,
    Phases,
    SequentialThresholding,
    Stages,
    arguments,
    from_spec,
    resolve,
    to_spec,
)
from sparsedyn.sparsify.spec import TIMINGS

EVERY: list[AbstractSparsifier] = [
    *(cls() for name, cls in TECHNIQUES.items() if name not in ("chain", "on", "phases")),
    L1(3e-3),
    L2(0.1),
    L03(0.1, a=0.02),
    L05(0.1, a=0.02),
    L07(0.1, a=0.02),
    L0(0.1, drop_rate=0.3, beta=0.5, gamma=-0.2, zeta=1.2),
    STR(-4.0),
    STR(dense_start=False),
    Freeze(0.3),
    MagnitudePruning(0.9, Cubic(0.1, 0.7, 9), "layer"),
    MagnitudePruning(0.33, Stages((0.1, 0.2)), "global"),
    MagnitudePruning(0.5, OneShot(0.25)),
    DSR(0.8, 33.0, 0.2, 1e-2, 0.05, 0.5),
    SequentialThresholding(0.05, (0.3, 0.6)),
    Chain(),
    Chain(L1(1e-4), Chain(STR(), L2()), MagnitudePruning()),
    On((0, -1), L1(1e-3)),
    On(1, On(0, Chain(DSR()))),
    Phases(L05(5e-3)),
    Phases(Chain(L05(0.1), STR()), at=(0.1, 0.2, 0.6), levels=(0.0, 1.0, 0.0)),
]


@pytest.fixture
def as_users_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jaxtyping's checks, which tests switch on and which would come first."""
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)


@pytest.mark.parametrize("technique", EVERY, ids=repr)
def test_there_and_back_through_json(technique: AbstractSparsifier):
    spec = to_spec(technique)
    assert TECHNIQUES[spec["type"]] is type(technique)
    back = from_spec(json.loads(json.dumps(spec)))
    assert back == technique
    assert jax.tree.structure(back) == jax.tree.structure(technique)
    assert jax.tree.leaves(back) == jax.tree.leaves(technique)


def test_every_technique_has_a_name():
    penalties = {"l1", "l2", "l03", "l05", "l07"}
    others = {"l0", "str", "magnitude", "dsr", "threshold", "freeze", "support", "phases", "chain", "on"}
    assert set(TECHNIQUES) == penalties | others
    assert {type(t) for t in EVERY} == set(TECHNIQUES.values())


def test_defaults_may_be_left_out():
    assert from_spec({"type": "l1"}) == L1()
    spec = {"type": "magnitude", "sparsity": 0.9, "timing": {"type": "stages", "at": [0.1, 0.3]}}
    assert from_spec(spec) == MagnitudePruning(0.9, Stages((0.1, 0.3)))


def test_hyperparameter_paths_come_back_as_arrays():
    technique = L1(jnp.array([1e-4, 1e-3]))
    spec = json.loads(json.dumps(to_spec(technique)))
    back = from_spec(spec)
    assert isinstance(back, L1)
    np.testing.assert_array_equal(back.weight, technique.weight)


@pytest.mark.usefixtures("as_users_run")
@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ({"type": "l11"}, ("unknown technique 'l11'", "did you mean 'l1'", "dsr")),
        ({"type": "magnitud"}, ("unknown technique 'magnitud'", "did you mean 'magnitude'")),
        ({"type": "lasso"}, ("unknown technique 'lasso'", "l1, l2, l05")),
        ({"weight": 1e-4}, ("with a type", "{'weight': 0.0001}")),
        ("l1", ("expected a table", "'l1'")),
        (["l1"], ("expected a table", "['l1']")),
        ({"type": "cubic"}, ("expected one of l1", "timing 'cubic'")),
        ({"type": "l1", "wieght": 1e-4}, ("l1: unknown argument 'wieght'", "did you mean 'weight'")),
        ({"type": "l1", "zzz": 1e-4}, ("l1: unknown argument 'zzz'", "It takes: weight")),
        ({"type": "chain", "link": [{"type": "l1"}]}, ("chain", "unknown argument 'link'", "did you mean 'links'")),
        ({"type": "chain", "links": ["l1"]}, ("chain", "expected sparsification techniques", "'l1'")),
        ({"type": "on", "technique": {"type": "l1"}}, ("on: ", "where")),
        ({"type": "on", "where": 0}, ("on: ", "technique")),
        ({"type": "phases"}, ("phases: ", "technique")),
        ({"type": "phases", "technique": {"type": "l1"}, "at": [0.5]}, ("levels: expected 1 factors", "0.03, 1.0")),
        ({"type": "phases", "technique": "l05"}, ("technique: expected one such as L05", "'l05'")),
        ({"type": "on", "where": "a", "technique": {"type": "l1"}}, ("where: expected matrix numbers",)),
        ({"type": "on", "where": 0, "technique": "l1"}, ("technique: expected one such as L1", "'l1'")),
        ({"type": "magnitude", "timing": {"type": "l1"}}, ("timing: expected Cubic()", "L1")),
        ({"type": "magnitude", "timing": "cubic"}, ("timing: expected Cubic()", "'cubic'")),
        ({"type": "magnitude", "sparsity": 75}, ("sparsity", "0.75", "75")),
        ({"type": "magnitude", "scope": "all"}, ("scope: expected 'layer' or 'global'", "'all'")),
        (
            {"type": "magnitude", "timing": {"type": "cubic", "ende": 0.5}},
            ("cubic: unknown argument", "did you mean 'end'"),
        ),
        (
            {"type": "magnitude", "timing": {"type": "cubic", "end": 50}},
            ("fractions of training", "not steps or epochs"),
        ),
        ({"type": "magnitude", "timing": {"type": "one-shot", "at": 5}}, ("at: expected", "fractions of training")),
        ({"type": "threshold", "at": ["a"]}, ("at: expected", "fractions of training")),
        ({"type": "l1", "weight": "1e-4"}, ("weight: expected a number", "'1e-4'")),
        ({"type": "l2", "weight": -1.0}, ("weight: expected a number of at least 0", "-1.0")),
        ({"type": "l1", "weight": float("nan")}, ("weight: expected a number", "nan")),
        ({"type": "l1", "weight": True}, ("weight: expected a number", "True")),
        ({"type": "dsr", "sparsity": 50}, ("sparsity", "0.5", "50")),
        ({"type": "dsr", "period": 2}, ("period, end: expected fractions of training", "2")),
        ({"type": "l0", "drop_rate": 1.5}, ("drop_rate", "1.5")),
        ({"type": "str", "initial": "low"}, ("initial", "'low'")),
    ],
    ids=str,
)
def test_near_misses(spec: Any, parts: tuple[str, ...]):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        from_spec(spec)
    for part in parts:
        assert part in str(error.value)


class Mine(AbstractPenalty):
    """A technique of a user's own."""

    weight: float = 1.0

    def cost(self, w: jax.Array) -> jax.Array:
        return w**4


def test_a_technique_of_ones_own_has_no_spec():
    with pytest.raises(ValueError, match=r"Mine has no name in a spec.*Only built-in techniques can be saved"):
        to_spec(Mine())
    # But it can be trained with.
    free, memo = Mine().init([jnp.full((2, 2), 2.0)], key=jax.random.key(0))
    assert float(Mine().penalty(free, memo, jnp.float32(0.0))) == 64.0


def test_ways_of_naming_techniques():
    assert resolve(None) == resolve(()) == resolve([]) == Chain()
    assert resolve("l1") == resolve(L1()) == resolve([L1()]) == resolve({"type": "l1"}) == Chain(L1())
    chained = Chain(L1(), STR())
    assert resolve(chained) is chained
    assert resolve(["l1", {"type": "str", "initial": -3.0}]) == Chain(L1(), STR(-3.0))


@pytest.mark.parametrize("technique", [L1, 3, [3.0], [L1(), STR]])
def test_what_is_no_technique(technique: Any):
    with pytest.raises(TypeError, match=r"technique: expected"):
        resolve(technique)


@pytest.mark.parametrize("name", [*TECHNIQUES, *TIMINGS])
def test_what_is_checked_without_jax_is_what_classes_take(name):
    fields = [field for field in dataclasses.fields({**TECHNIQUES, **TIMINGS}[name]) if field.name != "active"]
    parameters = inspect.signature(arguments.ARGUMENTS[name]).parameters
    assert [field.name for field in fields] == list(parameters)
    for field in fields:
        # L1, L2 and the roots share a function, and differ in nothing but defaults.
        if field.default is not dataclasses.MISSING and field.name not in ("timing", "weight"):
            assert parameters[field.name].default == field.default


def test_another_case_gets_a_hint():
    with pytest.raises(ValueError, match=r"unknown technique 'L1' \(did you mean 'l1'\?\)"):
        from_spec({"type": "L1"})
