"""Snapshots come back from disk as they were made; a damaged file is made again."""

import logging
from pathlib import Path

import numpy as np
import pytest

from sparsedyn.data import Snapshots
from sparsedyn.studies.errors import StudyError
from sparsedyn.systems import SNAPSHOT_SYSTEMS
from sparsedyn_papers.autoencoders.cache import cache_folder, cached

SETTINGS = {"count": 2, "steps": 5}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """The settings of every generation, in order."""
    calls: list[dict] = []
    original = SNAPSHOT_SYSTEMS["lifted-lorenz"]

    def counted(count: int = 1024, *, steps: int = 250, noise: float = 1e-6) -> Snapshots:
        calls.append({"count": count, "steps": steps, "noise": noise})
        return original(count, steps=steps, noise=noise)

    monkeypatch.setitem(SNAPSHOT_SYSTEMS, "lifted-lorenz", counted)
    return calls


@pytest.mark.slow
def test_the_second_time_comes_from_disk_and_is_the_same(tmp_path: Path, made: list[dict]) -> None:
    first, second = (cached("lifted-lorenz", SETTINGS, tmp_path / "below") for _ in range(2))
    assert len(made) == 1
    for name in ("x", "x_dot", "x_ddot", "truth"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert getattr(first, name).dtype == getattr(second, name).dtype
    assert (first.dt, first.frame) == (second.dt, second.frame)
    (file,) = (tmp_path / "below").iterdir()
    assert file.name.startswith("lifted-lorenz-")
    assert file.suffix == ".npz"


def test_settings_tell_files_apart_and_defaults_need_not_be_said(tmp_path: Path, made: list[dict]) -> None:
    cached("lifted-lorenz", SETTINGS, tmp_path)
    cached("lifted-lorenz", {**SETTINGS, "noise": 1e-6}, tmp_path)
    assert len(made) == 1
    cached("lifted-lorenz", {**SETTINGS, "noise": 0.5}, tmp_path)
    cached("lifted-lorenz", {"count": 3, "steps": 5}, tmp_path)
    assert len(made) == 3


@pytest.mark.slow
def test_a_derivative_that_is_not_there_stays_away(tmp_path: Path) -> None:
    for _ in range(2):
        snapshots = cached("reaction-diffusion", {"steps": 3, "points": 8}, tmp_path)
        assert snapshots.x_ddot is None
        assert snapshots.frame == (8, 8)


@pytest.mark.parametrize("content", [b"", b"no archive", b"cut"], ids=["empty", "foreign", "cut"])
def test_a_damaged_file_is_made_again_with_one_warning(
    tmp_path: Path, made: list[dict], caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    first = cached("lifted-lorenz", SETTINGS, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-500] if content == b"cut" else content)
    with caplog.at_level(logging.WARNING):
        again = cached("lifted-lorenz", SETTINGS, tmp_path)
    (record,) = caplog.records
    assert str(file) in record.message
    assert "made again" in record.message
    np.testing.assert_array_equal(first.x, again.x)
    cached("lifted-lorenz", SETTINGS, tmp_path)
    assert len(made) == 2


def test_unknown_names_and_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"got 'lifted-lorentz'\. Did you mean 'lifted-lorenz'\?"):
        cached("lifted-lorentz", {}, tmp_path)
    with pytest.raises(StudyError, match=r"settings among .*; got 'cuont'\. Did you mean 'count'\?"):
        cached("pendulum-video", {"cuont": 3}, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"cannot be written .*SPARSEDYN_CACHE"):
        cached("lifted-lorenz", SETTINGS, tmp_path / "file" / "below")


def test_the_folder_is_the_users_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPARSEDYN_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("SPARSEDYN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "sparsedyn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "sparsedyn"
