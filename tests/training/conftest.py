"""One small problem for all tests of training: the same shapes everywhere, so that little is compiled."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.sparsify import AbstractSparsifier, Chain
from sparsedyn.training import SWA, Checkpoint, Fit, Progress, derivative_matching, fit, optimizer
from sparsedyn.training.checkpoint import load_tree
from sparsedyn.training.engine import Program
from sparsedyn.training.state import State, pad_members, start

STEPS, BATCH, SAMPLES, MEMBERS = 48, 16, 100, 4


def smooth(rows: int, seed: int) -> Samples:
    """A smooth map that a small network can learn: a pendulum-like field."""
    rng = np.random.default_rng(seed)
    x, u = rng.normal(size=(rows, 2)), rng.normal(size=(rows, 1))
    dx = np.stack([x[:, 1], -np.sin(x[:, 0]) - 0.3 * x[:, 1] + u[:, 0]], axis=1)
    return Samples(*(a.astype(np.float32) for a in (x, u, dx)))


@eqx.filter_jit
def draw_models(ids: jax.Array, hidden: tuple[int, ...], skip: bool, bias: bool) -> tuple[MLP, jax.Array]:
    keys = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(7), i))(ids)
    make = eqx.filter_vmap(lambda key: MLP(2, 1, hidden, activation="tanh", skip=skip, bias=bias, key=key))
    return make(keys), jax.vmap(lambda key: jax.random.fold_in(key, 1))(keys)


class Lab:
    """Data, models, and one way to train them."""

    steps, batch, members = STEPS, BATCH, MEMBERS
    epoch = SAMPLES // BATCH
    data = smooth(SAMPLES, 0)
    validation = smooth(37, 1)

    def models(
        self,
        ids: Any = range(MEMBERS),
        hidden: tuple[int, ...] = (8, 8),
        *,
        skip: bool = False,
        bias: bool = True,
    ) -> tuple[MLP, jax.Array]:
        """The models and training keys of the members with these numbers."""
        return draw_models(np.asarray(list(ids), np.int32), hidden, skip, bias)

    def fit(
        self,
        technique: AbstractSparsifier | None = None,
        *,
        ids: Any = range(MEMBERS),
        rates: Any = 1e-2,
        method: str = "adam",
        model: dict[str, Any] | None = None,
        order_ids: Any = None,
        **options: Any,
    ) -> Fit:
        """Train with a constant rate (or one per member) on the shared data."""
        models, keys = self.models(ids, **(model or {}))
        table = np.broadcast_to(np.atleast_1d(np.asarray(rates, np.float32))[:, None], (len(keys), STEPS))
        options = {"validation": self.validation, "batch": BATCH, "optimizer": optimizer(method)} | options
        options["ids"] = order_ids
        return fit(
            models, self.data, sparsifier=Chain() if technique is None else technique, rates=table, keys=keys, **options
        )

    def states(
        self, folder: Path, technique: AbstractSparsifier | None = None, **options: Any
    ) -> tuple[Fit, list[State]]:
        """Train, and return the state after every step too (entry 0 is the start), read off the checkpoints."""
        path = folder / "every.checkpoint"
        arguments = (technique, options.get("method", "adam"), options.get("average"), options.get("model"))
        # Only its shapes are read, for which nothing need be compiled.
        shapes = eqx.filter_eval_shape(lambda: self.start(*arguments))
        like = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), shapes)
        seen: list[State] = []

        def look(progress: Progress) -> None:
            if path.exists():
                seen.append(load_tree(path, like)[0])

        result = self.fit(technique, checkpoint=Checkpoint(path, "test", seconds=-1.0), on_progress=look, **options)
        return result, [*seen, load_tree(path, like)[0]]

    def start(
        self, technique: AbstractSparsifier | None = None, method: str = "adam", average: Any = None, model: Any = None
    ) -> State:
        """The state before the first step, padded as on this machine's devices."""
        models, keys = self.models(**(model or {}))
        settings = (Chain() if technique is None else technique, SWA(active=0.0) if average is None else average)
        technique, average = jax.tree.map(lambda leaf: np.full(MEMBERS, leaf, np.float32), settings)
        devices = self.program(method, model).mesh.size
        total = -(-MEMBERS // devices) * devices
        models, technique, average, keys = pad_members((models, technique, average, keys), total)
        return start(models, technique, optimizer(method), average, keys)

    def program(self, method: str = "adam", model: Any = None) -> Program:
        """What the engine compiles this lab's runs for."""
        models, _ = self.models(**(model or {}))
        static = eqx.filter(models, eqx.is_inexact_array, inverse=True)
        mesh = Mesh(np.asarray(jax.devices()[:MEMBERS]), ("members",))
        return Program(static, derivative_matching, optimizer(method), BATCH, STEPS, mesh)

    @staticmethod
    def weights(model: Any) -> list[np.ndarray]:
        """The matrices, members first."""
        return [np.asarray(w) for w in model.weights]

    @staticmethod
    def equal(one: Any, other: Any) -> bool:
        """Whether two results have the same bits."""
        a, b = jax.tree.leaves(one), jax.tree.leaves(other)
        return len(a) == len(b) and all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))

    @staticmethod
    def loss(model: Any, member: int, data: Samples) -> float:
        """The mean squared error of one member in NumPy, float64."""
        last = len(model.weights) - 1
        features = np.concatenate([data.x, data.u], axis=1).astype(np.float64)
        hidden = features
        for layer, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
            hidden = np.concatenate([hidden, features], axis=1) if model.skip and layer else hidden
            hidden = hidden @ np.asarray(weight, np.float64)[member]
            hidden = hidden if bias is None else hidden + np.asarray(bias, np.float64)[member]
            hidden = np.tanh(hidden) if layer < last else hidden
        return float(np.mean((hidden - data.dx) ** 2))

    @staticmethod
    def close(one: Any, other: Any, tolerance: float = 1e-5) -> None:
        """Assert that two results are equal up to rounding."""
        for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="session")
def lab() -> Lab:
    return Lab()
