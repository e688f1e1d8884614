"""The exported step of a cell model without 90 % of its weights, against the dense one: operations, time, size.

    python benchmarks/export.py [ROUNDS]

Networks 13-64-64-64-8, ReLU, trained briefly: neither operations nor times depend on how well. The sparse one has the
largest tenth of each matrix. C is compiled with -O2.
Dense networks are timed twice: as exported, without loops, and as loops over arrays. All take turns for ROUNDS rounds
(by default 7) of 20,000 steps in one process; the least time of a step counts. Needs gcc; Node, ONNX Runtime and CasADi
are timed where they are, headless Chromium where it and playwright are. Sizes are those of the files that are written.
"""

import copy
import shutil
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np

import sparsedyn
from sparsedyn import SparseTimeStepper, export

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")
MAIN = """
#include <stdio.h>
#include <time.h>
#include "pruned.h"
#include "dense.h"
#include "loops.h"
typedef void (*step_t)(const double *, const double *, double *);
static double seconds(step_t step, const double *u)
{
    double x[8] = {START};
    clock_t begin = clock();
    int k;
    for (k = 0; k < 20000; ++k) { step(x, u, x); }
    return (double)(clock() - begin) / CLOCKS_PER_SEC + 0.0 * x[0];
}
int main(void)
{
    const double u[5] = {INPUT};
    step_t steps[3] = {pruned_step, dense_step, loops_step};
    double best[3] = {1e9, 1e9, 1e9};
    int i, k;
    for (k = 0; k < ROUNDS; ++k) {
        for (i = 0; i < 3; ++i) {
            double took = seconds(steps[i], u);
            if (took < best[i]) { best[i] = took; }
        }
    }
    printf("%g %g %g", best[0] / 20000, best[1] / 20000, best[2] / 20000);
    return 0;
}
"""


def pruned(model: SparseTimeStepper) -> SparseTimeStepper:
    """Return the model with the largest tenth of each matrix, so that no output is cut off and all weights count."""
    made = copy.copy(model)

    def largest(weight: Any) -> np.ndarray:
        values = np.asarray(weight)
        return np.where(np.abs(values) >= np.quantile(np.abs(values), 0.9), values, 0).astype(values.dtype)

    weights = tuple(map(largest, model.models_.weights))
    made.models_ = eqx.tree_at(lambda network: network.weights, model.models_, weights)
    return made


