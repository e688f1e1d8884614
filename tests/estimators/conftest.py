"""A small Lotka-Volterra plant in NumPy, and one fitted ensemble that most tests share."""

from typing import Any

import jax
import numpy as np
import pytest

from sparsedyn import L1, MagnitudePruning, SparseTimeStepper, Trajectories

DT = 0.1
SMALL: dict[str, Any] = {
    "hidden": (8, 8),
    "members": 2,
    "learning_rate": 0.02,
    "epochs": 8,
    "batch": 32,
    "activation": "tanh",
}


def lotka_volterra(trajectories: int, rows: int, seed: int, inputs: bool = True) -> Trajectories:
    """Prey and predators under harvesting, RK4 with the input held, in hundreds of animals."""
    rng = np.random.default_rng(seed)
    harvest = 0.3 * rng.random((trajectories, rows, 1)) * inputs

    def field(x: np.ndarray, u: np.ndarray) -> np.ndarray:
        prey, predators = x[:, 0], x[:, 1]
        return np.stack([prey * (1 - predators) - u[:, 0] * prey, predators * (prey - 1)], axis=1)

    states = [0.5 + rng.random((trajectories, 2))]
    for k in range(rows - 1):
        x, u = states[-1], harvest[:, k]
        k1 = field(x, u)
        k2 = field(x + DT / 2 * k1, u)
        k3 = field(x + DT / 2 * k2, u)
        k4 = field(x + DT * k3, u)
        states.append(x + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    names: dict[str, Any] = {"state_names": ["prey", "predators"], "state_units": ["100", "100"]}
    if inputs:
        names |= {"input_names": ["harvest"], "input_units": ["1/s"]}
    return Trajectories(np.stack(states, axis=1), harvest if inputs else None, dt=DT, **names)


class World:
    """Data and the shared ensemble."""

    small = SMALL
    plant = staticmethod(lotka_volterra)

    def __init__(self) -> None:
        self.train, self.validation, self.test = lotka_volterra(8, 61, 0).split(5, 1, 2)
        technique = [L1(1e-4), MagnitudePruning(0.5)]
        self.fitted = SparseTimeStepper(technique=technique, average="swa", **SMALL)
        self.fitted.fit(self.train, self.validation)

    @staticmethod
    def same(one: Any, other: Any) -> bool:
        """Whether two trees have the same bits."""
        a, b = jax.tree.leaves(one), jax.tree.leaves(other)
        return len(a) == len(b) and all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture
def as_users_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jaxtyping's checks, which tests switch on and which would come first."""
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)
