"""Trajectories: what they hold, how they are picked, cut, selected, split."""

import copy
import dataclasses
import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.data import DataError, Trajectories


def drawn(trajectories: int = 10, rows: int = 7, **options: Any) -> Trajectories:
    rng = np.random.default_rng(0)
    states, inputs = rng.normal(size=(trajectories, rows, 3)), rng.normal(size=(trajectories, rows, 2))
    return Trajectories(states, inputs, **{"dt": 0.5, **options})


def test_arrays_are_copied_to_read_only_float64() -> None:
    states = np.ones((2, 4, 3), dtype=np.float32)
    data = Trajectories(states, np.ones((2, 4, 1), dtype=int), dt=2)
    states[:] = 0
    assert all(array.dtype == np.float64 and (array == 1).all() for array in (*data.states, *data.inputs))
    assert (data.dt, data.lengths, len(data)) == (2.0, (4, 4), 2)
    np.testing.assert_array_equal(data.time[1], [0, 2, 4, 6])
    with pytest.raises(ValueError, match="read-only"):
        data.states[0][0, 0] = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.dt = 1.0  # type: ignore[misc]


def test_defaults() -> None:
    data = drawn(2)
    assert data.state_names == ("x1", "x2", "x3")
    assert data.input_names == ("u1", "u2")
    assert (data.state_units, data.input_units) == (("", "", ""), ("", ""))
    assert (data.labels, data.attrs) == (("0", "1"), {})
    assert repr(data) == "Trajectories(2 x 7 rows, dt=0.5 s, states: x1, x2, x3; inputs: u1, u2)"


def test_one_trajectory_needs_no_trajectory_axis() -> None:
    values = np.arange(8.0).reshape(4, 2)
    for states in (values, values[None], [values], values.tolist()):
        data = Trajectories(states, dt=1)
        assert len(data) == 1
        np.testing.assert_array_equal(data.states[0], values)
        assert data.inputs[0].shape == (4, 0)


def test_arrays_of_one_axis_in_a_list_are_runs_of_one_state() -> None:
    data = Trajectories([np.arange(5), np.arange(4.0)], [pd.Series(np.ones(5)), np.ones(4)], dt=1)
    assert (data.lengths, data.state_names, data.input_names) == ((5, 4), ("x1",), ("u1",))


def test_numbers_of_any_kind() -> None:
    data = Trajectories(np.array([[Fraction(1, 2), True], [2, 3.5]], dtype=object), dt=1)
    np.testing.assert_array_equal(data.states[0], [[0.5, 1], [2, 3.5]])


def test_unequal_lengths() -> None:
    data = Trajectories([np.zeros((4, 1)), np.zeros((6, 1))], [np.ones((4, 2)), np.ones((6, 2))], dt=1)
    assert data.lengths == (4, 6)
    assert "2 x 4 to 6 rows" in repr(data)
    assert data.head(4).stack()[1].shape == (2, 4, 2)
    assert data.head(5).lengths == (4, 5)


def test_attributes_become_what_files_keep() -> None:
    data = drawn(2, attrs={"seed": np.int64(3), "range": (0.1, np.float64(2))})
    assert data.attrs == {"seed": 3, "range": [0.1, 2.0]}


def test_time_gives_dt_and_is_kept() -> None:
    time = 5 + np.arange(7) * 0.1
    data = drawn(2, dt=None, time=time)
    assert data.dt == 0.1
    for kept in data.time:
        np.testing.assert_array_equal(kept, time)
    shifted = drawn(2, dt=None, time=[time, time + 1])
    assert shifted.time[1][0] == 6
    np.testing.assert_array_equal(drawn(2, dt=None, time=np.stack([time, time + 1])).time, shifted.time)


def test_time_may_jitter_by_a_thousandth_of_the_step() -> None:
    time = np.arange(7.0)
    time[3] += 9e-4
    assert drawn(1, dt=None, time=time).dt == pytest.approx(1)


def test_single_precision_time_is_regular_as_far_as_it_can_be() -> None:
    time = 1000 + np.arange(7, dtype=np.float32) * np.float32(0.01)
    assert np.ptp(np.diff(time)) > 1e-3 * 0.01
    assert drawn(1, dt=None, time=time).dt == pytest.approx(0.01, rel=1e-2)


@pytest.mark.parametrize(
    "time",
    [
        np.datetime64("2024-05-31T23:59:59") + np.arange(7) * np.timedelta64(500, "ms"),
        pd.date_range("2024-05-31", periods=7, freq="500ms"),
        pd.Series(pd.date_range("2024-05-31", periods=7, freq="500ms", tz="Europe/Oslo")),
        [datetime.datetime(2024, 5, 31) + datetime.timedelta(seconds=k / 2) for k in range(7)],
        [f"2024-05-31 12:00:0{k / 2}" for k in range(7)],
        np.arange(7) * np.timedelta64(500_000, "us"),
        pd.to_timedelta(np.arange(7) / 2, unit="s"),
        [datetime.timedelta(seconds=k / 2) for k in range(7)],
    ],
    ids=["datetime64", "index", "time zone", "datetime", "text", "timedelta64", "durations", "timedelta"],
)
def test_dates_and_durations_become_seconds(time: Any) -> None:
    data = drawn(1, dt=None, time=time)
    assert data.dt == 0.5
    np.testing.assert_array_equal(data.time[0], np.arange(7) * 0.5)


