"""A study in parts, for jobs that know nothing of each other: each computes a share in a folder of its own.

DIR/shards/1-of-4/    the first of four, a study's folder with a part of the cells
DIR/                  the study, once the cells of all are collected
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sparsedyn.studies.cells import Cell, CellFiles
from sparsedyn.studies.checksums import SUMS, faults
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import appearing, read_json
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.store import SHARDS, Store

SLURM = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN")


class Shard(NamedTuple):
    """Part `number` of `count`, counted from 1."""

    number: int
    parts: int

    def folder(self, directory: Path) -> Path:
        """Return the folder of this part of the study in `directory`."""
        return directory / SHARDS / f"{self.number}-of-{self.parts}"

    def slugs(self, cells: Sequence[Cell]) -> list[str]:
        """Return which cells are of this part: neighbours, which mostly have one shape."""
        first, end = (round(len(cells) * part / self.parts) for part in (self.number - 1, self.number))
        return [cell.slug for cell in cells[first:end]]


def shard_of(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Return the part that "2/4" means; "slurm" is the task of a Slurm job array. Raises `StudyError`."""
    if text == "slurm":
        try:
            number, count, first = (int(environment.get(name, "")) for name in SLURM)
        except ValueError as error:
            raise StudyError(
                f"--shard slurm: expected a task of a job array, with {' and '.join(SLURM)} in the environment; got "
                "none. Start it with sbatch --array=1-4, say, or give --shard 1/4."
            ) from error
        shard = Shard(number - first + 1, count)
    elif found := re.fullmatch(r"(\d{1,9})/(\d{1,9})", text):
        shard = Shard(int(found[1]), int(found[2]))
    else:
        raise StudyError(f"--shard: expected a part such as 1/4, or slurm; got {text!r}.")
    if not 1 <= shard.number <= shard.parts:
        raise StudyError(f"--shard: expected a number from 1 to {shard.parts}; got {shard.number}.")
    return shard


def known_shard(directory: Path) -> Shard | None:
    """Return the part that the study in this folder is, None for a whole one."""
    store = Store(directory)
    known = read_json(store.run_file).get("shard") if store.run_file.is_file() else None
    return None if known is None else Shard(*known)


def shards_of(directory: Path) -> list[Store]:
    """Return the folders of all parts; raises `StudyError` where one is missing or not finished."""
    found = {shard: folder for folder in (directory / SHARDS).glob("*") if (shard := known_shard(folder)) is not None}
    counts = {shard.parts for shard in found}
    if not found or len(counts) > 1:
        got = f"parts of {' and of '.join(map(str, sorted(counts)))}" if found else "none"
        raise StudyError(
            f"{directory}: expected the parts of a study in {SHARDS}/; got {got}. Run each with --shard 1/N to N/N."
        )
    (count,) = counts
    for number in range(1, count + 1):
        folder = found.get(Shard(number, count))
        if folder is None or read_json(Store(folder).run_file)["finished"] is None:
            state = "has not begun" if folder is None else "is not finished"
            raise StudyError(
                f"{directory}: expected all {count} parts; {number} {state}. Run it with --shard {number}/{count}."
            )
    return [Store(found[Shard(number, count)]) for number in range(1, count + 1)]


def check_agreement(parts: Sequence[Store]) -> None:
    """Raise `StudyError` where parts are of different studies, or have different data."""
    first = parts[0]
    for part in parts[1:]:
        if stored_spec(part.directory).computed() != stored_spec(first.directory).computed():
            what = "study"
        elif part.data_sums.is_file() and part.data_sums.read_bytes() != first.data_sums.read_bytes():
            what = "data"
        else:
            continue
        raise StudyError(
            f"{part.directory}: expected the {what} of {first.directory}; it has another one. Remove this folder and "
            "run the part again, on a machine and with versions as there."
        )


def take_over(store: Store, part: Store, files: CellFiles) -> None:
    """Copy data and finished cells of a part that are not in `store`; raises `StudyError` for damaged ones."""
    part.check_cells(files)
    folders = part.finished()
    if part.data_sums.is_file() and not store.data_sums.is_file():
        folders.append(part.data_sums.parent)
    for folder in folders:
        target = store.directory / folder.relative_to(part.directory)
        if (target / SUMS).is_file():
            continue
        for file, why in faults(folder):
            raise StudyError(f"{file}: expected what was written; it {why}. Run this part again.")
        with appearing(target) as room:
            for file in sorted(folder.iterdir()):
                if file.name != SUMS:
                    shutil.copyfile(file, room / file.name)
