"""Break a small study in every way, go on with it, and print how often anything was lost, repeated or wrong.

    python tools/faults.py                        # all faults at every operation on the disk, in a few minutes
    python tools/faults.py --only kills bits      # some of them
    python tools/faults.py --networks --every 20  # with networks, at every twentieth operation: these take longer

A small study is run once while a journal is kept of all that it does on the disk (`disk_faults.py`). From the journal
follow the folders that a kill or a power cut at any moment would have left; each is gone on with by the same command,
and all its files are compared with those of the uninterrupted run, byte by byte. The study has three cells of plain
arithmetic, with checkpoints, data, tables, arrays and other files; or four of networks, in two groups. The report is
left out: it is drawn from the results. The exit status is 1 if anything was lost, repeated or wrong.
"""

import argparse
import errno
import importlib.util
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from disk_faults import Failing, Journal, Operation, crashed

from sparsedyn import studies, training
from sparsedyn.data import DataError
from sparsedyn.estimators import load
from sparsedyn.studies import kinds, run_record, runner
from sparsedyn.studies.checksums import SUMS
from sparsedyn.studies.files import write_text
from sparsedyn.studies.reading import parse
from sparsedyn.training import CheckpointError

STUDY = """
name = "faults"
seed = 3
horizons = [10, 20]
averages = ["none", "swa"]
data = { system = "lotka-volterra", train = 2, validation = 1, test = 2, steps = 30, dt = 0.2 }
model = { hidden = [6] }
training = { members = 2, epochs = 4, batch = 16 }
forecast = { fan_trajectories = 1, points = 10 }

[[techniques]]
label = "Dense"

[[techniques]]
label = "Pruned"
technique = [{ type = "magnitude", sparsity = 0.5 }]
"""
APART = ("run.json", "report.html", SUMS, ".lock")
"""Files with clock times, what is drawn from results, and the checksums of these."""
NOTICED = (studies.StudyError, CheckpointError, DataError)
Contents = dict[str, bytes]


class Told(NamedTuple):
    """What came of going on once: results missing in the end, cells made again, files that differ, seconds."""

    lost: int
    repeated: int
    wrong: int
    seconds: float


class Row(NamedTuple):
    """A row of the table."""

    fault: str
    how: str
    told: list[Told]
    remark: str = ""

    @property
    def bad(self) -> int:
        """Everything that should not be."""
        return sum(one.lost + one.repeated + one.wrong for one in self.told)

    def text(self) -> str:
        """Return the row in Markdown."""
        sums = [sum(getattr(one, name) for one in self.told) for name in ("lost", "repeated", "wrong")]
        seconds = [one.seconds for one in self.told if one.seconds]
        recover = f"{statistics.median(seconds):.1f} s, at most {max(seconds):.1f} s" if seconds else "–"
        return f"| {self.fault} | {self.how} | {len(self.told)} | {' | '.join(map(str, sums))} | {recover} |"


class Setting(NamedTuple):
    """The study; its uninterrupted run: its folder, its files, the journal of another one; room; one in so many."""

    spec: studies.AbstractStudySpec
    whole: Path
    contents: Contents
    operations: list[Operation]
    room: Path
    every: int

    def folders(self) -> Iterator[Path]:
        """Yield empty folders, each removed when the next one is asked for."""
        number = 0
        while True:
            folder = self.room / f"{number}"
            folder.mkdir()
            yield folder
            shutil.rmtree(folder, ignore_errors=True)
            number += 1


def contents(directory: Path) -> Contents:
    """Return the results in a study's folder."""
    files = [path for path in directory.rglob("*") if path.is_file() and path.name not in (".lock",)]
    return {name: path.read_bytes() for path in files if (name := path.relative_to(directory).as_posix()) not in APART}


def gone_on(here: Setting, directory: Path) -> Told:
    """Run the study where it stands, and compare."""
    finished = {mark: mark.stat().st_mtime_ns for mark in directory.glob("cells/[!.]*/cell.json")}
    began = time.process_time()
    studies.run(here.spec, directory)
    seconds = time.process_time() - began
    found, whole = contents(directory), here.contents
    return Told(
        lost=len(set(whole) - set(found)),
        repeated=sum(mark.stat().st_mtime_ns != before for mark, before in finished.items()),
        wrong=sum(whole.get(name) != content for name, content in found.items()),
        seconds=seconds,
    )


