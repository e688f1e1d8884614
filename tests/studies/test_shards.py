"""A study in parts: what each computes, and that all together are the study in one piece."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sparsedyn import _disk, studies
from sparsedyn.studies.shards import Shard, shard_of

from .powers import PowersSpec
from .test_interruptions import contents, made_by

pytestmark = pytest.mark.usefixtures("powers", "no_report")
SPEC = PowersSpec()


@contextmanager
def changed(path: Path) -> Iterator[None]:
    """Let a file be another one while this is entered."""
    before = path.read_bytes()
    np.savez(path, values=np.zeros(3))
    try:
        yield
    finally:
        path.write_bytes(before)


def in_parts(directory: Path, count: int = 2) -> None:
    for number in range(1, count + 1):
        studies.run(SPEC, directory, shard=(number, count))


@pytest.mark.parametrize("count", [2, 4])
def test_parts_together_are_the_study(count: int, tmp_path: Path):
    studies.run(SPEC, tmp_path / "whole")
    in_parts(tmp_path / "parts", count)
    found = [
        {path.name for path in (tmp_path / "parts" / "shards" / f"{i}-of-{count}" / "cells").glob("*")}
        for i in range(1, count + 1)
    ]
    assert (
        found
        == {
            2: [{"power-2", "power-3"}, {"power-4"}],
            4: [{"power-2"}, {"power-3"}, set(), {"power-4"}],
        }[count]
    )
    report = studies.collect(tmp_path / "parts")
    assert report.is_file()
    there = {name: file for name, file in contents(tmp_path / "parts").items() if not name.startswith("shards/")}
    assert there == contents(tmp_path / "whole")
    run = json.loads((tmp_path / "parts" / "run.json").read_text())
    assert set(run["cells"]) == {"power-2", "power-3", "power-4"}
    parts = [json.loads(file.read_text()) for file in (tmp_path / "parts").glob("shards/*/run.json")]
    assert run["parts"] == len(parts) == count
    assert run["seconds"] > sum(part["seconds"] for part in parts)
    assert not studies.verify(tmp_path / "parts").faults
    # Once more: nothing is left to do.
    studies.collect(tmp_path / "parts")


def test_a_part_that_was_stopped_goes_on_as_a_part(tmp_path: Path):
    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellProgress):
            raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted, match=r"study resume .*shards/1-of-2"):
        studies.run(SPEC, tmp_path, shard=(1, 2), on_event=stop)
    studies.run(SPEC, tmp_path, shard=(2, 2))
    with pytest.raises(studies.StudyError, match=r"expected all 2 parts; 1 is not finished\. Run it with --shard 1/2"):
        studies.collect(tmp_path)
    folder = tmp_path / "shards" / "1-of-2"
    assert studies.resume(folder) == folder
    assert {path.name for path in (folder / "cells").iterdir()} == {"power-2", "power-3"}
    studies.collect(tmp_path)


def test_parts_that_do_not_fit_are_refused(tmp_path: Path):
    with pytest.raises(studies.StudyError, match="expected the parts of a study in shards/; got none"):
        studies.collect(tmp_path)
    studies.run(SPEC, tmp_path, shard=(1, 2))
    with pytest.raises(studies.StudyError, match="2 has not begun"):
        studies.collect(tmp_path)
    studies.run(SPEC, tmp_path, shard=(2, 2), seed=1)
    with pytest.raises(studies.StudyError, match=r"expected the study of .*1-of-2"):
        studies.collect(tmp_path)
    part = tmp_path / "shards" / "2-of-2"
    _disk.remove(part)
    studies.run(SPEC, tmp_path, shard=(2, 2))
    message = r"arrays\.npz has changed since it was written"
    with changed(part / "cells" / "power-4" / "arrays.npz"), pytest.raises(studies.StudyError, match=message):
        studies.collect(tmp_path)
    made_by(part, "power 4", {"versions": {"numpy": "1.0"}})
    with pytest.raises(studies.StudyError, match=r"power 4 with numpy 1\.0 .*--mixed"):
        studies.collect(tmp_path)
    studies.collect(tmp_path, mixed=True)
    assert list(json.loads((tmp_path / "run.json").read_text())["mixed"]) == ["power 4"]


def test_which_part_is_meant():
    slurm = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "5"}
    assert shard_of("2/4") == Shard(2, 4)
    assert shard_of("slurm", slurm) == Shard(3, 4)
    for text, message in (("0/4", "from 1 to 4; got 0"), ("5/4", "got 5"), ("a", "such as 1/4"), ("slurm", "sbatch")):
        with pytest.raises(studies.StudyError, match=message):
            shard_of(text, {})
