"""`sparsedyn forecast`: scores as JSON and as a table, columns remembered, pictures."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sparsedyn.cli.output import jsonable, show_table
from sparsedyn.data import Trajectories, read, write
from sparsedyn.estimators import load

from .conftest import QUICK


def test_json_has_the_promised_shape(run, model, table):
    # The columns were said when the model was fitted; nobody has to repeat them.
    result = run("forecast", model, table, "--horizons", "10,60", "--json")
    assert result.exit_code == 0, result.stderr
    facts = json.loads(result.stdout)
    assert list(facts)[:4] == ["horizons", "diverged", "rfmse", "nonzeros"]
    assert facts["horizons"] == [10, 60]
    assert all(0 <= share <= 1 for share in facts["diverged"])
    assert len(facts["rfmse"]) == 2
    stepper = load(model)
    assert facts["nonzeros"] == stepper.nonzeros_.mean()
    assert facts["nonzeros_per_member"] == stepper.nonzeros_.tolist()
    assert facts["forecasts"] == [12, 12]


def test_json_agrees_with_the_estimator(run, model, table):
    facts = json.loads(run("forecast", model, table, "--horizons", "30", "--json").stdout)
    data = read(table, states="a,b", inputs="c", time="t", trajectory="id")
    expected = load(model).evaluate(data, (30,))
    assert facts["diverged"] == expected["diverged"].tolist()
    assert facts["rfmse"] == pytest.approx(expected["rfmse"].tolist())


def test_what_is_not_a_number_becomes_null():
    assert jsonable({"a": np.array([1.0, np.nan, np.inf]), 2: (np.float64("nan"), "x", None)}) == {
        "a": [1.0, None, None],
        "2": [None, "x", None],
    }


def test_the_table_reads_well(run, model, table):
    result = run("forecast", model, table, "--horizons", "10,60")
    assert "diverged" in result.stdout
    assert "RFMSE" in result.stdout
    assert "2 members" in result.stdout


def test_a_narrow_table_is_written_row_by_row(capsys, monkeypatch):
    rows = [("100", "0.0656", "0.046 to 0.088"), ("1,000", "0.0947", "")]
    show_table(("horizon", "RFMSE", "95 %"), rows, title="3 members")
    assert "horizon    RFMSE" in capsys.readouterr().out
    monkeypatch.setattr("sparsedyn.cli.output.PIPE_WIDTH", 32)
    show_table(("horizon", "RFMSE", "95 %"), rows, title="3 members")
    assert "horizon    RFMSE        95 %" in capsys.readouterr().out
    monkeypatch.setattr("sparsedyn.cli.output.PIPE_WIDTH", 20)
    show_table(("horizon", "RFMSE", "95 %"), rows, title="3 members")
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        ["3", "members"], ["horizon", "100"], ["RFMSE", "0.0656"], ["95", "%", "0.046", "to"], ["0.088"],
        ["horizon", "1,000"], ["RFMSE", "0.0947"],
    ]  # fmt: skip


def test_the_time_of_a_horizon_ends_at_its_last_row(run, model, table):
    shown = run("forecast", model, table, "--horizons", "2,60").stdout
    times = [line.split()[1] for line in shown.splitlines() if " s " in line]
    last = pd.read_csv(table).groupby("id")["t"].max().max()
    assert [float(time) for time in times] == pytest.approx([last / 59, last])


def test_horizons_by_default_fit_the_data(run, model, table):
    facts = json.loads(run("forecast", model, table, "--json").stdout)
    assert facts["horizons"] == [60]


def test_only_some_trajectories(run, model, table):
    facts = json.loads(run("forecast", model, table, "--only", "1,3..4", "--json").stdout)
    assert facts["trajectories"] == ["1", "3", "4"]


def test_columns_of_other_names_and_a_file_of_one_trajectory(run, model, table, tmp_path):
    frame = pd.read_csv(table)
    one = frame[frame["id"] == 2].rename(columns={"a": "hares", "b": "lynxes"}).drop(columns="id")
    path = tmp_path / "one.csv"
    one.to_csv(path, index=False)
    args = ("forecast", model, path, "--json")
    facts = json.loads(run(*args, "--states", "hares,lynxes", "--trajectory", "").stdout)
    expected = json.loads(run("forecast", model, table, "--only", "2", "--json").stdout)
    assert facts["rfmse"] == pytest.approx(expected["rfmse"])
    untold = run(*args)
    assert untold.exit_code == 3
    assert "no column" in untold.stderr
    assert "--states a,b" in untold.stderr


def test_columns_in_another_order_are_taken_by_name(run, model, table):
    args = ("forecast", model, table, "--json")
    swapped = run(*args, "--states", "b,a")
    assert json.loads(swapped.stdout)["rmse"] == json.loads(run(*args).stdout)["rmse"]
    assert "in the order of the model: --states a,b --inputs c" in swapped.stderr
    assert run(*args, "--states", "b,a", "--quiet").stderr == ""


@pytest.mark.parametrize("columns", [("--states", "b,t2"), ("--states", "c,b", "--inputs", "t2")])
def test_a_column_in_the_place_of_another_is_refused(run, model, table, tmp_path, columns):
    path = tmp_path / "more.csv"
    pd.read_csv(table).assign(t2=1.0).to_csv(path, index=False)
    refused = run("forecast", model, path, *columns)
    assert refused.exit_code == 3
    assert "got one of them where the model has 'a'" in refused.stderr
    assert "--states a,b --inputs c" in refused.stderr


def test_dt_takes_the_place_of_the_time_column(run, model, table, tmp_path):
    path = tmp_path / "no-time.csv"
    pd.read_csv(table).drop(columns="t").to_csv(path, index=False)
    assert run("forecast", model, path, "--dt", "0.05", "--json").exit_code == 0


def test_a_file_that_describes_itself_needs_no_columns(run, model, table, tmp_path):
    data = read(table, states="a,b", inputs="c", time="t", trajectory="id")
    write(data, tmp_path / "own.npz")
    facts = json.loads(run("forecast", model, tmp_path / "own.npz", "--json").stdout)
    expected = json.loads(run("forecast", model, table, "--json").stdout)
    assert facts["rfmse"] == expected["rfmse"]


@pytest.mark.slow
def test_an_array_without_names_from_fit_to_forecast(run, prey, tmp_path):
    data = read(prey)
    block = np.concatenate([np.stack(data.states), np.stack(data.inputs)], axis=-1).astype(np.float32)
    np.savez(tmp_path / "block.npz", data=block)
    args = ("fit", tmp_path / "block.npz", "--states", "x1..x2", "--inputs", "x3", "--dt", 0.05)
    result = run(*args, "--only", "0..3", "-o", tmp_path / "m", *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "last 20 %" in result.stderr
    facts = json.loads(run("forecast", tmp_path / "m", tmp_path / "block.npz", "--only", "4,5", "--json").stdout)
    assert facts["trajectories"] == ["4", "5"]


@pytest.mark.slow
def test_a_plant_without_inputs(run, tmp_path):
    rows = np.arange(40)
    states = np.stack([np.cos(0.1 * rows), np.sin(0.1 * rows)], axis=-1)
    write(Trajectories(states, dt=1.0), tmp_path / "turn.csv")
    assert run("fit", tmp_path / "turn.csv", "-o", tmp_path / "m", *QUICK).exit_code == 0
    assert run("forecast", tmp_path / "m", tmp_path / "turn.csv", "--json").exit_code == 0


def test_pictures_scores_and_forecasts_are_written(run, model, table, tmp_path):
    folder = tmp_path / "new" / "pictures"
    args = ("forecast", model, table, "--horizons", "10,50", "--only", "0,4", "-o", folder)
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("forecast-0.png", "forecast-4.png", "error.png", "map.png", "scores.csv", "forecasts.nc"),
    }
    assert (folder / "error.png").read_bytes().startswith(b"\x89PNG")
    assert pd.read_csv(folder / "scores.csv")["horizon"].tolist() == [10, 50]
    with xr.open_dataset(folder / "forecasts.nc", engine="h5netcdf") as stored:
        assert dict(stored.sizes) == {"member": 2, "trajectory": 2, "time": 50, "state": 2}
        assert stored["predicted"].dtype == np.float32
    refused = run(*args)
    assert refused.exit_code == 2
    assert "not empty" in refused.stderr
    assert run(*args, "--force").exit_code == 0
