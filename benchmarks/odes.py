"""SINDy, and PySINDy where it is installed, on equations of ordinary differential equations from one short trajectory.

    python benchmarks/odes.py SYSTEMS.json --noise 0.05

SYSTEMS is a list of `{"id", "equations", "init"}`: variables are `x_0`, `x_1`, ..., `init` two initial states. As in
ODEBench (d'Ascoli et al. 2023): LSODA, rtol 1e-5, atol 1e-7, 150 rows on [0, 10], noise `x (1 + s xi)`. Equations are
fitted to the trajectory from the first initial state, and simulated from the first (reconstruction) and the second
(generalization): shares of systems with a variance-weighted R^2 above 0.9. PySINDy with each threshold is a peer.
"""

import argparse
import importlib
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from sklearn.metrics import r2_score

from sparsedyn import SINDy, SparsedynWarning
from sparsedyn.equations import compiled, parsed
from sparsedyn.models import Library

TIMES = np.linspace(0, 10, 150)
Field = Callable[[np.ndarray], np.ndarray]


def truth(system: dict[str, Any]) -> Field:
    """Return the right-hand side of a system, whose text is read without executing any of it."""
    names = [f"x_{i}" for i in range(len(system["equations"]))]
    made = compiled([parsed(equation, names) for equation in system["equations"]], names)
    return lambda x: made(np.atleast_2d(x))[0]


def simulated(field: Field, start: list[float]) -> np.ndarray | None:
    """Return the states at all times, or nothing where they run away."""

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        if not np.all(np.abs(x) < 1e8):
            raise FloatingPointError
        return field(x)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            found = solve_ivp(slope, (0, 10), start, t_eval=TIMES, method="LSODA", rtol=1e-5, atol=1e-7)
        except (FloatingPointError, ValueError):
            return None
    return found.y.T if found.y.shape[1] == len(TIMES) and np.isfinite(found.y).all() else None


def good(states: np.ndarray, found: np.ndarray | None) -> bool:
    """Return whether states are explained."""
    return found is not None and r2_score(states, found, multioutput="variance_weighted") > 0.9


def ours(x: np.ndarray, degree: int, functions: list[str]) -> tuple[Field, np.ndarray, bool]:
    """Return the right-hand side, which equations are empty, and whether the fit warned."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SINDy(degree, "auto", functions=functions).fit(x, TIMES[1])
    warned = any(issubclass(one.category, SparsedynWarning) for one in caught)
    coefficients, library = model.coefficients_, model.library_
    return lambda z: library.evaluate(z) @ coefficients, ~coefficients.any(axis=0), warned


def theirs(x: np.ndarray, degree: int, threshold: float) -> tuple[Field, np.ndarray, bool]:
    """Return the same of PySINDy, whose fits do not warn of equations."""
    peer = importlib.import_module("pysindy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = peer.SINDy(
            optimizer=peer.STLSQ(threshold=threshold), feature_library=peer.PolynomialLibrary(degree=degree)
        )
        made.fit(x, t=TIMES[1])
    coefficients, library = np.asarray(made.coefficients()).T, Library(x.shape[1], degree)
    # The same terms in the same order, without what a call of its `predict` takes.
    assert np.allclose(library.evaluate(x) @ coefficients, made.predict(x))
    return lambda z: library.evaluate(z) @ coefficients, ~coefficients.any(axis=0), False


def main() -> None:
    """Print a line per method."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", type=Path)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument("--functions", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    methods: dict[str, Callable[[np.ndarray], tuple[Field, np.ndarray, bool]]] = {
        "sparsedyn auto": lambda x: ours(x, given.degree, given.functions)
    }
    try:
        importlib.import_module("pysindy")
        for threshold in (0.1, 0.01):
            methods[f"pysindy {threshold}"] = lambda x, threshold=threshold: theirs(x, given.degree, threshold)
    except ImportError:
        print('PySINDy is left out: pip install "sparsedyn[peers]"')
    systems = json.loads(given.systems.read_text())
    plants = [[simulated(truth(system), start) for start in system["init"]] for system in systems]
    for name, method in methods.items():
        rows = []
        for system, (first, second) in zip(systems, plants, strict=True):
            rng = np.random.default_rng(given.seed)
            begin = time.process_time()
            field, empty, warned = method(first * (1 + given.noise * rng.normal(size=first.shape)))
            seconds = time.process_time() - begin
            again = [good(x, simulated(field, start)) for x, start in zip((first, second), system["init"], strict=True)]
            rows.append((*again, empty.any(), warned, seconds))
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
