"""What stops a study, what a failed cell does to others, and what a resume says of other versions."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sparsedyn import _disk, studies
from sparsedyn._stopping import is_terminated
from sparsedyn.studies.checksums import SUMS, sums_of
from sparsedyn.studies.made import made

from .powers import PowersSpec

pytestmark = pytest.mark.usefixtures("powers")
SPEC = PowersSpec()


def contents(directory: Path) -> dict[str, bytes]:
    """The results: all files but the record of the run and what is drawn from it."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    apart = {directory / name for name in ("run.json", "report.html", SUMS, ".lock")}
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files if path not in apart}


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    studies.run(SPEC, tmp_path / "whole")
    return contents(tmp_path / "whole")


@pytest.fixture
def heard() -> Iterator[None]:
    """Hear Ctrl-C, which processes in the background of a shell are to ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_a_chunk(number: int, whole: dict[str, bytes], tmp_path: Path):
    seen: list[str] = []

    def watch(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress) and event.label == "power 3":
            seen.append(event.remark)
            if len(seen) == 2:
                os.kill(os.getpid(), number)
                seen.append("goes on after the signal")

    before = signal.getsignal(number)
    with pytest.raises(studies.StudyInterrupted, match=r"1 of 3 cells.*sparsedyn study resume .*stopped") as caught:
        studies.run(SPEC, tmp_path / "stopped", on_event=watch)
    assert is_terminated(caught.value) == (number == signal.SIGTERM)
    assert signal.getsignal(number) == before
    assert seen == ["step 1", "step 2", "goes on after the signal"]
    assert (tmp_path / "stopped" / "groups" / "power-3.safetensors").is_file()
    again: list[str] = []
    studies.resume(
        tmp_path / "stopped",
        on_event=lambda event: again.append(event.remark) if isinstance(event, studies.CellProgress) else None,
    )
    assert again[:3] == ["step 3", "step 4", "step 5"]
    assert contents(tmp_path / "stopped") == whole


@pytest.mark.usefixtures("heard")
def test_a_second_signal_stops_at_once(tmp_path: Path):
    def watch(event: studies.Event) -> None:
        if isinstance(event, studies.CellStarted):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("the second signal was not heard")

    with pytest.raises(studies.StudyInterrupted) as caught:
        studies.run(SPEC, tmp_path / "stopped", on_event=watch)
    assert is_terminated(caught.value)


def test_a_cell_that_fails_harms_no_other(whole: dict[str, bytes], tmp_path: Path):
    broken = SPEC.model_copy(update={"broken": (3,)})
    events: list[studies.Event] = []
    with pytest.raises(studies.StudyError, match="1 failed, the others are stored") as caught:
        studies.run(broken, tmp_path / "broken", on_event=events.append)
    assert "power 3: ZeroDivisionError: 3 is broken" in str(caught.value)
    assert studies.CellFailed("power 3", "ZeroDivisionError: 3 is broken") in events
    assert {path.name for path in (tmp_path / "broken" / "cells").iterdir()} == {"power-2", "power-4"}
    studies.report(tmp_path / "broken")
    assert len(pd.read_parquet(tmp_path / "broken" / "results.parquet")) == 2
    there = contents(tmp_path / "broken")
    for name in ("cells/power-2/arrays.npz", "cells/power-4/note.txt"):
        assert there[name] == whole[name]


def made_by(directory: Path, label: str, change: dict[str, Any]) -> None:
    """Let a stored cell say that it was made otherwise."""
    folder = directory / "cells" / label.replace(" ", "-")
    facts = json.loads((folder / "cell.json").read_text())
    for key, value in change.items():
        facts["made"][key].update(value)
    (folder / "cell.json").write_text(json.dumps(facts))
    (folder / SUMS).write_text(sums_of(folder))


@pytest.mark.parametrize(
    ("change", "words"),
    [({"versions": {"jax": "0.1"}}, "jax 0.1 "), ({"devices": {"count": 64}}, "count of devices 64 ")],
)
def test_cells_of_other_versions_are_named_and_only_mixed_when_asked(
    change: dict[str, Any], words: str, tmp_path: Path
):
    studies.run(SPEC, tmp_path)
    made_by(tmp_path, "power 2", change)
    # Nothing is left to compute: nothing to mix.
    studies.resume(tmp_path)
    _disk.remove(tmp_path / "cells" / "power-4")
    with pytest.raises(studies.StudyError, match=f"power 2 with {words}.*--mixed.*start anew in another folder"):
        studies.resume(tmp_path)
    assert not (tmp_path / "cells" / "power-4").exists()
    studies.resume(tmp_path, mixed=True)
    assert list(json.loads((tmp_path / "run.json").read_text())["mixed"]) == ["power 2"]


def test_a_spec_that_was_changed_under_way_is_refused(tmp_path: Path):
    studies.run(SPEC, tmp_path)
    _disk.remove(tmp_path / "cells" / "power-4")
    spec = tmp_path / "study.toml"
    spec.write_text(spec.read_text().replace("seed = 0", "seed = 1"))
    with pytest.raises(studies.StudyError, match=r"study\.toml: expected the spec that cells were made from"):
        studies.resume(tmp_path)


def test_what_is_under_way_with_other_versions_begins_anew(whole: dict[str, bytes], tmp_path: Path):
    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress):
            raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted):
        studies.run(SPEC, tmp_path / "old", on_event=stop)
    run = tmp_path / "old" / "run.json"
    run.write_text(run.read_text().replace(made(SPEC)["versions"]["numpy"], "1.0"))
    with pytest.raises(studies.StudyError, match=r"power-2 with numpy 1\.0"):
        studies.resume(tmp_path / "old")
    steps: list[str] = []
    studies.resume(
        tmp_path / "old",
        mixed=True,
        on_event=lambda event: steps.append(event.remark) if isinstance(event, studies.CellProgress) else None,
    )
    assert steps[0] == "step 1"
    assert contents(tmp_path / "old") == whole


def test_every_cell_says_what_it_was_made_with(tmp_path: Path):
    studies.run(SPEC, tmp_path, seed=7)
    found = json.loads((tmp_path / "cells" / "power-3" / "cell.json").read_text())["made"]
    assert found == made(studies.load(tmp_path / "study.toml"))
    assert found["seed"] == 7
    assert {"python", "sparsedyn", "jax", "numpy", "numba"} <= set(found["versions"])
    assert found["devices"]["count"] >= 1


def test_temporary_files_of_killed_runs_are_removed(tmp_path: Path):
    studies.run(SPEC, tmp_path)
    for name in (
        ".run.json.99999999.tmp.json",
        "cells/.power-2.99999999.tmp",
        "groups/.a.safetensors.7.tmp.safetensors",
    ):
        path = tmp_path / name
        path.mkdir(parents=True) if path.suffix == ".tmp" else path.write_bytes(b"cut sho")
    studies.resume(tmp_path)
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".lock"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sync = _disk.sync

    def full(path: Path) -> None:
        if "power-3" in path.name:
            raise OSError(28, "No space left on device", str(path))
        sync(path)

    monkeypatch.setattr(_disk, "sync", full)
    with pytest.raises(studies.StudyError, match=r"No space left on device.*What is finished is kept.*study resume"):
        studies.run(SPEC, tmp_path)
