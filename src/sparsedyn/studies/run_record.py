"""`run.json`: how a study was run, and how long it took; the only file of a study with clock times."""

import datetime
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparsedyn.data import Trajectories
from sparsedyn.studies.cells import Cell, Share
from sparsedyn.studies.files import read_json, write_json
from sparsedyn.studies.made import Surroundings, surroundings
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store

EVERY = 5.0
"""Seconds between two updates of a group's running time; a killed run loses at most this much."""


class RunRecord:
    """Seconds spent on every part, summed over all runs of a study, and what the last one was made with.

    Results are made in the `surroundings` of this process unless others are given.
    """

    def __init__(self, store: Store, spec: AbstractStudySpec, here: Surroundings | None = None):
        self.file = store.run_file
        self.content: dict[str, Any] = read_json(self.file) if self.file.is_file() else _empty(spec)
        self.began = self.saved = time.monotonic()
        self.before = float(self.content["seconds"])
        self.content["runs"] += 1
        self.made, device = surroundings(spec) if here is None else here
        self.content.pop("failed", None)
        self.content |= {
            "command": _command(),
            "versions": self.made["versions"],
            "device": device,
            "made": self.made,
            "finished": None,
        }
        self.save()

    @property
    def seconds(self) -> float:
        """Seconds since this run began."""
        return time.monotonic() - self.began

    def save(self) -> None:
        """Write the file."""
        self.content["seconds"] = self.before + self.seconds
        write_json(self.file, self.content)
        self.saved = time.monotonic()

    def data(self, parts: dict[str, Trajectories], seconds: float) -> None:
        """Record where the trajectories came from."""
        facts = {
            part: {"trajectories": len(data), "rows": sum(data.lengths), "dt": data.dt, **data.attrs}
            for part, data in parts.items()
        }
        self.content["data"] = {"seconds": self.content["data"].get("seconds", 0.0) + seconds, **facts}
        self.save()

    def group(self, key: str, labels: Sequence[str], members: int) -> "GroupClock":
        """Start the clock of the training of some cells together, of so many members in all."""
        known = self.content["groups"].get(key, {})
        entry = {
            "cells": list(labels),
            "members": members,
            "seconds": known.get("seconds", 0.0),
            "steps": known.get("steps"),
        }
        self.content["groups"][key] = entry
        return GroupClock(self, entry)

    def share(self, key: str, members: int) -> Share:
        """Return the share of so many members in the seconds of a group."""
        entry = self.content["groups"][key]
        return Share(key, entry["seconds"] * members / entry["members"])

    def cell(self, cell: Cell, seconds: float, share: Share | None = None) -> None:
        """Record the seconds of a cell by itself, and its share of its group's training."""
        trained: dict[str, Any] = {}
        if share is not None:
            trained = {"group": share.key, "training_seconds": share.seconds, "forecast_seconds": seconds}
            seconds += share.seconds
        self.content["cells"][cell.slug] = {"label": cell.label, **trained, "seconds": seconds}
        self.save()

    def part(self, shard: tuple[int, int]) -> None:
        """Record which part of how many this run computes."""
        self.content["shard"] = list(shard)
        self.save()

    def gather(self, parts: Sequence[dict[str, Any]]) -> None:
        """Take over the times that the records of parts have: the whole took as long as all of them together."""
        self.content["parts"] = len(parts)
        self.before = sum(float(part["seconds"]) for part in parts)
        for part in parts:
            self.content["groups"] |= part["groups"]
            self.content["cells"] |= part["cells"]
            self.content["data"] = self.content["data"] or part["data"]
        self.save()

    def note(self, key: str, found: Mapping[str, str]) -> None:
        """Record what was found of cells, by their labels, if anything was."""
        if found:
            self.content[key] = {**self.content.get(key, {}), **found}
            self.save()

    def finish(self) -> None:
        """Record that everything is written."""
        self.content["finished"] = _now()
        self.save()


class GroupClock:
    """The clock of one group's training, which continues where an interrupted run stopped."""

    def __init__(self, record: RunRecord, entry: dict[str, Any]):
        self.record, self.entry = record, entry
        self.began, self.before = time.monotonic(), float(entry["seconds"])

    def tick(self, steps: int, shared: int | None = None, *, now: bool = False) -> None:
        """Record the time so far, and steps that networks had in common, at most every few seconds unless `now`."""
        self.entry["seconds"] = self.before + time.monotonic() - self.began
        self.entry["steps"] = steps
        if shared is not None:
            self.entry["shared_steps"] = shared
        if now or time.monotonic() - self.record.saved > EVERY:
            self.record.save()


def _empty(spec: AbstractStudySpec) -> dict[str, Any]:
    start = {
        "name": spec.name,
        "seed": spec.seed,
        "started": _now(),
        "finished": None,
        "runs": 0,
        "seconds": 0.0,
    }
    return {**start, "data": {}, "groups": {}, "cells": {}}


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _command() -> str:
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv[0] else "python"
