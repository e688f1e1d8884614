"""SINDy and PySINDy on the same trajectories, in turn, in one process: times, their ratio, errors of coefficients.

    pip install ".[peers]" && python benchmarks/sindy.py --noise 0.01

A fit includes estimating derivatives. Both have the same library and threshold; on noisy data PySINDy smooths
(`SmoothedFiniteDifference`). Processor time, the least of several repetitions; OMP_NUM_THREADS=1 keeps to one core.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import sparsedyn
from sparsedyn import SINDy, Trajectories

PLANTS = {"lorenz63": 2, "duffing": 3, "lotka-volterra": 2}
TRUTHS: dict[str, dict[tuple[int, ...], tuple[float, ...]]] = {
    "lorenz63": {
        (0,): (-10, 28, 0), (1,): (10, -1, 0), (2,): (0, 0, -8 / 3), (0, 1): (0, 0, 1), (0, 2): (0, -1, 0),
    },
    "duffing": {(0,): (0, 1), (1,): (1, -0.3), (2,): (0, 1), (0, 0, 0): (0, -1)},
    "lotka-volterra": {(0,): (1, 0), (1,): (0, -1), (0, 1): (-1, 1), (0, 2): (-1, 0), (1, 2): (0, -1)},
}  # fmt: skip


def noisy(data: Trajectories, share: float, seed: int) -> Trajectories:
    """Add white noise, in shares of each state's standard deviation."""
    rng = np.random.default_rng(seed)
    spread = np.concatenate(data.states).std(axis=0)
    states = [x + share * spread * rng.normal(size=x.shape) for x in data.states]
    return Trajectories(states, data.inputs, dt=data.dt, state_names=data.state_names, input_names=data.input_names)


def ours(data: Trajectories, degree: int, threshold: float | str, **options: Any) -> np.ndarray:
    """Return this package's coefficients (term, state)."""
    return SINDy(degree, threshold, **options).fit(data).coefficients_


def theirs(data: Trajectories, degree: int, threshold: float, smooth: bool) -> np.ndarray:
    """Return PySINDy's coefficients (term, state)."""
    peer = importlib.import_module("pysindy")
    made = peer.SINDy(
        optimizer=peer.STLSQ(threshold=threshold),
        feature_library=peer.PolynomialLibrary(degree=degree),
        differentiation_method=peer.SmoothedFiniteDifference() if smooth else peer.FiniteDifference(),
    )
    made.fit(list(data.states), t=data.dt, u=list(data.inputs) if data.input_names else None)
    return np.asarray(made.coefficients()).T


def timed(fit: Callable[[], np.ndarray], repetitions: int) -> tuple[float, float, np.ndarray]:
    """Return the processor seconds of the first fit and of the quickest, and the coefficients."""
    seconds = []
    for _ in range(repetitions):
        begin = time.process_time()
        found = fit()
        seconds.append(time.process_time() - begin)
    return seconds[0], min(seconds), found


def verdict(found: np.ndarray, name: str, data: Trajectories, degree: int) -> dict[str, Any]:
    """Return whether the terms are right, and the largest relative error of the true ones' coefficients."""
    library = sparsedyn.Library(len(data.state_names) + len(data.input_names), degree)
    truth = np.zeros_like(found)
    for monomial, values in TRUTHS[name].items():
        truth[library.monomials.index(monomial)] = values
    there = truth != 0
    error = float(np.max(np.abs(found[there] / truth[there] - 1)))
    return {"terms": bool(np.array_equal(found != 0, there)), "error": error}


def main() -> None:
    """Print a row per plant and fit, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--noise", type=float, default=0.0, help="share of each state's standard deviation")
    parser.add_argument("--threshold", type=float, default=0.1)
    parser.add_argument("--trajectories", type=int, default=4)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repetitions", type=int, default=20)
    given = parser.parse_args()
    rows = []
    for name, degree in PLANTS.items():
        clean = sparsedyn.simulate(name, trajectories=given.trajectories, steps=given.rows, seed=given.seed)
        data = noisy(clean, given.noise, given.seed) if given.noise else clean
        common = (data, degree, given.threshold)
        fits: dict[str, Callable[[], np.ndarray]] = {
            "pysindy": lambda common=common: theirs(*common, smooth=given.noise > 0),
            "sparsedyn": lambda common=common: ours(*common),
            "sparsedyn weak": lambda common=common: ours(*common, weak=True),
            "sparsedyn auto": lambda data=data, degree=degree: ours(data, degree, "auto"),
        }
        quickest: dict[str, float] = {}
        for fit, call in fits.items():
            try:
                first, quickest[fit], found = timed(call, given.repetitions)
            except ImportError as error:
                print(f"{fit} is left out: {error}")
                continue
            judged = verdict(found, name, data, degree)
            ratio = quickest["pysindy"] / quickest[fit] if "pysindy" in quickest else float("nan")
            rows.append({"plant": name, "fit": fit, "first": first, "seconds": quickest[fit], "ratio": ratio, **judged})
            print(
                f"{name:15s} {fit:15s} {1e3 * quickest[fit]:8.1f} ms (first {1e3 * first:.1f})  {ratio:5.2f} times as "
                f"quick as PySINDy  terms {'right' if judged['terms'] else 'wrong'}  error {judged['error']:.3%}",
                flush=True,
            )
    print(json.dumps({"noise": given.noise, "rows": rows}))


if __name__ == "__main__":
    main()
