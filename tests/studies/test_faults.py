"""Kills, power cuts and full disks at operations on the disk: a study that goes on gives the same results.

`tools/faults.py` tries every operation.
"""

import errno
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sparsedyn import studies

from .powers import PowersSpec

pytestmark = pytest.mark.usefixtures("powers", "no_report")
SPEC = PowersSpec(powers=(2, 3))
APART = {"run.json", "report.html", "SHA256SUMS", ".lock"}


@pytest.fixture(scope="module")
def disk() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "tools")
        yield importlib.import_module("disk_faults")


def contents(directory: Path) -> dict[str, bytes]:
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if name not in APART}


def everything(directory: Path) -> dict[str, bytes | None]:
    """What a run begins with: all files and folders."""
    paths = sorted(directory.rglob("*"))
    return {path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else None for path in paths}


def watched(disk: ModuleType, tmp_path: Path) -> tuple[list, dict[str, bytes]]:
    """Run the study under a journal; return the operations and the results."""
    (tmp_path / "whole").mkdir()
    with disk.Journal(tmp_path / "whole").kept() as journal:
        studies.run(SPEC, tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    disk.crashed(journal.operations, tmp_path / "copy")
    assert contents(tmp_path / "copy") == whole, "the journal is not complete"
    assert len(journal.operations) > 100
    return journal.operations, whole


@pytest.mark.parametrize("every", [19, pytest.param(4, marks=pytest.mark.slow)])
def test_after_a_kill_or_a_power_cut_results_are_the_same(every: int, disk: ModuleType, tmp_path: Path):
    operations, whole = watched(disk, tmp_path)
    tried = []
    for count in range(0, len(operations) + 1, every):
        for power in ("on", "lost", "names", "some"):
            folder = tmp_path / f"{count}-{power}"
            disk.crashed(operations[:count], folder, power=power, seed=count, torn=power == "on")
            if (left := everything(folder)) in tried:
                continue
            tried.append(left)
            finished = {mark: mark.stat().st_mtime_ns for mark in folder.glob("cells/[!.]*/cell.json")}
            studies.run(SPEC, folder)
            assert contents(folder) == whole, f"{operations[:count][-1:]}, {power}"
            assert {mark: mark.stat().st_mtime_ns for mark in finished} == finished
            assert not list(folder.rglob("*.tmp*"))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("every", [29, pytest.param(4, marks=pytest.mark.slow)])
def test_after_a_failure_of_the_disk_results_are_the_same(every: int, number: int, disk: ModuleType, tmp_path: Path):
    operations, whole = watched(disk, tmp_path)
    for at in range(0, len(operations), every):
        folder = tmp_path / f"{at}"
        with disk.Failing(folder, at, number).entered() as failing:
            if at < len(operations) // 2:
                with pytest.raises(ValueError, match=r"cannot be written.*Mend that|cannot be written.*Choose"):
                    studies.run(SPEC, folder)
                assert failing.failed
        studies.run(SPEC, folder)
        assert contents(folder) == whole
