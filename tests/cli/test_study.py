"""`sparsedyn study`: list, show, run, resume, report on a study of seconds."""

import json
import shutil
import sys

import pandas as pd
import pytest
from rich.progress import Progress

from sparsedyn import executors, studies, tracking
from sparsedyn.cli.study_progress import StudyBars, StudyLines, words
from sparsedyn.executors import Local
from sparsedyn.training import Progress as TrainingProgress


def test_list(run):
    assert "aluminum-quick" in run("study", "list").stdout
    assert "aluminum-quick" in json.loads(run("study", "list", "--json").stdout)


def test_show_prints_a_study_that_can_be_run(run, spec):
    result = run("study", "show", "aluminum-quick")
    assert result.exit_code == 0
    copy = spec.with_name("copy.toml")
    copy.write_text(result.stdout)
    assert studies.load(copy) == studies.load("aluminum-quick")
    assert "# 2 cells of 4 networks, 1 computation:" in run("study", "show", spec).stdout
    assert json.loads(run("study", "show", spec, "--json").stdout)["cells"] == ["Dense", "L1"]


@pytest.mark.slow
def test_run_leaves_results_and_a_report(finished):
    folder, result = finished
    assert (folder / "report.html").is_file()
    assert set(pd.read_parquet(folder / "results.parquet")["cell"]) == {"Dense", "L1"}
    assert str(folder / "report.html") in result.stdout.replace("\n", "")
    assert "Forecasts of 30 steps" in result.stdout
    assert "Data ready" in result.stderr
    assert "2 of 2 finished: L1" in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("dotted_reports")
def test_run_again_goes_on_with_what_is_there(run, spec, finished):
    folder, _ = finished
    before = (folder / "results.parquet").read_bytes()
    again = json.loads(run("study", "run", spec, "-o", folder, "--quiet", "--json").stdout)
    assert [row["cell"] for row in again["results"]] == ["Dense", "Dense", "L1", "L1"]
    assert again["report"] == str(folder / "report.html")
    assert (folder / "results.parquet").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("command", ["resume", "report"])
def test_resume_and_report_end_with_the_results(run, finished, monkeypatch, command):
    folder, _ = finished
    asked = []

    def pretend(directory, **options):
        asked.append(directory)
        return directory / "report.html"

    monkeypatch.setattr(studies, command, pretend)
    result = run("study", command, folder)
    assert result.exit_code == 0
    assert asked == [folder]
    assert "Forecasts of 30 steps" in result.stdout
    assert "Report:" in result.stdout


@pytest.mark.slow
def test_a_report_is_silent_where_asked(run, finished, monkeypatch):
    folder, _ = finished
    monkeypatch.setattr(studies, "report", lambda directory: directory / "report.html")
    assert "Drawing the report" in run("study", "report", folder).stderr
    assert run("study", "report", folder, "-q").stderr == ""


def test_by_default_it_runs_in_a_folder_of_its_name(run, spec, tmp_path, monkeypatch):
    seen = {}

    def pretend(spec, directory, **options):
        seen.update(directory=str(directory), **options)
        raise studies.StudyInterrupted("Stopped with 0 of 2 cells finished.")

    monkeypatch.setattr(studies, "run", pretend)
    monkeypatch.chdir(tmp_path)
    result = run("study", "run", spec, "--members", 3, "--seed", 7)
    assert result.exit_code == 130
    assert "0 of 2 cells" in result.stderr
    assert (seen["directory"], seen["members"], seen["seed"]) == ("tiny", 3, 7)