def loops(model: SparseTimeStepper) -> str:
    """Return the same step as loops over arrays of weights, unit by unit, as one would write it by hand."""
    network, scaling = model.models_, model.scaling_
    sizes = [w.shape[1] for w in network.weights] + [network.weights[-1].shape[2]]

    def table(name: str, values: np.ndarray) -> str:
        return f"static const double {name}[] = {{{', '.join(map(repr, np.ravel(values).astype(float).tolist()))}}};"

    lines = [
        table("loops_mean", np.concatenate([scaling.x_mean, scaling.u_mean])),
        table("loops_inverse", 1 / np.concatenate([scaling.x_std, scaling.u_std])),
        table("loops_gain", model.dt_ * scaling.dx_std),
        table("loops_drift", model.dt_ * scaling.dx_mean),
    ]
    for i, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        lines += [table(f"loops_w{i}", np.asarray(weight)[0].T), table(f"loops_b{i}", np.asarray(bias)[0])]
    lines += ["static void loops_step(const double *x, const double *u, double *x_next)", "{"]
    lines += [f"    double z[{max(sizes)}], y[{max(sizes)}], sum;", "    int i, j;"]
    lines.append(
        "    for (i = 0; i < 13; ++i) { z[i] = ((i < 8 ? x[i] : u[i - 8]) - loops_mean[i]) * loops_inverse[i]; }"
    )
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        activated = "sum < 0 ? 0 : sum" if i < len(sizes) - 2 else "sum"
        lines += [
            f"    for (j = 0; j < {fan_out}; ++j) {{",
            f"        sum = loops_b{i}[j];",
            f"        for (i = 0; i < {fan_in}; ++i) {{ sum += loops_w{i}[j * {fan_in} + i] * z[i]; }}",
            f"        y[j] = {activated};",
            "    }",
            f"    for (j = 0; j < {fan_out}; ++j) {{ z[j] = y[j]; }}",
        ]
    lines += ["    for (i = 0; i < 8; ++i) { x_next[i] = x[i] + loops_gain[i] * z[i] + loops_drift[i]; }", "}"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Train, export, compile, time, and print a table."""
    rounds = sys.argv[1] if len(sys.argv) > 1 else "7"
    data = sparsedyn.simulate("aluminum-cell", trajectories=4, steps=1000, seed=0)
    models, texts = {}, {}
    dense = SparseTimeStepper(members=1, epochs=4).fit(data, progress=False)
    for name, model in (("pruned", pruned(dense)), ("dense", dense)):
        models[name] = model
        began = time.perf_counter()
        texts[name] = export.to_c(models[name], name=name)
        print(f"{name}: {models[name].nonzeros_[0]:,} weights, exported in {time.perf_counter() - began:.2f} s")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in {**texts, "loops": loops(models["dense"])}.items():
            (folder / f"{name}.h").write_text(text)
        values = {"START": data.states[0][0], "INPUT": data.inputs[0][0]}
        code = MAIN.replace("ROUNDS", rounds)
        for word, numbers in values.items():
            code = code.replace(word, ", ".join(map(repr, numbers.tolist())))
        (folder / "main.c").write_text(code)
        subprocess.run(["gcc", *FLAGS, folder / "main.c", "-o", folder / "main", "-lm"], check=True)
        times = dict(zip(("pruned", "dense", "loops"), map(float, _said([folder / "main"]).split()), strict=True))
        sizes = {name: _size(folder, name) for name in ("pruned", "dense")}
        for name in ("pruned", "dense"):
            times[f"{name} in Node"] = _in_node(models[name], folder, data.states[0][0], data.inputs[0][0])
            times[f"{name} in Chromium"] = _in_chromium(models[name], data.states[0][0], data.inputs[0][0])
        for name in ("pruned", "dense"):
            _others(name, models[name], data.states[0][0], data.inputs[0][0])
    operations = {name: export.program(model).rhs.operations for name, model in models.items()}
    for name in ("pruned", "dense"):
        print(f"{name}: {operations[name]:,} operations, header {len(texts[name]):,} bytes, compiled {sizes[name]:,}")
    for name, seconds in times.items():
        print(f"{name}: {1e6 * seconds:.2f} microseconds a step")
    print(f"operations, dense to pruned: {operations['dense'] / operations['pruned']:.1f}")
    print(
        f"time, dense to pruned: {times['dense'] / times['pruned']:.1f}; loops {times['loops'] / times['pruned']:.1f}"
    )


def _said(command: list[object]) -> str:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def _size(folder: Path, name: str) -> int:
    """Bytes of code and constants."""
    (folder / f"{name}.c").write_text(f'#include "{name}.h"\n')
    subprocess.run(["gcc", *FLAGS, "-c", folder / f"{name}.c", "-o", folder / f"{name}.o"], check=True)
    text, *_ = _said(["size", folder / f"{name}.o"]).splitlines()[1].split()
    return int(text)


def _in_node(model: SparseTimeStepper, folder: Path, x: np.ndarray, u: np.ndarray) -> float:
    if shutil.which("node") is None:
        return float("nan")
    (folder / "model.js").write_text(f"{export.to_javascript(model)}console.log({_timed(x, u)});")
    return float(_said(["node", folder / "model.js"]))


def _in_chromium(model: SparseTimeStepper, x: np.ndarray, u: np.ndarray) -> float:
    chromium = shutil.which("chromium")
    if chromium is None or find_spec("playwright") is None:
        return float("nan")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = browser.new_page().evaluate(f"(() => {{ {export.to_javascript(model)} return {_timed(x, u)}; }})()")
        browser.close()
    return float(found)


def _timed(x: np.ndarray, u: np.ndarray) -> str:
    """JavaScript that gives the seconds of a step of `sparsedyn`, the least of 7 rounds."""
    return (
        f"(() => {{ const u = {u.tolist()}; let best = 1e9;"
        f"for (let r = 0; r < 7; ++r) {{ let x = {x.tolist()}; const began = performance.now();"
        "for (let k = 0; k < 20000; ++k) x = sparsedyn.step(x, u);"
        "best = Math.min(best, performance.now() - began); } return best / 20000 / 1000; })()"
    )


def _others(name: str, model: SparseTimeStepper, x: np.ndarray, u: np.ndarray) -> None:
    """Print sizes of other targets, and times of a step where it can be called from here."""
    made: dict[str, Any] = {}
    source = export.to_python(model)
    exec(source, made)
    print(f"{name} in Python: {len(source):,} bytes, {_least(lambda: made['step'](x, u)):.1f} microseconds a step")
    for target, written in (("structured text", export.to_st), ("JavaScript", export.to_javascript)):
        print(f"{name} in {target}: {len(written(model)):,} bytes")
    print(f"{name} as FMU: {len(export.to_fmu(model)):,} bytes")
    if find_spec("onnxruntime"):
        import onnxruntime

        content = export.to_onnx(model.prune_structure()).SerializeToString()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        given = {"x": x[None], "u": u[None]}
        took = _least(lambda: session.run(["x_next"], given))
        print(f"{name} in ONNX: {len(content):,} bytes, {took:.1f} microseconds a step")
    if find_spec("casadi"):
        step = export.casadi(model).step
        took = _least(lambda: step(x, u))
        print(f"{name} in CasADi: {len(export.to_casadi(model)):,} bytes, {took:.1f} microseconds a step")


def _least(call: Callable[[], Any], rounds: int = 7, times: int = 200) -> float:
    """The least mean time of a call over rounds, in microseconds of processor time."""
    return 1e6 * min(timeit.repeat(call, timer=time.process_time, number=times, repeat=rounds)) / times


if __name__ == "__main__":
    main()
