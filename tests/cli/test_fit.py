"""`sparsedyn fit`: what is held out, what is written, how an interrupted run goes on."""

import json
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from sparsedyn.cli import fit as command
from sparsedyn.cli.held_out import hold_out
from sparsedyn.cli.progress import Lines, duration
from sparsedyn.data import Trajectories
from sparsedyn.estimators import load
from sparsedyn.training import Progress

from .conftest import QUICK


def test_json_tells_what_was_done(run, table, tmp_path):
    path = tmp_path / "m.safetensors"
    columns = ("--states", "a,b", "--inputs", "c", "--time", "t", "--trajectory", "id")
    result = run("fit", table, *columns, "-o", path, *QUICK, "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert facts["states"] == ["a", "b"]
    assert facts["held_out"]["kind"] == "trajectories"
    assert facts["trajectories"] + len(facts["held_out"]["labels"]) == 6
    assert (facts["members"], facts["epochs"], facts["alive"]) == (2, 2, 2)
    assert facts["nonzeros"] == np.mean(facts["nonzeros_per_member"]) < facts["weights"]
    assert facts["sparsity"]["exact"] == pytest.approx(0.75, abs=0.05)
    assert load(path).nonzeros_.tolist() == facts["nonzeros_per_member"]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_table_shows_nonzeros_and_what_is_held_out(run, prey, tmp_path):
    result = run("fit", prey, "-o", tmp_path / "m.safetensors", *QUICK)
    assert "held out for validation" in result.stderr
    assert "nonzeros" in result.stdout
    assert "2 alive" in result.stdout


@pytest.mark.slow
def test_dense_and_other_techniques(run, prey, tmp_path):
    dense = run("fit", prey, "-o", tmp_path / "d", *QUICK, "--technique", "none", "--json")
    facts = json.loads(dense.stdout)
    assert facts["nonzeros"] == facts["weights"]
    options = ("--technique", "l2:1e-5", "--technique", "magnitude:sparsity=0.5,scope=global", "--skip")
    half = json.loads(run("fit", prey, "-o", tmp_path / "h", *QUICK, *options, "--json").stdout)
    assert half["nonzeros"] == half["weights"] / 2


@pytest.mark.slow
def test_a_validation_file_leaves_all_of_the_data_for_training(run, prey, tmp_path):
    args = ("fit", prey, "--validation", prey, "-o", tmp_path / "m", *QUICK, "--only", "0..3", "--rollout", "3")
    facts = json.loads(run(*args, "--json").stdout)
    assert facts["trajectories"] == 4
    assert load(tmp_path / "m").rollout == 3
    assert facts["held_out"] == {"kind": "file", "file": str(prey)}


def plain(lengths: list[int]) -> Trajectories:
    rng = np.random.default_rng(0)
    return Trajectories([rng.normal(size=(n, 2)) for n in lengths], dt=0.1, state_units=["kg", "m"])


def test_few_trajectories_lose_their_ends():
    parts = hold_out(plain([50, 100]), 0.2, seed=0)
    assert parts.train.lengths == (40, 80)
    assert parts.validation is not None
    assert parts.validation.lengths == (10, 20)
    assert parts.train.state_units == ("kg", "m")
    assert np.array_equal(parts.validation.states[1], plain([50, 100]).states[1][80:])
    assert "last 20 %" in parts.words


def test_many_trajectories_stay_whole():
    parts = hold_out(plain([20] * 10), 0.2, seed=0)
    assert parts.validation is not None
    assert (len(parts.train), len(parts.validation)) == (8, 2)
    assert not set(parts.train.labels) & set(parts.validation.labels)


@pytest.mark.parametrize(("lengths", "share"), [([50, 50], 0.0), ([9, 50], 0.2)])
def test_nothing_is_held_out_where_that_is_asked_or_impossible(lengths, share):
    parts = hold_out(plain(lengths), share, seed=0)
    assert parts.validation is None
    assert parts.train.lengths == tuple(lengths)


def test_few_data_are_gone_through_more_often():
    many, few = plain([4000] * 20), plain([300])
    assert command.enough_epochs(many, 128) == command.EPOCHS
    per_epoch = 299 // 128
    assert command.enough_epochs(few, 128) == min(command.STEPS // per_epoch, command.MAX_EPOCHS)


@contextmanager
def stops_halfway(title, *, quiet):
    def stop(progress: Progress) -> None:
        if progress.step > progress.steps / 2:
            raise KeyboardInterrupt

    yield stop


def test_an_interrupted_run_goes_on_to_the_same_bits(run, prey, tmp_path, monkeypatch):
    args = ("fit", prey, *QUICK[:-4], "--epochs", 6, "--batch", 32)
    whole, path = tmp_path / "whole" / "m", tmp_path / "m"
    whole.parent.mkdir()
    assert run(*args, "-o", whole).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(command, "training_progress", stops_halfway)
        stopped = run(*args, "-o", path)
    assert stopped.exit_code == 130
    assert "continues where it stopped" in stopped.stderr
    assert not path.exists()
    again = run(*args, "-o", path)
    assert again.exit_code == 0
    assert "Continuing from" in again.stderr
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m", "whole"]


def test_a_checkpoint_of_other_options_is_not_announced(run, prey, tmp_path, monkeypatch):
    args = ("fit", prey, "-o", tmp_path / "m", *QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(command, "training_progress", stops_halfway)
        assert run(*args).exit_code == 130
    refused = run(*args, "--seed", 1)
    assert refused.exit_code == 3
    assert "Continuing" not in refused.stderr
    assert "of another one (other data, options or seed). Start over with --restart" in refused.stderr


def test_a_checkpoint_of_another_run_is_refused_or_dropped(run, prey, tmp_path):
    path = tmp_path / "m"
    stale = command.checkpoint_path(path)
    stale.write_bytes(b"not a checkpoint")
    refused = run("fit", prey, "-o", path, *QUICK)
    assert refused.exit_code == 3
    assert "checkpoint" in refused.stderr
    assert "Continuing" not in refused.stderr
    assert "--restart" in refused.stderr
    assert not path.exists()
    assert run("fit", prey, "-o", path, *QUICK, "--restart").exit_code == 0
    assert not stale.exists()


def test_lines_come_now_and_then(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("sparsedyn.cli.progress.time.monotonic", lambda: now[0])
    lines = Lines("training")
    for step in range(0, 101, 10):
        now[0] = 0.6 * step
        lines.training(Progress(step, 100, 0.5, 0.25, 0.75, 2, 2))
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "loss 0.5" in told[0]
    assert "validation 0.25" in told[0]
    assert "zeros 75 %" in told[0]
    assert "2/2 alive" in told[0]
    assert "left" in told[0]


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (60.0, "1 min 0 s"), (125.0, "2 min 5 s"), (4200.0, "1 h 10 min")]
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_a_folder_beyond_the_budget_is_streamed(run, tmp_path, monkeypatch):
    rows = np.arange(6000)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(6000, 3)), columns=["a", "b", "c"])
    frame = frame.assign(id=rows // 3000, t=0.1 * (rows % 3000))
    (tmp_path / "logs").mkdir()
    for number, part in frame.groupby(rows // 1000):
        part.to_parquet(tmp_path / "logs" / f"{number}.parquet")
    columns = ("--states", "a,b", "--inputs", "c", "--time", "t", "--trajectory", "id")
    fit = ("fit", tmp_path / "logs", *columns, *QUICK, "--epochs", "1", "--hold-out", "0", "--force")
    assert run(*fit, "-o", tmp_path / "whole.safetensors").exit_code == 0
    monkeypatch.setenv("SPARSEDYN_MEMORY", "150 kB")
    refused = run(*fit, "-o", tmp_path / "m.safetensors")
    assert refused.exit_code != 0
    assert "with --stream FOLDER" in " ".join(refused.stderr.split())
    streamed = run(*fit, "-o", tmp_path / "m.safetensors", "--stream", tmp_path / "arrays")
    assert streamed.exit_code == 0, streamed.stderr
    assert "8 bytes each" in streamed.stderr
    whole, found = load(tmp_path / "whole.safetensors"), load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(found.models_.weights[0], whole.models_.weights[0])
    constant = run(*fit, "--inputs", "c,p=2", "-o", tmp_path / "m.safetensors", "--stream", tmp_path / "arrays")
    assert "--inputs: expected columns alone along with --stream" in constant.stderr
