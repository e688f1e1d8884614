"""Folders of files, in memory and as arrays on disk: the same trajectories, whatever way they take."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import Trajectories, _memory
from sparsedyn.data import DataError, Samples, Scaling, read, samples, write
from sparsedyn.data.samples import SampleParts
from sparsedyn.data.streaming.mapping import mapping_of

COLUMNS: dict[str, Any] = {"states": "x,y", "inputs": "u", "time": "t", "trajectory": "run"}


def table(rows: int = 300, runs: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    each = rows // runs
    frame = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["x", "y", "u"])
    return frame.assign(run=np.arange(rows) // each, t=0.1 * (np.arange(rows) % each))


def divided(folder: Path, frame: pd.DataFrame, rows: int, suffix: str = ".parquet") -> Path:
    """Write a table as files of so many rows, which end within runs."""
    folder.mkdir()
    for number, first in enumerate(range(0, len(frame), rows)):
        part = frame.iloc[first : first + rows]
        path = folder / f"part-{number}{suffix}"
        part.to_parquet(path) if suffix == ".parquet" else part.to_csv(path, index=False)
    return folder


def same(one: Trajectories, other: Trajectories) -> bool:
    facts = ("labels", "dt", "regular", "state_names", "input_names", "state_units", "input_units")
    arrays = all(
        np.array_equal(a, b)
        for name in ("states", "inputs", "time")
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True)
    )
    return arrays and all(getattr(one, name) == getattr(other, name) for name in facts)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    return divided(tmp_path / "parts", table(), 22)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_folder_is_read_as_one_file(tmp_path: Path, suffix: str):
    frame = table()
    folder = divided(tmp_path / "parts", frame, 22, suffix)
    whole = Trajectories.from_pandas(frame, ["x", "y"], ["u"], time="t", trajectory="run")
    assert same(read(folder, **COLUMNS), whole)
    streamed = read(folder, **COLUMNS, stream=tmp_path / "arrays")
    assert same(streamed, whole)
    assert all(mapping_of(array) is not None for array in (*streamed.states, *streamed.inputs, *streamed.time))
    assert same(read(tmp_path / "arrays"), whole)


def test_arrays_are_used_again_until_files_or_options_change(parts: Path, tmp_path: Path):
    first = read(parts, **COLUMNS, stream=tmp_path / "arrays")
    made = (tmp_path / "arrays" / "states.npy").stat().st_mtime_ns
    assert same(read(parts, **COLUMNS, stream=tmp_path / "arrays"), first)
    assert (tmp_path / "arrays" / "states.npy").stat().st_mtime_ns == made
    with pytest.raises(DataError, match="Give another folder, or remove this one"):
        read(parts, **COLUMNS | {"states": "x"}, stream=tmp_path / "arrays")
    table().iloc[:22].to_parquet(parts / "part-14.parquet")
    with pytest.raises(DataError, match="the files have changed since"):
        read(parts, **COLUMNS, stream=tmp_path / "arrays")


def test_with_a_sample_time_rows_go_on_counting(tmp_path: Path):
    frame = table().drop(columns="t")
    folder = divided(tmp_path / "parts", frame, 22)
    options: dict[str, Any] = {"states": "x,y", "inputs": "u", "trajectory": "run", "dt": 0.1}
    whole = Trajectories.from_pandas(frame, ["x", "y"], ["u"], trajectory="run", dt=0.1)
    assert same(read(folder, **options), whole)
    assert same(read(folder, **options, stream=tmp_path / "arrays"), whole)


def test_without_labels_every_file_is_a_run_named_after_it(tmp_path: Path):
    frame = table(60, 1).drop(columns="run")
    folder = divided(tmp_path / "parts", frame, 6)
    data = read(folder, states="x,y", inputs="u", time="t")
    # In the order of numbers, not of characters.
    assert data.labels == tuple(f"part-{number}" for number in range(10))
    assert data.lengths == (6,) * 10


def test_files_of_this_package_keep_what_they_say(tmp_path: Path):
    (tmp_path / "own").mkdir()
    rng = np.random.default_rng(1)
    runs = [
        Trajectories(rng.normal(size=(2, 9, 2)), dt=0.3, state_names=["a", "b"], state_units=["m", ""], attrs={"k": 1})
        for _ in range(2)
    ]
    for number, data in enumerate(runs):
        write(data, tmp_path / "own" / f"day{number}.npz")
    found = read(tmp_path / "own", stream=tmp_path / "arrays")
    assert found.labels == ("day0.0", "day0.1", "day1.0", "day1.1")
    assert (found.dt, found.state_units, found.attrs, found.input_names) == (0.3, ("m", ""), {"k": 1}, ())
    np.testing.assert_array_equal(found.states[3], runs[1].states[1])


def test_what_does_not_fit_names_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = divided(tmp_path / "parts", table(6000), 500)
    monkeypatch.setenv(_memory.VARIABLE, "100 kB")
    with pytest.raises(
        DataError, match=r"the budget of memory is 100 kB. Keep the numbers on disk, .* with stream='FOLDER'"
    ):
        read(folder, **COLUMNS)
    assert sum(read(folder, **COLUMNS, stream=tmp_path / "arrays").lengths) == 6000


def reversed_files(folder: Path) -> None:
    first, last = folder / "part-0.parquet", folder / "part-1.parquet"
    content = first.read_bytes(), last.read_bytes()
    first.write_bytes(content[1])
    last.write_bytes(content[0])


def missing_file(folder: Path) -> None:
    (folder / "part-1.parquet").unlink()


def other_columns(folder: Path) -> None:
    table().rename(columns={"y": "y [m]"}).iloc[22:44].to_parquet(folder / "part-1.parquet")


def label_again(folder: Path) -> None:
    table().iloc[:10].to_parquet(folder / "part-99.parquet")


def two_kinds(folder: Path) -> None:
    table().to_csv(folder / "all.csv")


def dates(folder: Path) -> None:
    for path in folder.iterdir():
        frame = pd.read_parquet(path)
        frame.assign(t=pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["t"], unit="s")).to_parquet(path)


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "order": (
        reversed_files,
        "trajectory '0' goes on from the file before, which ends at 4.3 s; expected a later time",
    ),
    "gap": (missing_file, "time of trajectory '0', row 22: irregular, a step of 2.3"),
    "columns": (other_columns, "'y'"),
    "label": (label_again, "part-99.parquet: trajectory '0' has rows in a file before, and others followed"),
    "kinds": (two_kinds, "files of the kinds '.csv', '.parquet'"),
    "dates": (dates, "Dates count from the first of their file, and need whole trajectories in every file"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("stream", [True, False])
def test_files_that_do_not_go_together_are_refused(parts: Path, tmp_path: Path, name: str, stream: bool):
    spoil, message = WRONG[name]
    spoil(parts)
    with pytest.raises(DataError) as error:
        read(parts, **COLUMNS, stream=tmp_path / "arrays" if stream else None)
    assert message in str(error.value)
    # Nothing is left of arrays that were begun.
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def test_options_that_look_beyond_a_row_need_whole_trajectories(parts: Path):
    with pytest.raises(DataError, match="expected whole trajectories in every file along with unwrap"):
        read(parts, **COLUMNS, unwrap="x=360")


def changed_byte(folder: Path) -> None:
    content = bytearray((folder / "states.npy").read_bytes())
    content[-1] ^= 1
    (folder / "states.npy").write_bytes(content)


def cut_short(folder: Path) -> None:
    content = (folder / "inputs.npy").read_bytes()
    (folder / "inputs.npy").write_bytes(content[:-8])


def other_lengths(folder: Path) -> None:
    head = json.loads((folder / "arrays.json").read_text())
    (folder / "arrays.json").write_text(json.dumps(head | {"lengths": [10**15]}))


def no_lengths(folder: Path) -> None:
    head = json.loads((folder / "arrays.json").read_text())
    del head["lengths"]
    (folder / "arrays.json").write_text(json.dumps(head))


@pytest.mark.parametrize("damage", [changed_byte, cut_short, other_lengths, no_lengths])
def test_damaged_arrays_are_noticed(parts: Path, tmp_path: Path, damage: Callable[[Path], None]):
    read(parts, **COLUMNS, stream=tmp_path / "arrays")
    damage(tmp_path / "arrays")
    with pytest.raises(DataError):
        read(tmp_path / "arrays")


def test_a_folder_with_something_else_is_left_as_it_is(parts: Path, tmp_path: Path):
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / "thesis.txt").write_text("x")
    with pytest.raises(DataError, match="there is something else"):
        read(parts, **COLUMNS, stream=tmp_path / "arrays")
    assert (tmp_path / "arrays" / "thesis.txt").read_text() == "x"


def test_arrays_that_are_mapped_to_be_read_only_are_not_copied(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(50, 2)))
    data = Trajectories(np.load(tmp_path / "x.npy", mmap_mode="r"), dt=0.1)
    assert mapping_of(data.states[0]) is not None
    copied = Trajectories(np.load(tmp_path / "x.npy", mmap_mode="r+"), dt=0.1)
    assert mapping_of(copied.states[0]) is None


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_samples_and_their_scaling_in_parts_have_the_same_bits(columns: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.import_module("sparsedyn.data.samples"), "ROWS", 64)
    rng = np.random.default_rng(columns)
    runs = [100 + rng.normal(size=(rows, columns)) for rows in (30, 200, 64, 65, 2)]
    data = Trajectories(runs, [run[:, :1] ** 2 for run in runs], dt=0.1)
    whole, parts = samples(data), SampleParts(data)
    assert [len(part.x) for part in parts] == [64, 64, 64, 64, 64, 36]
    assert len(parts) == len(whole.x)
    for one, other in zip(whole, Samples(*map(np.concatenate, zip(*parts, strict=True))), strict=True):
        np.testing.assert_array_equal(one, other)
    assert Scaling.fit(parts).to_dict() == Scaling.fit(whole).to_dict()
    if columns > 1:
        # As NumPy has them of all rows at once.
        np.testing.assert_array_equal(Scaling.fit(whole).x_std, whole.x.std(axis=0))
        np.testing.assert_array_equal(Scaling.fit(whole).dx_mean, whole.dx.mean(axis=0))
