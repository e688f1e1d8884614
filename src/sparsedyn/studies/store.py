"""A study's directory: the places of its files, and the lock of a run.

    study.toml           the resolved spec            results.parquet   one row per cell and horizon
    run.json             seed, versions, wall times    figures/, report.html
    data/*.npz           train, validation, test       cells/<slug>/     one finished cell each
    groups/*.safetensors checkpoints of training, removed when their cells are finished

Studies of equation learners have no `data` and no `groups`: a cell takes minutes. Those of SINDy autoencoders have no
`data`, and a checkpoint for every phase of a cell.

Nothing but run.json holds a clock time, so equal studies give equal bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from sparsedyn._disk import is_temporary
from sparsedyn.studies.cells import CellFiles
from sparsedyn.studies.checksums import SUMS, faults
from sparsedyn.studies.errors import StudyError

Content = TypeVar("Content")

LOCK = ".lock"
SHARDS = "shards"
"""The folder of parts of the study that were computed by themselves."""


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

    @property
    def sums(self) -> Path:
        """The checksums of the files in the directory itself, of a study that is finished."""
        return self.directory / SUMS

    @property
    def data_sums(self) -> Path:
        """The checksums of these files."""
        return self.directory / "data" / SUMS

    def checkpoint(self, group: str) -> Path:
        """The checkpoint of a group that is being trained."""
        return self.directory / "groups" / f"{group}.safetensors"

    def cell(self, slug: str) -> Path:
        """The folder of a cell."""
        return self.directory / "cells" / slug

    def is_finished(self, slug: str) -> bool:
        """Whether a cell is there; its folder appears atomically, with `cell.json` in it."""
        return (self.cell(slug) / "cell.json").is_file()

    def finished(self) -> list[Path]:
        """Return the folders of all finished cells."""
        marks = sorted(self.directory.glob("cells/*/cell.json"))
        return [mark.parent for mark in marks if not is_temporary(mark.parent)]

    def check_cells(self, files: CellFiles) -> None:
        """Raise `StudyError` where a finished cell has lost one of its files, or one is not as it was written."""
        for folder in self.finished():
            for file in (folder / name for name in files.names):
                if not file.is_file():
                    raise lost(file, "is missing")
            for file, why in faults(folder):
                raise lost(file, why)

    def make(self) -> None:
        """Make the directory; raises `StudyError` where a file is in its way."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            where = "this is a file" if self.directory.exists() else "it lies below a file"
            raise StudyError(
                f"{self.directory}: expected a folder to write to; {where}. Choose another path."
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out; the operating system releases the lock when this process ends."""
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


def read_of_cell(path: Path, how: Callable[[Path], Content]) -> Content:
    """Read a file of a finished cell; raises `StudyError` where it is missing or damaged."""
    try:
        return how(path)
    except Exception as error:  # every format raises errors of its own
        why = f"cannot be read ({' '.join(str(error).split())})" if path.is_file() else "is missing"
        raise lost(path, why) from error


def lost(path: Path, why: str) -> StudyError:
    """Return the error for an unusable file of a finished cell: only the whole cell can be computed again."""
    cell, study = path.parent, path.parent.parent.parent
    return StudyError(
        f"{cell}: expected the files of a finished cell; {path.name} {why}. Remove the folder cells/{cell.name}, then "
        f"run: sparsedyn study resume {study}"
    )
