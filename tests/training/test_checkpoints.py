"""Interrupted and resumed equals uninterrupted, bit for bit; anything else in the file is refused."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from sparsedyn.sparsify import DSR, L0, L1, AbstractSparsifier, Chain, MagnitudePruning, SequentialThresholding, Stages
from sparsedyn.training import SWA, Checkpoint, CheckpointError, Progress, has_checksum, load_arrays, save_arrays
from sparsedyn.training.checkpoint import load_tree, save_tree

PRUNE = Chain(L1(1e-3), SequentialThresholding(0.1, (0.4, 0.45)), MagnitudePruning(0.6, Stages((0.25, 0.5)), "layer"))
RUNS: dict[str, tuple[AbstractSparsifier, dict[str, Any]]] = {
    "pruning and SWA": (PRUNE, {"average": SWA(start=0.75, snapshots=4)}),
    "DSR": (Chain(DSR(0.5, 20.0, threshold=0.3, period=0.125, end=0.625)), {"validation": None}),
    "L0, own orders": (Chain(L0(1e-3)), {"shuffle": "member"}),
}


class Killed(Exception):
    """Stands for kill -9: nothing after it runs."""


def killed_at(step: int) -> Any:
    def on_progress(progress: Progress) -> None:
        if progress.step == step:
            raise Killed

    return on_progress


# What DSR keeps of members is kept for the others too: on two devices they are enough.
@pytest.mark.parametrize(
    "name", ["DSR", *(pytest.param(name, marks=pytest.mark.devices) for name in RUNS if name != "DSR")]
)
@pytest.mark.slow
def test_a_resumed_run_is_the_same_bit_for_bit(lab: Any, tmp_path: Path, name: str):
    technique, options = RUNS[name]
    whole = lab.fit(technique, **options)
    path = tmp_path / "run.checkpoint"
    checkpoint = Checkpoint(path, "this run", seconds=-1.0)
    # Killed before the first prune, on a turn, inside an epoch, while averaging, after the last step.
    for step in (2, 12, 19, 41, 48):
        with pytest.raises(Killed):
            lab.fit(technique, checkpoint=checkpoint, on_progress=killed_at(step), **options)
        assert load_arrays(path)[1]["step"] == step - 1
    resumed = lab.fit(technique, checkpoint=checkpoint, **options)
    assert lab.equal(resumed._replace(history=[]), whole._replace(history=[]))
    assert resumed.steps == whole.steps
    assert_same_history(resumed.history, whole.history)
    # Finished: nothing is trained again but told once, and the outcome is the same.
    seen: list[int] = []
    again = lab.fit(technique, checkpoint=checkpoint, on_progress=lambda p: seen.append(p.step), **options)
    assert seen == [48]
    assert lab.equal(again._replace(history=[]), whole._replace(history=[]))
    assert_same_history(again.history, whole.history)
    # Watching and saving change nothing.
    assert [p.name for p in tmp_path.iterdir()] == ["run.checkpoint"]


def assert_same_history(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.keys() == b.keys()
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.slow
def test_resuming_after_early_stopping(lab: Any, tmp_path: Path):
    checkpoint = Checkpoint(tmp_path / "run.checkpoint", "this run")
    options = {"rates": 0.0, "patience": 2, "checkpoint": checkpoint}
    first = lab.fit(**options)
    again = lab.fit(**options)
    assert first.steps == again.steps == 18
    assert_same_history(first.history, again.history)
    assert lab.equal(first.last, again.last)


def test_a_checkpoint_is_written_now_and_then_and_at_the_end(lab: Any, tmp_path: Path):
    path = tmp_path / "run.checkpoint"
    with pytest.raises(Killed):
        lab.fit(checkpoint=Checkpoint(path, "", seconds=3600.0), on_progress=killed_at(40))
    assert not path.exists()
    lab.fit(checkpoint=Checkpoint(path, "", seconds=3600.0))
    assert path.exists()


def test_a_checkpoint_of_another_run_is_refused(lab: Any, tmp_path: Path):
    path = tmp_path / "run.checkpoint"
    lab.fit(checkpoint=Checkpoint(path, "this run"))
    with pytest.raises(CheckpointError, match=r"run\.checkpoint: expected a checkpoint of this run.*Delete it"):
        lab.fit(checkpoint=Checkpoint(path, "another run"))
    # The same name for another shape: refused by the shapes.
    with pytest.raises(CheckpointError, match=r"run\.checkpoint: expected \d+ arrays of this run's shapes"):
        lab.fit(PRUNE, checkpoint=Checkpoint(path, "this run"))


@pytest.mark.parametrize("left", [0, 7, 200, -1])
def test_a_truncated_checkpoint_is_refused(lab: Any, tmp_path: Path, left: int):
    path = tmp_path / "run.checkpoint"
    lab.fit(checkpoint=Checkpoint(path, "this run"))
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(CheckpointError, match=r"run\.checkpoint: expected a safetensors file.*cut short"):
        lab.fit(checkpoint=Checkpoint(path, "this run"))


# -- the files themselves -----------------------------------------------------------------------------------


def test_arrays_and_header_come_back(tmp_path: Path):
    rng = np.random.default_rng(0)
    arrays = {
        "plain": rng.normal(size=(3, 4)).astype(np.float32),
        "transposed": rng.normal(size=(3, 4)).T,
        "strided": rng.normal(size=(6, 6))[::2, ::3],
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3), np.float32),
        "flags": np.array([[True, False]]),
        "integers": np.arange(5, dtype=np.int32),
        "special": np.array([np.nan, np.inf, -np.inf, -0.0]),
    }
    header = {"name": "Ærø", "nested": [1, 2.5, None, {"a": True}], "tiny": 5e-324, "third": 1 / 3, "nan": float("nan")}
    path = tmp_path / "new folder" / "file.safetensors"
    save_arrays(path, arrays, header)
    back, found = load_arrays(path)
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    assert np.signbit(back["special"][3])
    assert np.isnan(found.pop("nan"))
    header.pop("nan")
    assert found == header


def test_numpy_scalars_in_a_header(tmp_path: Path):
    path = tmp_path / "file.safetensors"
    save_arrays(path, {"a": np.zeros(1)}, {"seed": np.int64(3), "rate": np.float32(0.5)})
    assert load_arrays(path)[1] == {"seed": 3, "rate": 0.5}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "file.safetensors"
    save_arrays(path, {"a": np.zeros(1)}, {"version": 1})
    with pytest.raises((TypeError, AttributeError)):
        save_arrays(path, {"a": np.ones(1)}, {"version": object()})
    assert load_arrays(path)[1] == {"version": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["file.safetensors"]


def test_trees_come_back_with_their_keys(tmp_path: Path):
    keys = jax.random.split(jax.random.key(3), 2)
    tree = {"key": keys, "w": (jnp.arange(6.0).reshape(2, 3), None), "n": jnp.int32(4)}
    save_tree(tmp_path / "tree", tree, {})
    back, _ = load_tree(tmp_path / "tree", tree)
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    np.testing.assert_array_equal(jax.random.key_data(back["key"]), jax.random.key_data(tree["key"]))
    np.testing.assert_array_equal(back["w"][0], tree["w"][0])
    np.testing.assert_array_equal(jax.random.uniform(back["key"][1]), jax.random.uniform(tree["key"][1]))


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_something_else_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"file\.safetensors: expected a safetensors file written by sparsedyn"):
        load_arrays(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path):
    path = tmp_path / "file.safetensors"
    save_file({"a": np.zeros(3)}, str(path), metadata={"framework": "another"})
    with pytest.raises(CheckpointError, match=r"expected a safetensors file written by sparsedyn"):
        load_arrays(path)


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"gone: expected a file written by sparsedyn; there is none"):
        load_arrays(tmp_path / "gone")


def test_a_file_that_was_damaged_anywhere_is_refused_or_unharmed(tmp_path: Path) -> None:
    path = tmp_path / "model"
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.float32(3.0), "c": np.zeros(0)}
    save_arrays(path, arrays, {"kind": "tested", "numbers": [1, 2]})
    assert has_checksum(path)
    whole, before = path.read_bytes(), load_arrays(path)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            after = load_arrays(path)
        except CheckpointError:
            continue
        assert after[1] == before[1]
        assert all(np.array_equal(after[0][name], before[0][name]) for name in arrays)


def test_files_of_versions_before_checksums_are_read(tmp_path: Path) -> None:
    save_file({"a": np.ones(2)}, str(tmp_path / "old"), metadata={"sparsedyn": "{}"})
    assert not has_checksum(tmp_path / "old")
    assert load_arrays(tmp_path / "old")[1] == {}


def test_the_same_content_has_the_same_bytes(tmp_path: Path):
    paths = [tmp_path / f"{i}.safetensors" for i in range(8)]
    for path in paths:
        save_arrays(path, {"b": np.arange(3.0), "a": np.eye(2, dtype=np.float32)}, {"name": "Größe"})
    assert len({path.read_bytes() for path in paths}) == 1
