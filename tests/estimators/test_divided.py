"""Members of an ensemble that workers train in parts: the same weights and the same history."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
import pytest

from sparsedyn import L1, SWA, MagnitudePruning, SparseTimeStepper, Trajectories, simulate
from sparsedyn.estimators.stepper._divided import divided
from sparsedyn.executors import Local

SETTINGS: dict[str, Any] = {"hidden": (8,), "epochs": 6, "batch": 16, "learning_rate": 0.02}


@dataclass(frozen=True)
class Several(Local):
    """As many workers as are said, one after the other."""

    count: int

    @property
    def workers(self) -> int:
        return self.count


@pytest.fixture(scope="module")
def data() -> Trajectories:
    return simulate("lotka-volterra", 4, 40, 0, dt=0.2)


def leaves(stepper: SparseTimeStepper) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves((stepper.models_, stepper.active_, stepper.alive_))]


@pytest.mark.filterwarnings("ignore:fit. :sparsedyn.SparsedynWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"technique": [L1(1e-4), MagnitudePruning(0.5)]},
        {"average": SWA(), "shuffle": "member"},
        {"patience": 2, "learning_rate": 0.2, "epochs": 20},
    ],
    ids=["pruned", "averaged", "stopped early"],
)
def test_members_in_parts_are_those_of_one_computation(options: dict[str, Any], data: Trajectories):
    train, validation = data[:3], data[3:]
    one, several = (SparseTimeStepper(**{**SETTINGS, "members": 5, **options}) for _ in range(2))
    one.fit(train, validation)
    several.fit(train, validation, executor=Several(2))
    assert one.compiled_steps_
    assert several.compiled_steps_
    for mine, theirs in zip(leaves(several), leaves(one), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    pd.testing.assert_frame_equal(several.history_, one.history_)
    assert several.steps_ == one.steps_


def test_parts_are_as_equal_as_can_be():
    assert divided(5, 2) == [range(2), range(2, 5)]
    assert divided(2, 4) == [range(1), range(1, 2)]
    assert divided(3, 1) == [range(3)]


def test_checkpoints_are_for_one_computation(data: Trajectories, tmp_path):
    with pytest.raises(ValueError, match="checkpoint: expected none along with an executor"):
        SparseTimeStepper(**SETTINGS).fit(data, executor=Local(), checkpoint=tmp_path / "run")