def test_picking() -> None:
    data = drawn(5, labels=list("abcde"))
    assert data[-1].labels == ("e",)
    assert data[1:3].labels == ("b", "c")
    assert data[[3, 0]].labels == ("d", "a")
    assert data[np.array([True, False, False, False, True])].labels == ("a", "e")
    assert [one.labels for one in data] == [("a",), ("b",), ("c",), ("d",), ("e",)]
    np.testing.assert_array_equal(data[[3, 0]].states[0], data.states[3])
    with pytest.raises(IndexError, match="there are 5, from 0 to 4"):
        data[5]


def test_selecting_columns() -> None:
    data = drawn(2, state_units=["kg", "K", "m"], input_units=["A", "V"])
    chosen = data.select(["u2", "x1"], ["x3"])
    assert (chosen.state_names, chosen.input_names) == (("u2", "x1"), ("x3",))
    assert (chosen.state_units, chosen.input_units) == (("V", "kg"), ("m",))
    np.testing.assert_array_equal(chosen.states[1][:, 0], data.inputs[1][:, 1])
    np.testing.assert_array_equal(chosen.inputs[1][:, 0], data.states[1][:, 2])
    assert data.select(inputs=[]).inputs[0].shape == (7, 0)


def test_stack() -> None:
    data = drawn(4)
    states, inputs = data.stack()
    assert (states.shape, inputs.shape) == ((4, 7, 3), (4, 7, 2))
    np.testing.assert_array_equal(states[2], data.states[2])


def test_split_is_whole_disjoint_and_the_same_for_a_seed() -> None:
    data = drawn(10)
    parts = data.split(seed=3)
    assert [len(part) for part in parts] == [6, 2, 2]
    labels = [label for part in parts for label in part.labels]
    assert sorted(labels) == sorted(data.labels)
    assert [part.labels for part in data.split(seed=3)] == [part.labels for part in parts]
    assert [part.labels for part in data.split(seed=4)] != [part.labels for part in parts]
    for part in parts:
        assert list(part.labels) == sorted(part.labels)
        for label, states in zip(part.labels, part.states, strict=True):
            np.testing.assert_array_equal(states, data.states[int(label)])


@pytest.mark.parametrize(
    ("shares", "sizes"),
    [
        ((0.5, 0, 0.5), [5, 5]),
        ((7, 2, 1), [7, 2, 1]),
        ((0.7, 0.1, 0.2), [7, 1, 2]),
        ((3, 0, 0), [3]),
        ((1.0, 0, 0), [10]),
    ],
)
def test_split_sizes(shares: tuple[Any, Any, Any], sizes: list[int]) -> None:
    assert [len(part) for part in drawn(10).split(*shares)] == sizes


def test_shares_that_add_up_to_one_leave_no_trajectory_out() -> None:
    for count in range(5, 60):
        assert sum(len(part) for part in drawn(count, rows=2).split(0.6, 0.2, 0.2)) == count


def test_named_levels_of_an_index_are_columns() -> None:
    stamps = pd.date_range("2024-10-27", periods=30, freq="30min", tz="Europe/Berlin", name="t")
    frame = pd.DataFrame({"x": np.arange(30.0)}, index=stamps)
    assert Trajectories.from_pandas(frame, states="x", time="t").dt == 1800.0
    runs = pd.MultiIndex.from_product([["a", "b"], 0.5 * np.arange(15)], names=["run", "t"])
    both = Trajectories.from_pandas(frame.set_axis(runs), states="x", time="t", trajectory="run")
    assert (both.labels, both.lengths, both.dt) == (("a", "b"), (15, 15), 0.5)
    with pytest.warns(SparsedynWarning, match="taken for one trajectory"):
        Trajectories.from_pandas(frame.set_axis(runs), states="x", dt=0.5)
    # A column of the same name is meant.
    assert Trajectories.from_pandas(frame.assign(t=np.arange(30.0)), states="x", time="t").dt == 1.0


def test_what_is_no_data_frame_is_refused() -> None:
    with pytest.raises(DataError, match=r"got Series. Give frame.to_frame\(\)"):
        Trajectories.from_pandas(pd.Series([1.0, 2.0], name="x"), states="x", dt=1.0)  # type: ignore[arg-type]


def test_pandas_and_back() -> None:
    data = drawn(3, labels=["c", "a", "b"])
    frame = data.to_pandas()
    assert list(frame.columns) == ["trajectory", "time", "x1", "x2", "x3", "u1", "u2"]
    assert len(frame) == 21
    back = Trajectories.from_pandas(frame, data.state_names, data.input_names, "time", "trajectory")
    assert back.labels == data.labels
    np.testing.assert_array_equal(back.stack()[0], data.stack()[0])
    np.testing.assert_array_equal(back.time, data.time)


def test_xarray_and_back() -> None:
    data = Trajectories(
        [np.ones((4, 1)), np.full((6, 1), 2.0)],
        dt=0.1,
        state_units=["kg"],
        labels=["p", "q"],
        attrs={"seed": [1]},
    )
    dataset = data.to_xarray()
    assert dataset.states.dims == ("trajectory", "row", "state")
    assert dataset.states.sel(trajectory="q", state="x1").mean() == 2
    assert np.isnan(dataset.states.sel(trajectory="p").values[4:]).all()
    back = Trajectories.from_xarray(dataset)
    assert (back.lengths, back.labels, back.attrs, back.dt) == ((4, 6), ("p", "q"), {"seed": [1]}, 0.1)
    assert (back.state_units, back.input_names) == (("kg",), ())


def test_copies() -> None:
    data = drawn(2)
    np.testing.assert_array_equal(copy.deepcopy(data).stack()[0], data.stack()[0])
