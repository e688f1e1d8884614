"""What every technique promises for every model: it compiles, vmap = loop, masks hold."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sparsedyn.models import MLP
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
    AbstractSparsifier,
    Chain,
    Freeze,
    MagnitudePruning,
    On,
    Phases,
    SequentialThresholding,
    Stages,
    Support,
)
from sparsedyn.sparsify.base import AbstractMask
from sparsedyn.training.state import join, split

INSTANCES: dict[str, AbstractSparsifier] = {
    "l1": L1(0.1),
    "l2": L2(0.1),
    "l05": L05(0.1),
    "l03": L03(0.1),
    "l07": L07(0.1),
    "l0": L0(0.1),
    "str": STR(),
    "magnitude": MagnitudePruning(0.6, Stages((0.25, 0.5))),
    "dsr": DSR(0.5, reallocate=5.0, threshold=0.3, period=0.25),
    "threshold": SequentialThresholding(0.3, (0.25,)),
    "freeze": Freeze(0.25),
    "support": Support(),
    "phases": Phases(L05(0.1)),
    "chain": Chain(L1(0.1), MagnitudePruning(0.5, Stages((0.25,)), "global")),
    "on": On((0, -1), SequentialThresholding(0.4, (0.25,))),
}
# Layers as wide as there are features: few shapes, so little is compiled.
MODELS: dict[str, dict[str, Any]] = {
    "plain": {"hidden": (6, 6)},
    "no bias": {"hidden": (6, 6), "bias": False},
    "skip": {"hidden": (6, 6), "skip": True},
    "one hidden layer": {"hidden": (6,)},
}
MEMBERS = 2
KEYS = jax.random.split(jax.random.key(3), MEMBERS)


def drawn(options: dict[str, Any]) -> list[MLP]:
    """Models with weights from NumPy, one per member; one weight of every matrix is zero from the start."""
    rng = np.random.default_rng(0)
    shapes = eqx.filter_eval_shape(MLP, 2, 4, **options, key=KEYS[0])

    def make(shape: jax.ShapeDtypeStruct) -> jax.Array:
        values = (0.7 * rng.normal(size=shape.shape)).astype(np.float32)
        if values.ndim == 2:
            values[0, 0] = 0.0
        return jnp.asarray(values)

    return [jax.tree.map(make, shapes) for _ in range(MEMBERS)]


def everything(technique: AbstractSparsifier, weights: Any, key: jax.Array) -> dict[str, Any]:
    """All that a technique can be asked, before and after a revision at one of its turns."""
    free, memo = technique.init(weights, key=key)
    turn = jnp.float32(technique.turns()[0] if technique.turns() else 0.25)
    revised = technique.revise(free, memo, weights, turn, key=key)
    return {
        "start": (free, memo),
        "revised": revised,
        "effective": technique.effective(revised.free, revised.memo),
        "drawn": technique.effective(free, memo, key=key),
        "drawn after": technique.effective(revised.free, revised.memo, key=key),
        "penalty": technique.penalty(free, memo, turn),
        "active": technique.active(revised.memo, revised.free.weights),
    }


single = jax.jit(everything)
batched = jax.jit(jax.vmap(everything, in_axes=(None, 0, 0)))


def test_every_technique_is_under_contract():
    assert set(INSTANCES) == set(TECHNIQUES)
    assert all(type(INSTANCES[name]) is cls for name, cls in TECHNIQUES.items())


CASES = [
    (name, model) for name in INSTANCES for model in MODELS if model in ("plain", "no bias") or name in ("chain", "on")
]
"""Every technique, and on every model one that compares layers and one that chooses among them."""


@pytest.mark.parametrize(("name", "model"), CASES)
def test_batched_equals_one_by_one_and_masks_hold(name: str, model: str):
    technique = jax.tree.map(np.float32, INSTANCES[name])
    models = drawn(MODELS[model])
    # Of a model without biases a technique sees the same matrices: nothing is compiled again for it.
    matrices, others, statics = zip(*(split(m) for m in models), strict=True)
    together = batched(technique, jax.tree.map(lambda *leaves: np.stack(leaves), *matrices), KEYS)
    for member in range(MEMBERS):
        alone = single(technique, matrices[member], KEYS[member])
        ours = jax.tree.map(lambda leaf, m=member: leaf[m], together)
        assert jax.tree.structure(alone) == jax.tree.structure(ours)
        for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(ours), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)

        # Masks hold in the read-out, in the draw, and in the raw weights.
        for weights in (alone["effective"], alone["drawn after"], alone["revised"].free.weights):
            for w, active in zip(jax.tree.leaves(weights), jax.tree.leaves(alone["active"]), strict=True):
                assert w.shape == active.shape
                assert not np.any(np.asarray(w)[~np.asarray(active)])
        masked = not all(np.all(a) for a in jax.tree.leaves(alone["active"]))
        assert masked == (isinstance(technique, AbstractMask) or name in ("chain", "on"))
        sparse = join(alone["effective"], others[member], statics[member])
        assert eqx.filter_eval_shape(sparse, np.zeros(2, np.float32), np.zeros(4, np.float32)).shape == (2,)
        assert np.isfinite(float(alone["penalty"]))
        # Biases are nobody's: a technique sees matrices only.
        count = len(MODELS[model]["hidden"]) + 1
        assert len(jax.tree.leaves(alone["active"])) == count
