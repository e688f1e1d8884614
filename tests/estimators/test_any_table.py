"""Whatever a table holds, there is a model or one clear error, and nothing else."""

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sparsedyn import (
    DataError,
    EquationLearner,
    SINDy,
    SparsedynWarning,
    SparseStateSpace,
    SparseTimeStepper,
    Trajectories,
)
from sparsedyn.data import overview
from sparsedyn.estimators._inputs import trajectories_of

COLUMNS = ["run", "t", "x", "y", "u"]
SPOILT = st.sampled_from(
    [np.nan, np.inf, -np.inf, None, "off", "1,5", "", True, 10**400, 1 + 2j, pd.NaT, pd.Timestamp("2024-01-01"), [1.0]]
)
TYPES = st.sampled_from(["float64", "float32", "int64", "object", "str", "category", "Int64", "bool", "datetime64[ns]"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, list[str]]:
    """Return a table of one to five runs of unequal length, spoilt in some ways, and in which."""
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    runs = []
    for run in range(draw(st.integers(1, 5))):
        rows = draw(st.sampled_from([0, 1, 2, 3, 5, 12, 30]))
        t = 0.1 * np.arange(rows)
        runs.append(
            pd.DataFrame({"run": run, "t": t, "x": np.cos(t + run), "y": np.sin(t + run), "u": rng.normal(size=rows)})
        )
    table = pd.concat(runs, ignore_index=True)
    spoilt = draw(
        st.lists(st.sampled_from(["cell", "gap", "double", "shuffle", "type", "index", "order", "dates"]), max_size=3)
    )
    for how in spoilt:
        if how == "cell" and len(table):
            name, row = draw(st.sampled_from(COLUMNS)), draw(st.integers(0, len(table) - 1))
            table[name] = table[name].astype(object)
            table.at[table.index[row], name] = draw(SPOILT)
        elif how == "gap" and len(table) > 4:
            table = table.drop(index=table.index[len(table) // 2 : len(table) // 2 + draw(st.integers(1, 2))])
        elif how == "double" and len(table):
            table = pd.concat([table, table[-1:]])
        elif how == "shuffle":
            table = table.sample(frac=1, random_state=draw(st.integers(0, 3)))
        elif how == "type":
            name = draw(st.sampled_from(COLUMNS))
            with warnings.catch_warnings(), contextlib.suppress(ValueError, TypeError, OverflowError):
                warnings.simplefilter("ignore")
                table[name] = table[name].astype(draw(TYPES))
        elif how == "index":
            table = table.set_index(table["t"]) if draw(st.booleans()) else table.set_index(table.index[::-1])
        elif how == "order":
            table = table[draw(st.permutations(COLUMNS))]
        elif how == "dates":
            table = table.assign(t=pd.Timestamp("2023-10-29", tz="Europe/Berlin"))
    return table, spoilt


def outcome(take: Callable[[], Any]) -> Any:
    """Return what is made, or nothing where it is refused with a message of the package; anything else is raised."""
    try:
        return take()
    except DataError as error:
        if len(str(error)) < 20:
            raise
        return None


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(made=tables(), gaps=st.sampled_from(["refuse", "cut", "keep"]), column=st.booleans(), labelled=st.booleans())
def test_a_table_is_taken_or_refused_with_a_message(
    made: tuple[pd.DataFrame, list[str]], gaps: str, column: bool, labelled: bool
):
    table, spoilt = made
    run = "run" if labelled else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SparsedynWarning)
        for take in (
            lambda: trajectories_of(table, "t" if column else 0.1, trajectory=run, names=["x", "y"], input_names=["u"]),
            lambda: Trajectories.from_pandas(table, "x,y", "u", "t", run, gaps=gaps, duplicates="first"),
            lambda: overview(table),
        ):
            found = outcome(take)
            if isinstance(found, Trajectories):
                assert all(np.isfinite(part).all() for part in (*found.states, *found.inputs, *found.time))
                assert all((np.diff(time) > 0).all() for time in found.time)
    if not spoilt and column and labelled and min(table["run"].value_counts(), default=0) > 1:
        assert (
            len(trajectories_of(table, "t", trajectory="run", names=["x", "y"], input_names=["u"]))
            == table["run"].nunique()
        )


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(made=tables(), gaps=st.sampled_from(["refuse", "cut"]))
def test_a_model_or_one_clear_error(made: tuple[pd.DataFrame, list[str]], gaps: str):
    table, _ = made
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SparsedynWarning)
        model = outcome(
            lambda: SINDy(degree=1, threshold=0.1).fit(
                Trajectories.from_pandas(table, "x,y", "u", "t", "run", gaps=gaps)
            )
        )
    assert model is None or np.isfinite(model.coefficients_).all()


FAMILIES: dict[str, Callable[[], Any]] = {
    "EquationLearner": EquationLearner,
    "SparseTimeStepper": lambda: SparseTimeStepper(hidden=(4,), members=1, epochs=1),
    "SparseStateSpace": lambda: SparseStateSpace(states=1, units="none"),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@settings(
    max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(made=tables(), gaps=st.sampled_from(["refuse", "cut"]), whole=st.booleans())
def test_every_family_makes_a_model_or_one_clear_error(
    family: str, made: tuple[pd.DataFrame, list[str]], gaps: str, whole: bool
):
    table, _ = made

    def fitted() -> Any:
        if whole:
            given: dict[str, Any] = {"names": ["x", "y"], "input_names": ["u"], "trajectory": "run", "progress": False}
            return FAMILIES[family]().fit(table, "t", **given)
        data = Trajectories.from_pandas(table, "x,y", "u", "t", "run", gaps=gaps)
        return FAMILIES[family]().fit(data, progress=False)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SparsedynWarning)
        model = outcome(fitted)
    if model is not None:
        assert all(np.isfinite(model.nonzeros_)) if family != "EquationLearner" else len(model.equations()) == 2


def test_errors_are_of_the_package():
    with pytest.raises(DataError, match="no rows"):
        Trajectories.from_pandas(pd.DataFrame({"t": [], "x": []}), "x", None, "t")
