"""Run a study here and on two workers of a Ray cluster, one of which is killed half-way, and compare all files.

    python tools/workers.py      # 4 cells of 250 networks of the aluminum cell
    python tools/workers.py --members 2 --rows 1500 --epochs 300
    SPARSEDYN_NATIVE=0 SPARSEDYN_CPU_DEVICES=1 python tools/workers.py --members 2 --rows 1500 --epochs 100 --apart

The cluster is two nodes of one CPU each on this machine. The exit status is 1 if cells are missing, or where networks
are trained by compiled steps, if a byte of data, models, forecasts or results differs, but for the number of devices.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
import pandas as pd
from ray_nodes import Nodes

from sparsedyn import studies
from sparsedyn._native import native
from sparsedyn.estimators import load
from sparsedyn.executors import Local, Ray
from sparsedyn.studies.checksums import SUMS
from sparsedyn.studies.reading import parse

STUDY = """
name = "workers"
seed = 0
horizons = [100, {rows}]
data = {{ system = "aluminum-cell", train = 3, validation = 2, test = 2, steps = {rows} }}
model = {{ hidden = [25, 25, 25] }}
training = {{ members = {members}, epochs = {epochs}, batch = 512 }}

[[techniques]]
label = "Dense"

[[techniques]]
label = "L1 1e-3"
technique = [{{ type = "l1", weight = 1e-3 }}]

[[techniques]]
label = "L1 1e-4"
technique = [{{ type = "l1", weight = 1e-4 }}]

[[techniques]]
label = "L1 1e-5"
technique = [{{ type = "l1", weight = 1e-5 }}]
"""
APART = ("run.json", "report.html", "study.toml", SUMS, ".lock")


def main() -> int:
    """Run both and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=250, help="networks of each of the four cells")
    parser.add_argument("--rows", type=int, default=5000, help="rows of each of the seven trajectories")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them")
    parser.add_argument("--apart", action="store_true", help="train cells one by one here, too")
    given = parser.parse_args()
    spec = parse(STUDY.format(**vars(given)), "workers")
    with tempfile.TemporaryDirectory() as folder:
        here, there = Path(folder) / "here", Path(folder) / "there"
        began = time.process_time()
        studies.run(spec, here, executor=Local() if given.apart else None)
        print(f"here: {time.process_time() - began:.0f} s of CPU", flush=True)
        lost = on_workers(spec, there)
        return 1 if compared(here, there, lost) else 0


def on_workers(spec: studies.AbstractStudySpec, folder: Path) -> int:
    """Run the study on two workers, kill one when both are at it and one is half-way; return what was begun anew."""
    under_way: dict[int, float] = {}
    events: list[studies.Event] = []
    with Nodes() as nodes:
        nodes.add()

        def watch(event: studies.Event) -> None:
            events.append(event)
            if isinstance(event, studies.GroupProgress):
                under_way[event.number] = event.training.step / event.training.steps
            if len(under_way) > 1 and max(under_way.values()) > 0.5 and "killed" not in state:
                nodes.kill()
                state.add("killed")

        state: set[str] = set()
        with Ray(nodes.address) as executor:
            studies.run(spec, folder, executor=executor, on_event=watch)
    print(f"there: a worker was killed: {'yes' if state else 'no'}", flush=True)
    return sum(isinstance(event, studies.WorkerLost) for event in events)


def compared(here: Path, there: Path, lost: int) -> bool:
    """Print what differs; return whether it may not."""
    mine, theirs = files(here), files(there)
    cells = sorted(path.parent.name for path in here.glob("cells/*/cell.json"))
    missing = [name for name in cells if not (there / "cells" / name / "cell.json").is_file()]
    different = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
    models = [[load(folder / "cells" / name / "model.safetensors") for folder in (here, there)] for name in cells]
    weights = max(
        float(np.max(np.abs(np.asarray(a) - np.asarray(b))))
        for pair in models
        for a, b in zip(*(jax.tree.leaves(model.models_) for model in pair), strict=True)
    )
    errors = [pd.read_parquet(folder / "results.parquet")["rfmse"].to_numpy() for folder in (here, there)]
    members = sum(model.members for model, _ in models)
    print(f"{members} networks in {len(cells)} cells; computations begun anew: {lost}; cells missing: {len(missing)}")
    print(f"files that differ: {len(different)} of {len(mine)} {different[:3] if different else ''}")
    print(f"largest difference: weights {weights:.1e}, RFMSE {np.nanmax(np.abs(errors[1] / errors[0] - 1)):.1e} of it")
    return bool(missing) or bool(different and native())


def files(directory: Path) -> dict[str, bytes]:
    """All files but the record of the run, what is drawn, and checksums of these."""
    found = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.name not in APART]
    found = [path for path in found if "figures" not in path.parts]
    return {path.relative_to(directory).as_posix(): content(path) for path in found}


def content(file: Path) -> bytes:
    """Return what is in a file; a cell also says on how many devices it was made, which may differ."""
    if file.name != "cell.json":
        return file.read_bytes()
    facts = json.loads(file.read_text())
    facts["made"]["devices"].pop("count")
    return json.dumps(facts).encode()


if __name__ == "__main__":
    sys.exit(main())
