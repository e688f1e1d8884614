"""SINDy, and PySINDy where it is installed, on equations of ordinary differential equations from one short trajectory.

    python benchmarks/odes.py SYSTEMS.json --noise 0.05
    python benchmarks/odes.py SYSTEMS.json --noise 0.05 --estimator EquationLearner --lines results.jsonl

SYSTEMS is a list of `{"id", "equations", "init"}`: variables are `x_0`, `x_1`, ..., `init` two initial states. As in
ODEBench (d'Ascoli et al. 2023): LSODA, rtol 1e-5, atol 1e-7, 150 rows on [0, 10], noise `x (1 + s xi)`. Equations are
fitted to the trajectory from the first initial state, and simulated from the first (reconstruction) and the second
(generalization): shares of systems with a variance-weighted R^2 above 0.9. PySINDy with each threshold is a peer.

For `EquationLearner` there is also the share of exact forms: the true equations, with other coefficients and constants,
agree with the found ones to 1e-5 of their size, and these have as many numbers. `--lines` keeps a line per system, and
goes on with those that are missing; `--every 3` takes every third.
"""

import argparse
import importlib
import json
import time
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares
from sklearn.metrics import r2_score

from sparsedyn import EquationLearner, SINDy, SparsedynWarning
from sparsedyn.equations import compiled, parsed, text
from sparsedyn.equations.symbolic import parametrized, symbols
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


def learned(x: np.ndarray, seed: int) -> tuple[Field, list[sympy.Expr], bool]:
    """Return the right-hand side that the equation learner finds, its equations, and whether the fit warned."""
    names = [f"x_{i}" for i in range(x.shape[1])]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = EquationLearner(seed=seed).fit(x, TIMES[1], names=names, progress=False)
    warned = any(issubclass(one.category, SparsedynWarning) for one in caught)
    made = compiled(model.equations(), names)
    return lambda z: made(np.atleast_2d(z))[0], list(model.equations()), warned


def exact(system: dict[str, Any], found: list[sympy.Expr], states: np.ndarray) -> bool:
    """Return whether equations have the form of the true ones."""
    names = [f"x_{i}" for i in range(len(system["equations"]))]
    low, high = states.min(axis=0), states.max(axis=0)
    points = low + (high - low) * np.random.default_rng(1).uniform(size=(300, len(low)))
    for equation, other in zip(system["equations"], found, strict=True):
        true = sympy.expand(parsed(equation, names))
        values = compiled([other], names)(points)[:, 0]
        size = np.sqrt(np.mean(np.square(values)))
        if not np.isfinite(size) or not agrees(true, values, points, names):
            return False
        fine = numbers(true) <= numbers(other) <= numbers(freed(true))
        if other.free_symbols != true.free_symbols or not fine:
            return False
    return True


def numbers(expr: sympy.Expr) -> int:
    """Return how many terms and constants inside functions an expression has, fractions being over one denominator."""
    expr = sympy.expand(expr)
    total = 0
    for term in sympy.Add.make_args(expr):
        inside = [n for f in term.atoms(sympy.Function, sympy.Pow) for n in f.atoms(sympy.Float)]
        total += 1 + len(set(inside))
    return total


def agrees(true: sympy.Expr, values: np.ndarray, points: np.ndarray, names: list[str]) -> bool:
    """Return whether the true form with other numbers has these values."""
    function, floats = parametrized([freed(true)], symbols(names))
    start = np.asarray([float(one) for one in floats])
    size = np.sqrt(np.mean(np.square(values))) or 1.0

    def off(p: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.nan_to_num((function(points, list(p))[:, 0] - values) / size, nan=1e3, posinf=1e3, neginf=-1e3)

    best = least_squares(off, start, x_scale=np.maximum(np.abs(start), 1e-3), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return bool(np.sqrt(np.mean(np.square(best.fun))) < 1e-5)


def freed(true: sympy.Expr) -> sympy.Expr:
    """Return a form whose coefficients, and constants in denominators, are numbers that differ from each other."""
    places = count(1)

    def number(value: sympy.Expr) -> sympy.Float:
        return sympy.Float(float(value) * (1 + 1e-9 * next(places)))

    def below(power: sympy.Expr) -> sympy.Expr:
        return sympy.Pow(sympy.Add(*(number(a) if a.is_Number else a for a in power.base.args)), power.exp)

    whole = sympy.Integer(0)
    for term in sympy.Add.make_args(true):
        coefficient, rest = term.as_coeff_Mul()
        rest = rest.replace(lambda e: e.is_Pow and e.exp.is_negative and e.base.is_Add, below)
        whole += number(coefficient) * rest
    return whole


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


def equations_of(given: argparse.Namespace) -> None:
    """Print a line per system, and the shares; systems that `given.lines` has are not fitted again."""
    systems = json.loads(given.systems.read_text())[:: given.every]
    kept = given.lines.read_text().splitlines() if given.lines and given.lines.exists() else []
    done = {row["id"]: row for row in map(json.loads, kept)}
    for system in systems:
        if system["id"] in done:
            continue
        plants = [simulated(truth(system), start) for start in system["init"]]
        first = plants[0]
        noise = given.noise * np.random.default_rng(given.seed).normal(size=first.shape)
        begin = time.process_time()
        field, found, warned = learned(first * (1 + noise), given.seed)
        seconds = time.process_time() - begin
        row = {"id": system["id"], "seconds": round(seconds, 2), "warned": warned}
        for what, x, start in zip(("reconstruction", "generalization"), plants, system["init"], strict=True):
            row[what] = good(x, simulated(field, start))
        row |= {"exact": exact(system, found, first), "found": [text(one, 5) for one in found]}
        done[system["id"]] = row
        print(json.dumps(row), flush=True)
        if given.lines:
            with given.lines.open("a") as file:
                file.write(json.dumps(row) + "\n")
    rows = [done[system["id"]] for system in systems]
    shares = {name: np.mean([row[name] for row in rows]) for name in ("reconstruction", "generalization", "exact")}
    seconds = [row["seconds"] for row in rows]
    said = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    print(
        f"EquationLearner noise {given.noise:g} seed {given.seed}, {len(rows)} systems: {said}; CPU seconds median "
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
    parser.add_argument("--lines", type=Path)
    given = parser.parse_args()
    if given.estimator == "EquationLearner":
        equations_of(given)
        return
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
