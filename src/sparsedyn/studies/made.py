"""What a cell was made with: seed, spec, versions, devices; and whether the others of a study would be made alike."""

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import jax

from sparsedyn import _disk
from sparsedyn._native import native
from sparsedyn.studies.cells import Cell
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.files import read_json
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store
from sparsedyn.training import CheckpointError, load_arrays

PACKAGES = ("sparsedyn", "jax", "jaxlib", "equinox", "optax", "diffrax", "numba", "numpy", "pandas", "scipy")
DECISIVE = ("python", "sparsedyn", "jax", "jaxlib", "numba", "numpy")
"""Those on which the last digits of results depend."""
Made = dict[str, Any]


def made(spec: AbstractStudySpec) -> Made:
    """Return what a result that is made now is made with, as it stands in cell.json and run.json."""
    return {"seed": spec.seed, "spec": digest(spec), "versions": versions(), "devices": devices()}


class Surroundings(NamedTuple):
    """What results are made with here, and the devices in words."""

    made: Made
    device: str


def surroundings(spec: AbstractStudySpec) -> Surroundings:
    """Return both for a study."""
    return Surroundings(made(spec), device_words())


def digest(spec: AbstractStudySpec) -> str:
    """Return the SHA-256 of a study without what is only shown."""
    return hashlib.sha256(json.dumps(spec.computed(), sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in PACKAGES}}


def devices() -> dict[str, Any]:
    """Return the kind and number of devices, and whether networks are trained by compiled steps where they can be."""
    found = jax.devices()
    return {"kind": found[0].device_kind, "machine": platform.machine(), "count": len(found), "native": native()}


def device_words() -> str:
    """Describe the devices."""
    found = jax.devices()
    cores = f", {os.cpu_count()} cores" if found[0].platform == "cpu" else ""
    return f"{len(found)} x {found[0].device_kind} ({platform.machine()}{cores})"


def taken_up(store: Store, cells: Sequence[Cell], here: Made, *, mixed: bool) -> dict[str, str]:
    """Return in what finished cells differ from what is made now, by their labels; none unless `mixed`.

    Raises `StudyError` where some differ, unless `mixed` or unless all are finished. What is being trained differently
    begins anew, so that every cell is of one kind.
    """
    stored = _stored(store, cells)
    _check_spec(store, stored, here)
    if cells and all(store.is_finished(cell.slug) for cell in cells):
        return {}
    others = {label: what for label, facts in stored.items() if (what := difference(facts, here))}
    if (store.directory / "search").is_dir() and (what := difference(read_json(store.run_file), here)):
        others["its search"] = what
    begun = _under_way(store, here)
    if not mixed and (others or begun):
        listed = _listed(others | {path.stem: what for path, what in begun.items()})
        raise StudyError(
            f"{store.directory}: expected versions and devices as before; the study was begun with others: {listed}. "
            "Results may differ for that alone. Add --mixed (mixed=True) to go on nevertheless, or start anew in "
            "another folder."
        )
    for path in begun:
        _disk.remove(path)
    return others


def compared(store: Store, cells: Sequence[Cell], *, mixed: bool) -> dict[str, str]:
    """Return in what finished cells differ from the first of them, by their labels.

    Raises `StudyError` where some do, unless `mixed`.
    """
    stored = _stored(store, cells)
    first = next((facts["made"] for facts in stored.values() if "made" in facts), None)
    others = {
        label: what for label, facts in stored.items() if first is not None and (what := difference(facts, first))
    }
    if others and not mixed:
        raise StudyError(
            f"{store.directory}: expected cells of the same versions and devices; {_listed(others)}. Results may "
            "differ for that alone. Add --mixed (mixed=True) to collect them nevertheless."
        )
    return others


def _stored(store: Store, cells: Sequence[Cell]) -> dict[str, dict[str, Any]]:
    """Return the facts of finished cells, by their labels."""
    finished = (cell for cell in cells if store.is_finished(cell.slug))
    return {cell.label: read_json(store.cell(cell.slug) / "cell.json") for cell in finished}


def _check_spec(store: Store, stored: Mapping[str, Mapping[str, Any]], here: Made) -> None:
    """Raise `StudyError` where cells are of another spec: a changed study.toml would otherwise mix two studies."""
    for label, facts in stored.items():
        if facts.get("made", here)["spec"] != here["spec"]:
            raise StudyError(
                f"{store.spec_file}: expected the spec that cells were made from; that of {label!r} was another one. "
                "Take back what was changed in it, or start anew in another folder."
            )


def _under_way(store: Store, here: Made) -> dict[Path, str]:
    """Return the checkpoints that were begun with something else, and with what."""
    found = {}
    for path in store.directory.glob("groups/[!.]*.safetensors"):
        with suppress(CheckpointError):  # which is said where it is taken up
            compiled = load_arrays(path)[1].get("compiled")
            found[path] = difference({**read_json(store.run_file), "compiled_steps": compiled}, here)
    return {path: what for path, what in found.items() if what}


def difference(facts: Mapping[str, Any], here: Made) -> str:
    """Return what else something was made with, by its facts; "" where these do not say, as in earlier versions."""
    if "made" not in facts:
        return ""
    old, new = _facts(facts["made"]), _facts(here)
    if facts.get("compiled_steps"):
        # A member's bits are then its own, on any number of devices.
        new.pop("count of devices")
    return ", ".join(f"{name} {old.get(name)} (here {new[name]})" for name in new if old.get(name) != new[name])


def _facts(one: Made) -> dict[str, Any]:
    return {name: one["versions"].get(name) for name in DECISIVE} | {
        f"{key} of devices": value for key, value in one["devices"].items()
    }


def _listed(others: dict[str, str], most: int = 3) -> str:
    parts = []
    for what in dict.fromkeys(others.values()):
        labels = [label for label, own in others.items() if own == what]
        more = f" and {len(labels) - most} more" if len(labels) > most else ""
        parts.append(f"{', '.join(labels[:most])}{more} with {what}")
    return "; ".join(parts)
