"""Everything a user can get wrong about data gives one message: the place, what came, and the fix."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sparsedyn.data import DataError, Samples, Scaling, Trajectories, read, samples, write

ROWS = 6
CSV = "t,id,a,b,c,d\n" + "".join(
    f"{k * 0.1:.1f},{run},{k},{k * k},{-k},{k % 3}\n" for run in ("r1", "r2") for k in range(ROWS)
)
ROLES: dict[str, Any] = {"states": ["a", "b"], "inputs": ["c", "d"], "time": "t", "trajectory": "id"}


def plain(trajectories: int = 2, rows: int = ROWS, variables: int = 2) -> np.ndarray:
    return np.arange(trajectories * rows * variables, dtype=float).reshape(trajectories, rows, variables)


def with_value(value: float) -> np.ndarray:
    states = plain()
    states[1, 3, 0] = value
    return states


def times(*values: float) -> list[float]:
    return list(values)


MEMORY: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "one-dimensional states": (
        lambda: Trajectories(np.zeros(5), dt=1),
        ("states have shape (5,)", "(trajectory, time, variable)", "states[:, None]"),
    ),
    "list of numbers": (lambda: Trajectories([1.0, 2.0, 3.0], dt=1), ("shape (3,)", "states[:, None]")),
    "four-dimensional states": (lambda: Trajectories(np.zeros((2, 2, 2, 2)), dt=1), ("shape (2, 2, 2, 2)",)),
    "no trajectory": (lambda: Trajectories([], dt=1), ("no trajectory", "at least one")),
    "no trajectory in an array": (lambda: Trajectories(np.zeros((0, 5, 2)), dt=1), ("no trajectory",)),
    "no state": (lambda: Trajectories(np.zeros((2, 5, 0)), dt=1), ("no variable", "at least one state")),
    "ragged nesting": (lambda: Trajectories([[1.0, 2.0], [3.0]], dt=1), ("states is ragged", "same entries")),
    "text in an array": (
        lambda: Trajectories([[1.0, 2.0], [3.0, "four"]], dt=1),
        ("states", "'four'", "(1, 1)", "real numbers"),
    ),
    "text in an object array": (
        lambda: Trajectories(np.array([[1.0, 2.0], [3.0, "4"]], dtype=object), dt=1),
        ("states", "'4'", "(1, 1)", "real number"),
    ),
    "complex numbers": (
        lambda: Trajectories(np.zeros((4, 2), complex), dt=1),
        ("complex128", "real numbers"),
    ),
    "NaN": (
        lambda: Trajectories(with_value(np.nan), dt=1, state_names=["mass", "heat"], labels=["r1", "r2"]),
        ("trajectory 'r2' (index 1)", "row 3", "'mass'", "missing value (NaN)", "Fill the gap"),
    ),
    "infinity": (
        lambda: Trajectories(plain(), with_value(-np.inf), dt=1),
        ("inputs of trajectory '1'", "row 3", "'u1'", "infinite value (-inf)"),
    ),
    "masked value": (
        lambda: Trajectories(np.ma.masked_equal(plain(1)[0], 4.0), dt=1),
        ("trajectory '0'", "row 2", "'x1'", "missing value"),
    ),
    "too short": (
        lambda: Trajectories([plain(1)[0], np.zeros((1, 2))], dt=1),
        ("trajectory '1' has 1 row", "at least 2"),
    ),
    "differing variable counts": (
        lambda: Trajectories([np.zeros((4, 2)), np.zeros((4, 3))], dt=1),
        ("states of trajectory '1' have 3 variables", "trajectory '0' 2", "same variables"),
    ),
    "fewer input trajectories": (
        lambda: Trajectories(plain(), plain(1), dt=1),
        ("1 trajectories have inputs, 2 have states", "one input array per trajectory"),
    ),
    "fewer input rows": (
        lambda: Trajectories(plain(), plain(rows=ROWS - 1), dt=1),
        ("inputs of trajectory '0' have 5 rows, its states 6", "every row needs one"),
    ),
    "name count": (
        lambda: Trajectories(plain(), dt=1, state_names=["a"]),
        ("state_names: 1 given ('a')", "2 states"),
    ),
    "unit count": (
        lambda: Trajectories(plain(), plain(), dt=1, input_units=["A", "V", "m"]),
        ("input_units: 3 given", "2 inputs"),
    ),
    "one text for the names": (
        lambda: Trajectories(plain(), dt=1, state_names="ab"),
        ("state_names is 'ab'", "list of 2 texts"),
    ),
    "duplicate names": (
        lambda: Trajectories(plain(), plain(), dt=1, state_names=["a", "b"], input_names=["b", "c"]),
        ("'b' is there more than once", "state_names and input_names"),
    ),
    "empty name": (lambda: Trajectories(plain(), dt=1, state_names=["a", ""]), ("empty name",)),
    "blank around a name": (lambda: Trajectories(plain(), dt=1, state_names=["a", " b"]), ("' b'", "blanks")),
    "reserved name": (
        lambda: Trajectories(plain(), dt=1, state_names=["a", "time"]),
        ("'time'", "differently"),
    ),
    "duplicate labels": (
        lambda: Trajectories(plain(), dt=1, labels=["r", "r"]),
        ("labels", "'r' is there more than once"),
    ),
    "label count": (
        lambda: Trajectories(plain(), dt=1, labels=["r"]),
        ("labels: 1 given ('r')", "2 trajectories"),
    ),
    "attrs no file can keep": (
        lambda: Trajectories(plain(), dt=1, attrs={"when": object()}),
        ("attrs['when']", "object", "numbers, texts"),
    ),
    "attrs with a line break in a key": (
        lambda: Trajectories(plain(), dt=1, attrs={"a\nb": 1}),
        ("attrs holds 'a\\nb'", "line breaks"),
    ),
    "dt and time": (
        lambda: Trajectories(plain(), dt=1, time=np.arange(ROWS)),
        ("exactly one of dt", "both are given"),
    ),
    "neither dt nor time": (lambda: Trajectories(plain()), ("exactly one of dt", "neither is given")),
    "negative dt": (lambda: Trajectories(plain(), dt=-0.1), ("dt is -0.1", "positive", "dt=0.1")),
    "zero dt": (lambda: Trajectories(plain(), dt=0), ("dt is 0.0", "positive")),
    "NaN dt": (lambda: Trajectories(plain(), dt=float("nan")), ("dt is nan", "finite")),
    "unsorted time": (
        lambda: Trajectories(plain(1), time=times(0, 1, 2, 4, 3, 5)),
        ("time of trajectory '0', row 4", "3, earlier than the 4", "Sort the rows"),
    ),
    "duplicate time": (
        lambda: Trajectories(plain(1), time=times(0, 1, 2, 2, 3, 4)),
        ("row 3", "the same time as the row before (2)", "remove duplicates"),
    ),
    "irregular time": (
        lambda: Trajectories(plain(1), time=times(0, 1, 2, 3.5, 4.5, 5.5), labels=["r7"]),
        ("time of trajectory 'r7' (index 0), row 3", "a step of 1.5 (from 2 to 3.5)", "1 is usual", "dt="),
    ),
    "NaN in time": (
        lambda: Trajectories(plain(1), time=times(0, 1, np.nan, 3, 4, 5)),
        ("row 2", "finite time"),
    ),
    "missing date": (
        lambda: Trajectories(plain(1), time=np.array(["2024-01-01"] * 5 + ["NaT"], "datetime64[s]")),
        ("row 5", "missing date"),
    ),
    "words as time": (
        lambda: Trajectories(plain(1), time=["noon"] * ROWS),
        ("row 0", "'noon'", "2024-05-31 12:00:00.5"),
    ),
    "time of another length": (
        lambda: Trajectories(plain(1), time=np.arange(5)),
        ("time of trajectory '0' has shape (5,)", "6 rows"),
    ),
    "time for another number of trajectories": (
        lambda: Trajectories(plain(3), time=[np.arange(ROWS)] * 2),
        ("time holds 2 arrays", "3 trajectories"),
    ),
    "one time for unequal lengths": (
        lambda: Trajectories([np.zeros((4, 1)), np.zeros((6, 1))], time=np.arange(6)),
        ("different lengths (4 to 6 rows)", "one time array per trajectory"),
    ),
    "differing dt": (
        lambda: Trajectories(plain(2), time=[np.arange(ROWS), 2.0 * np.arange(ROWS)]),
        ("trajectory '1' has the sampling time 2, trajectory '0' 1", "Resample"),
    ),
    "stack of unequal lengths": (
        lambda: Trajectories([np.zeros((4, 1)), np.zeros((6, 1))], dt=1).stack(),
        ("4 to 6 rows", "head(4)"),
    ),
    "empty selection": (lambda: Trajectories(plain(), dt=1)[2:], ("no trajectory is picked", "there are 2")),
    "one trajectory twice": (lambda: Trajectories(plain(), dt=1)[[0, 0]], ("'0' is there more than once",)),
    "head of one row": (lambda: Trajectories(plain(), dt=1).head(1), ("head(1)", "2 rows")),
    "select an unknown column": (
        lambda: Trajectories(plain(), dt=1, state_names=["mass", "heat"]).select(["mas"]),
        ("no column 'mas'", "Did you mean 'mass'?"),
    ),
    "split leaves a part empty": (
        lambda: Trajectories(plain(2), dt=1).split(),
        ("test=0.2 of 2 trajectories is no trajectory", "split(train=1, validation=1, test=1)"),
    ),
    "split of more than all": (
        lambda: Trajectories(plain(10), dt=1).split(0.8, 0.2, 0.2),
        ("train=0.8, validation=0.2, test=0.2 add up to 1.2", "at most 1"),
    ),
    "split counts of more than all": (
        lambda: Trajectories(plain(4), dt=1).split(3, 1, 1),
        ("ask for 5 trajectories, there are 4",),
    ),
    "split mixes shares and counts": (
        lambda: Trajectories(plain(4), dt=1).split(0.5, 1, 1),
        ("train=0.5, validation=1, test=1 mixes shares", "counts"),
    ),
    "negative share": (lambda: Trajectories(plain(4), dt=1).split(-0.5), ("train=-0.5", "share from 0 to 1")),
    "nothing to split into": (
        lambda: Trajectories(plain(4), dt=1).split(0, 0, 0),
        ("all 0", "at least one part"),
    ),
    "unknown derivative": (
        lambda: samples(Trajectories(plain(), dt=1), "foward"),
        ("derivative method 'foward' is unknown", "Did you mean 'forward'?", "'savgol'"),
    ),
    "unknown derivative option": (
        lambda: samples(Trajectories(plain(), dt=1), "savgol", windw=5),
        ("'savgol' has no option 'windw'", "Did you mean 'window'?"),
    ),
    "too short for the derivative": (
        lambda: samples(Trajectories(plain(), dt=1, labels=["r1", "r2"]), "savgol"),
        ("trajectory 'r1' (index 0)", "6 rows are too few", "window=11", "'forward'"),
    ),
    "even window": (
        lambda: samples(Trajectories(plain(), dt=1), "savgol", window=4),
        ("window=4", "odd number of rows"),
    ),
    "order beyond the window": (
        lambda: samples(Trajectories(plain(), dt=1), "savgol", window=5, order=5),
        ("order=5", "from 1 to window - 1 = 4"),
    ),
    "negative smoothing": (
        lambda: samples(Trajectories(plain(), dt=1), "smoothing-spline", smoothing=-1.0),
        ("smoothing=-1.0", "at least 0"),
    ),
    "constant state when scaling": (
        lambda: Scaling.fit(Samples(np.full((9, 1), 0.1), np.zeros((9, 0)), np.zeros((9, 1))), state_names=["T"]),
        ("state 'T' is constant (0.1 in all 9", "Leave it out of the states: 'T'"),
    ),
    "constant input when scaling": (
        lambda: Scaling.fit(samples(Trajectories(plain(), np.full((2, ROWS, 1), 7.0), dt=1))),
        ("input 'u1' is constant (7 in all 10", "Leave it out of the inputs"),
    ),
    "no samples to scale": (
        lambda: Scaling.fit(Samples(np.zeros((0, 1)), np.zeros((0, 0)), np.zeros((0, 1)))),
        ("at least one sample",),
    ),
    "scaling lacks an entry": (lambda: Scaling.from_dict({"x_mean": [0.0]}), ("'x_std'", "found 'x_mean'")),
    "foreign dataset": (lambda: Trajectories.from_xarray(xr.Dataset()), ("to_xarray", "'format'")),
    "dataset of another layout": (
        lambda: Trajectories.from_xarray(Trajectories(plain(), dt=1).to_xarray().drop_vars("length")),
        ("'length' is missing", "('trajectory',)"),
    ),
    "frame without the column": (
        lambda: Trajectories.from_pandas(pd.DataFrame({"mass": [1.0, 2.0]}), ["Mass "], dt=1),
        ("no column 'Mass '", "Did you mean 'mass'?"),
    ),
    "frame with one name twice": (
        lambda: Trajectories.from_pandas(pd.DataFrame(np.zeros((3, 2)), columns=["a", "a"]), ["a"], dt=1),
        ("column 'a' is there 2 times", "rename"),
    ),
    "frame with dates as a state": (
        lambda: Trajectories.from_pandas(pd.DataFrame({"a": pd.to_datetime(["2024-01-01"] * 3)}), ["a"], dt=1),
        ("column 'a'", "datetime64", "numbers are expected"),
    ),
}


@pytest.mark.parametrize("case", MEMORY)
def test_bad_data_in_memory(case: str) -> None:
    make, fragments = MEMORY[case]
    with pytest.raises(DataError) as caught:
        make()
    for fragment in fragments:
        assert fragment in str(caught.value)


def saved(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def csv(text: str | bytes, **changes: Any) -> Callable[[Path], object]:
    return lambda folder: read(saved(folder, "runs.csv", text), **{**ROLES, **changes})


def npz(states: Any = None, inputs: Any = None, **arrays: Any) -> Callable[[Path], object]:
    def make(folder: Path) -> object:
        np.savez(folder / "runs.npz", **arrays)
        return read(folder / "runs.npz", states, inputs, dt=1)

    return make


def unequal_arrays(folder: Path) -> object:
    np.savez(folder / "runs.npz", states=plain(), inputs=plain(rows=ROWS - 1))
    return read(folder / "runs.npz", dt=1)


def text_in_parquet(folder: Path) -> object:
    pd.DataFrame({"a": ["1", "two", "3"]}).to_parquet(folder / "runs.parquet")
    return read(folder / "runs.parquet", states="a", dt=1)


class Bomb:
    """Unpickling this would fail the test."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return pytest.fail, ("a pickle was loaded",)


