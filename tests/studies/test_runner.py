"""Running studies: what a directory holds, what is refused, that a stop changes nothing in the results."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import studies, training
from sparsedyn._disk import replacing
from sparsedyn.data import DataError, Trajectories, read, write
from sparsedyn.estimators import load as load_model
from sparsedyn.sparsify import TECHNIQUES
from sparsedyn.studies.claim import claim
from sparsedyn.studies.comparison import units
from sparsedyn.studies.comparison.data import PARTS, prepare, seed_of
from sparsedyn.studies.comparison.kind import FILES
from sparsedyn.studies.comparison.measure import as_json
from sparsedyn.studies.files import appearing
from sparsedyn.studies.reading import parse
from sparsedyn.studies.store import Store

SPEC = Path(__file__).with_name("tiny.toml")
TINY = SPEC.read_text(encoding="utf-8")
CELLS = ["dense", "dense-swa", "magnitude-l1", "magnitude-l1-swa"]


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, dotted: Callable[[], AbstractContextManager[None]]
) -> tuple[Path, list[studies.Event]]:
    """The tiny study, run whole and without interruption, and what it told."""
    directory = tmp_path_factory.mktemp("study") / "tiny"
    events: list[studies.Event] = []
    with dotted():
        studies.run(studies.load(SPEC), directory, on_event=events.append)
    return directory, events


def contents(directory: Path, pattern: str = "*") -> dict[str, bytes]:
    """Every file below `directory` that matches, by its relative path."""
    files = sorted(path for path in directory.rglob(pattern) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def test_a_finished_directory_holds_everything_and_nothing_left_over(
    finished: tuple[Path, list[studies.Event]],
):
    directory, _ = finished
    cell = {"cell.json", "curves.npz", "forecasts.parquet", "history.parquet", "model.safetensors"}
    sums = "SHA256SUMS"
    assert set(contents(directory / "cells")) == {f"{slug}/{file}" for slug in CELLS for file in {*cell, sums}}
    assert set(contents(directory / "data")) == {"train.npz", "validation.npz", "test.npz", sums}
    assert contents(directory / "groups") == {}
    assert not list(directory.rglob("*.tmp"))
    assert (directory / "report.html").stat().st_size > 1000
    assert studies.load(directory / "study.toml").resolved() == studies.load(SPEC).resolved()


def test_results_have_a_row_per_cell_and_horizon_and_agree_with_the_estimator(
    finished: tuple[Path, list[studies.Event]],
):
    directory, _ = finished
    results = pd.read_parquet(directory / "results.parquet")
    assert list(zip(results["cell"], results["horizon"], strict=True)) == [
        (label, horizon)
        for label in ("Dense", "Dense + SWA", "Magnitude + L1", "Magnitude + L1 + SWA")
        for horizon in (20, 60)
    ]
    pruned = results[results["cell"] == "Magnitude + L1 + SWA"].reset_index(drop=True)
    assert set(pruned["average"]) == {"swa"}
    assert set(pruned["nonzeros"]) == {20.0}
    assert set(pruned["sparsity_mask"]) == {0.5}
    assert set(pruned["forecasts"]) == {2 * 4}
    model = load_model(directory / "cells" / "magnitude-l1-swa" / "model.safetensors")
    test = read(directory / "data" / "test.npz")
    for reading, suffix in (("absolute", ""), ("squared", "_squared")):
        score = model.evaluate(test, (20, 60), reading=reading)
        for column in (
            "diverged",
            "diverged_low",
            "diverged_high",
            "rfmse",
            "rfmse_std",
            "rfmse_low",
            "rfmse_high",
        ):
            stored = pruned[column.replace("diverged", f"diverged{suffix}").replace("rfmse", f"rfmse{suffix}")]
            np.testing.assert_array_equal(stored, score[column], err_msg=column)


def test_a_cell_keeps_curves_history_and_facts(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    folder = directory / "cells" / "magnitude-l1"
    curves = np.load(folder / "curves.npz", allow_pickle=False)
    assert curves["time_index"][[0, -1]].tolist() == [0, 59]
    assert curves["error_mean"].shape == (20,)
    assert curves["error_quantiles"].shape == (3, 20)
    assert (np.diff(curves["error_quantiles"], axis=0) >= 0).all()
    assert curves["fan_states"].shape == (2, 2, 20, 2)
    assert curves["fan_states"].dtype == np.float32
    test = read(directory / "data" / "test.npz")
    np.testing.assert_array_equal(curves["truth"][1], test.states[1][curves["time_index"]])
    np.testing.assert_allclose(
        curves["fan_states"][:, :, 0], np.broadcast_to(curves["truth"][:, 0], (2, 2, 2)), rtol=1e-5
    )
    assert curves["reach"].shape == (2, 2, 3)
    facts = json.loads((folder / "cell.json").read_text())
    assert facts["nonzeros"] == [20, 20]
    assert facts["weights"] == 40
    assert facts["alive"] == [True, True]
    assert facts["sparsity"]["exact"] == [0.5, 0.5]
    assert [table["type"] for table in facts["spec"]["technique"]] == ["l1", "magnitude"]
    history = pd.read_parquet(folder / "history.parquet")
    assert {"step", "epoch", "member", "loss", "validation", "sparsity", "alive"} <= set(history.columns)
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    assert len(forecasts) == 2 * 4 * 2
    assert (forecasts["rfmse"].isna() == forecasts["diverged"]).all()


def test_settings_become_json():
    settings = {"hidden": (8, 8), "clip": float("inf"), "average": None, "technique": [{"at": (0.1,)}]}
    assert as_json(settings) == {"hidden": [8, 8], "clip": "inf", "average": None, "technique": [{"at": [0.1]}]}


def test_the_parts_of_the_data_are_drawn_with_different_seeds(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    data = {part: read(directory / "data" / f"{part}.npz") for part in PARTS}
    assert [len(data[part]) for part in PARTS] == [3, 1, 4]
    seeds = {part: data[part].attrs["seed"] for part in PARTS}
    assert seeds == {part: seed_of(3, part) for part in PARTS}
    assert len(set(seeds.values())) == 3
    starts = np.concatenate([[states[0] for states in data[part].states] for part in PARTS])
    assert len(np.unique(starts, axis=0)) == 8


def test_run_json_alone_holds_how_it_ran(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    run = json.loads((directory / "run.json").read_text())
    assert (run["name"], run["seed"], run["runs"]) == ("tiny", 3, 1)
    assert {"python", "sparsedyn", "jax"} <= set(run["versions"])
    assert run["data"]["train"]["redrawn"] == 0
    assert run["groups"]["group-01"]["cells"] == ["Dense", "Dense + SWA"]
    assert list(run["cells"]) == CELLS
    assert 0 < run["groups"]["group-01"]["seconds"] < run["seconds"]
    assert run["finished"] >= run["started"]
    assert "cpu" in run["device"]


def test_events_tell_what_happens(finished: tuple[Path, list[studies.Event]]):
    _, events = finished
    told = [type(event) for event in events if not isinstance(event, studies.GroupProgress)]
    group = [studies.GroupStarted, studies.CellFinished, studies.CellFinished]
    assert told == [
        studies.DataReady,
        studies.MemoryPlanned,
        *group,
        *group,
        studies.ReportStarted,
        studies.StudyFinished,
    ]
    progress = [event for event in events if isinstance(event, studies.GroupProgress)]
    assert [event.done for event in progress] == sorted(event.done for event in progress)
    assert progress[-1].done == progress[-1].total
    (last,) = [event for event in events if isinstance(event, studies.CellFinished) and event.number == 4]
    assert (last.label, last.cells, last.nonzeros, last.horizon) == ("Magnitude + L1 + SWA", 4, 20.0, 60)


@pytest.mark.usefixtures("no_report")
def test_running_a_finished_study_again_trains_nothing(
    finished: tuple[Path, list[studies.Event]], monkeypatch: pytest.MonkeyPatch
):
    directory, _ = finished

    def fail(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("finished cells are trained again")

    monkeypatch.setattr(units, "fit_together", fail)
    before, files = contents(directory, "*.parquet"), ("report.html", "run.json", "SHA256SUMS")
    pages = {name: (directory / name).read_bytes() for name in files}
    events: list[studies.Event] = []
    assert studies.run(studies.load(SPEC), directory, on_event=events.append) == directory / "report.html"
    assert studies.resume(directory) == studies.report(directory) == directory / "report.html"
    assert contents(directory, "*.parquet") == before
    assert [type(event) for event in events] == [
        studies.DataReady,
        studies.MemoryPlanned,
        studies.ReportStarted,
        studies.StudyFinished,
    ]
    for name, page in pages.items():
        (directory / name).write_bytes(page)


CHILD = """
import os, signal, sys
from sparsedyn import studies, training
from sparsedyn.studies import cell_files

