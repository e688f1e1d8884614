"""What the page on additions shows: a technique, a plant, an estimator, each added and used."""

import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sparsedyn
from sparsedyn.estimators import _load
from sparsedyn.sparsify import from_spec
from sparsedyn.sparsify import spec as sparsify_spec

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: str) -> list[str]:
    """The Python code of a page of the documentation."""
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def added() -> dict[str, Any]:
    """The classes that the page defines."""
    names: dict[str, Any] = {"__name__": "added"}
    for code in blocks("extending.md"):
        # What a package of one's own consists of is tested where one is installed.
        if not code.startswith("# parcel"):
            exec(compile(code, "extending.md", "exec"), names)
    return names


@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")
def test_a_technique_is_a_file_and_a_line(added: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    technique = added["LogPenalty"](1e-3)
    weights = {"w": jnp.asarray([[0.0, 0.1, -2.0]])}
    free, memo = technique.init(weights, key=jax.random.key(0))
    np.testing.assert_allclose(
        technique.penalty(free, memo, jnp.zeros(())), 1e-3 * np.log([2.0, 401.0]).sum(), rtol=1e-5
    )
    monkeypatch.setattr(
        sparsify_spec, "TECHNIQUES", {**sparsify_spec.TECHNIQUES, "log-penalty": added["LogPenalty"]}, raising=True
    )
    assert type(from_spec({"type": "log-penalty", "weight": 1e-3})) is added["LogPenalty"]
    data = sparsedyn.simulate("duffing", trajectories=2, steps=60, seed=0)
    model = sparsedyn.SparseTimeStepper(hidden=(4,), technique=[technique], members=2, epochs=1).fit(data)
    assert model.alive_.all()


def test_a_plant_is_a_file_and_a_line(added: dict[str, Any]):
    data = sparsedyn.simulate(added["VanDerPol"](), trajectories=2, steps=50, seed=0)
    assert data.state_names == ("x", "v")
    found = sparsedyn.SINDy(degree=3, threshold=0.1).fit(data)
    assert np.count_nonzero(found.coefficients_) == 4


def test_an_estimator_is_a_folder_and_a_line(added: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    time = np.arange(200) * 0.05
    u = np.sign(np.sin(0.7 * time))[:, None]
    truth = added["LinearModel"]()
    # x' = -x + 2 u, held inputs: exact from row to row.
    x = [0.5]
    for held in u[:-1, 0]:
        x.append(2 * held + (x[-1] - 2 * held) * np.exp(-0.05))
    states = np.asarray(x)[:, None]
    model = truth.fit(states, 0.05, u)
    np.testing.assert_allclose(model.predict([[1.0]], [[0.0]]), [[-1.0]], rtol=0.05)
    assert model.simulate([0.5], time, u).dims == ("time", "state")
    assert model.score(states, 0.05, u) > 0.95
    with pytest.raises(ValueError, match="derivative: expected one of forward, central"):
        added["LinearModel"](derivative="none").fit(states, 0.05, u)
    model.save(tmp_path / "linear.model")
    monkeypatch.setattr(_load, "ESTIMATORS", (*_load.ESTIMATORS, added["LinearModel"]))
    again = sparsedyn.load(tmp_path / "linear.model")
    np.testing.assert_array_equal(again.predict([[0.3]], [[1.0]]), model.predict([[0.3]], [[1.0]]))


@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")  # examples train for seconds
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow) for page in ("coming-from/pysindy.md", "guides/estimators.md")]
)
def test_the_code_of_a_page_runs(page: str, capsys: pytest.CaptureFixture[str]):
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page):
        exec(compile(code, page, "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sparsedyn.SparsedynWarning")  # examples train for seconds
def test_the_code_of_scripts_runs(capsys: pytest.CaptureFixture[str]):
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks("coming-from/scripts.md"):
        exec(compile(code, "scripts.md", "exec"), names)
    assert "x0*x1" in capsys.readouterr().out
