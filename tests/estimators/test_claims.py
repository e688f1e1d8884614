"""What model files claim is compared with what is in them when they are loaded, and sizes with memory before a fit."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsedyn import SparseTimeStepper, load
from sparsedyn.data import DataError
from sparsedyn.training import CheckpointError, load_arrays, save_arrays

STORED = Path(__file__).parent / "stored"
Change = Callable[[dict[str, Any], dict[str, np.ndarray]], object]

CLAIMS: dict[str, tuple[str, Change, str]] = {
    "layers": ("stepper", lambda head, _: head["parameters"].update(hidden=[4] * 100_000), "100000 layers"),
    "widths": ("stepper", lambda head, _: head["parameters"].update(hidden=[10**9]), "arrays of shapes"),
    "members": ("stepper", lambda head, _: head["parameters"].update(members=10**9), "arrays of shapes"),
    "no text": ("stepper", lambda head, _: head["parameters"].update(activation=3), "activation: expected one of"),
    "integers": ("stepper", lambda _, a: a.update({"model.000": a["model.000"].astype(int)}), "arrays of shapes"),
    "units of none": ("stepper", lambda head, _: head["variables"].update(state_units=[]), "state_units"),
    "scaling": ("stepper", lambda head, _: head["scaling"].update(x_std=[1.0], x_mean=[0.0]), "a scaling of"),
    "no number": ("stepper", lambda head, _: head["scaling"].update(x_std=["a", "b"]), "could not convert"),
    "degree": ("sindy", lambda head, _: head["library"].update(degree=10**9), "makes more than the 10 terms"),
    "thresholds": ("sindy", lambda _, a: a.update(thresholds=np.zeros((2, 2))), "thresholds: expected"),
    "inputs": ("sindy", lambda head, _: head.update(inputs="sideways"), "inputs: expected one of"),
    "autoencoder layers": ("autoencoder", lambda head, _: head["parameters"].update(widths=[3] * 99), "99 layers"),
    "autoencoder degree": ("autoencoder", lambda head, _: head["parameters"].update(degree=10**9), "degree"),
    "autoencoder width": ("autoencoder", lambda head, _: head["parameters"].update(widths=[10**9]), "arrays of the"),
    "learner layers": ("learner", lambda head, _: head["parameters"].update(hidden=10**9), "hidden: expected"),
    "learner units": ("learner", lambda head, _: head["parameters"].update(primitives={"identity": 10**9}), "at most"),
    "equation": ("learner", lambda head, _: head["laws"][0][0].update(expression="(" * 200_000), "100000 characters"),
    "deep equation": ("regressor", lambda head, _: head["laws"][0][0].update(expression="(" * 9_000), "expression"),
    "no equation": ("regressor", lambda head, _: head.update(laws=[[]]), "without candidates"),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_models_that_do_not_go_together_are_refused_when_they_are_loaded(case: str, tmp_path: Path) -> None:
    name, change, expected = CLAIMS[case]
    arrays, header = load_arrays(STORED / f"{name}.model")
    header = copy.deepcopy(header)
    change(header, arrays)
    save_arrays(tmp_path / "x.model", arrays, header)
    with pytest.raises(CheckpointError, match=expected):
        load(tmp_path / "x.model")


@pytest.mark.parametrize(("hidden", "members"), [((10**11,), 10), ((64, 64), 10**9)])
def test_networks_that_do_not_fit_into_memory_are_refused(hidden: tuple[int, ...], members: int) -> None:
    x = np.cumsum(np.random.default_rng(0).normal(size=(20, 2)), axis=0)
    with pytest.raises(DataError, match=r"hidden=\(.*expected networks that fit into memory.*SPARSEDYN_MEMORY"):
        SparseTimeStepper(hidden, members=members).fit(x, 0.1)
