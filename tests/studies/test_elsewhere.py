"""Studies whose cells are computed by an executor: the same files as those of a study that is computed here."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sparsedyn import studies
from sparsedyn.executors import ExecutorError, Finished, Local, Lost, Results
from sparsedyn.studies import elsewhere, runner
from sparsedyn.studies.shards import Shard

from .powers import POWERS, PowersSpec
from .test_interruptions import contents

pytestmark = pytest.mark.usefixtures("powers", "no_report")
SPEC = PowersSpec()


class Backwards(Local):
    """Computes the last item first, and loses each worker once, in the middle of its work."""

    def map(
        self,
        function: Any,
        shared: Any,
        items: Sequence[Any],
        *,
        on_report: Callable[[int, Any], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Results:
        for index in reversed(range(len(items))):
            for times in (1, 2):
                (one,) = super().map(
                    function,
                    shared,
                    [items[index]],
                    on_report=None if on_report is None else lambda _, what, own=index: on_report(own, what),
                    check=check,
                )
                if times == 1 and on_report is not None:
                    on_report(index, Lost(1))
            yield one._replace(place=index)


@pytest.mark.parametrize("executor", [Local(), Backwards()])
def test_results_are_those_of_a_study_computed_here(executor: Local, tmp_path: Path):
    studies.run(SPEC, tmp_path / "here")
    events: list[studies.Event] = []
    report = studies.run(SPEC, tmp_path / "elsewhere", executor=executor, on_event=events.append)
    assert report.is_file()
    assert contents(tmp_path / "elsewhere") == contents(tmp_path / "here")
    assert not studies.verify(tmp_path / "elsewhere").faults
    stored = [event for event in events if isinstance(event, studies.CellStored)]
    assert [(event.number, event.cells) for event in stored] == [(1, 3), (2, 3), (3, 3)]
    lost = [event.labels for event in events if isinstance(event, studies.WorkerLost)]
    assert lost == ([] if type(executor) is Local else [("power 4",), ("power 3",), ("power 2",)])
    record = json.loads((tmp_path / "elsewhere" / "run.json").read_text())
    assert set(record["cells"]) == {"power-2", "power-3", "power-4"}


def test_progress_counts_all_cells_together(tmp_path: Path):
    done: list[float] = []

    def watch(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress):
            assert event.cells == 3
            done.append(event.done)

    studies.run(SPEC, tmp_path, executor=Local(), on_event=watch)
    assert done == pytest.approx([step / 5 for step in range(1, 16)])


def test_what_is_finished_when_the_study_is_stopped_is_kept(tmp_path: Path):
    studies.run(SPEC, tmp_path / "here")

    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress) and event.label == "power 3":
            raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted, match=r"1 of 3 cells finished"):
        studies.run(SPEC, tmp_path / "elsewhere", executor=Local(), on_event=stop)
    begun: list[str] = []
    studies.resume(
        tmp_path / "elsewhere",
        executor=Local(),
        on_event=lambda event: begun.append(event.label) if isinstance(event, studies.CellStarted) else None,
    )
    assert begun == ["power 3", "power 4"]
    assert contents(tmp_path / "elsewhere") == contents(tmp_path / "here")


def test_a_cell_that_fails_leaves_the_others_as_they_are(tmp_path: Path):
    with pytest.raises(studies.StudyError, match=r"1 failed.*\n  power 3: ZeroDivisionError: 3 is broken"):
        studies.run(PowersSpec(broken=(3,)), tmp_path, executor=Local())
    assert {path.name for path in (tmp_path / "cells").iterdir()} == {"power-2", "power-4"}


def test_workers_that_are_lost_too_often_are_a_failure_of_their_cells(tmp_path: Path):
    class Lossy(Local):
        def map(self, function: Any, shared: Any, items: Sequence[Any], **options: Any) -> Results:
            for one in super().map(function, shared, items, **options):
                lost = len(items) > 1 and one.place == 1
                yield Finished(1, error=ExecutorError("its workers were lost, 4 times.")) if lost else one

    with pytest.raises(studies.StudyError, match=r"1 failed.*\n  power 3: ExecutorError: its workers were lost"):
        studies.run(SPEC, tmp_path / "elsewhere", executor=Lossy())
    studies.resume(tmp_path / "elsewhere")
    studies.run(SPEC, tmp_path / "here")
    assert contents(tmp_path / "elsewhere") == contents(tmp_path / "here")


def test_cells_of_workers_with_other_versions_are_refused_unless_mixed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    asked = elsewhere.surroundings_of

    def older(*arguments: Any) -> Any:
        found = asked(*arguments)
        return found._replace(made={**found.made, "versions": {**found.made["versions"], "numpy": "1.0"}})

    monkeypatch.setattr(runner, "surroundings_of", older)
    with pytest.raises(studies.StudyError, match=r"power 2 came with numpy .* \(here 1\.0\).*--mixed"):
        studies.run(SPEC, tmp_path, executor=Local())
    assert not list(tmp_path.glob("cells/power*"))
    studies.run(SPEC, tmp_path, executor=Local(), mixed=True)
    assert set(json.loads((tmp_path / "run.json").read_text())["mixed"]) == {"power 2", "power 3", "power 4"}


def test_files_that_changed_on_the_way_are_refused(tmp_path: Path):
    files = {"note.txt": b"a", "SHA256SUMS": b"0  note.txt\n"}
    with pytest.raises(studies.StudyError, match="expected files as they were sent"):
        elsewhere._unpack(files, tmp_path)


def test_what_cannot_be_divided_is_refused(tmp_path: Path):
    with pytest.raises(studies.StudyError, match=r"--shard or --ray\); got both"):
        studies.run(SPEC, tmp_path, executor=Local(), shard=(1, 2))
    from dataclasses import replace

    chained = replace(POWERS, chained=lambda spec: True)
    with pytest.raises(studies.StudyError, match="Leave --ray out"):
        runner.run_as(chained, SPEC, tmp_path, executor=Local())
    with pytest.raises(studies.StudyError, match="Leave --shard out"):
        runner.run_as(chained, SPEC, tmp_path, shard=Shard(1, 2))
