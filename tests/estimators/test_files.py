"""Model files: those of earlier versions load, and others give one clear message."""

from pathlib import Path

import numpy as np
import pytest

import sparsedyn
from sparsedyn import EquationLearner, EquationRegressor, SINDy, SINDyAutoencoder, SparseTimeStepper
from sparsedyn.training import CheckpointError, load_arrays, save_arrays

STORED = Path(__file__).parent / "stored"
"""Written by sparsedyn 0.1.0 before estimators had a base in common."""
X, U = np.asarray([[1.0, 0.5]]), np.asarray([[0.2]])
FOUND = {
    "stepper": (SparseTimeStepper, lambda model: model.predict(X, U)),
    "learner": (EquationLearner, lambda model: model.predict(X, U)),
    "regressor": (EquationRegressor, lambda model: model.predict(X)),
    "sindy": (SINDy, lambda model: model.predict(X, U)),
    "autoencoder": (SINDyAutoencoder, lambda model: model.encode(np.linspace(0, 1, 8))),
}


@pytest.mark.parametrize("name", list(FOUND))
def test_files_of_earlier_versions_load(name: str):
    kind, use = FOUND[name]
    model = sparsedyn.load(STORED / f"{name}.model")
    assert type(model) is kind
    expected = np.load(STORED / "expected.npz", allow_pickle=False)[name]
    np.testing.assert_allclose(np.asarray(use(model)), expected, rtol=1e-5, atol=1e-7)


def test_a_version_that_is_not_read_says_who_wrote_it(tmp_path: Path):
    arrays, header = load_arrays(STORED / "learner.model")
    save_arrays(tmp_path / "old", arrays, header | {"format": "sparsedyn.EquationLearner/1"})
    with pytest.raises(
        CheckpointError, match=r"old: expected a EquationLearner file of version 2; got version 1, of sparsedyn 0\.1"
    ):
        sparsedyn.load(tmp_path / "old")


@pytest.mark.parametrize("kind", ["sparsedyn.Oracle/1", "oracle.SINDy/1", "sparsedyn.SINDy/one", ""])
def test_other_kinds_are_refused(tmp_path: Path, kind: str):
    save_arrays(tmp_path / "other", {}, {"format": kind})
    with pytest.raises(CheckpointError, match="other: expected a model"):
        sparsedyn.load(tmp_path / "other")


def test_a_folder_that_does_not_exist_is_not_made(tmp_path: Path):
    model = SINDy(degree=1, time="discrete").fit(0.9 ** np.arange(30.0))
    with pytest.raises(CheckpointError, match=r"expected a file in a folder that exists; there is no .*missing"):
        model.save(tmp_path / "missing" / "model.safetensors")
    assert not (tmp_path / "missing").exists()
