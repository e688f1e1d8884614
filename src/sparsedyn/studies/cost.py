"""What a study costs: operations, and the seconds that they take at the rate of the machine."""

import json
import os
import platform
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import platformdirs

from sparsedyn import _disk
from sparsedyn._blas import one_blas_thread
from sparsedyn._devices import MOST_DEVICES, cores
from sparsedyn.studies.document.words import duration

SIZE, TURNS = 768, 8
"""Rows of the matrices whose product is timed, and how often."""


class Cost(NamedTuple):
    """Gradient steps of single networks, steps of single forecasts, and operations of a core that both are worth.

    `fixed` seconds go into compilation. Operations are those of products in float32; the rest of a step is counted as
    so many operations of a product as it takes the time of.
    """

    member_steps: int
    forecast_steps: int
    operations: float
    fixed: float

    def seconds(self, rate: float, cores: int) -> float:
        """Return the seconds on so many cores, each of this rate (operations a second)."""
        return self.fixed + self.operations / (rate * cores)


def expected(cost: Cost) -> dict[str, float]:
    """Return the cost as data, with the seconds that are expected on all cores of this machine."""
    return {**cost._asdict(), "seconds": round(cost.seconds(machine_rate(), spread()), 1)}


def expected_text(cost: Cost) -> str:
    """Say how long a study takes on this machine if nothing else runs."""
    return (
        f"About {duration(cost.seconds(machine_rate(), spread()))} on an idle machine like this: {cost.member_steps:,} "
        f"gradient steps of networks, {cost.forecast_steps:,} steps of forecasts."
    )


def spread() -> int:
    """Return how many cores steps are spread over."""
    return min(cores(), MOST_DEVICES)


def machine_rate() -> float:
    """Return the rate of float32 products on one core, in operations a second: the best of some tenths of a second.

    It is measured once and kept in the user's cache directory, where that can be written to.
    """
    file = platformdirs.user_cache_path("sparsedyn") / "rate.json"
    machine = f"{platform.node()} {platform.machine()} {os.cpu_count()}"
    known = _read(file)
    if known.get("machine") == machine:
        return float(known["rate"])
    rate = _measured()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _disk.replacing(file) as path:
            path.write_text(json.dumps({"machine": machine, "rate": rate}))
    except OSError:
        pass  # measured anew the next time
    return rate


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
        return found if isinstance(found.get("rate"), float) else {}
    except (OSError, ValueError, AttributeError):
        return {}


def _measured() -> float:
    matrix = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)
    out, quickest = np.empty_like(matrix), np.inf
    with one_blas_thread():
        for _ in range(TURNS):
            # Processor time: another program on the core does not count.
            begin = time.process_time()
            np.dot(matrix, matrix, out=out)
            quickest = min(quickest, time.process_time() - begin)
    return 2 * SIZE**3 / max(quickest, 1e-6)
