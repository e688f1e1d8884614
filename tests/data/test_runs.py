"""Runs that stand below one another: columns that tell of them, and labels that come back."""

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.data import DataError, Trajectories, read
from sparsedyn.estimators._inputs import trajectories_of

from .recorded import ROWS, tank

CHOSEN = {"names": ["level"], "input_names": ["valve"]}


def stacked(labels: str = "ab") -> pd.DataFrame:
    return pd.concat([tank().assign(run=label) for label in labels], ignore_index=True)


@pytest.mark.parametrize(
    ("left_out", "part"),
    [("time", f"'run', which is not used, changes at rows {ROWS}"), ("run", "'time'.* starts again")],
)
def test_runs_of_one_sample_time_are_warned_of_by_column_and_rows(left_out: str, part: str, tmp_path):
    frame = stacked().drop(columns=left_out)
    frame.to_csv(tmp_path / "log.csv", index=False)
    frame.to_parquet(tmp_path / "log.parquet")
    for name in ("log.csv", "log.parquet"):
        with pytest.warns(SparsedynWarning, match=part):
            assert len(read(tmp_path / name, "level", "valve", dt=1.0)) == 1
    with pytest.warns(SparsedynWarning, match=part):
        assert len(trajectories_of(frame, 1.0, **CHOSEN)) == 1


def test_one_run_is_not_warned_of(recwarn):
    frame = tank().assign(mode=np.where(np.arange(ROWS) % 30 < 15, "on", "off"), spare=tank()["valve"] * 3)
    Trajectories.from_pandas(frame, "level", "valve", dt=1.0)
    assert not recwarn.list


def test_a_label_that_comes_back_is_refused_with_the_rows():
    frame = stacked("aba")
    for roles in ({"dt": 1.0}, {"time": "time"}):
        with pytest.raises(DataError, match=f"'a' ends in row {ROWS - 1} and comes back in rows {2 * ROWS};"):
            Trajectories.from_pandas(frame, "level", "valve", trajectory="run", **roles)
    beside = stacked().sort_values("time", kind="stable")
    assert len(Trajectories.from_pandas(beside, "level", "valve", "time", "run")) == 2


@pytest.mark.parametrize("value", ["ok", np.nan, None])
def test_columns_that_were_not_asked_for_may_hold_anything(value):
    found = trajectories_of(tank().assign(note=value), "time", **CHOSEN)
    assert (found.state_names, found.input_names) == (("level",), ("valve",))


def test_a_forgotten_column_of_runs_is_named():
    with pytest.raises(DataError, match="trajectory='run'"):
        trajectories_of(stacked(), "time")
    with pytest.raises(DataError, match=f"starts again at rows {ROWS}, where column 'run' changes.*trajectory='run'"):
        trajectories_of(stacked(), "time", **CHOSEN)
