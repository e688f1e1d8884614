"""Runs in MLflow: what is kept in the file, and what is found again."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from sparsedyn.tracking import MLflow

needs_mlflow = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="needs the extra mlflow")
# MLflow and SQLAlchemy leave connections to be closed with this process, and use what others have deprecated.
lenient = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stored(tracker: MLflow) -> dict[str, Any]:
    """Return all runs by their names."""
    return {run.info.run_name: run for run in tracker._client.search_runs([tracker._experiment])}


@needs_mlflow
@lenient
@pytest.mark.slow
def test_runs_are_kept_in_a_file_and_found_again(here: Path):
    (here / "note.txt").write_text("a")
    (here / "picture.png").write_bytes(b"b")
    tracker = MLflow()
    whole = tracker.run("study", "my study")
    part = tracker.run("study cell", "L1 (1e-4)", whole)
    assert not part.finished
    part.log_parameters({"hidden": [8, 8], "größe": "x" * 1000, **{f"p{i}": i for i in range(120)}})
    part.log_metrics({"rfmse": 0.5, "lost": float("nan")}, 100)
    part.log_metrics({"rfmse": 0.75}, 1000)
    part.log_artifact(here / "note.txt")
    part.log_figure(here / "picture.png")
    part.end()
    whole.end(complete=False)
    assert (here / "mlflow.db").is_file()

    again = MLflow()
    found = stored(again)
    kept = found["L1 (1e-4)"]
    assert kept.data.tags["mlflow.parentRunId"] == found["my study"].info.run_id
    assert kept.data.params["hidden"] == "[8, 8]"
    assert kept.data.params["p119"] == "119"
    assert len(kept.data.params["gr__e"]) == 500
    assert "lost" not in kept.data.metrics
    history = again._client.get_metric_history(kept.info.run_id, "rfmse")
    assert [(one.step, one.value) for one in history] == [(100, 0.5), (1000, 0.75)]
    assert {one.path for one in again._client.list_artifacts(kept.info.run_id)} == {"figures", "note.txt"}
    assert again.run("study cell", "L1 (1e-4)", again.run("study", "my study")).finished
    assert not again.run("study", "my study").finished
    assert len(stored(again)) == 2


@needs_mlflow
@lenient
@pytest.mark.slow
def test_a_part_that_was_not_finished_is_begun_anew_and_a_study_is_gone_on_with(here: Path):
    tracker = MLflow(f"sqlite:///{here}/other.db", "mine")
    whole = tracker.run("study", "my study")
    whole.log_parameters({"seed": 0})
    tracker.run("study cell", "L1", whole).log_metrics({"rfmse": 0.5})
    again = tracker.run("study", "my study")
    assert again.id == whole.id
    again.log_parameters({"seed": 1, "name": "n"})
    assert tracker.run("study", "my study")._run.data.params == {"seed": "0", "name": "n"}
    part = tracker.run("study cell", "L1", again)
    assert not part._run.data.metrics
    assert len(stored(tracker)) == 2


def test_without_mlflow_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match=r'pip install "sparsedyn\[mlflow\]"'):
        MLflow()
