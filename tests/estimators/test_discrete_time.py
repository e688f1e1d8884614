"""Maps, learned by equation learners and by networks under the one contract."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparsedyn
from sparsedyn import DataError, EquationLearner, SparseTimeStepper


def logistic(rows: int = 120) -> np.ndarray:
    x = [0.3]
    for _ in range(rows - 1):
        x.append(3.7 * x[-1] * (1 - x[-1]))
    return np.asarray(x)


X = logistic()
MODELS: dict[str, Any] = {
    "learner": lambda: EquationLearner(
        1, primitives={"identity": 1, "square": 1}, hidden=1, generations=1, steps=100, time="discrete"
    ),
    "stepper": lambda: SparseTimeStepper(
        (16,), members=1, epochs=200, batch=32, activation="tanh", learning_rate=0.02, time="discrete"
    ),
}


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=[pytest.mark.slow] * (name == "learner")) for name in MODELS]
)
def fitted(request: pytest.FixtureRequest) -> Any:
    return MODELS[request.param]().fit(X, progress=False)


def test_predict_gives_the_next_state_and_simulate_iterates_it(fitted: Any, tmp_path: Path):
    assert fitted.dt_ == 1.0
    following = fitted.predict(X[:-1]).to_numpy()[:, 0]
    np.testing.assert_allclose(following, X[1:], atol=0.05)
    path = fitted.simulate([X[0]], 5).to_numpy()[:, 0]
    for now, after in pairwise(path):
        assert after == pytest.approx(float(fitted.predict([now])[0]), abs=1e-5)
    np.testing.assert_allclose(
        fitted.forecast(sparsedyn.Trajectories(X[:5, None], dt=1.0, state_names=["x0"])).predicted[0, 0, :, 0], path
    )
    fitted.save(tmp_path / "map.safetensors")
    back = sparsedyn.load(tmp_path / "map.safetensors")
    np.testing.assert_array_equal(back.simulate([X[0]], 5)[:, 0], path)
    with pytest.raises(DataError, match="x_dot: expected none with time='discrete'"):
        fitted.fit(X, x_dot=X)


@pytest.mark.slow
def test_a_learned_map_is_printed_as_such(capsys: pytest.CaptureFixture[str]):
    found = MODELS["learner"]().fit(X, progress=False)
    found.print()
    assert capsys.readouterr().out.startswith("x0[k+1] = ")
    np.testing.assert_allclose(found.simulate([X[0]], 10)[:, 0], X[:10], atol=1e-4)


def test_networks_of_maps_are_stepped_by_increments():
    with pytest.raises(ValueError, match="method: expected 'euler'"):
        SparseTimeStepper(time="discrete", method="rk4").fit(X)
