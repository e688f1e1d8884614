"""What released versions have written can be read: data, models, checkpoints and studies. `make.py` made the files."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import load
from sparsedyn.data import Trajectories, read
from sparsedyn.studies import report, verify
from sparsedyn.training import load_arrays

VERSIONS = sorted(path for path in Path(__file__).parent.iterdir() if (path / "expected.json").is_file())
FILES = [path for version in VERSIONS for path in (*sorted((version / "data").iterdir()), version / "arrays")]
MODELS = [path for version in VERSIONS for path in sorted((version / "models").iterdir())]


def named(path: Path) -> str:
    return str(path.relative_to(Path(__file__).parent))


def expected(version: Path) -> Any:
    return json.loads((version / "expected.json").read_text())


@pytest.mark.parametrize("path", FILES, ids=named)
def test_data(path: Path):
    version = path.parent if path.name == "arrays" else path.parent.parent
    data, known = read(path), expected(version)
    assert (data.state_names, data.state_units, data.input_names) == (("angle", "speed"), ("rad", "rad/s"), ("torque",))
    assert (data.dt, data.labels, data.attrs) == (
        0.1,
        ("a", "b"),
        {"seed": 0},
    )
    for one, other in zip((*data.states, *data.inputs), (*known["states"], *known["inputs"]), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("path", MODELS, ids=named)
def test_models(path: Path):
    model, known = load(path), expected(path.parent.parent)
    plant = read(path.parent.parent / "data" / "plant.npz")
    np.testing.assert_allclose(said(model, path.stem, plant), known[path.stem], rtol=1e-4, atol=1e-6)


def said(model: Any, kind: str, plant: Trajectories) -> Any:
    """What `make.py` asked a model of this kind."""
    if kind == "regressor":
        return model.predict(np.random.default_rng(0).uniform(1, 2, size=(60, 2))[:3])
    if kind == "autoencoder":
        from sparsedyn.systems import lifted_lorenz

        return model.encode(lifted_lorenz(4, seed=0).x[0, :2])
    if kind == "state-space":
        return model.forecast(plant.select(states=["angle"])).predicted[:, :, :5]
    return model.predict(plant.states[0][:3], plant.inputs[0][:3]).values


@pytest.mark.parametrize("version", VERSIONS, ids=named)
def test_checkpoints(version: Path):
    arrays, header = load_arrays(version / "run.checkpoint")
    assert header["step"] > 5
    assert not header["finished"]
    assert not any(np.isnan(array).any() for array in arrays.values())


@pytest.mark.parametrize("version", VERSIONS, ids=named)
def test_studies(version: Path, tmp_path: Path, dotted_reports: None):
    folder = tmp_path / "study"
    shutil.copytree(version / "study", folder)
    assert verify(folder).faults == []
    before = pd.read_parquet(folder / "results.parquet")
    assert report(folder).is_file()
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), before)
