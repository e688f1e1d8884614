"""Right-hand sides of seven systems, found from trajectories: this package, PySINDy and PySR, one after the other.

    pip install ".[peers]" && python benchmarks/equations.py --seconds 60 > equations.json
    pip install pysr && python benchmarks/equations.py --seconds 60     # PySR brings Julia with it

All get the same samples of the suite of the study `strogatz` and one equation at a time: as a whole for PySR and this
package, whose time is bounded by the number of trials, and by `--seconds` for PySR; PySINDy fits polynomials up to the
third degree, sines and cosines by sequential thresholding, its threshold chosen on held-out samples. Prints a table
and, at the end, JSON; a peer that is not there is left out with the reason. On a shared machine only ratios of times
mean something.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import sympy
from sparsedyn_papers.equations.searched import searched

from sparsedyn.equations import compiled, text
from sparsedyn_papers.equations.criterion import judged, relative_error
from sparsedyn_papers.equations.samples import Sampled, sampled
from sparsedyn_papers.equations.spec import FunctionsSpec
from sparsedyn_papers.equations.suites import SUITES, Function

EXACT = 1e-6
THRESHOLDS = (1e-3, 1e-2, 0.03, 0.1, 0.3)
DEGREE = 3


class Options(NamedTuple):
    """What the runs have in common."""

    trials: int
    generations: int
    seconds: int
    seed: int


Finder = Callable[[Function, Sampled, Options], sympy.Expr | None]


def ours(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return the automatic choice of this package's search."""
    settings = FunctionsSpec(suite="strogatz", trials=options.trials, generations=options.generations)
    found = searched(settings, "l05", data, function.inputs, seed=options.seed)
    return found.trials[found.choice()].expression if found.choice() >= 0 else None


def pysindy(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return a sparse combination of monomials, sines and cosines, by sequential thresholding."""
    peer = importlib.import_module("pysindy")
    polynomials, waves = peer.PolynomialLibrary(degree=DEGREE), peer.FourierLibrary(n_frequencies=1)
    library = polynomials + waves
    library.fit(data.train.x)
    theta, held_out = (np.asarray(library.transform(part.x)) for part in (data.train, data.held_out))
    names = library.get_feature_names(list(function.inputs))
    best: tuple[float, Any] = (np.inf, None)
    for threshold in THRESHOLDS:
        optimizer = peer.STLSQ(threshold=threshold, alpha=1e-6, normalize_columns=False)
        try:
            optimizer.fit(theta, data.train.dx)
        except ValueError:
            continue  # nothing was left
        weights = np.asarray(optimizer.coef_)[0]
        error = relative_error(held_out @ weights, data.held_out.dx[:, 0])
        if np.any(weights) and error < best[0]:
            best = (error, weights)
    if best[1] is None:
        return None
    symbols = {name: sympy.Symbol(name, real=True) for name in function.inputs}
    terms = [sympy.sympify(_plain(name), locals=symbols) for name in names]
    return sympy.Add(*(sympy.Float(w) * term for w, term in zip(best[1], terms, strict=True) if w != 0))


def _plain(name: str) -> str:
    """Write "x y^2" and "sin(1 x)" as SymPy reads them."""
    return name.replace("(1 ", "(").replace("^", "**").replace(" ", "*")


def pysr(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return what genetic programming chooses, given as much time for each equation."""
    peer = importlib.import_module("pysr")
    model = peer.PySRRegressor(
        binary_operators=["+", "-", "*", "/"],
        unary_operators=["sin", "cos", "exp", "log", "sqrt", "square"],
        niterations=10_000,
        timeout_in_seconds=options.seconds,
        random_state=options.seed,
        early_stop_condition="stop_if(loss, complexity) = loss < 1e-14",
        progress=False,
        verbosity=0,
        temp_equation_file=True,
    )
    model.fit(data.train.x, data.train.dx[:, 0], variable_names=[f"v{i}" for i in range(len(function.inputs))])
    names = {f"v{i}": sympy.Symbol(name, real=True) for i, name in enumerate(function.inputs)}
    return sympy.sympify(str(model.sympy()), locals=names)


FINDERS: dict[str, Finder] = {"sparsedyn": ours, "pysindy": pysindy, "pysr": pysr}


def missing(name: str) -> str:
    """Return why a peer cannot be used, empty if it can; importing PySR starts Julia."""
    try:
        importlib.import_module(name)
    except Exception as error:  # Julia complains in its own ways
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return ""


def run(name: str, function: Function, data: Sampled, options: Options, noise: float) -> dict[str, Any]:
    """Let one of them look for one function, and judge what it found."""
    begin = time.perf_counter()
    found = FINDERS[name](function, data, options)
    seconds = time.perf_counter() - begin
    if found is None:
        return {"peer": name, "function": function.name, "seconds": seconds, "exact": False, "right": False}
    verdict = judged(found, function.truth, data.beyond)
    values = compiled([found], function.inputs)(data.held_out.x)[:, 0]
    error = relative_error(values, data.held_out.dx[:, 0])
    return {
        "peer": name,
        "function": function.name,
        "seconds": seconds,
        "held_out": error,
        "beyond": verdict.error,
        "exact": error < EXACT,
        "right": verdict.right,
        "reached": verdict.right if noise else error < EXACT,
        "equation": text(found, 5),
    }


def main() -> None:
    """Run all that are there, print a row for every function and the sums, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--noise", type=float, default=0.0, help="share of the target's root mean square")
    parser.add_argument("--trials", type=int, default=20, help="trials of this package's search")
    parser.add_argument("--generations", type=int, default=10, help="generations of this package's search")
    parser.add_argument("--seconds", type=int, default=60, help="time of PySR for every equation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functions", type=int, default=14, help="so many of the fourteen")
    parser.add_argument("--only", choices=FINDERS, nargs="*", help="these alone")
    given = parser.parse_args()
    options = Options(given.trials, given.generations, given.seconds, given.seed)
    left_out = {name: missing(name) for name in FINDERS if name != "sparsedyn" and name in (given.only or FINDERS)}
    there = [name for name in FINDERS if name in (given.only or FINDERS) and not left_out.get(name)]
    for name, why in left_out.items():
        if why:
            print(f"{name} is left out: {why}")
    settings = FunctionsSpec(suite="strogatz", noise=given.noise)
    rows = []
    for function in SUITES["strogatz"][: given.functions]:
        data = sampled(function, settings, seed=given.seed, data_seed=0)
        for name in there:
            rows.append(run(name, function, data, options, given.noise))
            row = rows[-1]
            mark = "found" if row.get("reached") else "-"
            print(
                f"{function.name:32s} {name:10s} {mark:6s} {row['seconds']:8.1f} s  {row.get('equation', '')[:90]}",
                flush=True,
            )
    for name in there:
        own = [row for row in rows if row["peer"] == name]
        found = sum(bool(row.get("reached")) for row in own)
        print(f"{name}: {found} of {len(own)} found, {sum(row['seconds'] for row in own):.0f} s")
    print(json.dumps({"noise": given.noise, "left_out": left_out, "rows": rows}, default=float))


if __name__ == "__main__":
    main()