def renamed_pickle(folder: Path) -> object:
    return read(saved(folder, "runs.npz", pickle.dumps(Bomb())), ["a"], dt=1)


def cut(suffix: str) -> Callable[[Path], object]:
    """A file whose second half is lost."""

    def make(folder: Path) -> object:
        path = folder / f"runs{suffix}"
        write(Trajectories(plain(), plain(), dt=1), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return read(path)

    return make


def own_csv(old: str, new: str, **roles: Any) -> Callable[[Path], object]:
    """A file written by the package, edited."""

    def make(folder: Path) -> object:
        path = folder / "runs.csv"
        write(Trajectories(plain(), plain(), dt=1, labels=["r1", "r2"]), path)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
        return read(path, **roles)

    return make


def newer_version(folder: Path) -> object:
    write(Trajectories(plain(), dt=1), folder / "runs.npz")
    arrays = dict(np.load(folder / "runs.npz"))
    description = json.loads(arrays["description"].item())
    np.savez(folder / "runs.npz", **{**arrays, "description": json.dumps({**description, "version": 2})})
    return read(folder / "runs.npz")


def write_nowhere(folder: Path) -> object:
    return write(Trajectories(plain(), dt=1), folder / "nowhere" / "runs.csv")


FILES: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing file": (
        lambda folder: (saved(folder, "run.csv", CSV), read(folder / "runs.csv")),
        ("runs.csv: there is no such file", "Did you mean 'run.csv'?"),
    ),
    "missing folder": (lambda folder: read(folder / "no" / "runs.csv"), ("no folder", "check the path")),
    "a folder": (lambda folder: ((folder / "runs.csv").mkdir(), read(folder / "runs.csv")), ("is a folder",)),
    "unknown suffix": (
        lambda folder: read(saved(folder, "runs.xlsx", CSV)),
        ("'.xlsx' is unknown", "'.csv', '.parquet', '.nc', '.npz'"),
    ),
    "misspelt suffix": (
        lambda folder: read(saved(folder, "runs.parqet", CSV)),
        ("Did you mean '.parquet'?",),
    ),
    "no suffix": (lambda folder: read(saved(folder, "runs", CSV)), ("no suffix", "'.csv'")),
    "write to an unknown suffix": (
        lambda folder: write(Trajectories(plain(), dt=1), folder / "runs.mat"),
        ("'.mat' is unknown",),
    ),
    "write to a missing folder": (write_nowhere, ("cannot be written", "does not exist; make it")),
    "empty file": (csv(""), ("runs.csv: the file is empty (0 bytes)",)),
    "blank lines only": (csv("\n\n"), ("no row of column names",)),
    "names only": (csv("t,id,a,b,c,d\n"), ("no rows below the column names",)),
    "no names": (csv("1,2,3\n4,5,6\n"), ("line 1", "holds numbers ('1'", "row of column names")),
    "no UTF-8": (csv("t,id,\u00e4\n".encode("latin-1")), ("line 1 is no UTF-8 text", "save the file")),
    "no UTF-8 further down": (
        csv(CSV.encode() + b"0.6,r\xff,1,1,1,1\n"),
        ("line 14 is no UTF-8 text", "encoding='cp1252'"),
    ),
    "missing column": (
        csv(CSV, states=["a", "B2"]),
        ("there is no column 'B2'", "'t', 'id', 'a', 'b', 'c', 'd'"),
    ),
    "missing column with a near miss": (
        csv(CSV.replace("t,id", "t,run_id"), trajectory="runid"),
        ("no column 'runid'", "Did you mean 'run_id'?"),
    ),
    "missing time column": (csv(CSV, time="seconds"), ("no column 'seconds'",)),
    "states not said": (csv(CSV, states=None), ("name them with states=", "'a', 'b'")),
    "neither time nor dt": (csv(CSV, time=None), ("exactly one of time=", "neither is given")),
    "time and dt": (csv(CSV, dt=0.1), ("exactly one of time=", "both are given")),
    "negative dt for a file": (csv(CSV, time=None, dt=-1), ("runs.csv", "dt is -1.0", "positive")),
    "state also an input": (
        csv(CSV, inputs=["c", "a"]),
        ("'a' is listed both as a state and as an input", "Take it out"),
    ),
    "state twice": (csv(CSV, states=["a", "a"]), ("states: 'a' is there more than once",)),
    "time also a state": (csv(CSV, states=["a", "t"]), ("'t' is the time and also listed",)),
    "column name twice": (csv(CSV.replace(",c,d", ",a,d", 1), inputs=["d"]), ("'a' is there 2 times",)),
    "text in a number column": (
        csv(CSV.replace("0.2,r1,2,4,-2,2", "0.2,r1,2,four,-2,2")),
        ("column 'b', row 2 (line 4 of the file)", "the text 'four'"),
    ),
    "decimal comma": (
        csv(CSV.replace(",", ";").replace("0.2;r1;2;4", "0.2;r1;2,5;4")),
        ("column 'a', row 2", "'2,5'", "written with a point"),
    ),
    "text in the time column": (
        csv(CSV.replace("0.2,r1", "soon,r1")),
        ("column 't', row 2 (line 4 of the file)", "'soon'"),
    ),
    "gap in a number column": (
        csv(CSV.replace("0.3,r2,3,", "0.3,r2,,")),
        ("column 'a', row 9 (line 11 of the file)", "missing value"),
    ),
    "infinity in a number column": (csv(CSV.replace("r2,3,", "r2,inf,")), ("column 'a', row 9", "infinite")),
    "several gaps in a number column": (
        csv(CSV.replace(",3,9,", ",,9,")),
        ("column 'a', row 3", "missing value (NaN) (the first of 2)"),
    ),
    "gap in the trajectory column": (
        csv(CSV.replace("0.3,r2", "0.3,")),
        ("column 'id', row 9", "every row needs one"),
    ),
    "a cell too many": (csv(CSV.replace("0.2,r1,2", "0.2,r1,2,2")), ("line 4 has 7 cells", "6 column names")),
    "no trajectory column for several": (
        csv(CSV, trajectory=None),
        ("row 6", "0, earlier than the 0.5", "trajectory="),
    ),
    "rows of a file out of order": (
        csv(CSV.replace("0.4,r2", "0.9,r2")),
        ("time of trajectory 'r2' (index 1), row 5", "0.5, earlier than the 0.9"),
    ),
    "trajectory of one row": (csv(CSV + "0,r3,1,1,1,1\n"), ("trajectory 'r3' (index 2) has 1 row",)),
    "damaged head of an own file": (own_csv("# dt,1.0", "# dt,one"), ("rows that start with '#'", "damaged")),
    "own file without its roles": (own_csv("# role", "# rule"), ("damaged", "states=")),
    "own file with another dt": (own_csv("# dt,1.0", "# dt,2.0"), ("dt = 2", "steps of 1")),
    "another dt for an own file": (own_csv("x1", "x1", dt=5), ("dt=5", "dt = 1", "leave dt= out")),
    "another time for an own file": (own_csv("x1", "x1", time="x2"), ("time='x2'", "leave time= out")),
    "unknown state of an own file": (
        own_csv("x1", "x1", states="x9"),
        ("no column 'x9'", "'x1', 'x2', 'u1', 'u2'"),
    ),
    "corrupt parquet": (cut(".parquet"), ("runs.parquet: it is no readable Parquet file",)),
    "corrupt npz": (cut(".npz"), ("runs.npz: it is no readable npz archive",)),
    "corrupt nc": (cut(".nc"), ("runs.nc: it is no readable NetCDF 4 file",)),
    "a text named nc": (lambda folder: read(saved(folder, "runs.nc", CSV)), ("no readable NetCDF 4 file",)),
    "a text named npz": (lambda folder: read(saved(folder, "runs.npz", CSV)), ("it is no npz archive",)),
    "text in a parquet column": (text_in_parquet, ("column 'a', row 1", "the text 'two'")),
    "pickle inside an npz": (
        npz("a", a=np.array([Bomb(), Bomb()], dtype=object)),
        ("runs.npz", "pickled Python objects", "never loaded"),
    ),
    "pickle named npz": (
        renamed_pickle,
        ("runs.npz: it is no npz archive", "pickled Python objects are not read"),
    ),
    "columns of different lengths": (npz("a", a=np.zeros(3), b=np.zeros(4)), ("different lengths", "'b': 4")),
    "several arrays": (
        npz([0], train=plain(), test=plain()),
        ("holds 2 arrays ('train', 'test')", "keep one"),
    ),
    "states and inputs that differ": (unequal_arrays, ("states have shape (2, 6, 2)", "inputs (2, 5, 2)")),
    "position beyond the array": (npz([0, 2], data=plain()), ("no column '2'", "positions 0 to 1")),
    "position twice": (npz([0], [0], data=plain()), ("'0' is there more than once",)),
    "name of no column": (npz(["mass"], data=plain()), ("'mass' means none of the 2 columns", "x1 to x2")),
    "written by a newer version": (newer_version, ("version 2", "version 1", "update the package")),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_files(case: str, tmp_path: Path) -> None:
    make, fragments = FILES[case]
    with pytest.raises(DataError) as caught:
        make(tmp_path)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
