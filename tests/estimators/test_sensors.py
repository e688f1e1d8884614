"""Sensors that were stuck, clipped or far off are named; rest, held values and pulses are no such things."""

import numpy as np
import pytest

from sparsedyn import Trajectories
from sparsedyn.data.sensors import stuck
from sparsedyn.estimators._report import of_data
from sparsedyn.estimators._sensors import sensors

RNG = np.random.default_rng(0)


def lag(u: np.ndarray) -> np.ndarray:
    x = np.zeros(len(u))
    for k in range(len(u) - 1):
        x[k + 1] = 0.9 * x[k] + 0.2 * u[k]
    return x


U = np.repeat(RNG.uniform(0, 1, 30), 10)
X = lag(U)


def found(*columns: np.ndarray) -> dict[str, str]:
    data = Trajectories([x[:, None] for x in columns], dt=0.2, state_names=["y"])
    return {finding.check: finding.message for finding in sensors(data)}


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_stuck_sensor_is_named_with_its_rows(noise: float):
    y = X + noise * RNG.normal(size=len(X))
    y[100:160] = y[100]
    said = found(X, y)
    assert list(said) == ["stuck-sensor"]
    assert "in rows 100 to 159 of trajectory 1" in said["stuck-sensor"]


def test_a_clipped_sensor_is_named_with_its_rows():
    top = float(np.quantile(X, 0.8))
    said = found(np.minimum(X, top))
    assert list(said) == ["clipped"]
    assert f"the first is row {int(np.argmax(top <= X))}" in said["clipped"]


@pytest.mark.parametrize(
    ("rows", "text"), [([77], "row 77 of 'y' is -999,"), ([20, 77], "row 20 of 'y' is -999, row 77")]
)
def test_rows_that_stand_out_are_named_and_not_taken_for_noise(rows: list[int], text: str):
    y = X.copy()
    y[rows] = -999.0
    said = found(y)
    assert text in said["outliers"]
    assert "missing='-999'" in said["outliers"]
    data = Trajectories([y[:, None]], dt=0.2)
    assert not {"too-few-rows", "noise"} & {one.check for one in of_data(data, mapped=False, delayed=False) if one}


STEPS = np.repeat([0.0, 1.0, 0.2, 0.8], 100)
PULSES = np.where(np.isin(np.arange(400), [50, 210]), 5.0, 0.0)


@pytest.mark.parametrize("digits", [1, 2, 3, 15])
@pytest.mark.parametrize("x", [X, lag(STEPS), STEPS, PULSES[:200], lag(PULSES), np.cumsum(RNG.normal(size=300)), U])
def test_rest_held_values_and_responses_to_pulses_are_no_faults(x: np.ndarray, digits: int):
    assert found(np.round(x, digits)) == {}


def test_a_single_step_is_no_stuck_sensor():
    assert stuck([np.repeat([0.0, 1.0], 30)]) == []