def kills(here: Setting) -> Iterator[Row]:
    """Kill before and after every operation, and in the middle of every write."""
    folders = here.folders()
    whole, torn = [], []
    for count in range(0, len(here.operations) + 1, here.every):
        crashed(here.operations[:count], folder := next(folders))
        whole.append(gone_on(here, folder))
    for count, one in enumerate(here.operations, 1):
        if one.kind == "write" and count % here.every == 0:
            crashed(here.operations[:count], folder := next(folders), torn=True)
            torn.append(gone_on(here, folder))
    yield Row("kill", "before every write, sync, rename, removal", whole)
    yield Row("kill", "in the middle of every write", torn)


def power_cuts(here: Setting) -> Iterator[Row]:
    """Cut the power after every operation."""
    words = {
        "lost": "all that was not synced is gone",
        "names": "names are there, contents that were not synced are empty",
        "some": "a part of what was not synced is there, drawn at random",
    }
    folders = here.folders()
    for power, how in words.items():
        told = []
        for count in range(1, len(here.operations) + 1, 2 * here.every):
            crashed(here.operations[:count], folder := next(folders), power=power, seed=count)
            told.append(gone_on(here, folder))
        yield Row("power cut", how, told)


def failures(here: Setting) -> Iterator[Row]:
    """Let every operation fail once, then go on when it does not fail any more."""
    folders = here.folders()
    for number, words, stride in ((errno.ENOSPC, "full disk", 3), (errno.EACCES, "permission lost", 9)):
        told = []
        for at in range(0, len(here.operations), stride * here.every):
            folder = next(folders)
            with Failing(folder, at, number).entered() as disk:
                try:
                    studies.run(here.spec, folder)
                except NOTICED:
                    assert disk.failed
                else:
                    # What is only removed or synced again may fail without harm.
                    assert not disk.failed
            if disk.failed:
                told.append(gone_on(here, folder))
        yield Row(words, "every third write, sync, rename" if stride == 3 else "every ninth of them", told)


