"""Functions found from samples: this package, PySINDy, Operon, gplearn and PySR, one after the other.

    pip install ".[bench]" && python benchmarks/equations.py own --seconds 30 > equations.json
    pip install pysr && python benchmarks/equations.py strogatz      # PySR brings Julia with it

All get the same samples of a suite of the studies of equations (`own` is that of `twenty-laws`), one equation at a
time, and look for it with the functions sin, cos, exp, log, sqrt and square. `EquationRegressor` has its defaults.
Operon and PySR stop at rounding or after `--seconds`, gplearn after its twenty generations. PySINDy fits polynomials up
to the third degree, sines and cosines by sequential thresholding, its threshold chosen on held-out samples. For each,
the held-out error that it reached and its processor seconds. Prints a table and, at the end, JSON; a peer that is not
there is left out with the reason.
"""

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sympy

from sparsedyn import EquationRegressor
from sparsedyn.equations import compiled, symbol, text
from sparsedyn_papers.equations.criterion import assessed
from sparsedyn_papers.equations.samples import Sampled, sampled
from sparsedyn_papers.equations.spec import FunctionsSpec
from sparsedyn_papers.equations.suites import SUITES, Function

EXACT = 1e-6
THRESHOLDS = (1e-3, 1e-2, 0.03, 0.1, 0.3)
DEGREE = 3


class Options(NamedTuple):
    """What the runs have in common."""

    seconds: int
    seed: int


Finder = Callable[[Function, Sampled, Options], sympy.Expr | None]


def ours(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return the equation of `EquationRegressor` with its defaults."""
    x = pd.DataFrame(data.train.x, columns=list(function.inputs))
    return EquationRegressor(seed=options.seed).fit(x, data.train.dx[:, 0], progress=False).equation()


def relative_error(values: np.ndarray, truth: np.ndarray) -> float:
    """Return the root mean square error as a share of the truth's standard deviation."""
    return float(np.sqrt(np.mean(np.square(values - truth))) / np.std(truth))


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
    symbols = {name: symbol(name) for name in function.inputs}
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
    names = {f"v{i}": symbol(name) for i, name in enumerate(function.inputs)}
    return sympy.sympify(str(model.sympy()), locals=names)


def operon(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return what genetic programming with constants by Levenberg-Marquardt chooses (Burlacu et al. 2020)."""
    peer = importlib.import_module("pyoperon.sklearn")
    model = peer.SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,constant,variable,sin,cos,exp,log,sqrt,square",
        optimizer_iterations=10,
        epsilon=1e-12,
        max_time=options.seconds,
        n_threads=1,
        random_state=options.seed,
    )
    model.fit(data.train.x, data.train.dx[:, 0])
    written = model.get_model_string(model.model_, 16).replace("^", "**")
    return _read(written, {f"X{i}": name for i, name in enumerate(function.inputs, 1)})


def gplearn(function: Function, data: Sampled, options: Options) -> sympy.Expr | None:
    """Return what plain genetic programming chooses."""
    peer = importlib.import_module("gplearn.genetic")
    model = peer.SymbolicRegressor(
        function_set=("add", "sub", "mul", "div", "sin", "cos", "log", "sqrt"),
        stopping_criteria=1e-12,
        const_range=(-5.0, 5.0),
        random_state=options.seed,
    )
    model.fit(data.train.x, data.train.dx[:, 0])
    return _read(str(model._program), {f"X{i}": name for i, name in enumerate(function.inputs)})


def _read(written: str, names: dict[str, str]) -> sympy.Expr:
    """An expression of a peer, in the names of the function's inputs."""
    known: dict[str, Any] = {old: symbol(name) for old, name in names.items()}
    prefixed = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "square": lambda a: a**2,
        "log": lambda a: sympy.log(sympy.Abs(a)),
        "sqrt": lambda a: sympy.sqrt(sympy.Abs(a)),
    }
    return sympy.sympify(written, locals=known | prefixed)


FINDERS: dict[str, Finder] = {
    "sparsedyn": ours,
    "pysindy": pysindy,
    "pyoperon": operon,
    "gplearn": gplearn,
    "pysr": pysr,
}


def missing(name: str) -> str:
    """Return why a peer cannot be used, empty if it can; importing PySR starts Julia."""
    try:
        importlib.import_module(name)
    except Exception as error:  # Julia complains in its own ways
        return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    return ""


def run(name: str, function: Function, data: Sampled, options: Options, noise: float) -> dict[str, Any]:
    """Let one of them look for one function, and judge what it found."""
    begin = time.process_time()
    found = FINDERS[name](function, data, options)
    seconds = time.process_time() - begin
    if found is None:
        return {"peer": name, "function": function.name, "seconds": seconds, "exact": False, "right": False}
    verdict = assessed(found, function.truth, data.beyond)
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
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--noise", type=float, default=0.0, help="share of the target's root mean square")
    parser.add_argument("--seconds", type=int, default=30, help="time of Operon and PySR for every equation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functions", type=int, default=100, help="the first so many of them")
    parser.add_argument("--only", choices=FINDERS, nargs="*", help="these alone")
    given = parser.parse_args()
    options = Options(given.seconds, given.seed)
    left_out = {name: missing(name) for name in FINDERS if name != "sparsedyn" and name in (given.only or FINDERS)}
    there = [name for name in FINDERS if name in (given.only or FINDERS) and not left_out.get(name)]
    for name, why in left_out.items():
        if why:
            print(f"{name} is left out: {why}")
    settings = FunctionsSpec(suite=given.suite, noise=given.noise)
    rows = []
    for function in SUITES[given.suite][: given.functions]:
        data = sampled(function, settings, seed=given.seed, data_seed=0)
        for name in there:
            rows.append(run(name, function, data, options, given.noise))
            row = rows[-1]
            mark = "found" if row.get("reached") else "-"
            error, equation = row.get("held_out", np.nan), row.get("equation", "")[:90]
            print(
                f"{function.name:32s} {name:10s} {mark:6s} {row['seconds']:8.1f} s  {error:.1e}  {equation}",
                flush=True,
            )
    for name in there:
        own = [row for row in rows if row["peer"] == name]
        found = sum(bool(row.get("reached")) for row in own)
        print(f"{name}: {found} of {len(own)} found, {sum(row['seconds'] for row in own):.0f} s")
    print(json.dumps({"noise": given.noise, "left_out": left_out, "rows": rows}, default=float))


if __name__ == "__main__":
    main()
