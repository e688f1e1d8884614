"""Times as records have them: dates of every kind, gaps, rows of one time, and steps that are not regular."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.data import DataError, Trajectories, look, read
from sparsedyn.data.clock import seconds
from sparsedyn.estimators._inputs import trajectories_of

from .recorded import ROWS, dated, tank, written

ROLES: dict[str, Any] = {"states": "level", "inputs": "valve", "time": "time"}
AUTUMN = pd.date_range("2023-10-28 00:00", periods=ROWS, freq="h", tz="Europe/Berlin")
SPRING = pd.date_range("2024-03-30 00:00", periods=ROWS, freq="h", tz="Europe/Berlin")
UTC = AUTUMN.tz_convert("UTC")

# How the rows of one record are dated, and the options that this needs, if any.
STAMPS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "offsets": ([stamp.isoformat() for stamp in AUTUMN], {}),
    "offsets without a colon": (list(AUTUMN.strftime("%Y-%m-%d %H:%M:%S%z")), {}),
    "names of zones": (list(AUTUMN.strftime("%Y-%m-%d %H:%M:%S %Z")), {}),
    "names of zones in German": (
        [text.replace("CEST", "MESZ").replace("CET", "MEZ") for text in AUTUMN.strftime("%Y-%m-%d %H:%M %Z")],
        {},
    ),
    "UTC": (list(UTC.strftime("%Y-%m-%dT%H:%M:%SZ")), {}),
    "local time over the end of summer time": (
        list(AUTUMN.strftime("%Y-%m-%d %H:%M")),
        {"time_zone": "Europe/Berlin"},
    ),
    "local time over its start": (list(SPRING.strftime("%Y-%m-%d %H:%M")), {"time_zone": "Europe/Berlin"}),
    "German local time": (
        list(AUTUMN.strftime("%d.%m.%Y %H:%M")),
        {"time_zone": "Europe/Berlin", "day_first": True},
    ),
    "seconds since 1970": ([int(stamp.timestamp()) for stamp in UTC], {}),
    "milliseconds since 1970": ([int(1000 * stamp.timestamp()) for stamp in UTC], {"time_unit": "ms"}),
    "hours": (list(range(ROWS)), {"time_unit": "h"}),
    "the year first": (list(UTC.strftime("%Y/%m/%d %H:%M")), {}),
    "the month first": (list(UTC.strftime("%m/%d/%Y %I:%M %p")), {}),
    "names of months": (list(UTC.strftime("%d %b %Y %H:%M:%S")), {}),
    "two digits of the year": (list(UTC.strftime("%d.%m.%y %H:%M")), {"date_format": "%d.%m.%y %H:%M"}),
    "durations": ([f"{i}:00:00" for i in range(ROWS)], {}),
}


def log(folder: Path, stamps: list[Any]) -> Path:
    path = folder / "log.csv"
    path.write_text(written(dated(stamps)))
    return path


@pytest.mark.parametrize("case", STAMPS)
def test_rows_an_hour_apart_are_read_as_such_whatever_dates_they_have(case: str, tmp_path: Path):
    stamps, options = STAMPS[case]
    data = read(log(tmp_path, stamps), **ROLES, **options)
    assert (data.lengths, data.dt, data.regular) == ((ROWS,), 3600.0, True)


def test_a_row_that_is_there_twice_is_no_hour_that_is(tmp_path: Path):
    minutes = pd.date_range("2023-10-29 01:30", periods=ROWS * 2, freq="min", tz="Europe/Berlin")
    text = [str(stamp) for stamp in minutes.strftime("%Y-%m-%d %H:%M")]
    stamps = [*text[:40], *text[39 : ROWS - 1]]
    with pytest.warns(SparsedynWarning, match=r"1 rows of a time"):
        data = read(log(tmp_path, stamps), **ROLES, time_zone="Europe/Berlin", duplicates="first")
    assert (data.lengths, data.dt) == ((ROWS - 1,), 60.0)


REFUSED: dict[str, tuple[list[Any], dict[str, Any], str]] = {
    "the hour that is there twice": (
        list(AUTUMN.strftime("%Y-%m-%d %H:%M")),
        {},
        "row 27: the same time as the row before (2023-10-29 02:00:00)",
    ),
    "the same, finer": (
        list(pd.date_range("2023-10-29", periods=ROWS, freq="10min", tz="Europe/Berlin").strftime("%Y-%m-%d %H:%M")),
        {},
        "row 18: 2023-10-29 02:00:00, earlier than the 2023-10-29 02:50:00 of the row before",
    ),
    "the hour that is missing": (
        list(SPRING.strftime("%Y-%m-%d %H:%M")),
        {},
        "If summer time began there, say where the clock stood: time_zone='Europe/Berlin'",
    ),
    "a local time that there never is": (
        list(pd.date_range("2024-03-30", periods=ROWS, freq="h").strftime("%Y-%m-%d %H:%M")),
        {"time_zone": "Europe/Berlin"},
        "row 26 (line 28 of the file): '2024-03-31 02:00:00': a local time that Europe/Berlin never has",
    ),
    "a record that begins in the hour that is there twice": (
        list(pd.date_range("2023-10-29 02:00", periods=ROWS, freq="min").strftime("%Y-%m-%d %H:%M")),
        {"time_zone": "Europe/Berlin"},
        "has twice, and no row before tells which",
    ),
    "a zone that means several": (
        [f"2024-01-01 {i // 60:02d}:{i % 60:02d} IST" for i in range(ROWS)],
        {},
        "row 0 (line 2 of the file): '2024-01-01 00:00 IST': a zone that is none of",
    ),
    "offsets in some rows": (
        [stamp.isoformat() if i != 7 else stamp.strftime("%Y-%m-%dT%H:%M") for i, stamp in enumerate(AUTUMN)],
        {},
        "row 7 (line 9 of the file): '2023-10-28T07:00': no offset from UTC",
    ),
    "both orders of day and month": (
        ["13/01/2024", "01/14/2024", *(f"{i:02d}/01/2024" for i in range(1, 13))] * 5,
        {},
        "row 1 (line 3 of the file): '01/14/2024': no date where others have the day first",
    ),
    "minutes or hours": ([f"{i:02d}:00" for i in range(ROWS)], {}, "date_format="),
    "an empty date": (["", *UTC.strftime("%Y-%m-%d %H:%M")[1:]], {}, "row 0 (line 2 of the file)"),
    "rows out of order": (list(UTC.strftime("%Y-%m-%d %H:%M")[::-1]), {}, "earlier than the"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_dates_that_can_be_read_in_two_ways_are_refused_with_the_row(case: str, tmp_path: Path):
    stamps, options, part = REFUSED[case]
    stamps = stamps[:ROWS]
    with pytest.raises(DataError, match=re.escape(part)):
        read(log(tmp_path, stamps), **ROLES, **options)


def test_gaps_cut_a_record_and_it_is_said_how_many_rows_are_lost():
    frame = tank()
    with_hole = frame.drop(index=range(20, 24))
    with_hole.loc[40, "level"] = np.nan
    with pytest.raises(DataError, match="a missing value"):
        Trajectories.from_pandas(with_hole, **ROLES)
    filled = with_hole.drop(index=40)
    with pytest.raises(DataError, match=r"a step of 5 \(from 19 to 24\) where 1 is usual \(the first of 2\)"):
        Trajectories.from_pandas(filled, **ROLES)
    said = "1 trajectory of 56 rows became 3 of 55; lost are 1 rows with missing cells and 0 single rows"
    with pytest.warns(SparsedynWarning, match=said):
        data = Trajectories.from_pandas(with_hole, **ROLES, gaps="cut")
    assert (data.lengths, data.labels, data.regular) == ((20, 16, 19), ("0.1", "0.2", "0.3"), True)
    kept = Trajectories.from_pandas(filled, **ROLES, gaps="keep")
    assert (kept.lengths, kept.regular, kept.dt) == ((55,), False, 1.0)


def test_missing_cells_of_a_record_without_times_cut_it():
    states = np.arange(20.0)[:, None]
    states[[0, 8, 10]] = np.nan
    with pytest.warns(SparsedynWarning, match="lost are 3 rows with missing cells and 1 single rows"):
        data = Trajectories(states, dt=0.5, gaps="cut", labels=["run"])
    assert (data.lengths, data.labels) == ((7, 9), ("run.1", "run.2"))
    with pytest.raises(DataError, match="none are left between gaps"):
        Trajectories(np.full((4, 1), np.nan), dt=1, gaps="cut")


def test_labels_of_pieces_are_told_apart():
    holed = np.arange(6.0)[:, None]
    holed[2] = np.nan
    with pytest.warns(SparsedynWarning):
        data = Trajectories([holed, np.ones((3, 1))], dt=1, labels=["a", "a.1"], gaps="cut")
    assert len(set(data.labels)) == 3


@pytest.mark.parametrize(("rule", "value"), [("first", 2.0), ("last", 4.0), ("mean", 3.0)])
def test_rows_of_one_time_become_one_by_a_stated_rule(rule: str, value: float):
    states, time = [[1.0], [2.0], [4.0], [5.0]], [0.0, 1.0, 1.0, 2.0]
    with pytest.raises(DataError, match="duplicates='mean'"):
        Trajectories(states, time=time)
    with pytest.warns(
        SparsedynWarning, match=f"1 rows of a time that another row has were merged with it \\({rule}\\)"
    ):
        data = Trajectories(states, states, time=time, duplicates=rule)
    np.testing.assert_array_equal(data.states[0][:, 0], [1.0, value, 5.0])
    np.testing.assert_array_equal(data.inputs[0][:, 0], [1.0, value, 5.0])


def jittered(rng: np.random.Generator) -> np.ndarray:
    return 0.05 * np.arange(100) + rng.uniform(-0.0025, 0.0025, 100)


IRREGULAR: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "jitter": jittered,
    "random": lambda rng: np.sort(rng.uniform(0, 5, 100)),
    "a solver's": lambda rng: np.cumsum(0.01 * 1.05 ** np.arange(100)),
    "two rates": lambda rng: np.cumsum(np.repeat([0.1, 1.0], 50)),
}


@pytest.mark.parametrize("case", IRREGULAR)
def test_times_that_are_not_regular_are_kept_as_they_are(case: str, tmp_path: Path):
    time = IRREGULAR[case](np.random.default_rng(0))
    data = Trajectories([np.sin(time)], time=time)
    assert not data.regular
    assert data.dt == np.median(np.diff(time))
    np.testing.assert_array_equal(data.time[0], time)
    assert not data[0].head(50).regular


def test_resampling_interpolates_states_and_holds_inputs():
    time = np.sort(np.random.default_rng(0).uniform(0, 5, 400))
    data = Trajectories([np.sin(time)], [np.floor(time)], time=time, input_units=["m"])
    again = data.resample(0.05)
    assert (again.regular, again.dt, again.input_units) == (True, 0.05, ("m",))
    np.testing.assert_allclose(np.diff(again.time[0]), 0.05)
    at = again.time[0]
    np.testing.assert_allclose(again.states[0][:, 0], np.sin(at), atol=1e-3)
    np.testing.assert_array_equal(again.inputs[0][:, 0], np.floor(time[np.searchsorted(time, at, side="right") - 1]))
    for method in ("cubic", "linear"):
        np.testing.assert_allclose(data.resample(0.05, method=method).states[0][:, 0], np.sin(at), atol=2e-3)
    regular = Trajectories(np.arange(8.0)[:, None], dt=0.1)
    np.testing.assert_allclose(regular.resample(0.05).states[0][:, 0], np.arange(15) / 2)
    for wrong, part in (
        ({"dt": 100.0}, "leaves no step"),
        ({"dt": 1e-12}, "too many|makes over"),
        ({"dt": -1}, "positive"),
    ):
        with pytest.raises(DataError, match=part):
            data.resample(**wrong)
    with pytest.raises(DataError, match="pchip"):
        data.resample(0.1, method="sinc")


def test_dates_and_durations_are_seconds():
    dates = pd.date_range("2024-01-01", periods=3, freq="min", tz="UTC")
    np.testing.assert_array_equal(seconds(dates, "t")[0], [0, 60, 120])
    np.testing.assert_array_equal(seconds(dates - dates[1], "t")[0], [-60, 0, 60])


def written_to(tmp_path, header: str, rows: list[str], name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("day", "clock", "options"),
    [
        ("2024-03-0{d}", "{h:02d}:30:00", {}),
        ("0{d}.03.2024", "{h:02d}:30", {"day_first": True}),
        ("03/0{d}/2024", "{h:02d}:30:00.0", {"day_first": False}),
    ],
)
def test_dates_and_clock_times_in_two_columns_are_joined(tmp_path, day: str, clock: str, options: dict):
    rows = [f"{day.format(d=1 + h // 24)},{clock.format(h=h % 24)},{h % 5}" for h in range(40)]
    path = written_to(tmp_path, "Date,Time,x", rows)
    data = read(path, states="x", time="Date,Time", **options)
    np.testing.assert_allclose(data.time[0], 3600.0 * np.arange(40))
    with pytest.raises(DataError, match="there is no column 'Clock'"):
        read(path, states="x", time="Date,Clock")


def test_dates_and_clock_times_are_seen_before_any_fit(tmp_path):
    rows = [f"2024-03-01,{h:02d}:30:00,{h % 5}" for h in range(20)]
    seen = look(written_to(tmp_path, "Date,Time,x", rows))
    assert (seen.overview.time.column, seen.overview.time.step) == ("Date,Time", 3600.0)
    assert [column.name for column in seen.overview.columns] == ["Date,Time", "x"]


def test_dates_of_spreadsheets_are_numbers_of_days(tmp_path):
    rows = [f"{45292 + k / 1440:.10f},{k % 5}" for k in range(30)]
    path = written_to(tmp_path, "Date,x", rows)
    with pytest.raises(DataError, match="may be seconds, or 2024-01-01 as spreadsheets keep dates"):
        read(path, states="x", time="Date")
    data = read(path, states="x", time="Date", time_unit="excel")
    assert data.dt == pytest.approx(60.0)
    assert read(path, states="x", time="Date", time_unit="s").dt == pytest.approx(1 / 1440)
    odd = written_to(tmp_path, "Date,x", [*rows, "12,1"], "odd.csv")
    with pytest.raises(DataError, match="no date of a spreadsheet"):
        read(odd, states="x", time="Date", time_unit="excel")


@pytest.mark.parametrize(
    ("name", "dt"),
    [("minutes", 60.0), ("Min", 60.0), ("hours", 3600.0), ("h", 3600.0), ("days", 86400.0), ("day", 86400.0),
     ("years", 31_557_600.0), ("year", 31_557_600.0), ("ms", 1e-3)],
)  # fmt: skip
def test_a_column_called_as_a_unit_of_time_is_in_it_and_that_is_said(name: str, dt: float, tmp_path: Path):
    frame = dated(np.arange(1700, 1700 + ROWS)).rename(columns={"time": name})
    frame.to_csv(tmp_path / "log.csv", index=False)
    roles = {"states": "level", "inputs": "valve", "time": name}
    with pytest.warns(SparsedynWarning, match=f"{name} is read in the unit of its name"):
        assert read(tmp_path / "log.csv", **roles).dt == pytest.approx(dt)
    with pytest.warns(SparsedynWarning, match="time_unit='s'"):
        assert Trajectories.from_pandas(frame, **roles).dt == pytest.approx(dt)
    assert read(tmp_path / "log.csv", **roles, time_unit="s").dt == 1.0
    seen = look(tmp_path / "log.csv").overview
    assert (seen.time.column, seen.time.step) == (name, pytest.approx(dt))
    assert "unit of its name" in seen.time.findings[0]
    with pytest.warns(SparsedynWarning, match="unit of its name"):
        assert trajectories_of(frame, name, names=["level"], input_names=["valve"]).dt == pytest.approx(dt)


@pytest.mark.parametrize("name", ["t [min]", "time (minutes)", "t [Minutes]"])
def test_units_in_names_of_times_hold_for_data_frames(name: str):
    frame = dated(np.arange(ROWS)).rename(columns={"time": name})
    assert Trajectories.from_pandas(frame, "level", "valve", name).dt == 60.0


def test_days_of_a_spreadsheet_are_asked_about_whatever_the_column_is_called():
    serials = 45591.92361 + np.arange(ROWS) / 1440
    for stamps in (serials, serials.round(5)):
        with pytest.raises(DataError, match=r"time_unit='excel'.* or time_unit='s'"):
            Trajectories.from_pandas(dated(stamps), **ROLES)
        with pytest.raises(DataError, match="time_unit='excel'"):
            trajectories_of(dated(stamps), "time", names=["level"], input_names=["valve"])
    assert Trajectories.from_pandas(dated(serials), **ROLES, time_unit="excel").dt == pytest.approx(60, rel=1e-4)
    assert Trajectories.from_pandas(dated(20_000.0 + np.arange(ROWS)), **ROLES).dt == 1.0


def test_a_clock_that_passes_midnight_is_refused_and_not_to_be_sorted():
    clock = pd.to_timedelta(np.r_[86_380:86_400:5, 0:20:5], unit="s")
    with pytest.raises(DataError, match=r"00:00:00, earlier than the 0 days 23:59:55.*passed midnight") as caught:
        Trajectories(np.arange(8.0)[:, None], time=clock)
    assert "Sort" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "stamps", "steps"),
    [
        ("%Y%m%d", ("20240131", "20240201", "20240202"), 86_400.0),
        ("%H%M%S", ("000959", "001000", "001001"), 1.0),
        ("%Y%m%d%H%M%S", ("20241231235959", "20250101000000", "20250101000001"), 1.0),
        ("%d.%m", ("10.10", "11.10", "12.10"), 86_400.0),
    ],
)
def test_dates_written_as_numbers_have_a_format(tmp_path: Path, form: str, stamps: tuple[str, ...], steps: float):
    path = tmp_path / "log.csv"
    path.write_text("t,x\n" + "".join(f"{stamp},{i}\n" for i, stamp in enumerate(stamps)))
    assert read(path, states="x", time="t", date_format=form).dt == steps
    if "." not in form:
        frame = pd.DataFrame({"t": [int(stamp) for stamp in stamps], "x": [1.0, 2.0, 3.0]})
        assert Trajectories.from_pandas(frame, states="x", time="t", date_format=form).dt == steps


def test_days_written_as_numbers_are_asked_about():
    frame = pd.DataFrame({"t": [20240101, 20240102, 20240103], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"column 't': 20240101 may be .*2024-01-01.*date_format='%Y%m%d'"):
        Trajectories.from_pandas(frame, states="x", time="t")
    assert Trajectories.from_pandas(frame, states="x", time="t", time_unit="s").dt == 1.0
    named = frame.rename(columns={"t": "t [s]"})
    assert Trajectories.from_pandas(named, states="x", time="t [s]").dt == 1.0
    with pytest.raises(DataError, match=r"12\.1, whose last digits may be lost"):
        Trajectories.from_pandas(frame.assign(t=[10.1, 11.1, 12.1][::-1]), states="x", time="t", date_format="%d.%m")


@pytest.mark.parametrize(("unit", "step"), [("ns", 500), ("us", 100), ("ms", 1)])
def test_numbers_since_1970_keep_their_digits(unit: str, step: int):
    each = {"ns": 1, "us": 1_000, "ms": 1_000_000}[unit]
    stamps = 1_700_000_000_000_000_000 // each + step * np.arange(20)
    frame = pd.DataFrame({"t": stamps, "x": np.arange(20.0)})
    data = Trajectories.from_pandas(frame, states="x", time="t", time_unit=unit)
    assert (data.dt, data.regular) == (step * each / 1e9, True)
    early = Trajectories.from_pandas(frame.assign(t=stamps - stamps[0] + 7), states="x", time="t", time_unit=unit)
    assert early.time[0][0] == pytest.approx(7 * each / 1e9)
