"""A Ray cluster of two nodes of one CPU each, one of which is killed: the results are those of this process."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparseTimeStepper, Trajectories, search, simulate, studies
from sparsedyn.executors import ExecutorError, Lost, Ray, results
from sparsedyn.studies.checksums import SUMS

TINY = Path(__file__).parents[1] / "studies" / "tiny.toml"
STEPPER: dict[str, Any] = {"hidden": (8,), "epochs": 4, "batch": 16, "members": 3}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray"),
]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """One node; tests add a second one."""
    path = Path(__file__).parents[2] / "tools" / "ray_nodes.py"
    spec = importlib.util.spec_from_file_location("ray_nodes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.Nodes() as made:
        yield made


@pytest.fixture
def two(nodes: Any) -> Iterator[Any]:
    """Two nodes."""
    nodes.add()
    yield nodes
    nodes.kill()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the study as this process makes them, one cell at a time."""
    folder = tmp_path_factory.mktemp("here") / "study"
    studies.run(studies.load(TINY), folder)
    return files(folder)


def files(directory: Path) -> dict[str, bytes]:
    """All files but the record of the run and what is drawn from it."""
    apart = {directory / name for name in ("run.json", "report.html", SUMS, ".lock")}
    found = {path for path in directory.rglob("*") if path.is_file() and "figures" not in path.parts} - apart
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in sorted(found)}


@pytest.mark.usefixtures("dotted_reports")
def test_a_study_survives_the_loss_of_a_node(two: Any, here: dict[str, bytes], tmp_path: Path):
    seen: list[studies.Event] = []

    def watch(event: studies.Event) -> None:
        seen.append(event)
        if isinstance(event, studies.CellFinished) and event.number == 1:
            two.kill()

    # How far workers are comes now and then, and of cells as short as these perhaps never.
    with Ray(two.address) as executor:
        studies.run(studies.load(TINY), tmp_path / "there", executor=executor, on_event=watch)
    assert [event.number for event in seen if isinstance(event, studies.CellFinished)] == [1, 2, 3, 4]
    assert files(tmp_path / "there") == here


@pytest.mark.usefixtures("dotted_reports")
def test_a_study_survives_the_loss_of_the_process_that_runs_it(nodes: Any, here: dict[str, bytes], tmp_path: Path):
    folder = tmp_path / "there"
    code = "from sparsedyn.cli import main; main()"
    command = [sys.executable, "-c", code, "study", "run", TINY, "-o", folder, "--ray", nodes.address]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        while not list(folder.glob("cells/[!.]*/cell.json")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, (tmp_path / "log").read_text()
    before = set(folder.glob("cells/[!.]*/cell.json"))
    times = {path: path.stat().st_mtime_ns for path in before}
    with Ray(nodes.address) as executor:
        studies.resume(folder, executor=executor)
    assert files(folder) == here
    assert {path: path.stat().st_mtime_ns for path in before} == times


@pytest.mark.filterwarnings("ignore:fit. :sparsedyn.SparsedynWarning")
def test_fits_and_searches_give_the_same(two: Any):
    data = simulate("lotka-volterra", 4, 40, 0, dt=0.2)
    space = {"learning_rate": [0.02, 0.005]}
    with Ray(two.address) as executor:
        assert executor.workers >= 2
        fitted = [
            SparseTimeStepper(**STEPPER).fit(data[:3], data[3:], **options) for options in ({}, {"executor": executor})
        ]
        found = [
            search(SparseTimeStepper(**STEPPER), space, data, cv=2, **options).table.drop(columns="fit_time")
            for options in ({}, {"executor": executor})
        ]
    for mine, theirs in zip(*(jax.tree.leaves(one.models_) for one in fitted), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    pd.testing.assert_frame_equal(*found)


def killed(folder: Path, item: int, report: Any) -> int:
    """Kill the worker, the first time."""
    mark = folder / str(item)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_what_a_lost_worker_had_is_sent_again(nodes: Any, tmp_path: Path):
    heard: list[tuple[int, Any]] = []
    with Ray(nodes.address) as executor:
        finished = executor.map(killed, tmp_path, [5, 6], on_report=lambda *what: heard.append(what))
        assert results(finished, 2) == [5, 6]
    assert sorted(heard) == [(0, Lost(1)), (1, Lost(1))]


def refused(shared: None, item: Trajectories, report: Any) -> None:
    raise ValueError("no")


def test_what_a_function_raises_comes_back(nodes: Any):
    with Ray(nodes.address) as executor, pytest.raises(ValueError, match=r"^no$"):
        results(executor.map(refused, None, [1]), 1)


def test_an_address_where_nobody_listens_is_said():
    with pytest.raises(ExecutorError, match=r"127\.0\.0\.1:1: expected the address of a Ray cluster that runs"):
        Ray("127.0.0.1:1")
