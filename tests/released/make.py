"""Make files of every kind as this version writes them, for later versions to read: run once, when one is released.

    python tests/released/make.py

Writes tests/released/VERSION. Files that are there are never made anew: what they test is that they can still be read.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

import sparsedyn
from sparsedyn import EquationLearner, EquationRegressor, SINDy, SINDyAutoencoder, SparseStateSpace, SparseTimeStepper
from sparsedyn.data import Trajectories, read, write
from sparsedyn.estimators import fit_together
from sparsedyn.studies import load, run
from sparsedyn.systems import lifted_lorenz

STUDY = """
name = "tiny"
title = "A study of seconds"
horizons = [5, 20]

[data]
system = "lotka-volterra"
train = 2
validation = 1
test = 2
steps = 20

[model]
hidden = [3]

[training]
members = 2
epochs = 1
batch = 16

[[techniques]]
label = "Dense"
"""


def main() -> None:
    """Make the files of this version."""
    folder = Path(__file__).parent / sparsedyn.__version__
    if folder.exists():
        sys.exit(f"{folder}: files of this version are there, and stay as they are.")
    folder.mkdir()
    expected = data_files(folder) | model_files(folder)
    interrupted(folder / "run.checkpoint")
    (folder / "study.toml").write_text(STUDY)
    run(load(folder / "study.toml"), folder / "study")
    (folder / "study.toml").unlink()
    # What is drawn anew from the rest is left out: it is large.
    shutil.rmtree(folder / "study" / "figures")
    for name in ("report.html", "SHA256SUMS", ".lock"):
        (folder / "study" / name).unlink()
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))


def plant() -> Trajectories:
    """Two runs of different lengths, with units, labels and attributes."""
    rng = np.random.default_rng(0)
    states, inputs = [], []
    for rows in (40, 30):
        u = np.repeat(rng.normal(size=(rows // 5, 1)), 5, axis=0)
        x = [rng.normal(size=2)]
        for k in range(rows - 1):
            x.append(x[-1] + 0.1 * np.array([x[-1][1], -x[-1][0] - 0.5 * x[-1][1] + u[k, 0]]))
        states.append(np.array(x))
        inputs.append(u)
    names: dict[str, Any] = {"state_names": ["angle", "speed"], "state_units": ["rad", "rad/s"]}
    names["input_names"] = ["torque"]
    return Trajectories(states, inputs, dt=0.1, labels=["a", "b"], attrs={"seed": 0}, **names)


def data_files(folder: Path) -> dict[str, Any]:
    """Write the same trajectories in every format, and as arrays."""
    (folder / "data").mkdir()
    for suffix in ("csv", "parquet", "nc", "npz"):
        write(plant(), folder / "data" / f"plant.{suffix}")
    read(folder / "data" / "plant.npz", stream=folder / "arrays")
    return {"states": [x.tolist() for x in plant().states], "inputs": [u.tolist() for u in plant().inputs]}


def model_files(folder: Path) -> dict[str, Any]:
    """Fit a small model of every family, write it, and return what it says."""
    (folder / "models").mkdir()
    data, expected = plant(), {}
    x, u = data.states[0][:3], data.inputs[0][:3]
    small: dict[str, Any] = {"hidden": (3,), "members": 2, "epochs": 2, "activation": "tanh", "batch": 16}
    steppers = {
        "stepper": SparseTimeStepper(technique=["l1", "magnitude"], average="ema", **small),
        "map": SparseTimeStepper(time="discrete", known={"speed": "-0.5*angle"}, **small),
    }
    for name, stepper in steppers.items():
        fit_together([stepper], data)
        expected[name] = stepper.predict(x, u).values.tolist()
    fitted: dict[str, Any] = dict(steppers)
    fitted["sindy"] = SINDy(degree=1).fit(data)
    fitted["learner"] = EquationLearner(trials=1).fit(data, progress=False)
    for name in ("sindy", "learner"):
        expected[name] = fitted[name].predict(x, u).values.tolist()
    table = np.random.default_rng(0).uniform(1, 2, size=(60, 2))
    fitted["regressor"] = EquationRegressor().fit(table, table[:, 0] / table[:, 1])
    expected["regressor"] = fitted["regressor"].predict(table[:3]).tolist()
    fitted["state-space"] = SparseStateSpace(2, units="none").fit(data.select(states=["angle"]))
    expected["state-space"] = fitted["state-space"].forecast(data.select(states=["angle"])).predicted[:, :, :5].tolist()
    curves = lifted_lorenz(4, seed=0)
    fitted["autoencoder"] = SINDyAutoencoder(widths=(4,), degree=2, members=1, effort=0.01).fit(curves, progress=False)
    expected["autoencoder"] = fitted["autoencoder"].encode(curves.x[0, :2]).tolist()
    for name, model in fitted.items():
        model.save(folder / "models" / f"{name}.safetensors")
    return expected


def interrupted(path: Path) -> None:
    """Leave the checkpoint of a training that was stopped."""

    def stop(progress: Any) -> None:
        if progress.step > 5:
            raise KeyboardInterrupt

    stepper = SparseTimeStepper((3,), members=2, epochs=5, batch=16, activation="tanh")
    try:
        fit_together([stepper], plant(), on_progress=stop, checkpoint=path)
    except KeyboardInterrupt:
        return
    shutil.rmtree(path.parent)
    sys.exit("the training ended before it was stopped.")


if __name__ == "__main__":
    main()
