"""Obstacles of logs for which there is an option: footers, runs without labels, slow sensors, counters, and more."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning, Trajectories
from sparsedyn.data import DataError, look, overview, read
from sparsedyn.data.options import ReadOptions
from sparsedyn.data.sensors import code_of, rolled_over
from sparsedyn.data.stamps import unit_of
from sparsedyn.estimators._sensors import sensors

ROWS = 60
T = np.arange(ROWS) * 0.5
TABLE = pd.DataFrame(
    {"t": T, "level": np.sin(T), "temp": 20 + np.cos(T / 3), "feed": np.repeat([1.0, 2.0, 3.0], ROWS // 3)}
)
ROLES = {"states": "level,temp", "inputs": "feed", "time": "t"}


def test_lines_below_the_table(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text(TABLE.to_csv(index=False) + "\nTotal rows: 60\nEnd of report\n")
    with pytest.raises(DataError, match=r"2 lines below the table \('Total rows: 60', ...\). Give skip_footer=2"):
        read(path, **ROLES)
    seen = look(path)
    assert seen.options.skip_footer == 2
    assert seen.overview.rows == ROWS
    assert read(path, **ROLES, skip_footer=2).lengths == (ROWS,)
    with pytest.raises(DataError, match="skip_footer=-1"):
        ReadOptions(skip_footer=-1)


def test_a_count_of_rows_below_the_table(tmp_path: Path):
    path = tmp_path / "log.csv"
    with_units = TABLE.assign(t=[f"{t} s" for t in T], level=[f"{level:.3f} m" for level in TABLE["level"]])
    path.write_text(with_units.to_csv(index=False) + "End of export\n60 rows\n")
    with pytest.raises(DataError, match="Give skip_footer=2, cell_units=True"):
        read(path, **ROLES)
    assert read(path, **ROLES, skip_footer=2, cell_units=True).lengths == (ROWS,)
    # What is given is not proposed again, and a line that was cut short is a row.
    assert look(path, skip_footer=2, cell_units=True).hint == ""
    path.write_text(TABLE.to_csv(index=False) + "30.5")
    assert look(path).options.skip_footer == 0


def test_runs_below_one_another():
    stacked = pd.concat([TABLE, TABLE[:20], TABLE[:1]], ignore_index=True)
    with pytest.raises(DataError, match="restarts='cut'"):
        Trajectories.from_pandas(stacked, **ROLES)
    with pytest.warns(SparsedynWarning, match="Times go back: 1 trajectory became 2; lost are 1 single rows"):
        data = Trajectories.from_pandas(stacked, **ROLES, restarts="cut")
    assert data.lengths == (ROWS, 20)
    assert data.labels == ("0.1", "0.2")
    assert "--restarts cut" in overview(stacked).time.findings[-1]
    with pytest.raises(DataError, match="go back from every row"):
        Trajectories([[[1.0], [2.0]]], time=[1.0, 0.0], restarts="cut")


def test_a_state_that_is_logged_less_often():
    slow = TABLE.assign(temp=TABLE["temp"].where(TABLE.index % 5 == 0))
    for options in ({}, {"fill": "hold"}, {"gaps": "cut"}):
        with pytest.raises(DataError, match=r"'temp': missing in 48 of 60 rows.*fill='thin'"):
            Trajectories.from_pandas(slow, **ROLES, **options)
    with pytest.warns(SparsedynWarning, match="48 rows in which a state was not measured"):
        data = Trajectories.from_pandas(slow, **ROLES, fill="thin")
    assert (data.dt, data.lengths) == (2.5, (12,))
    np.testing.assert_array_equal(data.states[0][:, 1], TABLE["temp"][::5])
    with pytest.warns(SparsedynWarning, match="0 before the first"):
        alone = Trajectories.from_pandas(slow, "level,temp", None, "t", fill="thin")
    assert alone.lengths == (12,)


@pytest.mark.parametrize("period", [65536.0, 360.0, 2 * np.pi])
def test_what_goes_round(period: float):
    whole = period * (0.4 + 0.11 * T + 0.3 * np.sin(T))
    frame = TABLE.assign(level=whole % period)
    found = rolled_over([frame["level"].to_numpy()])
    assert found is not None
    assert (found.period, found.run) == (period, 0)
    name = f"level={period}"
    data = Trajectories.from_pandas(frame, **ROLES, unwrap=name)
    np.testing.assert_allclose(data.states[0][:, 0], whole, rtol=1e-9)
    assert any("goes round" in finding for finding in overview(frame).columns[1].findings)
    (finding,) = [one for one in sensors(Trajectories.from_pandas(frame, **ROLES)) if one.check == "goes-round"]
    assert "unwrap='level=" in finding.message
    assert rolled_over([whole]) is None
    # What is emptied at once, and a switch, do not go round.
    assert rolled_over([100 * (T % 7) / 7]) is None
    assert rolled_over([np.where(T % 7 < 3, 0.0, 255.0)]) is None


def test_periods_are_positive_numbers_of_columns():
    assert ReadOptions.given(unwrap={"a": 360}).periods() == {"a": 360.0}
    for wrong in ("a", "a=0", "=3", "a=x"):
        with pytest.raises(DataError, match="a column and its period"):
            ReadOptions.given(unwrap=wrong)
    with pytest.raises(DataError, match="there is no column 'angle'"):
        Trajectories.from_pandas(TABLE, **ROLES, unwrap="angle=360")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("t_ms", "ms"),
        ("elapsed min", "min"),
        ("Time-s", "s"),
        ("time.us", "us"),
        ("t", ""),
        ("time_start", ""),
        ("ms", "ms"),
    ],
)
def test_units_at_the_end_of_names_of_times(name: str, unit: str):
    assert unit_of(name) == unit


def test_times_in_milliseconds_are_not_seconds():
    frame = TABLE.assign(t=1000 * T).rename(columns={"t": "t_ms"})
    with pytest.warns(SparsedynWarning, match="t_ms is read in the unit of its name, 0.001 s"):
        assert Trajectories.from_pandas(frame, **ROLES | {"time": "t_ms"}).dt == 0.5
    seen = overview(frame).time
    assert (seen.column, seen.step) == ("t_ms", 0.5)


def test_dates_of_twelve_hours_are_times():
    dates = pd.date_range("2024-03-14 11:58", periods=ROWS, freq="1s").strftime("%m/%d/%Y %I:%M:%S %p")
    seen = overview(TABLE.drop(columns="t").assign(when=dates)).time
    assert (seen.column, seen.step) == ("when", 1.0)


def test_two_texts_may_be_a_switch():
    pump = np.where(T < 9, "Duty Pump", "Standby")
    notes = overview(TABLE.assign(pump=pump)).columns[-1].findings
    assert notes[-1] == "as numbers: --true 'Duty Pump' --false Standby"


def long_table() -> pd.DataFrame:
    """A row per tag and time, as historians export them."""
    table = TABLE.assign(t=pd.Timestamp("2024-06-01") + pd.to_timedelta(T, unit="s"))
    return table.melt("t", var_name="tag", value_name="value").sort_values(["t", "tag"])[["tag", "t", "value"]]


def test_a_row_per_tag_and_time(tmp_path: Path):
    path = tmp_path / "long.csv"
    long_table().to_csv(path, index=False)
    with pytest.raises(DataError, match=r"no column 'level'.*\n.*a row per tag and time: give pivot='tag=value'\."):
        read(path, **ROLES)
    finding = look(path).overview.time.findings[-1]
    assert finding == "a row per tag and time: --pivot tag=value, or --trajectory tag for runs side by side"
    data = read(path, **ROLES, pivot="tag=value")
    assert (data.dt, data.lengths) == (0.5, (ROWS,))
    np.testing.assert_allclose(data.states[0], TABLE[["level", "temp"]])
    seen = look(path, pivot="tag=value").overview
    assert (seen.states, seen.inputs, seen.time.step) == (("level", "temp"), ("feed",), 0.5)
    slow = long_table()
    slow = slow[(slow["tag"] != "temp") | (slow["t"].dt.microsecond == 0)]
    with pytest.warns(SparsedynWarning, match="30 rows in which a state was not measured"):
        assert Trajectories.from_pandas(slow, **ROLES, pivot="tag=value", fill="thin").dt == 1.0
    with pytest.raises(DataError, match="'feed' comes again at its time"):
        Trajectories.from_pandas(pd.concat([slow, slow[:1]]), **ROLES, pivot="tag=value")
    with pytest.raises(DataError, match="there is no column 'name'"):
        Trajectories.from_pandas(slow, **ROLES, pivot="name=value")
    with pytest.raises(DataError, match="pivot: expected a column of times"):
        Trajectories.from_pandas(slow, "level", dt=1.0, pivot="tag=value")
    with pytest.raises(DataError, match="such as 'tag=value'"):
        ReadOptions(pivot="tag")


def test_runs_of_one_state_are_no_tags():
    runs = pd.concat([pd.DataFrame({"run": name, "t": T, "level": np.sin(T)}) for name in "ab"], ignore_index=True)
    seen = overview(runs)
    assert (seen.trajectory, seen.trajectories) == ("run", 2)


@pytest.mark.parametrize("how", ["newest first", "shuffled"])
def test_rows_in_another_order(how: str):
    order = np.arange(ROWS)[::-1] if how == "newest first" else np.random.default_rng(0).permutation(ROWS)
    turned = TABLE.iloc[order].reset_index(drop=True)
    seen = overview(turned)
    assert seen.trajectory is None
    assert seen.time.findings[-1].endswith("--restarts sort")
    with pytest.raises(DataError, match="restarts='sort'"):
        Trajectories.from_pandas(turned, **ROLES)
    with pytest.warns(SparsedynWarning, match="Rows were sorted by time"):
        data = Trajectories.from_pandas(turned, **ROLES, restarts="sort")
    np.testing.assert_array_equal(data.states[0], TABLE[["level", "temp"]])


def test_rows_that_come_again():
    twice = pd.concat([TABLE[:40], TABLE[30:]], ignore_index=True)
    assert "--restarts sort --duplicates first" in overview(twice).time.findings[-1]
    with pytest.warns(SparsedynWarning) as caught:
        data = Trajectories.from_pandas(twice, **ROLES, restarts="sort", duplicates="first")
    assert "10 rows of a time that another row has" in str(caught[-1].message)
    assert data.lengths == (ROWS,)


def test_codes_for_missing_values(tmp_path: Path):
    spoilt = TABLE.copy()
    spoilt.loc[[20, 40, 41], "temp"] = -9999
    path = tmp_path / "log.csv"
    spoilt.to_csv(path, index=False)
    assert look(path).overview.columns[2].findings == (
        "-9999 in 3 rows, as a code for missing values: --missing -9999 --gaps cut",
    )
    (finding,) = [one for one in sensors(read(path, **ROLES)) if one.check == "missing-code"]
    assert "missing='-9999', gaps='cut'" in finding.message
    # Written as -9999.0.
    with pytest.warns(SparsedynWarning, match="became 3 of 57"):
        assert read(path, **ROLES, missing="-9999", gaps="cut").lengths == (20, 19, 18)
    assert code_of([np.repeat([0.0, 1.0], 30)]) is None
    assert code_of([np.concatenate([np.zeros(20), np.exp(T / 6)])]) is None


def test_units_in_cells(tmp_path: Path):
    path = tmp_path / "log.csv"
    table = TABLE.assign(
        temp=[f"{value:.3f} °C" for value in TABLE["temp"]], level=[f"{v:.4e}m" for v in TABLE["level"]]
    )
    table["feed"] = [f"{100 * value:.0f}%" for value in TABLE["feed"]]
    table.loc[3, "temp"] = "n/a"
    table.to_csv(path, index=False)
    seen = look(path)
    assert seen.options.cell_units
    assert [c.unit for c in seen.overview.columns] == ["", "m", "°C", "%"]
    with pytest.raises(DataError, match="units in cells"):
        read(path, **ROLES)
    with pytest.warns(SparsedynWarning, match="Cut at gaps"):
        data = read(path, **ROLES, cell_units=True, gaps="cut")
    assert (data.state_units, data.input_units) == (("m", "°C"), ("%",))
    np.testing.assert_allclose(data.states[1][:, 1], TABLE["temp"][4:], atol=1e-3)
    # Tags that begin with numbers are no numbers with units.
    assert not look(write_tags(tmp_path)).options.cell_units


def write_tags(folder: Path) -> Path:
    path = folder / "tags.csv"
    TABLE.assign(name=[f"{k}A{k}" for k in range(ROWS)]).to_csv(path, index=False)
    return path


def test_durations_with_days_and_names_of_months(tmp_path: Path):
    passed = TABLE.assign(t=pd.to_timedelta(T + 86_370, unit="s").map(lambda one: str(one.to_pytimedelta())))
    data = Trajectories.from_pandas(passed, **ROLES)
    assert (data.dt, data.time[0][0]) == (0.5, 86_370)
    assert Trajectories.from_pandas(TABLE.assign(t=pd.to_timedelta(T, unit="s").astype(str)), **ROLES).dt == 0.5
    months = TABLE.assign(t=pd.date_range("2024-01-01", periods=ROWS, freq="1s").strftime("%d-%b-%y %H:%M:%S"))
    with pytest.raises(DataError, match="Others need date_format='%d-%b-%y %H:%M:%S'"):
        Trajectories.from_pandas(months, **ROLES)
    assert Trajectories.from_pandas(months, **ROLES, date_format="%d-%b-%y %H:%M:%S").dt == 1.0


def test_columns_of_one_name(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text(TABLE.to_csv(index=False).replace("level,temp", "PV,PV"))
    with pytest.raises(DataError, match=r"'PV' is there 2 times. .*header=False, skip_rows=1"):
        look(path)
    assert look(path, header=False, skip_rows=1).overview.rows == ROWS


def test_angles_that_go_round_in_runs_below_one_another():
    angle = np.concatenate([np.degrees(np.sin(T)) % 360, np.degrees(1.5 + np.sin(T)) % 360])
    runs = pd.DataFrame({"t": np.tile(T, 2), "angle": np.round(angle, 2)})
    assert "--unwrap angle=360" in overview(runs).columns[1].findings[0]


def test_tags_that_are_logged_less_often(tmp_path: Path):
    path = tmp_path / "tags.csv"
    rows = [(t, tag, k) for k, t in enumerate(T) for tag in ("level", "feed") if tag == "level" or k % 4 == 0]
    pd.DataFrame(rows, columns=["t", "tag", "value"]).to_csv(path, index=False)
    seen = look(path, pivot="tag=value")
    assert seen.options.fill == "hold"
    assert "(feed): give fill='hold' (--fill hold)" in seen.hint
    assert not look(path, pivot="tag=value", fill="thin").hint
