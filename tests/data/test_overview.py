"""What a table holds: columns, times, dead and stuck sensors, missing cells, columns that are alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn.data import DataError, ReadOptions, Trajectories, look, overview, write

from .recorded import tank, written


def summary(seen, name):
    return next(column for column in seen.columns if column.name == name)


def noisy(rows: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"t": 0.5 * np.arange(rows), "a": rng.normal(size=rows).cumsum(), "b": rng.normal(size=rows)})


def test_columns_and_times_of_a_log():
    seen = overview(tank())
    assert (seen.rows, seen.trajectory, seen.states, seen.inputs) == (60, None, ("level",), ("valve",))
    assert (seen.time.column, seen.time.step, seen.time.regular, seen.time.findings) == ("time", 1.0, True, ())
    valve = summary(seen, "valve")
    assert (valve.kind, valve.least, valve.greatest, valve.held, valve.findings) == ("numbers", 0.5, 3.0, True, ())


def test_sensors_that_are_dead_stuck_or_spiky():
    frame = noisy()
    frame["dead"] = 3.0
    frame["copy"] = 2 * frame["a"] + 1
    frame.loc[100:139, "b"] = frame["b"][100]
    frame.loc[50, "a"] = 500.0
    frame.loc[7:8, "a"] = np.nan
    seen = overview(frame)
    assert summary(seen, "dead").findings == ("constant",)
    assert summary(seen, "b").findings == ("stuck for 40 rows from row 100",)
    assert summary(seen, "a").findings == ("1 outlier, the first 500 in row 48", "2 missing")
    assert summary(seen, "a").missing == 2
    assert "dead" not in seen.states
    assert overview(noisy().assign(copy=lambda f: -f["a"])).correlated == (("a", "copy", pytest.approx(-1.0)),)


def test_noise_and_pulses_are_no_outliers():
    frame = noisy()
    frame["pulse"] = np.where(np.arange(200) % 20 == 0, 5.0, 0.0)
    seen = overview(frame)
    assert [column.findings for column in seen.columns] == [()] * 4


def test_gaps_repeated_and_irregular_times_are_counted():
    frame = noisy()
    gap = overview(frame.drop(index=range(50, 60))).time
    assert (gap.gaps, gap.findings) == (1, ("1 gap, the first after row 49: --gaps cut",))
    repeated = overview(pd.concat([frame[:5], frame[4:]])).time
    assert repeated.duplicates == 1
    irregular = overview(frame.assign(t=frame["t"] ** 1.1)).time
    assert (irregular.regular, irregular.gaps) == (False, 0)
    assert "--resample" in irregular.findings[0]


def test_trajectories_are_found_where_times_begin_again():
    runs = pd.concat([noisy(30).assign(run=name) for name in ("p", "q", "r")])
    seen = overview(runs)
    assert (seen.trajectory, seen.trajectories, seen.time.regular) == ("run", 3, True)
    assert overview(runs.drop(columns="run")).time.backward == 2


def test_texts_dates_and_what_cannot_be_read():
    frame = pd.DataFrame(
        {"date": ["01/02/2024", "02/02/2024"], "x": [1.0, 2.0], "note": ["a", None], "none": [None] * 2}
    )
    seen = overview(frame)
    assert "day_first" in seen.time.findings[0]
    assert seen.seconds is None
    assert [column.kind for column in seen.columns] == ["dates", "numbers", "text", "empty"]
    known = overview(frame, options=ReadOptions(day_first=True))
    assert known.time.step == 86400.0
    with pytest.raises(DataError, match="no column 'y'"):
        overview(frame, "y")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".nc", ".npz"])
def test_files_of_all_kinds_are_looked_at(suffix: str, tmp_path: Path):
    frame = tank()
    data = Trajectories.from_pandas(frame, ["level"], ["valve"], "time")
    write(data, tmp_path / f"own{suffix}")
    seen = look(tmp_path / f"own{suffix}").overview
    assert (seen.rows, seen.states, seen.inputs, seen.time.step) == (60, ("level",), ("valve",), 1.0)


def test_a_file_that_read_refuses_is_looked_at_with_the_options_it_needs(tmp_path: Path):
    (tmp_path / "log.csv").write_text("Recorder\n\n" + written(tank(), ";", ","))
    seen = look(tmp_path / "log.csv")
    assert seen.options == ReadOptions(separator=";", decimal=",", skip_rows=2)
    assert "--skip-rows 2" in seen.hint
    assert seen.overview.states == ("level",)
    np.savez(tmp_path / "block.npz", runs=np.random.default_rng(0).normal(size=(2, 9, 3)))
    assert look(tmp_path / "block.npz").overview.rows == 18


@pytest.mark.parametrize("name", ["x1", "minutes", "year", "count"])
def test_a_column_that_rises_evenly_is_taken_for_time_and_no_state(name: str):
    frame = noisy().rename(columns={"t": name})
    seen = overview(frame)
    assert (seen.time.column, seen.states, seen.time.duplicates) == (name, ("a", "b"), 0)
    beside = overview(frame.assign(t=frame[name] * 7.0))
    assert (beside.time.column, beside.states) == ("t", ("a", "b"))
    assert overview(frame[["a", "b"]]).time is None


def test_marks_within_quotes_divide_no_lines(tmp_path: Path):
    rows = [f"{i},{i % 7},{i % 3}," for i in range(40)]
    rows[5] += '"pump, on"'
    (tmp_path / "log.csv").write_text("\n".join(["t,y,u,comment", *rows]))
    seen = look(tmp_path / "log.csv")
    assert (seen.hint, seen.options) == ("", ReadOptions())
    (tmp_path / "named.csv").write_text('"T, in, deg";"u, a, b"\n' + "".join(f"{i};{i % 3}\n" for i in range(9)))
    assert [column.name for column in look(tmp_path / "named.csv").overview.columns] == ["T, in, deg", "u, a, b"]


def test_a_time_zone_that_is_given_is_not_asked_for():
    stamps = pd.date_range("2024-06-01", periods=30, freq="60s").astype(str).to_list()
    frame = noisy(30).assign(t=[*stamps[:9], stamps[8], *stamps[10:]])
    untold, told = (overview(frame, options=ReadOptions(time_zone=zone)).time for zone in (None, "Europe/Berlin"))
    assert untold.findings[-1].endswith(
        ": --time-zone if the end of summer time repeats the hour, else --duplicates mean"
    )
    assert told.findings[-1].endswith("of the time of the row before: --duplicates mean")


def test_shuffled_rows_and_clocks_over_midnight_are_no_trajectories():
    frame = noisy()
    shuffled = overview(frame.sample(frac=1, random_state=0)).time
    assert shuffled.findings[-1].endswith("backward: rows are shuffled: --restarts sort")
    stamps = pd.date_range("2024-01-01 22:10", periods=len(frame), freq="60s").strftime("%H:%M:%S")
    over = overview(frame.assign(t=stamps)).time
    assert (over.backward, over.step) == (1, 60.0)
    assert "1 step backward: the clock passes midnight" in over.findings[-1]
    stacked = overview(pd.concat([frame, frame])).time
    assert "several trajectories" in stacked.findings[-1]
