"""`sparsedyn simulate`."""

import json

import numpy as np
import pytest

from sparsedyn.data import read


@pytest.mark.parametrize("suffix", ["csv", "parquet", "nc", "npz"])
def test_writes_every_format(run, tmp_path, suffix):
    path = tmp_path / f"prey.{suffix}"
    result = run("simulate", "lotka-volterra", "-o", path, "--trajectories", 2, "--steps", 20, "--seed", 3)
    assert result.exit_code == 0
    assert "prey, predators" in result.stdout
    data = read(path)
    assert (len(data), data.lengths, data.state_names) == (2, (20, 20), ("prey", "predators"))
    assert data.attrs["seed"] == 3


def test_json_is_all_there_is_on_standard_output(run, tmp_path):
    path = tmp_path / "x.npz"
    result = run("simulate", "lorenz63", "-o", path, "--trajectories", 1, "--steps", 5, "--dt", 0.02, "--json")
    facts = json.loads(result.stdout)
    assert facts["file"] == str(path)
    assert (facts["trajectories"], facts["steps"], facts["dt"], facts["redrawn"]) == (1, 5, 0.02, 0)
    assert facts["inputs"] == []


def test_the_same_seed_gives_the_same_bits(run, tmp_path):
    for name in ("a", "b"):
        run("simulate", "duffing", "-o", tmp_path / f"{name}.npz", "--trajectories", 2, "--steps", 20)
    a, b = read(tmp_path / "a.npz"), read(tmp_path / "b.npz")
    assert np.array_equal(a.states, b.states)


@pytest.mark.slow
def test_an_existing_file_is_replaced_only_when_forced(run, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("mine")
    args = ("simulate", "lotka-volterra", "-o", path, "--trajectories", 1, "--steps", 5)
    refused = run(*args)
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert path.read_text() == "mine"
    assert run(*args, "--force").exit_code == 0
    assert len(read(path)) == 1


def test_quiet_says_nothing_on_standard_error(run, tmp_path):
    args = ("simulate", "lotka-volterra", "--trajectories", 1, "--steps", 5)
    assert run(*args, "-o", tmp_path / "a.csv").stderr
    assert not run(*args, "-o", tmp_path / "b.csv", "--quiet").stderr