spec, directory, moment = sys.argv[1:]
# A checkpoint at every pause of training, rather than every quarter of a minute.
training.Checkpoint.__new__.__defaults__ = (0.0,)
# What was written outlives a process that is killed, also where the disk has not said so.
os.fsync = lambda file: None
write_json, written = cell_files.write_json, []

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def watch(event):
    if isinstance(event, studies.GroupStarted):
        print("resumed" if event.resumed else "fresh")
    if isinstance(event, studies.GroupProgress):
        print(event.training.step, flush=True)
        if moment == "training" and event.training.step > 0.6 * event.training.steps:
            die()

def dying_write(path, content):
    written.append(path)
    if len(written) == 2:
        die()
    write_json(path, content)

if moment == "storing":
    cell_files.write_json = dying_write
studies.run(studies.load(spec), directory, on_event=watch)
"""


def killed(directory: Path, moment: str) -> list[str]:
    """Run the tiny study in a process that is killed at the given moment; return what it printed."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(SPEC), str(directory), moment],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    return child.stdout.split()


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_killed_twice_and_resumed_a_study_gives_the_same_bits(
    finished: tuple[Path, list[studies.Event]], tmp_path: Path
):
    whole, _ = finished
    directory = tmp_path / "killed"
    cells = directory / "cells"

    first = killed(directory, "training")
    assert first[0] == "fresh"
    assert (directory / "groups" / "group-01.safetensors").is_file()
    assert not cells.exists()

    second = killed(directory, "storing")
    assert second[0] == "resumed"
    assert int(second[1]) > 60, "training began again"
    assert (cells / "dense" / "cell.json").is_file()
    assert not (cells / "dense-swa").exists()
    assert [path.name for path in cells.glob(".dense-swa.*.tmp/model*")] == ["model.safetensors"]

    stored = (cells / "dense" / "cell.json").stat().st_mtime_ns
    events: list[studies.Event] = []
    studies.resume(directory, on_event=events.append)
    groups = [event for event in events if isinstance(event, studies.GroupStarted)]
    assert [group.resumed for group in groups] == [True, False]
    assert (cells / "dense" / "cell.json").stat().st_mtime_ns == stored, "a finished cell was written again"
    assert (directory / "results.parquet").read_bytes() == (whole / "results.parquet").read_bytes()
    assert contents(cells) == contents(whole / "cells")
    assert contents(directory / "groups") == {}
    assert json.loads((directory / "run.json").read_text())["runs"] == 3