def test_a_part_is_run_and_collected_by_name(run, spec, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(studies, "run", lambda spec, directory, **options: seen.append(options["shard"]) or directory)
    assert "sparsedyn study collect" in run("study", "run", spec, "-o", tmp_path / "out", "--shard", "2/4").stderr
    assert seen == [(2, 4)]
    assert run("study", "run", spec, "--shard", "5/4").exit_code == 4
    nothing = run("study", "collect", tmp_path)
    assert nothing.exit_code == 4
    assert "expected the parts of a study" in nothing.stderr


def test_workers_of_a_cluster_are_asked_for_by_its_address(run, spec, tmp_path, monkeypatch):
    asked, seen = [], []

    class Cluster(Local):
        def __init__(self, address):
            asked.append(address)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            asked.append("closed")

    def pretend(spec, directory, **options):
        seen.append(options["executor"])
        raise studies.StudyInterrupted("Stopped.")

    monkeypatch.setattr(executors, "Ray", Cluster)
    monkeypatch.setattr(studies, "run", pretend)
    result = run("study", "run", spec, "-o", tmp_path / "out", "--ray", "auto")
    assert "Ray at auto: 1 worker." in result.stderr
    assert asked == ["auto", "closed"]
    assert isinstance(seen[0], Cluster)
    both = run("study", "run", spec, "--ray", "auto", "--shard", "1/2")
    assert both.exit_code == 2
    assert "--shard, --ray: expected one of them" in both.stderr


def test_without_ray_its_option_says_how_to_have_it(run, spec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    result = run("study", "run", spec, "-o", tmp_path / "out", "--ray", "auto")
    assert result.exit_code == 2
    assert 'pip install "sparsedyn[ray]"' in " ".join(result.stderr.split())


def test_a_tracking_service_is_asked_for_by_its_name(run, spec, tmp_path, monkeypatch):
    seen = []

    def pretend(spec, directory, **options):
        seen.append(options["tracker"])
        raise studies.StudyInterrupted("Stopped.")

    monkeypatch.setattr(studies, "run", pretend)
    monkeypatch.setattr(tracking, "MLflow", lambda uri: ("mlflow", uri))
    for text in ("mlflow", "mlflow:http://host:5000"):
        run("study", "run", spec, "-o", tmp_path / "out", "--track", text)
    assert seen == [("mlflow", None), ("mlflow", "http://host:5000")]
    assert "expected mlflow, or mlflow:URI" in run("study", "run", spec, "--track", "wandb").stderr
    assert run("study", "run", spec, "--track", "mlflow", "--shard", "1/2").exit_code == 2

    def unable(uri):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(tracking, "MLflow", unable)
    assert "runs cannot be kept there (nobody there)" in run("study", "run", spec, "--track", "mlflow").stderr


@pytest.mark.slow
def test_another_study_in_the_folder_is_refused(run, spec, finished):
    folder, _ = finished
    result = run("study", "run", spec, "-o", folder, "--seed", 5)
    assert result.exit_code == 4
    assert "seed" in result.stderr


def progress(step: int) -> studies.GroupProgress:
    return studies.GroupProgress(1, 2, TrainingProgress(step, 100, 0.5, 0.25, 0.75, 3, 4), step, 400)


def test_events_read_well():
    assert "1 drawn again" in words(studies.DataReady(2, 1, 2, 1, 3.0))
    assert "resumes from its checkpoint" in words(studies.GroupStarted(1, 2, ("Dense", "L1"), 4, True))
    cell = words(studies.CellFinished("L1", 1, 2, 10.0, 40, 30, 0.25, float("nan")))
    assert "10 of 40 weights" in cell
    assert "25 %" in cell
    assert "Lost the worker of L1 (time 2)" in words(studies.WorkerLost(("L1",), 2))


def test_parts_that_are_computed_at_once_have_a_bar_each():
    with Progress() as bars:
        shown = StudyBars("tiny", bars)
        for event in (
            studies.CellStarted("a", 1, 3),
            studies.CellProgress("a", 1, 3, 0.5, "half", 0.5),
            studies.CellStarted("b", 2, 3),
            studies.CellProgress("b", 2, 3, 0.25, "a quarter", 0.75),
        ):
            shown.event(event)
        assert [(task.description, task.completed) for task in bars.tasks] == [("tiny", 0.75), ("a", 0.5), ("b", 0.25)]
        shown.event(studies.CellProgress("a", 1, 3, 1.0, "", 1.25))
        shown.event(studies.CellStarted("c", 3, 3))
        assert [task.description for task in bars.tasks] == ["tiny", "b", "c"]


def test_training_of_a_group_is_told_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("sparsedyn.cli.progress.time.monotonic", lambda: now[0])
    lines = StudyLines("tiny")
    for step in (0, 50, 100):
        now[0] = 0.4 * step
        lines.event(progress(step))
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "50" in line or "25 %" in line]
    assert "group 1 of 2" in line
    assert "3/4 alive" in line
    assert "left" in line


@pytest.mark.slow
def test_verify_says_what_was_changed(run, finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0], folder)
    assert "files are as they were written" in run("study", "verify", folder).stdout
    (folder / "cells" / "l1" / "curves.npz").write_bytes(b"other")
    result = run("study", "verify", folder)
    assert result.exit_code == 4
    assert "curves.npz has changed since it was written" in result.stderr
    found = json.loads(run("study", "verify", folder, "--json").stdout)
    assert [fault["file"].rpartition("/")[2] for fault in found["faults"]] == ["curves.npz"]
