"""A study's directory: where things are, and how they get there whole or not at all.

    study.toml           the resolved spec            results.parquet   one row per cell and horizon
    run.json             seed, versions, wall times    figures/, report.html
    data/*.npz           train, validation, test       cells/<slug>/     one finished cell each
    groups/*.safetensors checkpoints of training, gone when their cells are finished

Studies of equation learners have no `data` and no `groups`: a cell takes minutes. Those of SINDy autoencoders have no
`data`, and a checkpoint for every phase of a cell.

Nothing but run.json holds a clock time, so equal studies leave equal bytes.
"""

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.reading import AnyStudySpec, parse
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.toml import to_toml
from sparsedyn_papers.equations.spec import EquationsSpec

Content = TypeVar("Content")

LOCK = ".lock"


@dataclass(frozen=True)
class Store:
    """The files of one study."""

    directory: Path

    @property
    def spec_file(self) -> Path:
        """The resolved spec."""
        return self.directory / "study.toml"

    @property
    def run_file(self) -> Path:
        """How it was run: seed, versions, device, wall times."""
        return self.directory / "run.json"

    @property
    def results_file(self) -> Path:
        """One row per cell and horizon."""
        return self.directory / "results.parquet"

    def data_file(self, part: str) -> Path:
        """The trajectories of `train`, `validation` or `test`."""
        return self.directory / "data" / f"{part}.npz"

    def checkpoint(self, group: str) -> Path:
        """The checkpoint of a group that is being trained."""
        return self.directory / "groups" / f"{group}.safetensors"

    def cell(self, slug: str) -> Path:
        """The folder of a cell."""
        return self.directory / "cells" / slug

    def is_finished(self, slug: str) -> bool:
        """Whether a cell is there; its folder appears whole, `cell.json` being its mark."""
        return (self.cell(slug) / "cell.json").is_file()

    def _says_its_kind(self) -> bool:
        """Whether this is no comparison; also where its spec cannot be understood, which files of cells need not be."""
        try:
            return "kind" in tomllib.loads(self.spec_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False

    def check_cells(self) -> None:
        """Raise `StudyError` where a finished cell has lost a file."""
        names = EquationsSpec.cell_files if self._says_its_kind() else StudySpec.cell_files
        for mark in sorted(self.directory.glob("cells/*/cell.json")):
            for file in (mark.with_name(name) for name in names):
                if not file.is_file():
                    raise lost(file, "is missing")

    def spec(self) -> AnyStudySpec:
        """Return the study that this directory holds."""
        if not self.spec_file.is_file():
            raise StudyError(
                f"{self.directory}: expected the directory of a study; there is no study.toml in it. Give "
                "the folder that `sparsedyn study run -o` made."
            )
        return parse(self.spec_file.read_text(encoding="utf-8"), str(self.spec_file))

    def comparison(self) -> StudySpec:
        """Return the comparison of techniques that this directory holds."""
        spec = self.spec()
        if not isinstance(spec, StudySpec):
            raise StudyError(
                f"{self.directory}: expected a comparison of techniques; a study of equation learners has report.html "
                "alone. Leave it out."
            )
        return spec

    @contextmanager
    def claimed(self, spec: AbstractStudySpec) -> Iterator[None]:
        """Lock this directory and `claim` it for `spec`; where it is refused, nothing is left in it."""
        self._make()
        known = (self.directory / LOCK).exists()
        with self.lock():
            try:
                self.claim(spec)
            except BaseException:
                if not known:
                    (self.directory / LOCK).unlink(missing_ok=True)
                raise
            yield

    def claim(self, spec: AbstractStudySpec) -> None:
        """Make this the directory of `spec`, unless it is already; raises `StudyError` for any other."""
        self._make()
        # Until there is data nothing is lost by another spec: the first one may have named files that cannot be read.
        begun = self.data_file("train").exists() or any(self.directory.glob("cells/*/cell.json"))
        begun = begun or any(self.directory.glob("groups/*"))
        if self.spec_file.is_file() and begun:
            _check_same(self.directory, self.spec().computed(), spec.computed())
            self.check_cells()
            # Titles, claims and published figures may have changed since.
            write_text(self.spec_file, to_toml(spec.resolved()))
            return
        own = {LOCK, *((self.spec_file.name, self.run_file.name, "cells") if self.spec_file.is_file() else ())}
        foreign = sorted(p.name for p in self.directory.glob("*") if p.name not in own and not _is_temporary(p))
        if foreign:
            raise StudyError(
                f"{self.directory}: expected a new or empty folder, or one of this study; it holds other "
                f"files ({_few(foreign, 5, ', ')}). Choose another folder."
            )
        write_text(self.spec_file, to_toml(spec.resolved()))

    def _make(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            where = "this is a file" if self.directory.exists() else "it lies below a file"
            raise StudyError(
                f"{self.directory}: expected a folder to write to; {where}. Choose another path."
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep a second process out; the system drops the lock when this one ends, however it ends."""
        lock = FileLock(self.directory / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise StudyError(
                f"{self.directory}: another process is running this study. Wait for it or stop it."
            ) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write to; it takes the place of `path` when all went well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    yield temporary
    _flush(temporary)
    os.replace(temporary, path)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder` to fill; it becomes `folder`, whole, when all went well."""
    temporary = _temporary(folder)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    yield temporary
    for file in temporary.iterdir():
        _flush(file)
    # What lies in its place has no mark of a finished cell.
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all; numbers must be finite, which JSON demands."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a study directory."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: expected JSON written by a study; it cannot be read ({error}).") from error
    return content


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an npz file, of `names` those that are in it; none where there is no such file."""
    if not path.is_file():
        return {}
    # NumPy leaves a file that it cannot read open.
    with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if names is None or name in names}


def read_of_cell(path: Path, how: Callable[[Path], Content]) -> Content:
    """Read a file of a finished cell; raises `StudyError` where it is missing or damaged."""
    try:
        return how(path)
    except Exception as error:  # every format complains in its own way
        why = f"cannot be read ({' '.join(str(error).split())})" if path.is_file() else "is missing"
        raise lost(path, why) from error


def lost(path: Path, why: str) -> StudyError:
    """Return what to say of a file of a finished cell that is of no use: only the whole cell can be made again."""
    cell, study = path.parent, path.parent.parent.parent
    return StudyError(
        f"{cell}: expected the files of a finished cell; {path.name} {why}. Remove the folder cells/{cell.name}, then "
        f"run: sparsedyn study resume {study}"
    )


def _flush(path: Path) -> None:
    # A rename must not reach the disk before what it names.
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _check_same(directory: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    differences = list(_differences(there, here, ""))
    if differences:
        raise StudyError(
            f"{directory}: expected a new folder or one of this very study; it holds another one, which "
            f"differs in {_few(differences, 3, '; ')}. Choose another folder, or go on with what is there: "
            f"sparsedyn study resume {directory}"
        )


def _differences(there: Any, here: Any, key: str) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in dict.fromkeys((*there, *here)):
            yield from _differences(there.get(name), here.get(name), f"{key}.{name}".lstrip("."))
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for i, (old, new) in enumerate(zip(there, here, strict=True)):
            yield from _differences(old, new, f"{key}[{i + 1}]")
    elif there != here:
        yield f"{key} ({_short(there)} there, {_short(here)} here)"


def _few(texts: list[str], most: int, separator: str) -> str:
    return separator.join([*texts[:most], *(["..."] if len(texts) > most else [])])


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
