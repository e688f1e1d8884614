"""Time-steppers that are trained on free runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparsedyn
from sparsedyn import DataError, SparseTimeStepper, Trajectories

DT = 0.1
OPTIONS: dict[str, Any] = {
    "hidden": (8,),
    "activation": "tanh",
    "members": 2,
    "epochs": 40,
    "batch": 32,
    "learning_rate": 0.02,
}


def oscillator(trajectories: int, seed: int, noise: float) -> Trajectories:
    """`x'' = -x - 0.2 x' + u`, exact from row to row under held inputs."""
    rng = np.random.default_rng(seed)
    u = np.repeat(rng.normal(size=(trajectories, 8)), 10, axis=1)[..., None]
    values, vectors = np.linalg.eig(np.array([[0.0, 1.0], [-1.0, -0.2]]))
    step = (vectors * np.exp(DT * values)) @ np.linalg.inv(vectors)
    step = step.real
    rows = [rng.normal(size=(trajectories, 2))]
    for k in range(79):
        rest = np.concatenate([u[:, k], np.zeros((trajectories, 1))], axis=1)
        rows.append((rows[-1] - rest) @ step.T + rest)
    states = np.stack(rows, axis=1)
    return Trajectories(states + noise * rng.normal(size=states.shape), u, dt=DT)


TRAIN, TEST = oscillator(4, 0, 0.1), oscillator(4, 1, 0.0)


def fitted(**options: Any) -> SparseTimeStepper:
    return SparseTimeStepper(**OPTIONS | options).fit(TRAIN, progress=False)


@pytest.fixture(scope="module")
def looking_ahead() -> SparseTimeStepper:
    return fitted(rollout=12)


def error(model: SparseTimeStepper) -> float:
    return float(np.mean(np.square(model.forecast(TEST).predicted - np.stack(TEST.states))))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_free_runs_are_better_where_rows_are_noisy(looking_ahead: SparseTimeStepper):
    # Windows are fewer than rows: with less epochs the updates are as many, and a few more.
    matched = fitted(epochs=36)
    assert 0 <= matched.steps_ - looking_ahead.steps_ < 10
    assert error(looking_ahead) < 0.7 * error(matched)


def test_the_same_settings_give_the_same_bits_and_files_keep_them(looking_ahead: SparseTimeStepper, tmp_path: Path):
    again = fitted(rollout=12)
    made = looking_ahead.forecast(TEST).predicted
    np.testing.assert_array_equal(again.forecast(TEST).predicted, made)
    again.save(tmp_path / "model.safetensors")
    back = sparsedyn.load(tmp_path / "model.safetensors")
    assert back.rollout == 12
    np.testing.assert_array_equal(back.forecast(TEST).predicted, made)


@pytest.mark.slow
def test_maps_are_rolled_out():
    def recorded(first: float) -> np.ndarray:
        x = [first]
        for _ in range(80):
            x.append(3.7 * x[-1] * (1 - x[-1]))
        return np.asarray(x)

    model = SparseTimeStepper(**OPTIONS | {"epochs": 200, "time": "discrete", "rollout": 2})
    model.fit(recorded(0.3), validation=[recorded(0.4)], progress=False)
    x = np.linspace(0.3, 0.9, 20)[:, None]
    np.testing.assert_allclose(model.predict(x).mean("member"), 3.7 * x * (1 - x), atol=0.05)


def test_what_does_not_go_with_rollouts_is_refused():
    with pytest.raises(DataError, match="x_dot: expected none along with rollout=2"):
        SparseTimeStepper(rollout=2).fit(np.ones((9, 1)), 0.1, x_dot=np.ones((9, 1)))
    with pytest.raises(ValueError, match="known: expected none along with rollout=2"):
        SparseTimeStepper(rollout=2, known={"x0": "-x0"}).fit(np.ones((9, 1)), 0.1)
    with pytest.raises(ValueError, match=r"derivative: expected 'forward'.*rollout=2"):
        SparseTimeStepper(rollout=2, derivative="central").fit(np.ones((9, 1)), 0.1)
    with pytest.raises(ValueError, match="rollout: expected an integer of at least 1"):
        SparseTimeStepper(rollout=0).fit(np.ones((9, 1)), 0.1)
    with pytest.raises(DataError, match="x: expected a trajectory of more than 9 rows"):
        SparseTimeStepper(rollout=9).fit(np.sin(np.arange(9.0)), 0.1)