@pytest.mark.usefixtures("no_report")
def test_ctrl_c_says_how_far_it_came_and_can_be_resumed(finished: tuple[Path, list[studies.Event]], tmp_path: Path):
    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.GroupStarted) and event.number == 2:
            raise KeyboardInterrupt

    directory = tmp_path / "stopped"
    with pytest.raises(studies.StudyInterrupted, match=r"2 of 4 cells.*sparsedyn study resume .*stopped"):
        studies.run(studies.load(SPEC), directory, on_event=stop)
    studies.report(directory)
    assert len(pd.read_parquet(directory / "results.parquet")) == 4
    studies.resume(directory)
    assert (directory / "results.parquet").read_bytes() == (finished[0] / "results.parquet").read_bytes()


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("cells/dense", r"1 of 4 are missing, the first is 'Dense'\. .*sparsedyn study resume "),
        ("cells/dense/model.safetensors", r"model\.safetensors is missing"),
        (".", r"the folder was removed or emptied during the run\. .*run the study again"),
    ],
)
def test_what_is_removed_under_way_is_an_error(
    gone: str, message: str, finished: tuple[Path, list[studies.Event]], tmp_path: Path
):
    directory = shutil.copytree(finished[0], tmp_path / "study")

    def remove(event: studies.Event) -> None:
        if isinstance(event, studies.ReportStarted):
            path = directory / gone
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    with pytest.raises(studies.StudyError, match=message):
        studies.resume(directory, on_event=remove)


