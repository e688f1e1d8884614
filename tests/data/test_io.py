"""Files: what is written reads back bit by bit; users' own files read by naming their columns."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sparsedyn.data import Trajectories, look, read, write

SUFFIXES = (".csv", ".parquet", ".nc", ".npz")
RELEASED = Path(__file__).parents[3] / "shared" / "data" / "aluminum_released_3x10000.npz"


def demanding() -> Trajectories:
    """Numbers, names, units and labels that a careless format would bend."""
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(rows, 3)) * 10.0 ** rng.integers(-300, 300, (rows, 3)) for rows in (9, 2, 5)]
    states[0][:4, 0] = [-0.0, 5e-324, 1 / 3, 1.7976931348623157e308]
    states[2][:, 1] = np.arange(5)
    inputs = [rng.normal(size=(len(x), 2)) for x in states]
    return Trajectories(
        states,
        inputs,
        dt=1 / 3,
        state_names=["mass", 'Al2O3, "alumina"', "température"],
        input_names=["feed; total", "#2"],
        state_units=["kg", "", "°C"],
        input_units=["kg/s", ""],
        labels=["007", "NA", "run, 'three'"],
        attrs={"system": "cell", "seed": 3, "redrawn": [1, 2], "of": {"a": None, "line\nbreak": 0.1}},
    )


def assert_same(back: Trajectories, data: Trajectories) -> None:
    for name in (
        "state_names",
        "input_names",
        "state_units",
        "input_units",
        "labels",
        "attrs",
        "dt",
        "lengths",
    ):
        assert getattr(back, name) == getattr(data, name), name
    for name in ("states", "inputs", "time"):
        for ours, theirs in zip(getattr(back, name), getattr(data, name), strict=True):
            assert ours.dtype == np.float64
            assert ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip_is_exact(suffix: str, tmp_path: Path) -> None:
    data = demanding()
    write(data, tmp_path / f"runs{suffix}")
    assert_same(read(tmp_path / f"runs{suffix}"), data)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_round_trip_without_inputs_and_with_recorded_time(suffix: str, tmp_path: Path) -> None:
    time = np.arange(4) * 0.1
    data = Trajectories(np.random.default_rng(0).normal(size=(2, 4, 1)), time=[time, 7 + time])
    write(data, tmp_path / f"runs{suffix}")
    assert_same(read(tmp_path / f"runs{suffix}"), data)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_own_files_choose_columns_by_name(suffix: str, tmp_path: Path) -> None:
    data = demanding()
    write(data, tmp_path / f"runs{suffix.upper()}")
    chosen = read(str(tmp_path / f"runs{suffix.upper()}"), ["température", "mass"], "#2", dt=1 / 3)
    assert_same(chosen, data.select(["température", "mass"], ["#2"]))
    assert read(tmp_path / f"runs{suffix.upper()}", states="mass").input_names == data.input_names


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_writing_replaces_in_one_step(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"runs{suffix}"
    first = demanding()
    write(first, path)
    write(first[:2], path)
    assert_same(read(path), first[:2])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sparsedyn.data.io.os.replace", failing)
    with pytest.raises(ValueError, match=r"cannot be written \(No space left on device\)"):
        write(first, path)
    assert_same(read(path), first[:2])
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def users_table(interleaved: bool) -> pd.DataFrame:
    runs = [("r2", 5), ("r1", 3)]
    rows = [(0.1 * k, run, k, 10.0 * k, -k / 3, 7) for run, length in runs for k in range(length)]
    table = pd.DataFrame(rows, columns=["t", "id", "a", "b", "c", "d"])
    return table.sort_values(["t"], kind="stable") if interleaved else table


def saved(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".nc":
        xr.Dataset({str(name): ("obs", table[name].to_numpy()) for name in table}).to_netcdf(path, engine="h5netcdf")
    else:
        np.savez(path, **{str(name): np.array(table[name].tolist()) for name in table})
    return path


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_users_table(suffix: str, interleaved: bool, tmp_path: Path) -> None:
    path = saved(users_table(interleaved), tmp_path / f"mine{suffix}")
    data = read(path, states=["a", "b"], inputs=["c", "d"], time="t", trajectory="id")
    assert (data.labels, data.lengths, data.dt) == (("r2", "r1"), (5, 3), 0.1)
    assert (data.state_names, data.input_names) == (("a", "b"), ("c", "d"))
    for length, states, inputs in zip(data.lengths, data.states, data.inputs, strict=True):
        k = np.arange(length)
        np.testing.assert_array_equal(states, np.stack([k, 10.0 * k], axis=1))
        np.testing.assert_array_equal(inputs, np.stack([-k / 3, np.full(length, 7)], axis=1))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_users_table_of_one_trajectory(suffix: str, tmp_path: Path) -> None:
    path = saved(users_table(False).query("id == 'r2'"), tmp_path / f"mine{suffix}")
    timed = read(path, states="a,b", inputs="c,d", time="t")
    stepped = read(path, states="a,b", inputs="c,d", dt=0.1)
    assert timed.lengths == stepped.lengths == (5,)
    assert timed.dt == stepped.dt == 0.1
    assert read(path, states="a", dt=1).input_names == ()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_dates_in_files_become_seconds(suffix: str, tmp_path: Path) -> None:
    table = users_table(True)
    table["t"] = pd.Timestamp("2024-02-28 23:59:59.9") + pd.to_timedelta((table["t"] * 1e3).round(), unit="ms")
    path = saved(table, tmp_path / f"mine{suffix}")
    data = read(path, states="a", time="t", trajectory="id")
    assert data.dt == 0.1
    np.testing.assert_allclose(data.time[0], np.arange(5) * 0.1, rtol=1e-15)


def test_whole_identifiers_read_as_such(tmp_path: Path) -> None:
    table = users_table(False)
    table["id"] = np.where(table["id"] == "r1", 1.0, 2.0)
    for suffix in (".parquet", ".npz"):
        path = saved(table, tmp_path / f"mine{suffix}")
        assert read(path, states="a", time="t", trajectory="id").labels == ("2", "1")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_dialects(delimiter: str, tmp_path: Path) -> None:
    text = "\ufeff# exported by a logger\r\n\r\n t ,a, id \r\n0, 1.5 ,01\r\n0.5,-2e3,01\r\n\r\n1,+.5,01\r\n"
    (tmp_path / "mine.csv").write_bytes(text.replace(",", delimiter).encode())
    data = read(tmp_path / "mine.csv", states="a", time="t", trajectory="id")
    assert (data.labels, data.dt) == (("01",), 0.5)
    np.testing.assert_array_equal(data.states[0][:, 0], [1.5, -2000, 0.5])


def test_own_csv_survives_a_spreadsheet(tmp_path: Path) -> None:
    """Spreadsheets pad all rows to the widest, quote as they like, write whole numbers without a point."""
    data = Trajectories(np.arange(8.0).reshape(2, 4, 1), dt=2, state_units=["kg"], attrs={"note": "a, b"})
    write(data, tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    assert lines[3:6] == ["# role,time,state", "# unit,s,kg", "trajectory,time,x1"]
    padded = [line + "," * (4 - line.count(",")) if "note" not in line else line + ",," for line in lines]
    (tmp_path / "runs.csv").write_text("\r\n".join(padded).replace("# role", '"# role"').replace('"0"', "0"))
    assert_same(read(tmp_path / "runs.csv"), data)


def test_own_csv_may_lose_and_gain_rows(tmp_path: Path) -> None:
    write(Trajectories(np.arange(12.0).reshape(2, 6, 1), dt=1, labels=["p", "q"]), tmp_path / "runs.csv")
    lines = (tmp_path / "runs.csv").read_text().splitlines()
    (tmp_path / "runs.csv").write_text("\n".join([*lines[:-8], "r,0,1", "r,1,2"]) + "\n")
    assert read(tmp_path / "runs.csv").lengths == (4, 2)


def test_array_of_all_trajectories_by_position_or_name(tmp_path: Path) -> None:
    block = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
    np.savez(tmp_path / "block.npz", anything=block, dt=np.float32(0.5))
    requests: list[tuple[Any, Any, tuple[str, ...], tuple[str, ...]]] = [
        ([0, 1, 2], [3], ("x1", "x2", "x3"), ("u1",)),
        ("0,1,2", "3", ("x1", "x2", "x3"), ("u1",)),
        (range(3), range(3, 4), ("x1", "x2", "x3"), ("u1",)),
        ("x1,x2,x3", "x4", ("x1", "x2", "x3"), ("x4",)),
        (["x1", "x2", "x3"], ["u1"], ("x1", "x2", "x3"), ("u1",)),
        (["mass", "heat", "x1"], ["feed"], ("mass", "heat", "x1"), ("feed",)),
    ]
    for states, inputs, state_names, input_names in requests:
        data = read(tmp_path / "block.npz", states, inputs)
        assert (data.state_names, data.input_names, data.dt) == (state_names, input_names, 0.5)
        np.testing.assert_array_equal(data.stack()[0], block[..., :3])
        np.testing.assert_array_equal(data.stack()[1], block[..., 3:])
    swapped = read(tmp_path / "block.npz", [2, 0], dt=2)
    assert swapped.dt == 2
    np.testing.assert_array_equal(swapped.stack()[0], block[..., [2, 0]])


def test_array_of_one_trajectory_with_a_time_column(tmp_path: Path) -> None:
    block = np.column_stack([np.arange(5) * 0.2, np.arange(5), np.ones(5)])
    np.savez(tmp_path / "block.npz", data=block)
    for states, inputs, time in (([1], [2], 0), ("x2", "x3", "x1"), ("mass", "feed", 0)):
        data = read(tmp_path / "block.npz", states, inputs, time=time)
        assert (len(data), data.dt) == (1, 0.2)
        np.testing.assert_array_equal(data.states[0][:, 0], block[:, 1])
        np.testing.assert_array_equal(data.inputs[0][:, 0], block[:, 2])


def test_arrays_named_states_and_inputs_speak_for_themselves(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    states, inputs = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 1))
    np.savez(tmp_path / "runs.npz", states=states, inputs=inputs)
    data = read(tmp_path / "runs.npz", dt=0.1)
    np.testing.assert_array_equal(data.stack()[0], states)
    np.testing.assert_array_equal(data.stack()[1], inputs)


def test_netcdf_variables_over_trajectory_and_time(tmp_path: Path) -> None:
    values = np.arange(10.0).reshape(5, 2)
    dataset = xr.Dataset(
        {"a": (("time", "run"), values), "elsewhere": ("depth", np.zeros(3))},
        {"time": np.arange(5) * 0.5, "run": ["p", "q"]},
    )
    dataset.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    data = read(tmp_path / "grid.nc", states="a", time="time", trajectory="run")
    assert (data.labels, data.dt) == (("p", "q"), 0.5)
    np.testing.assert_array_equal(data.states[1][:, 0], values[:, 1])


@pytest.mark.skipif(not RELEASED.exists(), reason=f"the released trajectories are not at {RELEASED}")
def test_released_trajectories(tmp_path: Path) -> None:
    data = read(RELEASED, states=range(8), inputs=range(8, 13), dt=10)
    assert (len(data), set(data.lengths), len(data.state_names), len(data.input_names)) == (3, {10000}, 8, 5)
    with np.load(RELEASED) as archive:
        np.testing.assert_array_equal(data.stack()[0], archive["data"][..., :8])


@pytest.mark.parametrize(("unit", "seconds"), [("hours", 3600.0), ("ms", 1e-3), ("s", 1.0), ("1", 1.0)])
def test_units_of_variables_of_netcdf_are_those_of_columns(tmp_path: Path, unit: str, seconds: float) -> None:
    level = ("time", np.arange(5.0), {"units": "m"})
    clock = ("time", np.arange(5.0), {"units": unit})
    dataset = xr.Dataset({"level": level, "valve": ("time", np.ones(5))}, {"time": clock})
    dataset.to_netcdf(tmp_path / "log.nc", engine="h5netcdf")
    data = read(tmp_path / "log.nc", states="level", inputs="valve", time="time")
    assert (data.dt, data.state_units, data.input_units) == (seconds, ("m",), ("",))
    assert data.time[0][-1] == pytest.approx(4 * seconds)
    seen = look(tmp_path / "log.nc").overview.time
    assert seen is not None
    assert seen.step == pytest.approx(seconds)
