"""Bands on the command line: calibrated with a fit, kept in the file, shown with forecasts."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import Trajectories, load
from sparsedyn.cli.calibration import blocks
from sparsedyn.data import DataError

from .conftest import QUICK

COLUMNS = ("--states", "a,b", "--inputs", "c", "--time", "t", "--trajectory", "id")


def still(trajectories: int, rows: int) -> Trajectories:
    return Trajectories(np.random.default_rng(0).normal(size=(trajectories, rows, 1)), dt=1.0)


def test_a_fit_calibrates_on_what_is_held_out_and_a_forecast_shows_it(run, table: Path, tmp_path: Path):
    path = tmp_path / "model.safetensors"
    result = run("fit", table, *COLUMNS, "-o", path, *QUICK, "--calibrate", "--coverage", 0.8, "--json")
    assert result.exit_code == 0, result.stderr
    # One trajectory of 60 rows is held out, and cut into the 4 that 80 % need.
    assert json.loads(result.stdout)["bands"] == {"coverage": 0.8, "trajectories": 4, "rows": 15, "cut": True}
    assert "4 trajectories, cut from fewer; they reach 15 rows" in result.stderr
    assert load(path).calibration_.coverage == 0.8
    result = run("forecast", path, table, "--horizons", "10,60", "--json", "-o", tmp_path / "pictures")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert (facts["bands"]["coverage"], facts["bands"]["horizon"], facts["bands"]["rows"]) == (0.8, [10], 15)
    assert [len(rows) for rows in facts["trust"].values()] == [60] * 6
    assert "covered" not in facts
    written = pd.read_csv(tmp_path / "pictures" / "bands.csv")
    assert len(written) == 6 * 60 * 2
    assert written["lower"].notna().sum() == 6 * 15 * 2
    shown = run("forecast", path, table, "--horizons", "10,60").stdout
    assert "Bands calibrated for 80 % of recorded values, up to row 15" in shown


def test_blocks_are_as_long_as_they_can_be():
    assert len(blocks(still(12, 20), 0.9)) == 12
    parts = blocks(still(2, 103), 0.9)
    assert (len(parts), set(parts.lengths)) == (10, {20})
    with pytest.raises(DataError, match="90 % need 9 trajectories, or blocks of at least 10 rows"):
        blocks(still(2, 30), 0.9)
    with pytest.raises(DataError, match="too short"):
        blocks(None, 0.9)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [(("--hold-out", 0), 2, "--hold-out 0"), (("--coverage", 2), 2, "--coverage"), ((), 3, "Hold out more")],
)
def test_what_cannot_be_calibrated_is_said_before_training(run, table: Path, tmp_path: Path, options, code, words):
    result = run("fit", table, *COLUMNS, "-o", tmp_path / "new", *QUICK, "--calibrate", *options)
    assert result.exit_code == code
    assert words in result.stderr
    assert not (tmp_path / "new").exists()