REQUIRED = {"phases": 'technique = { type = "l1" }', "on": 'where = [0], technique = { type = "magnitude" }'}


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(
    "names",
    [["magnitude"], pytest.param([name for name in TECHNIQUES if name != "magnitude"], marks=pytest.mark.slow)],
    ids=["pruning", "all-others"],
)
def test_a_technique_left_at_its_defaults_goes_on_from_its_checkpoint(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # A checkpoint at every pause of training, rather than every quarter of a minute.
    monkeypatch.setattr(training.Checkpoint.__new__, "__defaults__", (0.0,))
    text = (
        TINY[: TINY.index("[[techniques]]")].replace('["none", "swa"]', '["none"]').replace("epochs = 12", "epochs = 4")
    )
    for name in names:
        more = f", {REQUIRED[name]}" if name in REQUIRED else ""
        text += f'[[techniques]]\nlabel = "{name}"\ntechnique = [{{ type = "{name}"{more} }}]\n'
    stopped: set[int] = set()

    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.GroupStarted):
            assert event.resumed == (event.number in stopped)
        if isinstance(event, studies.GroupProgress) and event.number not in stopped:
            if event.training.step > 0.5 * event.training.steps:
                stopped.add(event.number)
                raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted):
        studies.run(parse(text, "a.toml"), tmp_path, on_event=stop)
    for _ in range(len(names)):
        try:
            studies.resume(tmp_path, on_event=stop)
        except studies.StudyInterrupted:
            continue
    assert set(pd.read_parquet(tmp_path / "results.parquet")["cell"]) == set(names)


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_groups_that_are_divided_for_memory_give_the_same_bits(
    finished: tuple[Path, list[studies.Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SPARSEDYN_MEMORY", "1 MB")
    studies.run(studies.load(SPEC), tmp_path)
    assert len(json.loads((tmp_path / "run.json").read_text())["groups"]) == len(CELLS)
    assert contents(tmp_path / "cells") == contents(finished[0] / "cells")


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_training_set_sizes_are_run_each(tmp_path: Path):
    text = TINY[: TINY.rindex("[[techniques]]")].replace("train = 3", "train = [2, 3]")
    studies.run(parse(text, "sizes.toml"), tmp_path, seed=5)
    results = pd.read_parquet(tmp_path / "results.parquet")
    assert results["train_trajectories"].tolist() == [2, 2, 3, 3, 2, 2, 3, 3]
    assert results.groupby("train_trajectories")["rfmse"].first().nunique() == 2
    assert studies.load(tmp_path / "study.toml").seed == 5
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == [
        "dense-2-trajectories",
        "dense-3-trajectories",
        "dense-swa-2-trajectories",
        "dense-swa-3-trajectories",
    ]


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "another study": (
        lambda d: studies.run(parse(TINY.replace("epochs = 12", "epochs = 13"), "x"), d),
        r"another one, which differs in training.epochs \(12 there, 13 here\).*study resume",
    ),
    "another seed": (lambda d: studies.run(studies.load(SPEC), d, seed=4), r"seed \(3 there, 4 here\)"),
    "foreign files": (
        lambda d: studies.run(studies.load(SPEC), d / "cells"),
        r"other files \(dense, dense-swa",
    ),
    "a file": (
        lambda d: studies.run(studies.load(SPEC), d / "run.json"),
        "this is a file. Choose another path",
    ),
    "resume of no study": (lambda d: studies.resume(d / "cells"), "no study.toml in it"),
    "report of no study": (lambda d: studies.report(d / "missing"), "no study.toml in it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_directory_is_refused_for(case: str, finished: tuple[Path, list[studies.Event]]):
    act, message = REFUSED[case]
    before = contents(finished[0])
    with pytest.raises(studies.StudyError, match=message):
        act(finished[0])
    assert contents(finished[0]) == before


def test_a_directory_is_run_by_one_process_at_a_time(tmp_path: Path):
    store = Store(tmp_path)
    claim(store, studies.load(SPEC), FILES)
    with store.lock(), pytest.raises(studies.StudyError, match="another process is running this study"):
        studies.resume(tmp_path)


def test_the_spec_of_a_running_study_stays(tmp_path: Path):
    store = Store(tmp_path)
    claim(store, studies.load(SPEC), FILES)
    before = store.spec_file.read_bytes()
    other = parse(TINY.replace("Dense against pruned", "Another title"), "x")
    with store.lock(), pytest.raises(studies.StudyError, match="another process is running this study"):
        studies.run(other, tmp_path)
    assert store.spec_file.read_bytes() == before


def test_a_path_below_a_file_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(studies.StudyError, match="it lies below a file"):
        studies.run(studies.load(SPEC), tmp_path / "file" / "out")


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("forecasts.parquet", None),
        ("curves.npz", None),
        ("history.parquet", None),
        ("model.safetensors", None),
        ("forecasts.parquet", b"cut"),
        ("curves.npz", b"PK"),
        ("cell.json", b"{"),
    ],
)
def test_what_a_finished_cell_has_lost_is_named_and_can_be_made_again(
    name: str, damage: bytes | None, finished: tuple[Path, list[studies.Event]], tmp_path: Path
):
    directory = shutil.copytree(finished[0], tmp_path / "study")
    folder = directory / "cells" / "dense"
    (folder / name).unlink() if damage is None else (folder / name).write_bytes(damage)
    why = "is missing" if damage is None else "has changed since it was written"
    if name == "curves.npz":
        # As an earlier version wrote it, without checksums.
        (folder / "SHA256SUMS").unlink()
        why = "is missing" if damage is None else "cannot be read"
    fix = f"Remove the folder cells/dense, then run: sparsedyn study resume {directory}"
    for act in (studies.resume, studies.report):
        with pytest.raises(studies.StudyError) as caught:
            act(directory)
        message = str(caught.value)
        assert message.startswith(f"{folder}: ")
        assert f"{name} {why}" in message
        assert message.endswith(fix)
        assert "\n" not in message
    # Nothing but the folder needs to go; one training shows it for all.
    if damage == b"cut":
        shutil.rmtree(folder)
        studies.resume(directory)
        assert contents(directory / "cells") == contents(finished[0] / "cells")
        assert contents(directory, "*.parquet") == contents(finished[0], "*.parquet")


def test_nothing_to_report_on(tmp_path: Path):
    claim(Store(tmp_path), studies.load(SPEC), FILES)
    with pytest.raises(studies.StudyError, match="at least one finished cell"):
        studies.report(tmp_path)


def test_what_a_killed_start_leaves_behind_is_no_foreign_file(tmp_path: Path):
    (tmp_path / ".study.toml.tmp").write_text("cut sho")
    (tmp_path / ".lock").touch()
    claim(Store(tmp_path), studies.load(SPEC), FILES)
    assert studies.load(tmp_path / "study.toml").name == "tiny"


def recorded(count: int, rows: int = 70, dt: float = 0.2) -> Trajectories:
    rng = np.random.default_rng(0)
    return Trajectories(rng.normal(size=(count, rows, 2)), rng.normal(size=(count, rows, 1)), dt=dt)


def from_files(folder: Path, data: str) -> studies.StudySpec:
    text = TINY.replace('system = "lotka-volterra"', data).replace("steps = 60\ndt = 0.2\n", "")
    (folder / "study.toml").write_text(text)
    return studies.load(folder / "study.toml")


def test_data_from_files_is_gathered_split_by_trajectory_and_kept(tmp_path: Path):
    for name in ("a.csv", "b.npz"):
        write(recorded(4), tmp_path / name)
    spec = from_files(tmp_path, 'files = ["a.csv", "b.npz"]')
    store = Store(tmp_path / "out")
    data = prepare(spec, store)
    labels = [label for part in PARTS for label in data[part].labels]
    assert len(set(labels)) == 8
    assert {label.partition(":")[0] for label in labels} == {"1", "2"}
    (tmp_path / "a.csv").unlink()
    again = prepare(spec, store)
    np.testing.assert_array_equal(again["test"].states, data["test"].states)


def test_data_files_that_do_not_serve(tmp_path: Path):
    write(recorded(4), tmp_path / "a.csv")
    write(recorded(4, dt=0.3), tmp_path / "b.csv")
    write(recorded(8, rows=40), tmp_path / "c.csv")
    for files, error, message in (
        ('["a.csv"]', studies.StudyError, "at least 8 trajectories .* the files hold 4"),
        ('["a.csv", "b.csv"]', DataError, r"b\.csv: expected the dt of .*a\.csv, 0.2; got 0.3"),
        ('["c.csv"]', studies.StudyError, "at most the 40 rows of the longest test trajectory; got 60"),
        ('["d.csv"]', DataError, r"d\.csv"),
    ):
        with pytest.raises(error, match=message):
            prepare(from_files(tmp_path, f"files = {files}"), Store(tmp_path / files[2]))


def test_files_and_folders_appear_whole_or_not_at_all(tmp_path: Path):
    file, folder = tmp_path / "deep" / "file", tmp_path / "folder"
    with replacing(file) as temporary:
        temporary.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(file) as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise ZeroDivisionError
    assert file.read_text() == "old"
    with pytest.raises(ZeroDivisionError), appearing(folder) as temporary:  # noqa: PT012
        (temporary / "a").write_text("half")
        raise ZeroDivisionError
    assert not folder.exists()
    with appearing(folder) as temporary:
        (temporary / "b").write_text("whole")
    assert sorted(os.listdir(folder)) == ["SHA256SUMS", "b"]


def test_every_changed_file_is_named_and_no_resume_takes_it(
    finished: tuple[Path, list[studies.Event]], tmp_path: Path
) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    whole = studies.verify(directory)
    # Five files a cell; train, validation, test; and results, report, spec and record.
    assert (whole.files, whole.faults, whole.unknown) == (5 * len(CELLS) + 3 + 4, [], [])
    for name in ("model.safetensors", "cell.json", "history.parquet"):
        path = directory / "cells" / CELLS[1] / name
        content = path.read_bytes()
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        assert [file for file, _ in studies.verify(directory).faults] == [path]
        with pytest.raises(studies.StudyError, match=f"{name} has changed since it was written.*study resume"):
            studies.resume(directory)
        path.write_bytes(content)
    (directory / "results.parquet").unlink()
    assert [why for _, why in studies.verify(directory).faults] == ["is missing"]


def test_data_that_changed_are_refused(finished: tuple[Path, list[studies.Event]], tmp_path: Path) -> None:
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    shutil.rmtree(directory / "cells" / CELLS[0])
    test = read(directory / "data" / "test.npz")
    write(test.head(test.lengths[0] - 1), directory / "data" / "test.npz")
    with pytest.raises(studies.StudyError, match=r"test.npz: expected the data of the study; this file has changed"):
        studies.resume(directory)
    shutil.rmtree(directory / "cells")
    (directory / "data" / "SHA256SUMS").unlink()
    assert studies.verify(directory).unknown == [directory / "data"]
