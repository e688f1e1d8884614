"""The one intake: every kind of data, with the same numbers, names and times in the end, or one clear message."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sparsedyn import DataError, Trajectories
from sparsedyn.data import Snapshots
from sparsedyn.estimators import _columns, _inputs, _states
from sparsedyn.estimators._checks import variables_of

pytestmark = pytest.mark.usefixtures("as_users_run")

DT, ROWS = 0.1, 6
RNG = np.random.default_rng(0)
X, U = RNG.normal(size=(2, ROWS, 2)), RNG.normal(size=(2, ROWS, 1))
TIME = DT * np.arange(ROWS)
NAMES, INPUTS = ["level", "heat"], ["feed"]
OWN = Trajectories(X, U, dt=DT, state_names=NAMES, input_names=INPUTS)


def table(number: int, names: list[str] = NAMES, index: Any = TIME) -> pd.DataFrame:
    return pd.DataFrame(X[number], columns=names, index=index)


def forces(number: int, index: Any = TIME) -> pd.DataFrame:
    return pd.DataFrame(U[number], columns=INPUTS, index=index)


def long(*, inputs: bool = True) -> pd.DataFrame:
    """Both trajectories in one table, their rows in turn."""
    parts = [table(i).join(forces(i)) if inputs else table(i) for i in range(2)]
    both = pd.concat([part.assign(run=f"r{i}") for i, part in enumerate(parts)])
    return both.sort_index(kind="stable")


def labelled(values: np.ndarray, names: list[str], *dims: str) -> xr.DataArray:
    return xr.DataArray(values, dims=dims, coords={"time": TIME, dims[-1]: names})


STACKED = labelled(X, NAMES, "trajectory", "time", "state")
FOREIGN = xr.Dataset(
    {
        name: (("run", "time"), values)
        for name, values in zip([*NAMES, *INPUTS], [*np.moveaxis(X, 2, 0), U[..., 0]], strict=True)
    },
    {"time": TIME},
)

# Arguments of `trajectories_of` that stand for `OWN`, with its names or with those that arrays get.
NAMED: dict[str, dict[str, Any]] = {
    "trajectories": {"x": OWN},
    "our dataset": {"x": OWN.to_xarray()},
    "a list of trajectories": {"x": [OWN[0], OWN[1]]},
    "tables": {"x": [table(0), table(1)], "u": [forces(0), forces(1)]},
    "tables and arrays": {"x": [table(0), table(1)], "u": list(U), "input_names": INPUTS},
    "one table of all": {"x": long(), "trajectory": "run", "input_names": INPUTS},
    "one table of states, one of inputs": {"x": long(inputs=False), "u": long()[["feed"]], "trajectory": "run"},
    "columns by their names": {"x": long().iloc[:, ::-1], "names": NAMES, "input_names": INPUTS, "trajectory": "run"},
    "time as a column": {
        "x": long().reset_index(names="t"),
        "t": "t",
        "names": NAMES,
        "input_names": INPUTS,
        "trajectory": "run",
    },
    "times of all rows of a table": {
        "x": long().reset_index(drop=True),
        "t": long().index.to_numpy(),
        "input_names": INPUTS,
        "trajectory": "run",
    },
    "xarray": {"x": STACKED, "u": labelled(U, INPUTS, "trajectory", "time", "input")},
    "xarray with its axes in another order": {
        "x": STACKED.transpose("trajectory", "state", "time"),
        "u": U,
        "input_names": INPUTS,
    },
    "a foreign dataset": {"x": FOREIGN, "input_names": INPUTS},
    "arrays with names": {"x": X, "t": DT, "u": U, "names": NAMES, "input_names": INPUTS},
}
BARE: dict[str, dict[str, Any]] = {
    "a cube": {"x": X, "t": DT, "u": U},
    "a list of arrays": {"x": list(X), "t": TIME, "u": list(U)},
    "a list of inputs without their axis": {"x": list(X), "t": DT, "u": list(U[..., 0])},
    "times of each": {"x": list(X), "t": [TIME, 3 + TIME], "u": list(U)},
    "nested lists": {"x": X.tolist(), "t": DT, "u": U.tolist()},
    "tables with numbered columns": {"x": [table(0, [0, 1], None), table(1, [0, 1], None)], "t": DT, "u": U},
}


@pytest.mark.parametrize("case", [*NAMED, *BARE])
def test_all_kinds_of_data_are_the_same_trajectories(case: str):
    data = _inputs.trajectories_of(**(NAMED | BARE)[case])
    np.testing.assert_array_equal(np.stack(data.states), X)
    np.testing.assert_array_equal(np.stack(data.inputs), U)
    assert data.dt == pytest.approx(DT)
    names = (tuple(NAMES), tuple(INPUTS)) if case in NAMED else (("x0", "x1"), ("u0",))
    assert (data.state_names, data.input_names) == names


def test_unequal_lengths_and_labels():
    data = _inputs.trajectories_of([X[0], X[1, :4]], DT)
    assert data.lengths == (6, 4)
    assert _inputs.trajectories_of(long(inputs=False), trajectory="run").labels == ("r0", "r1")
    some = long(inputs=False).query("run == 'r0' or index < 0.35")
    assert _inputs.trajectories_of(some, trajectory="run").lengths == (6, 4)


@pytest.mark.parametrize(
    ("x", "shapes"),
    [
        (X[0, :, 0], [(6, 1)]),
        (X[0], [(6, 2)]),
        (X[0, :, 0].tolist(), [(6, 1)]),
        ([X[0, :, 0], X[1, :, 0]], [(6, 1), (6, 1)]),
        ([X[0, :, 0], X[1, :4, 0]], [(6, 1), (4, 1)]),
        (pd.Series(X[0, :, 0], name="level"), [(6, 1)]),
        (STACKED[0, :, 0], [(6, 1)]),
    ],
)
def test_runs_of_one_state_are_never_taken_for_columns(x: Any, shapes: list[tuple[int, int]]):
    assert [states.shape for states in _inputs.trajectories_of(x, DT).states] == shapes


def test_inputs_told_in_another_zone_or_as_a_function_are_those_of_the_rows():
    stamps = pd.date_range("2024-03-31", periods=ROWS, freq="h", tz="UTC")
    level, feed = table(0, index=stamps)["level"], forces(0, stamps.tz_convert("Europe/Berlin"))["feed"]
    for x, u in ((level, feed), (level.to_frame(), feed.to_frame())):
        np.testing.assert_array_equal(_inputs.trajectories_of(x, u=u).inputs[0], U[0])
    data = _inputs.trajectories_of(X, [TIME, 3 + TIME], np.sin)
    np.testing.assert_array_equal(np.stack(data.inputs)[..., 0], [np.sin(TIME), np.sin(3 + TIME)])


def test_columns_of_the_fitted_variables_are_put_in_order():
    variables = variables_of(OWN)
    turned = [table(i)[NAMES[::-1]] for i in range(2)]
    both = [table(i).join(forces(i)).iloc[:, ::-1] for i in range(2)]
    for x, u in ((turned, U), (both, None), (X, U), (OWN, None), ([*X], [*U])):
        data = _inputs.trajectories_like(variables, x, u=u)
        np.testing.assert_array_equal(np.stack(data.states), X)
        np.testing.assert_array_equal(np.stack(data.inputs), U)
        assert variables_of(data)._replace(dt=DT) == variables


def test_measured_derivatives_go_with_their_states():
    turned = [table(i).add_suffix("_dot").iloc[:, ::-1] for i in range(2)]
    for x_dot in (X, list(X), turned, STACKED):
        np.testing.assert_array_equal(_inputs.derivatives_like(x_dot, OWN, "x_dot"), X)


def test_snapshots_of_everything():
    alone = Trajectories(X, dt=DT)
    for x, t in ((X, DT), (list(X), TIME), ([table(0), table(1)], None), (STACKED, None), (alone, None)):
        found = _inputs.snapshots_of(x, t)
        np.testing.assert_array_equal(found.x, X)
        assert found.dt == pytest.approx(DT)
    single = _inputs.snapshots_of(X.astype(np.float32), DT, X)
    assert single.x.dtype == np.float32
    assert isinstance(_inputs.snapshots_of(single), Snapshots)


def test_states_and_inputs_of_a_fitted_model():
    np.testing.assert_array_equal(_states.rows_of(table(0)[NAMES[::-1]], NAMES, "x"), X[0])
    np.testing.assert_array_equal(_states.rows_of(pd.Series({"heat": 1.0, "level": 2.0}), NAMES, "x0"), [2.0, 1.0])
    np.testing.assert_array_equal(_states.rows_of(U[0, :, 0], INPUTS, "u"), U[0])
    start, several = _states.start_of([1.0, 2.0], NAMES)
    assert (start.tolist(), several) == ([[1.0, 2.0]], False)
    assert _states.start_of([[1.0, 2.0]], NAMES)[1]
    for u in (
        U[0],
        U[0, :, 0],
        forces(0),
        lambda t: np.interp(t, TIME, U[0, :, 0]),
        lambda t: [np.interp(t, TIME, U[0, :, 0])],
    ):
        np.testing.assert_allclose(_states.inputs_at(u, TIME, INPUTS, 3), np.broadcast_to(U[0], (3, ROWS, 1)))
    assert _states.inputs_at(None, TIME, [], 2).shape == (2, ROWS, 0)


def test_columns_and_a_target():
    columns, names = _columns.columns_of(table(0))
    assert names == NAMES
    np.testing.assert_array_equal(columns, X[0])
    np.testing.assert_array_equal(_columns.columns_of(table(0).iloc[:, ::-1], NAMES)[0], X[0])
    assert _columns.columns_of(X[0].tolist())[1] == ["x0", "x1"]
    np.testing.assert_array_equal(_columns.target_of(U[0], ROWS), U[0, :, 0])


HOLED = np.where(np.arange(ROWS * 2).reshape(ROWS, 2) == 7, np.nan, X[0])
BAD: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "no time": (_inputs.trajectories_of, {"x": X}, "t: expected the sample time or the times of all rows; got None"),
    "a truth value as time": (_inputs.trajectories_of, {"x": X, "t": True}, "t: expected the sample time"),
    "rows numbered by a selection": (
        _inputs.trajectories_of,
        {"x": table(0, index=None)[2:]},
        "t: expected the sample time",
    ),
    "rows or trajectories": (
        _inputs.trajectories_of,
        {"x": X[0].tolist(), "t": DT},
        r"may hold rows or trajectories. Give np.asarray\(x\)",
    ),
    "four axes": (_inputs.trajectories_of, {"x": X[None], "t": DT}, r"x: expected the axes .* got the shape \(1, 2, 6"),
    "several trajectories in an item": (_inputs.trajectories_of, {"x": [X, X], "t": DT}, "one trajectory .* in every"),
    "a hole": (_inputs.trajectories_of, {"x": HOLED, "t": DT}, "row 3, column 'x1': a missing value"),
    "a hole in a table": (
        _inputs.trajectories_of,
        {"x": pd.DataFrame(HOLED, columns=NAMES), "t": DT},
        "'heat', row 3: a missing value",
    ),
    "masked": (_inputs.trajectories_of, {"x": np.ma.masked_less(X, 0), "t": DT}, "x: .* some are masked"),
    "text": (
        _inputs.trajectories_of,
        {"x": "data.csv", "t": DT},
        "x: expected numbers; got 'data.csv'.*sparsedyn.read",
    ),
    "complex": (_inputs.trajectories_of, {"x": X + 1j, "t": DT}, "x: .* complex"),
    "nothing": (_inputs.trajectories_of, {"x": None, "t": DT}, "x: expected numbers; got None"),
    "other columns in some": (
        _inputs.trajectories_of,
        {"x": [table(0), table(1, ["a", "b"])]},
        "x: expected the same columns",
    ),
    "too few inputs": (_inputs.trajectories_of, {"x": X, "t": DT, "u": U[:1]}, "1 trajectories have inputs"),
    "inputs at other times": (
        _inputs.trajectories_of,
        {"x": table(0), "u": forces(0, TIME + 1)},
        r"u: expected the index of x, 6 rows from 0.0",
    ),
    "inputs at other times in a list": (
        _inputs.trajectories_of,
        {"x": [table(0)], "u": [forces(0).iloc[:4]]},
        r"u: expected the index of x.*got 4 rows",
    ),
    "a series of inputs one row late": (
        _inputs.trajectories_of,
        {"x": table(0)["level"], "u": forces(0, TIME + DT)["feed"]},
        r"u: expected the index of x, 6 rows from 0.0.*reindex.*to_numpy\(\)",
    ),
    "xarray inputs at other times": (
        _inputs.trajectories_of,
        {"x": STACKED, "u": labelled(U, INPUTS, "trajectory", "time", "input").assign_coords(time=TIME + DT)},
        "u: expected the index of x",
    ),
    "inputs with a turned index beside times": (
        _inputs.trajectories_of,
        {"x": X[0], "t": TIME, "u": forces(0).iloc[::-1]},
        "not in order",
    ),
    "turned inputs": (
        _inputs.trajectories_of,
        {"x": X[0], "t": DT, "u": U[0].T},
        r"Expected is the shape \(6, inputs\); got \(1, 6\). They look transposed",
    ),
    "turned states": (_inputs.trajectories_of, {"x": X[0].T, "t": TIME}, r"expected is one time per row.*\.T"),
    "durations as a column": (
        _inputs.trajectories_of,
        {"x": table(0).assign(heat=pd.to_timedelta(TIME, unit="s"))},
        "'heat' holds timedelta64.*numbers are expected",
    ),
    "no such trajectory column": (
        _inputs.trajectories_of,
        {"x": long(), "trajectory": "rum"},
        "x: there is no column 'rum'",
    ),
    "a trajectory column of an array": (
        _inputs.trajectories_of,
        {"x": X, "t": DT, "trajectory": "run"},
        "trajectory: 'run' names a column; expected a table",
    ),
    "a time column of an array": (
        _inputs.trajectories_of,
        {"x": X, "t": "t"},
        "t: 't' names a column; expected a table",
    ),
    "no such state": (_inputs.trajectories_of, {"x": table(0), "names": ["lever"]}, "Did you mean 'level'"),
    "inputs of nothing": (
        _inputs.trajectories_of,
        {"x": X, "t": DT, "input_names": INPUTS},
        "input_names: expected inputs u",
    ),
    "two levels of rows": (
        _inputs.trajectories_of,
        {"x": long().set_index("run", append=True)},
        r"x: .*reset_index\(\)",
    ),
    "trajectories and their times": (
        _inputs.trajectories_of,
        {"x": OWN, "t": DT},
        "x: Trajectories bring .*; got t as well",
    ),
    "trajectories of two plants": (
        _inputs.trajectories_of,
        {"x": [OWN, Trajectories(X, dt=DT)]},
        "x of trajectory 1: expected state_names",
    ),
    "a dataset over other dimensions": (
        _inputs.trajectories_of,
        {"x": FOREIGN.assign(mean=FOREIGN["level"].mean("time"))},
        "x: expected a dataset of variables",
    ),
    "a missing input": (_inputs.trajectories_like, {"variables": variables_of(OWN), "x": X}, "u: expected 1 columns"),
    "other names": (
        _inputs.trajectories_like,
        {"variables": variables_of(OWN), "x": [table(0, ["a", "b"])], "u": [U[0]]},
        r"x: expected the columns \['level', 'heat'\], in any order; got \['a', 'b'\]",
    ),
    "another width": (
        _inputs.trajectories_like,
        {"variables": variables_of(OWN), "x": X[..., :1], "u": U},
        "x: expected 2 col",
    ),
    "inputs of none": (
        _inputs.trajectories_like,
        {"variables": variables_of(Trajectories(X, dt=DT)), "x": X, "u": U},
        "u: expected none",
    ),
    "derivatives of other shapes": (
        _inputs.derivatives_like,
        {"values": X[:, 1:], "data": OWN, "place": "x_dot"},
        "x_dot: expected the shapes",
    ),
    "snapshots of unequal length": (
        _inputs.snapshots_of,
        {"x": [X[0], X[1, :4]], "t": DT},
        "trajectories of one shape",
    ),
    "snapshots with times": (
        _inputs.snapshots_of,
        {"x": _inputs.snapshots_of(X, DT), "t": DT},
        "Snapshots bring their times",
    ),
    "a row with a hole": (_states.rows_of, {"values": HOLED, "names": NAMES, "place": "x"}, r"got NaN at \(3, 1\)"),
    "a start of two for one": (_states.start_of, {"x0": [1.0, 2.0], "names": ["x"]}, "x0: expected"),
    "inputs at other times than t": (
        _states.inputs_at,
        {"u": forces(0, 2 * TIME), "times": TIME, "names": INPUTS, "count": 1},
        "the times t as its index",
    ),
    "inputs of another length": (
        _states.inputs_at,
        {"u": U[0, :3], "times": TIME, "names": INPUTS, "count": 2},
        r"u: expected 6 rows.*got \(2, 3\)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_give_one_clear_message(case: str):
    call, arguments, message = BAD[case]
    with pytest.raises(DataError, match=message):
        call(**arguments)