def clocks(here: Setting) -> Iterator[Row]:
    """Let the clock jump between a kill and going on."""
    folders, told = here.folders(), []
    for days in (-4000, -1, 1, 4000):
        for count in range(7, len(here.operations), max(1, len(here.operations) // 4)):
            crashed(here.operations[:count], folder := next(folders))
            jumped = SimpleNamespace(
                datetime=SimpleNamespace(now=lambda zone, days=days: datetime.now(zone) + timedelta(days=days)), UTC=UTC
            )
            with _replaced(run_record, "datetime", jumped):
                told.append(gone_on(here, folder))
    yield Row("clock jumps", "by 1 and 4,000 days, back and forth, after a kill", told)


def two_writers(here: Setting) -> Iterator[Row]:
    """Start the study once more at every event of a running one."""
    folder = next(here.folders())
    refused: list[Told] = []

    def start(event: studies.Event) -> None:
        try:
            studies.run(here.spec, folder)
        except studies.StudyError as error:
            refused.append(Told(0, 0, 0 if "another process is running this study" in str(error) else 1, 0.0))
        else:
            refused.append(Told(0, 1, 0, 0.0))

    studies.run(here.spec, folder, on_event=start)
    yield Row(
        "two writers", "the same study at every event of a running one: refused", [*refused, gone_on(here, folder)]
    )


def readers(here: Setting) -> Iterator[Row]:
    """Read all that is there after every operation of a running study."""
    folder = next(here.folders())
    seen: list[Told] = []

    def read() -> None:
        if (folder / "study.toml").is_file():
            began = time.process_time()
            faults = studies.verify(folder).faults
            for path in folder.glob("cells/*/model.safetensors"):
                load(path)
            if (folder / "run.json").is_file():
                json.loads((folder / "run.json").read_text())
            seen.append(Told(0, 0, len(faults), time.process_time() - began))

    with Journal(folder, read).kept():
        studies.run(here.spec, folder)
    yield Row("readers", "`verify`, `load`, `run.json` after every operation of a running study", seen)


def bits(here: Setting) -> Iterator[Row]:
    """Flip bits of all kinds of stored files: `verify` notices each."""
    coin = random.Random(0)
    folder = next(here.folders())
    under_way = next(i for i, one in enumerate(here.operations) if one.kind == "rename" and "cells" in str(one.new))
    crashed(here.operations[:under_way], folder / "under-way")
    shutil.copytree(here.whole, folder / "finished")
    kinds: dict[str, list[Path]] = {}
    for path in [*(folder / "finished").rglob("*"), *folder.glob("under-way/groups/*.safetensors")]:
        if path.is_file() and path.name != ".lock":
            kinds.setdefault("checkpoint" if "groups" in path.parts else path.name, []).append(path)
    total = 1000 if here.every < 10 else 100
    told = []
    for number in range(total):
        kind = list(kinds)[number % len(kinds)]
        path = coin.choice(kinds[kind])
        before = path.read_bytes()
        place = coin.randrange(8 * len(before))
        path.write_bytes(_flipped(before, place))
        told.append(Told(0, 0, 0 if _noticed(path, folder) or _harmless(path, before) else 1, 0.0))
        path.write_bytes(before)
    yield Row("flipped bit", f"in files of {len(kinds)} kinds ({', '.join(sorted(kinds))})", told)


def _flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def _noticed(path: Path, folder: Path) -> bool:
    study = folder / path.relative_to(folder).parts[0]
    try:
        return bool(studies.verify(study).faults)
    except NOTICED:
        return True


def _harmless(path: Path, before: bytes) -> bool:
    """Whether a file says what it said before: a checksum changes no result, nor does the padding of a checkpoint."""
    if path.suffix != ".safetensors":
        return path.name == SUMS
    (arrays, header), changed = training.load_arrays(path), path.read_bytes()
    path.write_bytes(before)
    known, facts = training.load_arrays(path)
    path.write_bytes(changed)
    same = all(np.array_equal(known[name], array) for name, array in arrays.items())
    return same and known.keys() == arrays.keys() and header == facts


FAULTS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "kills": kills,
    "power": power_cuts,
    "failures": failures,
    "clock": clocks,
    "writers": two_writers,
    "readers": readers,
    "bits": bits,
}


class _replaced:
    """Put something in the place of an attribute while this is entered."""

    def __init__(self, owner: object, name: str, value: object):
        self.owner, self.name, self.value = owner, name, value
        self.before = getattr(owner, name)

    def __enter__(self) -> None:
        setattr(self.owner, self.name, self.value)

    def __exit__(self, *_: object) -> None:
        setattr(self.owner, self.name, self.before)


def prepared(spec: studies.AbstractStudySpec, room: Path, every: int) -> Setting:
    """Run the study twice, once under a journal with a checkpoint at every pause of training."""
    whole, watched = room / "whole", room / "watched"
    studies.run(spec, whole)
    watched.mkdir()
    with _replaced(training.Checkpoint.__new__, "__defaults__", (0.0,)), Journal(watched).kept() as journal:
        studies.run(spec, watched)
    expected = contents(whole)
    assert contents(watched) == expected
    # The journal is complete: what it says is what is there.
    crashed(journal.operations, room / "copy")
    assert contents(room / "copy") == expected
    (room / "room").mkdir()
    return Setting(spec, whole, expected, journal.operations, room / "room", every)


def arithmetic() -> studies.AbstractStudySpec:
    """Return the study of plain arithmetic that the tests have, as one of a known kind."""
    place = Path(__file__).parents[1] / "tests" / "studies" / "powers.py"
    found = importlib.util.spec_from_file_location("powers", place)
    assert found is not None
    assert found.loader is not None
    powers = sys.modules["powers"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(powers)
    known = kinds._known()
    kinds._known = lambda: {**known, "powers": "powers:POWERS"}
    return powers.PowersSpec()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth operation only")
    parser.add_argument("--networks", action="store_true", help="train networks, instead of plain arithmetic")
    options = parser.parse_args()
    spec = parse(STUDY, "faults.toml") if options.networks else arithmetic()
    warnings.simplefilter("ignore")
    with (
        tempfile.TemporaryDirectory(prefix="sparsedyn-faults-") as place,
        _replaced(runner, "write_report", _unreported),
    ):
        here = prepared(spec, Path(place), options.every)
        print(f"{len(here.operations)} operations on the disk, {len(here.contents)} files of results.\n", flush=True)
        print("| fault | how injected | times | results lost | cells repeated | wrong | CPU time to go on |")
        print("|---|---|---:|---:|---:|---:|---|", flush=True)
        bad = 0
        for name in options.only:
            for row in FAULTS[name](here._replace(room=Path(tempfile.mkdtemp(dir=place)))):
                print(row.text(), flush=True)
                bad += row.bad
    return 1 if bad else 0


def _unreported(document: object, directory: Path) -> Path:
    write_text(directory / "report.html", "drawn")
    return directory / "report.html"


if __name__ == "__main__":
    sys.exit(main())
