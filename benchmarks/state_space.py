"""Free runs of `SparseStateSpace` on measured records of inputs and outputs: errors, weights, seconds.

Usage: python benchmarks/state_space.py FOLDER [SEEDS [SEEDS OF THE CONVERTER]]

FOLDER has `silverbox.npz` (nonlinearbenchmark.org) and `buck_converter_train.csv`, `buck_converter_test.csv`; what is
missing is left out. The first rows of a test record, 50 and 5, show the initial state and are not scored. If SysIdentPy
is installed, its polynomial NARX is run beside on the converter.
"""

import importlib.util
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import sparsedyn
from sparsedyn import SparsedynWarning, Trajectories

RATE = 610.35
"""Samples a second of the Silverbox."""
NO_EXTRAPOLATION = 32_000
"""Rows of the Silverbox's arrow that stay within the amplitudes of training."""


def record(y: np.ndarray, u: np.ndarray, dt: float) -> Trajectories:
    """Return one output and one input as a record."""
    return Trajectories([y[:, None]], [u[:, None]], dt=dt, state_names=["y"], input_names=["u"])


def free_run_error(
    model: sparsedyn.SparseStateSpace, test: Trajectories, warmup: int, rows: int | None = None
) -> float:
    """Return the root mean squared error of a free run after the warm-up, over the first `rows`."""
    predicted = model.forecast(test, warmup=warmup, check_units=False).predicted[0, 0]
    return float(np.sqrt(np.mean(np.square(predicted - test.states[0])[warmup:rows])))


def fitted(train: Trajectories, seed: int) -> tuple[sparsedyn.SparseStateSpace, str]:
    """Return a model with default settings, and what there is to say about it."""
    began, worked = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        model = sparsedyn.SparseStateSpace(seed=seed).fit(train, progress=False)
    seconds, busy = time.perf_counter() - began, time.process_time() - worked
    checks = ", ".join(finding.check for finding in model.report_) or "nothing"
    return model, (
        f"{model.model_.sizes[0]} states, {model.nonzeros_[0]} weights, "
        f"units {'/'.join(model.model_.units) or 'none'}, "
        f"{seconds:.0f} s ({busy:.0f} s of processors), report: {checks}"
    )


def silverbox(folder: Path, seeds: range) -> None:
    """Fit to three quarters of the multisine; test on the rest of it and on the arrow."""
    stored = np.load(folder / "silverbox.npz")
    u, y = stored["input"].astype(float), stored["output"].astype(float)
    multisine = slice(40_650, 127_400)
    cut = multisine.start + int(0.75 * (multisine.stop - multisine.start))
    parts = (slice(multisine.start, cut), slice(cut, multisine.stop), slice(100, 40_575))
    train, rest, arrow = (record(y[part], u[part], 1 / RATE) for part in parts)
    for seed in seeds:
        model, said = fitted(train, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SparsedynWarning)
            errors = [
                1000 * free_run_error(model, rest, 50),
                1000 * free_run_error(model, arrow, 50),
                1000 * free_run_error(model, arrow, 50, NO_EXTRAPOLATION),
            ]
        print(
            f"Silverbox, seed {seed}: multisine {errors[0]:.3f} mV, arrow {errors[1]:.3f} mV, without extrapolation "
            f"{errors[2]:.3f} mV; {said}",
            flush=True,
        )


def converter(folder: Path, seeds: range) -> None:
    """Fit to the converter's training record, test on its other."""
    tables = [pd.read_csv(folder / f"buck_converter_{name}.csv") for name in ("train", "test")]
    train, test = (record(table["y"].to_numpy(), table["input"].to_numpy(), 1e-5) for table in tables)
    for seed in seeds:
        model, said = fitted(train, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SparsedynWarning)
            error = free_run_error(model, test, 5)
        print(f"Buck converter, seed {seed}: {error:.3f} V; {said}", flush=True)
    if importlib.util.find_spec("sysidentpy"):
        print(f"Buck converter, polynomial NARX of SysIdentPy: {narx(train, test):.3f} V", flush=True)


def narx(train: Trajectories, test: Trajectories) -> float:
    """Return the free-run error of SysIdentPy's forward regression orthogonal least squares."""
    from sysidentpy.basis_function import Polynomial
    from sysidentpy.model_structure_selection import FROLS
    from sysidentpy.parameter_estimation import LeastSquares

    model = FROLS(
        order_selection=True,
        n_info_values=15,
        ylag=2,
        xlag=2,
        estimator=LeastSquares(),
        basis_function=Polynomial(degree=2),
    )
    model.fit(X=train.inputs[0], y=train.states[0])
    predicted = model.predict(X=test.inputs[0], y=test.states[0])
    return float(np.sqrt(np.mean(np.square(predicted - test.states[0])[5:])))


def main() -> None:
    """Run what the folder has."""
    folder = Path(sys.argv[1])
    seeds = [*map(int, sys.argv[2:4])]
    count, more = seeds + [3, 5][len(seeds) :]
    if (folder / "silverbox.npz").exists():
        silverbox(folder, range(count))
    if (folder / "buck_converter_train.csv").exists():
        converter(folder, range(more))


if __name__ == "__main__":
    main()
