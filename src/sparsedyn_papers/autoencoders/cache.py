"""Snapshots that were generated once, kept on disk for the next study that wants the same."""

import hashlib
import inspect
import json
import logging
import os
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np
import platformdirs

from sparsedyn.data import Snapshots
from sparsedyn.studies.errors import StudyError, near_miss
from sparsedyn.studies.files import read_arrays
from sparsedyn.systems import SNAPSHOT_SYSTEMS

ARRAYS = ("x", "x_dot", "x_ddot", "truth")

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the folder that `SPARSEDYN_CACHE` names, or `sparsedyn` in the user's folder for caches."""
    chosen = os.environ.get("SPARSEDYN_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("sparsedyn")


def cached(name: str, settings: Mapping[str, int | float] | None = None, folder: str | Path | None = None) -> Snapshots:
    """Return the snapshots of this name in `SNAPSHOT_SYSTEMS`, made with these settings, from disk where they are.

    A file's name tells them apart by settings, defaults included, and by the version of the package. A file that cannot
    be read is made again, with a warning. `folder` None is `cache_folder()`.

    **Raises:** `StudyError` for an unknown name or setting, or a folder that cannot be written to.
    """
    if name not in SNAPSHOT_SYSTEMS:
        raise StudyError(
            f"snapshots: expected one of {', '.join(SNAPSHOT_SYSTEMS)}; got {name!r}."
            f"{near_miss(name, SNAPSHOT_SYSTEMS)}"
        )
    path = _path(name, settings or {}, cache_folder() if folder is None else Path(folder))
    if path.is_file():
        try:
            return _read(path)
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            logger.warning("%s: cannot be read (%s); it is made again.", path, " ".join(str(error).split()))
    try:
        # First of all: what takes a minute to make should find a folder.
        path.parent.mkdir(parents=True, exist_ok=True)
        made = SNAPSHOT_SYSTEMS[name](**(settings or {}))
        _write(path, made)
    except OSError as error:
        raise StudyError(
            f"{path}: cannot be written ({error.strerror}). Name another folder with the environment variable "
            "SPARSEDYN_CACHE."
        ) from error
    return made


def _path(name: str, settings: Mapping[str, int | float], folder: Path) -> Path:
    parameters = inspect.signature(SNAPSHOT_SYSTEMS[name]).parameters
    for setting in settings:
        if setting not in parameters:
            raise StudyError(
                f"{name}: expected settings among {', '.join(parameters)}; got {setting!r}."
                f"{near_miss(setting, parameters)}"
            )
    # 1 and 1.0 are the same setting where a fraction could stand.
    whole = {
        key: float(settings.get(key, parameter.default))
        if isinstance(parameter.default, float)
        else settings.get(key, parameter.default)
        for key, parameter in parameters.items()
    }
    told = json.dumps([version("sparsedyn"), whole], sort_keys=True)
    return folder / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.npz"


def _write(path: Path, snapshots: Snapshots) -> None:
    arrays = {key: array for key in ARRAYS if (array := getattr(snapshots, key)) is not None}
    # Several processes may make the same file at once: each has a temporary one of its own.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as handle:
            np.savez(handle, allow_pickle=False, dt=snapshots.dt, frame=snapshots.frame, **arrays)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> Snapshots:
    stored = read_arrays(path)
    arrays = {key: stored.get(key) for key in ARRAYS[1:]}
    frame = tuple(int(side) for side in stored["frame"])
    return Snapshots(stored["x"], dt=float(stored["dt"]), frame=frame, **arrays)
