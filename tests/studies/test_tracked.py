"""Studies that are tracked: what is recorded of them, once, and what a service that fails does to them: nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sparsedyn import SparsedynWarning, studies
from sparsedyn.executors import Local
from sparsedyn.studies.tracked import flat, metrics_of, training_of
from sparsedyn.tracking import TrackedRun

from .powers import PowersSpec
from .test_interruptions import contents

pytestmark = pytest.mark.usefixtures("powers", "no_report")
SPEC = PowersSpec()


@dataclass
class MemoryRun:
    """A run that is kept in memory."""

    name: str
    parent: "MemoryRun | None"
    finished: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    metrics: list[tuple[int, str, float]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)

    def log_parameters(self, values: Mapping[str, Any]) -> None:
        self.parameters |= values

    def log_metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        self.metrics += [(step, name, value) for name, value in values.items()]

    def log_figure(self, path: Path) -> None:
        assert path.is_file()
        self.files.append(f"figures/{path.name}")

    def log_artifact(self, path: Path) -> None:
        assert path.is_file()
        self.files.append(path.name)

    def end(self, *, complete: bool = True) -> None:
        self.finished = complete
        self.ends.append(complete)


class Memory:
    """Keeps runs in memory; what is in `breaks` fails."""

    def __init__(self, breaks: str = ""):
        self.runs: dict[str, MemoryRun] = {}
        self.breaks = breaks

    def run(self, key: str, name: str, parent: TrackedRun | None = None) -> MemoryRun:
        if name == self.breaks:
            raise ConnectionError("nobody\nthere")
        assert parent is None or isinstance(parent, MemoryRun)
        return self.runs.setdefault(key, MemoryRun(name, parent))

    @property
    def named(self) -> dict[str, MemoryRun]:
        return {run.name: run for run in self.runs.values()}


def test_a_study_is_a_run_and_so_is_each_of_its_cells(tmp_path: Path):
    tracker = Memory()
    studies.run(SPEC, tmp_path, tracker=tracker)
    assert list(tracker.named) == ["powers", "power 2", "power 3", "power 4"]
    whole, cell = tracker.named["powers"], tracker.named["power 3"]
    assert whole.parameters == {"seed": 0, "powers": [2, 3, 4], "broken": []}
    assert whole.files == ["study.toml", "run.json", "results.parquet", "report.html"]
    assert cell.parent is whole
    assert cell.parameters["slug"] == "power-3"
    assert [(step, name) for step, name, _ in cell.metrics] == [(0, "sum")]
    assert cell.files == ["cell.json", "note.txt"]
    assert all(run.ends == [True] for run in tracker.runs.values())


def test_a_study_that_is_resumed_records_nothing_twice(tmp_path: Path):
    tracker = Memory()

    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress) and event.label == "power 3":
            raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted):
        studies.run(SPEC, tmp_path, tracker=tracker, on_event=stop)
    assert tracker.named["powers"].ends == [False]
    assert list(tracker.named) == ["powers", "power 2"]
    # In between, nobody tracks.
    studies.resume(tmp_path)
    studies.resume(tmp_path, tracker=tracker)
    studies.resume(tmp_path, tracker=tracker, executor=Local())
    assert tracker.named["powers"].ends == [False, True]
    assert list(tracker.named) == ["powers", "power 2", "power 3", "power 4"]
    assert all(len(run.metrics) == 1 for run in tracker.runs.values() if run.parent is not None)
    assert len(tracker.named["powers"].files) == 4


def test_another_run_of_the_same_study_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tracker = Memory()
    for second in ("first", "second"):
        monkeypatch.setattr("sparsedyn.studies.run_record._now", lambda second=second: second)
        studies.run(SPEC, tmp_path / second, tracker=tracker)
    assert len(tracker.runs) == 8


@pytest.mark.parametrize("breaks", ["powers", "power 3"])
def test_a_service_that_fails_harms_nothing(breaks: str, tmp_path: Path):
    studies.run(SPEC, tmp_path / "alone")
    tracker = Memory(breaks)
    with pytest.warns(SparsedynWarning, match=r"not tracked any more \(nobody there\)") as caught:
        studies.run(SPEC, tmp_path / "tracked", tracker=tracker)
    assert len(caught) == 1
    assert contents(tmp_path / "tracked") == contents(tmp_path / "alone")
    tracker.breaks = ""
    studies.resume(tmp_path / "tracked", tracker=tracker)
    assert list(tracker.named) == ["powers", "power 2", "power 3", "power 4"]
    assert all(run.finished for run in tracker.runs.values())


def test_parts_are_tracked_when_they_are_collected(tmp_path: Path):
    tracker = Memory()
    for number in (1, 2):
        studies.run(SPEC, tmp_path, shard=(number, 2))
    studies.collect(tmp_path, tracker=tracker)
    assert list(tracker.named) == ["powers", "power 2", "power 3", "power 4"]


def test_metrics_are_at_horizons_or_rows_and_finite():
    table = pd.DataFrame({"cell": ["a", "a"], "horizon": [20, 60], "rfmse": [0.5, float("nan")], "weights": [3, 4]})
    assert list(metrics_of(table)) == [(20, {"rfmse": 0.5, "weights": 3.0}), (60, {"weights": 4.0})]
    assert list(metrics_of(table[["cell", "weights"]])) == [(0, {"weights": 3.0}), (1, {"weights": 4.0})]
    history = pd.DataFrame(
        {"step": [5, 5], "member": [0, 1], "loss": [1.0, 2.0], "validation": [float("nan")] * 2, "sparsity": [0.0, 0.5]}
    )
    assert list(training_of(history)) == [(5, {"training loss": 1.5, "training sparsity": 0.25})]
    assert flat({"a": {"b": 1, "c": {"d": 2}}, "e": 3}) == {"a.b": 1, "a.c.d": 2, "e": 3}
