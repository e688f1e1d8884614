"""SINDy, and PySINDy where it is installed, on equations of ordinary differential equations from one short trajectory.

    python benchmarks/odes.py SYSTEMS.json --noise 0.05
    python benchmarks/odes.py SYSTEMS.json --noise 0.05 --estimator EquationLearner --lines results.jsonl

SYSTEMS is a list of `{"id", "equations", "init"}`: variables are `x_0`, `x_1`, ..., `init` two initial states. As in
ODEBench (d'Ascoli et al. 2023): LSODA, rtol 1e-5, atol 1e-7, 150 rows on [0, 10], noise `x (1 + s xi)`. Equations are
fitted to the trajectory from the first initial state, and simulated from the first (reconstruction) and the second
(generalization): shares of systems with a variance-weighted R^2 above 0.9. PySINDy with each threshold is a peer.

For `EquationLearner` there is also the share of exact forms: the true equations, with other coefficients and constants,
agree with the found ones to 1e-5 of their size, and these have as many numbers. In equations of the right form, it
counts the constants whose interval of 95 % has the true number. `--trajectories 4` takes three more that begin
around the first (every first value times a number between 1/2 and 3/2). `--lines` keeps a line per system, and goes on
with those that are missing; `--every 3` takes every third. `sparsedyn study run odebench` runs all of this but that.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sparsedyn.equations import text
from sparsedyn_papers.odes import METHODS, Learned, System, covered, exact, explains, nearby, read_systems, simulated
from sparsedyn_papers.odes.methods import available, by_pysindy, by_sindy


def fitted(
    method: Callable[[np.ndarray, int], Learned], system: System, given: argparse.Namespace
) -> tuple[Learned, list[bool], np.ndarray]:
    """Return what a method finds, which trajectories that explains, and the first of these."""
    plants = [simulated(system.field, start) for start in system.starts]
    first = plants[0]
    rng = np.random.default_rng(given.seed)
    several = [first, *nearby(system, first, given.trajectories - 1)]
    noisy = [x * (1 + given.noise * rng.normal(size=x.shape)) for x in several]
    found = method(noisy[0] if given.trajectories == 1 else noisy, given.seed)
    good = [explains(simulated(found.field, start), x) for x, start in zip(plants, system.starts, strict=True)]
    return found, good, first


def equations_of(given: argparse.Namespace) -> None:
    """Print a line per system, and the shares; systems that `given.lines` has are not fitted again."""
    systems = read_systems(given.systems)[:: given.every]
    kept = given.lines.read_text().splitlines() if given.lines and given.lines.exists() else []
    done = {row["id"]: row for row in map(json.loads, kept)}
    for system in systems:
        if system.id in done:
            continue
        found, good, first = fitted(METHODS["EquationLearner"], system, given)
        row = {"id": system.id, "seconds": round(found.seconds, 2), "warned": found.warned}
        row |= dict(zip(("reconstruction", "generalization"), good, strict=True))
        row |= {"exact": exact(system.truth, found.equations, first)}
        row |= {"covered": covered(system.truth, found.equations, found.constants, first)}
        row |= {"found": [text(e, 5) for e in found.equations]}
        done[system.id] = row
        print(json.dumps(row), flush=True)
        if given.lines:
            with given.lines.open("a") as file:
                file.write(json.dumps(row) + "\n")
    rows = [done[system.id] for system in systems]
    shares = {name: np.mean([row[name] for row in rows]) for name in ("reconstruction", "generalization", "exact")}
    seconds = [row["seconds"] for row in rows]
    said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    inside, total = np.sum([row["covered"] for row in rows], axis=0)
    print(
        f"EquationLearner noise {given.noise:g} seed {given.seed}, {len(rows)} systems, trajectories "
        f"{given.trajectories}: {said}; intervals of 95 % have {inside} of {total} constants; CPU seconds median "
        f"{np.median(seconds):.1f}, most {max(seconds):.1f}"
    )


def main() -> None:
    """Print a line per method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", type=Path)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument("--functions", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--estimator", choices=("SINDy", "EquationLearner"), default="SINDy")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--trajectories", type=int, default=1)
    parser.add_argument("--lines", type=Path)
    given = parser.parse_args()
    if given.estimator == "EquationLearner":
        equations_of(given)
        return
    methods: dict[str, Callable[[np.ndarray, int], Learned]] = {
        "sparsedyn auto": partial(by_sindy, degree=given.degree, functions=given.functions)
    }
    if available("PySINDy"):
        for threshold in (0.1, 0.01):
            methods[f"pysindy {threshold}"] = partial(by_pysindy, threshold=threshold, degree=given.degree)
    else:
        print('PySINDy is left out: pip install "sparsedyn[peers]"')
    for name, method in methods.items():
        rows = []
        for system in read_systems(given.systems)[:: given.every]:
            found, good, _ = fitted(method, system, given)
            rows.append((*good, found.empty, found.warned, found.seconds))
        table = np.array(rows, float)
        print(
            f"{name:15s} noise {given.noise:g} seed {given.seed}: reconstruction {table[:, 0].mean():.3f}, "
            f"generalization {table[:, 1].mean():.3f}, with an empty equation {int(table[:, 2].sum())}, warned "
            f"{int(table[:, 3].sum())} of {len(rows)}; CPU seconds median {np.median(table[:, 4]):.2f}, most "
            f"{table[:, 4].max():.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
