"""Files as programs write them: read with options, or refused with a message that proposes all options at once."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.data import DataError, Trajectories, look, read
from sparsedyn.data.io import read_table
from sparsedyn.data.options import ReadOptions
from sparsedyn.data.units import unit_in

from .recorded import ROWS, dated, tank, written

ROLES: dict[str, Any] = {"states": "level", "inputs": "valve", "time": "time"}
TANK = tank()
PLAIN = written(TANK)
LINES = PLAIN.splitlines()
GERMAN = dated(list(pd.date_range("2024-03-01 08:00", periods=ROWS, freq="10s").strftime("%d.%m.%Y %H:%M:%S")))
DAYS = dated(list(pd.date_range("2024-02-01", periods=ROWS).strftime("%d/%m/%Y")))
SWITCH = TANK.assign(valve=np.where(TANK["valve"] > 1, "on", "off"))
BAD = [line if i not in (5, 30) else line.replace(line.split(",")[1], "Bad Input") for i, line in enumerate(LINES)]
UMLAUT = written(TANK).replace("level", "Füllstand")


def lines(*changed: str) -> str:
    return "\n".join(changed) + "\n"


# The text, or the bytes, of a file; roles other than `ROLES`; options it needs; and what the hint says without them.
CASES: dict[str, tuple[str | bytes, dict[str, Any], dict[str, Any], str]] = {
    "a spreadsheet in German": (
        written(GERMAN, ";", ",").replace("level", "level "),
        {},
        {"like": "excel-de"},
        "separator=';', decimal=',', day_first=True. In short: like='excel-de'.",
    ),
    "decimal commas": (written(TANK, ";", ","), {}, {"decimal": ","}, "separator=';', decimal=','."),
    "thousands": (
        written(TANK.assign(level=[f"1.{round(x * 1e2) % 1000:03d},5" for x in TANK["level"]]), ";", ","),
        {},
        {"decimal": ",", "thousands": "."},
        "decimal=',', thousands='.'",
    ),
    "dates with the day first and points": (written(GERMAN), {}, {"day_first": True}, "day_first=True"),
    "an old encoding": (UMLAUT.encode("cp1252"), {"states": "Füllstand"}, {"encoding": "cp1252"}, "encoding='cp1252'"),
    "a units row": (lines(LINES[0], "s,m,%", *LINES[1:]), {}, {"units_row": True}, "units_row=True"),
    "a quoted units row": (
        lines('"time","level, upper","valve"', '"s","m","%"', *LINES[1:]),
        {"states": ["level, upper"]},
        {"units_row": True},
        "units_row=True",
    ),
    "a preamble": (lines("Recorder 7", "Serial,0001", "", *LINES), {}, {"skip_rows": 3}, "skip_rows=3"),
    "no names": (
        lines(*LINES[1:]),
        {"states": [1], "inputs": [2], "time": 0},
        {"header": False},
        "header=False",
    ),
    "fixed width": (TANK.astype(str).to_string(index=False), {}, {"separator": "whitespace"}, "separator='whitespace'"),
    "bars": (written(TANK, "|"), {}, {"separator": "|"}, "separator='|'"),
    "texts for missing values": (
        lines(*BAD),
        {},
        {"missing": "Bad Input", "gaps": "cut"},
        "missing='Bad Input', gaps='cut'",
    ),
    "a short line": (lines(*LINES[:9], "8.0,2.5", *LINES[10:]), {}, {"gaps": "cut"}, "line 10 has 2"),
    "switches": (written(SWITCH), {}, {"true": "on", "false": "off"}, "true='on', false='off'"),
    "all at once": (
        lines("Recorder 7", "", *written(GERMAN.assign(valve=SWITCH["valve"]), ";", ",").splitlines()),
        {},
        {"skip_rows": 2, "decimal": ",", "day_first": True, "true": "on", "false": "off"},
        "separator=';', decimal=',', skip_rows=2, true='on', false='off', day_first=True",
    ),
}
AS_THEY_ARE: dict[str, str] = {
    "separator named in the file": "sep=;\n" + written(TANK, ";"),
    "separators at the ends of lines": lines(*(f"{line}," for line in LINES[1:])).join([LINES[0] + "\n", ""]),
    "empty lines at the end": PLAIN + "\n,,\n,,\n",
    "a single long line": lines(*LINES[:5], LINES[5] + ",", *LINES[6:]),
    "tabs": written(TANK, "\t"),
    "the end of a line of another system": PLAIN.replace("\n", "\r\n"),
    "True and False": written(TANK.assign(valve=TANK["valve"] > 1)),
    "the day first, which rows beyond the twelfth show": written(DAYS),
    "UTF-16": PLAIN,
}


def write(folder: Path, content: str | bytes, name: str = "log.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_needs_options_is_refused_with_all_of_them_and_read_with_them(case: str, tmp_path: Path):
    content, roles, options, hint = CASES[case]
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read(path, **ROLES | roles)
    assert hint in str(caught.value), caught.value
    if "gaps" in options:
        with pytest.warns(SparsedynWarning, match="Cut at gaps"):
            data = read(path, **ROLES | roles, **options)
        assert sum(data.lengths) < ROWS
        return
    data = read(path, **ROLES | roles, **options)
    assert data.lengths == (ROWS,)
    if "true" in options:
        np.testing.assert_array_equal(data.inputs[0][:, 0], SWITCH["valve"] == "on")
    if "thousands" not in options:
        np.testing.assert_array_equal(data.states[0][:, 0], TANK["level"])


@pytest.mark.parametrize("case", AS_THEY_ARE)
def test_a_file_that_has_one_reading_needs_no_options(case: str, tmp_path: Path):
    path = write(tmp_path, AS_THEY_ARE[case], encoding="utf-16" if case == "UTF-16" else "utf-8")
    data = read(path, **ROLES)
    np.testing.assert_array_equal(data.states[0][:, 0], TANK["level"])
    assert data.dt == (86400.0 if "day" in case else 1.0)


@pytest.mark.parametrize(
    ("content", "needed"),
    [
        (written(DAYS[:10]).replace("/2024", "/2024"), "day_first=True or day_first=False"),
        (lines("time,a", '0,"1,234"', '1,"2,345"', '2,"3,456"'), "decimal=',' or thousands=','"),
        (lines("time,a", "01.02.24,1", "02.02.24,2", "03.02.24,3"), "date_format="),
        (lines("time,a", "0,1", "1,2,3", "2,3"), "line 3 has 3 cells, but there are 2 column names"),
        (lines("time,a", "1698444000000,1", "1698447600000,2", "1698451200000,3"), "time_unit='ms'"),
    ],
)
def test_two_readings_are_asked_about(content: str, needed: str, tmp_path: Path):
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=re.escape(needed)):
        read(path, states="level" if "level" in content else "a", time="time")


def test_units_come_from_a_row_or_from_names_which_stay(tmp_path: Path):
    names = lines("t [min],T [°C],P (kW),x (filtered)", "0,1,2,3", "1,2,3,4")
    data = read(write(tmp_path, names), states=["T [°C]"], inputs=["P (kW)", "x (filtered)"], time="t [min]")
    assert (data.state_names, data.state_units, data.input_units, data.dt) == (("T [°C]",), ("°C",), ("kW", ""), 60.0)
    row = lines("time,level,valve", "ms,m,", "0,1,2", "500,2,3")
    data = read(write(tmp_path, row), **ROLES, units_row=True)
    assert (data.state_units, data.input_units, data.dt) == (("m",), ("",), 0.5)
    short = read(write(tmp_path, lines("time,level,valve", "[s]", "0,1,2", "1,2,3")), **ROLES, units_row=True)
    assert (short.state_units, short.input_units) == (("",), ("",))


def test_names_may_go_over_lines_within_quotes(tmp_path: Path):
    names = ('"time', "", '[min]","level', '[m]","valve', "", '(top)"')
    path = write(tmp_path, lines(*names, *LINES[1:]))
    data = read(path, states="level [m]", inputs="valve (top)", time="time [min]")
    assert (len(data.states[0]), data.state_units) == (ROWS, ("m",))
    plain = read(write(tmp_path, PLAIN), **ROLES)
    assert data.dt == pytest.approx(60 * plain.dt)
    seen = look(write(tmp_path, lines(*names, *LINES[1:])))
    assert [one.name for one in seen.overview.columns] == ["time [min]", "level [m]", "valve (top)"]


def test_exponents_of_fortran_are_numbers_and_no_units(tmp_path: Path):
    rows = "0,1.5D+02,1d0", "1,-.25D-01,0", "2,3.0,2.D1"
    for given in ({}, {"cell_units": True}):
        data = read(write(tmp_path, lines("time,level,valve", *rows)), **ROLES, **given)
        assert data.states[0].tolist() == [[150.0], [-0.025], [3.0]]
        assert (data.inputs[0].tolist(), data.state_units) == ([[1.0], [0.0], [20.0]], ("",))


def test_marks_of_thousands_stand_between_thousands(tmp_path: Path):
    rows = ["0;1.234.567,5;-1.000", "1;12.34.567,25;2e3"]  # the second as in India
    given: dict[str, Any] = {**ROLES, "decimal": ",", "thousands": "."}
    data = read(write(tmp_path, lines("time;level;valve", *rows)), **given)
    assert (data.states[0].tolist(), data.inputs[0].tolist()) == ([[1234567.5], [1234567.25]], [[-1000.0], [2000.0]])
    for odd in ("1.5", "12.34,5", "1234.567", "1..000", "1.000.0"):
        with pytest.raises(DataError, match=re.escape(f"line 4 of the file): the text '{odd}")):
            read(write(tmp_path, lines("time;level;valve", *rows, f"2;{odd};1")), **given)
    days = "01.02.2024;1,5;0", "02.02.2024;1.000,5;1", "03.02.2024;2;1"
    assert read(write(tmp_path, lines("time;level;valve", *days)), **given, day_first=True).dt == 86_400.0


def test_a_quote_that_ends_nowhere_takes_no_lines(tmp_path: Path):
    data = read(write(tmp_path, lines('time,d ["],level', "0,1,2", "1,2,3")), states="level", time="time")
    assert data.states[0].tolist() == [[2.0], [3.0]]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("T [°C]", "°C"), ("q (m^3/h)", "m^3/h"), ("n (1/min)", "1/min"), ("Valve (%)", "%"), ("E (kWh)", "kWh"),
        ("f(x)", ""), ("x (raw)", ""), ("x (left)", ""), ("Fluß m³/h", ""), ("plain", ""),
    ],
)  # fmt: skip
def test_only_what_reads_as_a_unit_is_one(name: str, unit: str):
    assert unit_in(name) == unit


def test_tables_for_equations_take_the_same_options(tmp_path: Path):
    table = read_table(write(tmp_path, written(TANK, ";", ","), "table.txt"), decimal=",")
    np.testing.assert_array_equal(table.numbers("level"), TANK["level"])


def test_options_that_mean_nothing_are_refused(tmp_path: Path):
    for options, part in (
        ({"decimel": ","}, "Did you mean 'decimal'?"),
        ({"decimal": ";"}, "expected '.' or ','"),
        ({"separator": ",", "decimal": ","}, "another character"),
        ({"encoding": "klingon"}, "text encoding"),
        ({"time_zone": "Berlin"}, "Europe/Berlin"),
        ({"time_unit": "minute"}, "min"),
        ({"gaps": "fill"}, "refuse, cut, keep"),
        ({"like": "excel"}, "excel-de"),
        ({"skip_rows": -1}, "at least 0"),
    ):
        with pytest.raises(DataError, match=re.escape(part)):
            ReadOptions.given(**options)
    Trajectories([[1.0], [2.0]], dt=1.0)
    np.savez(tmp_path / "x.npz", x=np.zeros((3, 2)))
    with pytest.raises(DataError, match="these options are for"):
        read(tmp_path / "x.npz", states=[0], dt=1, decimal=",")


def test_commas_between_thousands_with_decimals_are_proposed_and_read(tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text("t,y,u\n" + "".join(f'{i},"{50 - i},000.5",{i % 3}\n' for i in range(40)))
    with pytest.raises(DataError, match=r"thousands=','"):
        read(path, "y", "u", "t")
    assert read(path, "y", "u", "t", thousands=",").states[0][:2, 0].tolist() == [50000.5, 49000.5]
    assert look(path).overview.states == ("y", "u")


@pytest.mark.parametrize(("other", "asked"), [("7", True), ("7.25", False), ("0.125", False)])
def test_points_that_may_stand_between_thousands_are_asked_about(other: str, asked: bool, tmp_path: Path):
    path = tmp_path / "log.csv"
    path.write_text("t;y;u\n" + "".join(f"{i};{50 - i}.000;{other}\n" for i in range(40)))
    assert ("thousands='.'" in look(path).hint) is asked
    assert not asked or look(path, decimal=",", thousands=".").hint == ""


HEADED = lines(*LINES[:12], LINES[0], *LINES[12:])
FOOTED = lines(*LINES, "", "Total,,", "-- exported by Recorder 3.2 --")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADED, "Line 13 ('time,level,valve') repeats the column names: remove it"),
        (FOOTED, "2 lines below the table ('Total,,', ...). Give skip_footer=2."),
    ],
)
def test_lines_that_are_no_rows_are_named_and_not_to_be_cut_at(content: str, said: str, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        read(write(tmp_path, content), **ROLES)
    assert said in str(caught.value)
    assert "Give gaps" not in str(caught.value)


def test_inputs_that_are_logged_less_often_hold_their_value(tmp_path: Path):
    rows = [f"{k},{k / 10},{k // 4 if k % 4 == 2 else ''}" for k in range(ROWS)]
    between = [f"{k + 0.5},,{k // 4}" if k % 8 == 7 else row for k, row in enumerate(rows)]
    path = write(tmp_path, lines(LINES[0], *rows))
    with pytest.raises(DataError, match=r"mostly empty, as if logged less often \(valve\).*fill='hold'"):
        read(path, **ROLES)
    with pytest.warns(SparsedynWarning, match="cells of valve hold the value before; left out are 0 rows .* and 2 bef"):
        data = read(path, **ROLES, fill="hold")
    assert data.lengths == (ROWS - 2,)
    np.testing.assert_array_equal(data.inputs[0][:5, 0], [0, 0, 0, 0, 1])
    with pytest.warns(SparsedynWarning):
        data = read(write(tmp_path, lines(LINES[0], *between)), **ROLES, fill="hold", gaps="cut")
    assert all(np.isfinite(x).all() for x in data.states)
