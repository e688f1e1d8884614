"""Zarr stores: read in parts as they would be in one piece, and never trusted."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sparsedyn import Trajectories
from sparsedyn.data import DataError, read
from sparsedyn.data.datasets import DIMENSIONS
from sparsedyn.data.streaming import stores


def plant() -> Trajectories:
    rng = np.random.default_rng(0)
    states = [rng.normal(size=(rows, 2)) for rows in (9, 7, 8, 5, 9)]
    names: dict[str, Any] = {"state_names": ["a", "b"], "state_units": ["m", ""], "labels": list("pqrst")}
    return Trajectories(states, [x[:, :1] for x in states], dt=0.3, attrs={"seed": 1}, **names)


@pytest.mark.filterwarnings("ignore")  # of Zarr, about texts of fixed length
@pytest.mark.parametrize("form", [2, 3])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_store_is_what_was_written(tmp_path: Path, form: int, streamed: bool, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("zarr")
    monkeypatch.setattr(stores, "PART", 2 * 8 * 9 * 4)  # two trajectories
    data = plant()
    data.to_xarray().to_zarr(tmp_path / "plant.zarr", zarr_format=form, consolidated=False)
    seen: list[tuple[int, int]] = []
    stream = tmp_path / "arrays" if streamed else None
    found = read(tmp_path / "plant.zarr", stream=stream, on_file=lambda done, of: seen.append((done, of)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    for name in ("labels", "dt", "state_names", "input_names", "state_units", "attrs"):
        assert getattr(found, name) == getattr(data, name)
    for one, other in zip((*found.states, *found.inputs), (*data.states, *data.inputs), strict=True):
        np.testing.assert_array_equal(one, other)


def described(folder: Path) -> dict[str, dict[str, Any]]:
    """Write what a store of format 2 says of itself, without numbers, and return it."""
    folder.mkdir()
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    told = {}
    for name, dims in DIMENSIONS.items():
        shape = [2] * len(dims)
        told[name] = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "<f8", "order": "C", "filters": None}
        told[name] |= {"fill_value": 0, "compressor": {"id": "zstd"}}
    return told


def pickled(told: dict[str, Any]) -> None:
    told["states"]["filters"] = [{"id": "pickle", "protocol": 5}]


def another(told: dict[str, Any]) -> None:
    told["row"] = told["state"] | {"compressor": {"id": "pickle"}}


def huge_chunk(told: dict[str, Any]) -> None:
    told["inputs"]["chunks"] = [10**7, 10**7, 1]


def many_labels(told: dict[str, Any]) -> None:
    told["trajectory"]["shape"] = [10**14]


def missing(told: dict[str, Any]) -> None:
    del told["time"]


def inner(told: dict[str, Any]) -> None:
    codecs = [{"name": "numcodecs.pickle", "configuration": {}}]
    told["states"]["codecs"] = [{"name": "sharding_indexed", "configuration": {"codecs": codecs}}]


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "pickle": (pickled, "array 'states': expected filters among"),
    "an array that nobody asks for": (another, "array 'row': expected filters among"),
    "a filter within another": (inner, "got 'numcodecs.pickle'"),
    "a chunk beyond the memory": (huge_chunk, "chunks of 100000000000000 numbers, which would take"),
    "labels beyond the memory": (many_labels, "values of 'trajectory', which would take"),
    "an array that is missing": (missing, "'time' is missing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_store_says_is_checked_before_it_is_opened(tmp_path: Path, name: str):
    spoil, message = WRONG[name]
    told = described(tmp_path / "x.zarr")
    spoil(told)
    for array, value in told.items():
        (tmp_path / "x.zarr" / array).mkdir()
        (tmp_path / "x.zarr" / array / ".zarray").write_text(json.dumps(value))
    with pytest.raises(DataError, match=r"x\.zarr: ") as error:
        read(tmp_path / "x.zarr")
    assert message in str(error.value)


def test_without_the_package_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for array, value in described(tmp_path / "x.zarr").items():
        (tmp_path / "x.zarr" / array).mkdir()
        (tmp_path / "x.zarr" / array / ".zarray").write_text(json.dumps(value))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'sparsedyn\[zarr\]'"):
        read(tmp_path / "x.zarr")
