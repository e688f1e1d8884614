"""How many test rows 90 % bands hold, calibrated on validation trajectories that the model was not fitted to.

    python benchmarks/bands.py [silverbox.npz] [--seeds 1]

The aluminum cell: the L1 and pruned networks of `aluminum-quick`, fitted to 20 trajectories of 5,000 rows, calibrated
on as many as `--calibration` says and tested on 40. With `silverbox.npz` (nonlinearbenchmark.org): `SparseStateSpace`
fitted to the first half of the training part of the multisine, calibrated on the second half in windows, tested on the
windows of the last quarter and of the arrow, whose amplitude grows: no rows like its last ones are in calibration.
Per horizon: the share of values in the bands up to it and in its last tenth, and the least of any state.
"""

import argparse
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np

import sparsedyn
from sparsedyn import L1, MagnitudePruning, SparsedynWarning, SparseStateSpace, SparseTimeStepper, Trajectories
from sparsedyn.forecast import Forecast

ROWS, CELL, SILVERBOX = 5000, (100, 1000, 5000), (100, 500)
RATE = 610.35
"""Samples a second of the Silverbox."""
WARMUP = 50


def shown(what: str, forecast: Forecast, horizons: tuple[int, ...]) -> None:
    """Print a line per horizon."""
    bands = forecast.bands()
    inside = (forecast.truth >= bands["lower"].to_numpy()) & (forecast.truth <= bands["upper"].to_numpy())
    first = max(1, forecast.warmup)
    for row in forecast.coverage(horizons).itertuples():
        states = inside[:, first : forecast.warmup + row.horizon].mean(axis=(0, 1))
        print(
            f"{what}, {row.horizon} rows: {row.covered:.3f}, last tenth {row.covered_last:.3f}, "
            f"states {states.min():.3f} to {states.max():.3f}, trusted {row.trusted:.3f}",
            flush=True,
        )


def cell(seed: int, counts: list[int]) -> None:
    """Fit, calibrate and test on the aluminum cell."""
    plant = sparsedyn.systems.AluminumCell()
    train, test = (
        sparsedyn.simulate(plant, trajectories=count, steps=ROWS, seed=3 * seed + i) for i, count in enumerate((20, 40))
    )
    validation = sparsedyn.simulate(plant, trajectories=max(counts), steps=ROWS, seed=3 * seed + 2)
    began = time.process_time()
    model = SparseTimeStepper(
        technique=[L1(1e-4), MagnitudePruning(0.75)], members=4, epochs=40, batch=64, select="last", seed=seed
    ).fit(train, progress=False)
    print(f"cell, seed {seed}: fitted in {time.process_time() - began:.0f} CPU s", flush=True)
    for count in counts:
        model.calibrate(validation[:count])
        shown(f"cell, seed {seed}, calibrated on {count}", model.forecast(test), CELL)


def cut(y: np.ndarray, u: np.ndarray, rows: int) -> Trajectories:
    """Return a record in windows of so many rows."""
    edges = range(0, len(y) + 1, rows)
    parts = [slice(*pair) for pair in pairwise(edges)]
    return Trajectories(
        [y[part, None] for part in parts],
        [u[part, None] for part in parts],
        dt=1 / RATE,
        state_names=["y"],
        input_names=["u"],
    )


def silverbox(file: Path, seed: int) -> None:
    """Fit, calibrate and test on the Silverbox."""
    stored = np.load(file)
    u, y = stored["input"].astype(float), stored["output"].astype(float)
    start, stop = 40_650, 127_400
    quarter = (stop - start) // 4
    half = start + 3 * quarter // 2
    rows = WARMUP + SILVERBOX[-1]
    parts = {
        "fit": slice(start, half),
        "calibration": slice(half, start + 3 * quarter),
        "multisine": slice(start + 3 * quarter, stop),
        "arrow without extrapolation": slice(100, 32_100),
        "arrow": slice(100, 40_575),
    }
    records = {name: cut(y[part], u[part], 1000 if name == "fit" else rows) for name, part in parts.items()}
    began = time.process_time()
    model = SparseStateSpace(seed=seed).fit(records.pop("fit"), progress=False)
    calibration = records.pop("calibration")
    model.calibrate(calibration)
    print(
        f"Silverbox, seed {seed}: fitted in {time.process_time() - began:.0f} CPU s, {model.nonzeros_[0]} weights, "
        f"calibrated on {len(calibration)} windows of {rows} rows",
        flush=True,
    )
    for name, record in records.items():
        shown(f"Silverbox, seed {seed}, {name}", model.forecast(record, warmup=WARMUP), SILVERBOX)


def main() -> None:
    """Print what there are data for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("silverbox", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--calibration", type=int, nargs="+", default=[40, 20, 10])
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparsedynWarning)
        for seed in range(given.seeds):
            cell(seed, given.calibration)
            if given.silverbox is not None:
                silverbox(given.silverbox, seed)


if __name__ == "__main__":
    main()
