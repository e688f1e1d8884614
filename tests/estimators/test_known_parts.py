"""Grey boxes: equation learners and networks that fit the rest to a known part of the right-hand side."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparsedyn
from sparsedyn import EquationLearner, SINDy, SparseTimeStepper, Trajectories
from sparsedyn.equations import text
from sparsedyn.estimators import group_together

T = 0.05 * np.arange(200)


def pendulum() -> Trajectories:
    """`w' = -2 sin(theta) - 0.3 w`, by Runge-Kutta steps."""
    states = np.array([[1.5, 0.0], [0.5, 1.0], [-1.0, -0.5]])
    rows = [states]

    def field(x: np.ndarray) -> np.ndarray:
        return np.stack([x[:, 1], -2 * np.sin(x[:, 0]) - 0.3 * x[:, 1]], axis=1)

    for _ in T[1:]:
        k1 = field(rows[-1])
        k2 = field(rows[-1] + 0.025 * k1)
        k3 = field(rows[-1] + 0.025 * k2)
        k4 = field(rows[-1] + 0.05 * k3)
        rows.append(rows[-1] + 0.05 / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return Trajectories(np.stack(rows, axis=1), dt=0.05, state_names=["theta", "w"])


DATA = pendulum()
KNOWN: dict[str, Any] = {
    "text": {"theta": "w", "w": "-2*sin(theta)"},
    "function": lambda x, u: np.stack([x[:, 1], -2 * np.sin(x[:, 0])], axis=1),
}
QUICK: dict[str, Any] = {"primitives": {"constant": 1, "identity": 1}, "hidden": 1, "generations": 1, "steps": 20}


def test_terms_beside_a_known_part_are_found_by_the_states(tmp_path: Path):
    learner = EquationLearner(known=KNOWN["text"]).fit(DATA[:1], progress=False)
    assert learner.search_ == "states"
    assert text(learner.equations(digits=3)[1]) == "-0.3*w - 2*sin(theta)"
    assert text(learner.pareto("w")["equation"].iloc[-1], 3) == "-0.3*w"
    assert text(learner.alternatives()["equations"][0][1], 3) == "-0.3*w - 2*sin(theta)"
    np.testing.assert_allclose(learner.simulate(DATA.states[0][0], 200), DATA.states[0], atol=1e-3)
    learner.save(tmp_path / "pendulum.model")
    back = sparsedyn.load(tmp_path / "pendulum.model")
    np.testing.assert_array_equal(back.predict(DATA.states[1]), learner.predict(DATA.states[1]))


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.slow
def test_the_learner_finds_the_rest(kind: str, tmp_path: Path):
    fitted = EquationLearner(1, known=KNOWN[kind], search="networks", **QUICK).fit(DATA, progress=False)
    found = text(fitted.equations(digits=2)[1])
    np.testing.assert_allclose(fitted.simulate(DATA.states[0][0], 200), DATA.states[0], atol=1e-3)
    np.testing.assert_allclose(fitted.forecast(DATA).predicted[0], np.stack(DATA.states), atol=1e-3)
    x = DATA.states[1]
    np.testing.assert_allclose(fitted.predict(x)[:, 1], -2 * np.sin(x[:, 0]) - 0.3 * x[:, 1], atol=1e-3)
    path = tmp_path / "pendulum.safetensors"
    if kind == "function":
        assert found == "-0.3*w + known_w(theta, w)"
        with pytest.raises(ValueError, match="known: a function cannot be saved"):
            fitted.save(path)
        return
    assert found == "-0.3*w - 2*sin(theta)"
    fitted.save(path)
    back = sparsedyn.load(path)
    assert back.equations() == fitted.equations()
    np.testing.assert_array_equal(back.simulate(x[0], 20), fitted.simulate(x[0], 20))


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.slow
def test_networks_learn_the_rest(kind: str, tmp_path: Path):
    settings: dict[str, Any] = {"hidden": (4,), "members": 2, "activation": "tanh", "batch": 64, "learning_rate": 0.02}
    fitted = SparseTimeStepper(epochs=20, known=KNOWN[kind], **settings)
    fitted.fit(DATA.head(100)[:2], DATA.head(50)[2:])
    assert fitted.evaluate(DATA, horizons=[100])["rfmse"][0] < 0.2
    x = DATA.states[1]
    slopes = np.stack([x[:, 1], -2 * np.sin(x[:, 0]) - 0.3 * x[:, 1]], axis=1)
    np.testing.assert_allclose(fitted.predict(x), np.stack([slopes] * 2), atol=0.2)
    if kind == "text":
        fitted.save(tmp_path / "pendulum.safetensors")
        back = sparsedyn.load(tmp_path / "pendulum.safetensors")
        np.testing.assert_array_equal(back.simulate(x[0], 20), fitted.simulate(x[0], 20))
        others = [SparseTimeStepper(known=known, **settings) for known in (KNOWN["text"], None, KNOWN["text"])]
        assert group_together(others) == [[0, 2], [1]]


@pytest.mark.slow
def test_known_parts_of_maps_are_parts_of_the_next_state():
    x = [0.3]
    for _ in range(100):
        x.append(3.7 * x[-1] * (1 - x[-1]))
    x = np.asarray(x)
    known = {"n": "3.7*n"}
    learner = EquationLearner(
        1, primitives={"square": 1}, hidden=1, generations=1, steps=20, time="discrete", known=known
    )
    assert text(learner.fit(x, names=["n"], progress=False).equations(digits=3)[0]) == "-3.7*n**2 + 3.7*n"
    stepper = SparseTimeStepper(
        (8,), members=1, epochs=150, batch=32, activation="tanh", learning_rate=0.02, time="discrete", known=known
    )
    stepper.fit(x, 2.0, names=["n"], progress=False)
    np.testing.assert_allclose(stepper.predict(x[:-1])[:, 0], x[1:], atol=0.05)
    two = stepper.simulate([x[0]], 3).to_numpy()[:, 0]
    assert two[1] == pytest.approx(float(stepper.predict([two[0]])[0]), abs=1e-6)


@pytest.mark.parametrize("kind", KNOWN)
@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_sindy_refines_coefficients_beside_a_known_part(kind: str):
    rng = np.random.default_rng(0)
    noisy = [x + 0.02 * rng.normal(size=x.shape) for x in DATA.states]
    found = {
        refine: SINDy(degree=1, threshold=0.1, known=KNOWN[kind], refine=refine).fit(noisy, 0.05, names=["theta", "w"])
        for refine in (False, True)
    }
    off = {refine: abs(model.coefficients()["w"]["w"] + 0.3) for refine, model in found.items()}
    assert off[True] < 0.001 < off[False]


def test_what_does_not_fit_is_refused():
    for model in (EquationLearner, SparseTimeStepper, SINDy):
        with pytest.raises(ValueError, match="known: there is no equation of 'v'"):
            model(known={"v": "w"}).fit(DATA)
        with pytest.raises(ValueError, match="known: expected none, a function"):
            model(known=3).fit(DATA)
        with pytest.raises(ValueError, match=r"known: expected values \(row, state\)"):
            model(known=lambda x, u: x[:, 0]).fit(DATA)
        with pytest.raises(ValueError, match="part of 'w' has none at row 28 of trajectory '0', where theta"):
            model(known={"w": "log(theta)"}).fit(DATA)
