"""Training ensembles of small networks: this package against PyTorch and XLA, measured in turn in one run.

    pip install ".[peers]" && python benchmarks/training.py              # all shapes, two minutes
    python benchmarks/training.py --width 25 --batch 50 -o training.json

Microseconds per member-step of networks 13-w-w-w-8 (ReLU, L1, Adam, ten members), compilation excluded, each the median
of five turns, which go round all methods so that a busy moment hits all of them:

- `published loop`: one network after the other, `DataLoader`, as the scripts of the field have it;
- `indexed loop`: the same with batches taken by index;
- `stacked`: all networks in one `torch.baddbmm` a layer, with one and with two threads;
- `XLA`: this package with `SPARSEDYN_NATIVE=0`;
- `sparsedyn`: this package, everything around the steps included.

`product` is the rate of float32 matrix products on the same cores in the same run (NumPy, 2048 x 2048), `share` what
the steps' own products reach of it. On a shared machine only the ratios mean something.
"""

import argparse
import dataclasses
import importlib
import itertools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

import sparsedyn  # sets up one CPU device per core
from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.sparsify import L1, Chain
from sparsedyn.training import SWA, derivative_matching, learning_rates, optimizer

STATES, INPUTS, MEMBERS, TURNS, WEIGHT = 8, 5, 10, 5, 1e-4
SECONDS = 0.25
"""About what a turn takes."""


def samples() -> Samples:
    """Random data: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    return Samples(*(rng.standard_normal((200_000, width), dtype=np.float32) for width in (STATES, INPUTS, STATES)))


def widths(width: int) -> list[int]:
    """The widths of all layers."""
    return [STATES + INPUTS, width, width, width, STATES]


def ours(data: Samples, width: int, batch: int, *, native: bool) -> Callable[[int], None]:
    """Return what takes so many steps of all members: compiled by Numba, or by XLA."""
    prepare = importlib.import_module("sparsedyn.training.fit")._prepare
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    models = eqx.filter_vmap(lambda key: MLP(STATES, INPUTS, (width,) * 3, key=key))(keys)
    steps = len(data.x) // batch
    rates = np.asarray(learning_rates("cosine", 1e-3, steps), np.float32)
    run, state = prepare(
        models, data, Chain(L1(WEIGHT)), rates, keys, batch, derivative_matching, optimizer("adam"), SWA(active=0.0),
        None, None, None, "shared", 0, None,
    )  # fmt: skip
    run = run if native else dataclasses.replace(run, native=None)
    return lambda steps: jax.block_until_ready(run.advance(state, 0, steps).members.loss)


def loop(data: Samples, width: int, batch: int, *, loader: bool) -> Callable[[int], None]:
    """Return what takes so many steps of one network in PyTorch, one thread."""
    import torch

    rows, targets = torch.from_numpy(np.concatenate(data[:2], axis=1)), torch.from_numpy(np.asarray(data.dx))
    pairs = itertools.pairwise(widths(width))
    layers = [layer for pair in pairs for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())][:-1]
    model = torch.nn.Sequential(*layers)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    weights = [parameter for parameter in model.parameters() if parameter.ndim == 2]

    def batches(steps: int) -> Any:
        if loader:
            table = torch.utils.data.TensorDataset(rows, targets)
            return itertools.islice(torch.utils.data.DataLoader(table, batch_size=batch, shuffle=True), steps)
        order = torch.randperm(len(rows))
        return ((rows[own], targets[own]) for own in (order[i * batch : (i + 1) * batch] for i in range(steps)))

    def turn(steps: int) -> None:
        torch.set_num_threads(1)
        for x, y in batches(steps):
            loss = torch.nn.functional.mse_loss(model(x), y) + WEIGHT * sum(w.abs().sum() for w in weights)
            adam.zero_grad()
            loss.backward()
            adam.step()

    return turn


def stacked(data: Samples, width: int, batch: int, threads: int) -> Callable[[int], None]:
    """Return what takes so many steps of all members, as one batched product a layer in PyTorch."""
    import torch

    rows, targets = torch.from_numpy(np.concatenate(data[:2], axis=1)), torch.from_numpy(np.asarray(data.dx))
    shapes = list(itertools.pairwise(widths(width)))
    weights = [torch.randn(MEMBERS, i, o).mul_((2 / i) ** 0.5).requires_grad_() for i, o in shapes]
    biases = [torch.zeros(MEMBERS, 1, o, requires_grad=True) for _, o in shapes]
    adam = torch.optim.Adam([*weights, *biases], lr=1e-3, fused=True)

    def turn(steps: int) -> None:
        torch.set_num_threads(threads)
        order = torch.randperm(len(rows))
        for i in range(steps):
            own = order[i * batch : (i + 1) * batch]
            h = rows[own].expand(MEMBERS, -1, -1)
            for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
                h = torch.baddbmm(b, h, w)
                h = torch.relu(h) if number + 1 < len(weights) else h
            # The sum over members of their means: each has its own gradient.
            loss = (h - targets[own]).square().mean((1, 2)).sum() + WEIGHT * sum(w.abs().sum() for w in weights)
            adam.zero_grad()
            loss.backward()
            adam.step()

    return turn


def timed(turn: Callable[[int], None], steps: int, members: int) -> float:
    """Return microseconds per member-step."""
    # Threads of the method before may still be waiting actively for work.
    time.sleep(0.1)
    begin = time.perf_counter()
    turn(steps)
    return (time.perf_counter() - begin) / steps / members * 1e6


def product() -> float:
    """Return the rate of float32 matrix products, in operations a second."""
    a = np.random.default_rng(0).standard_normal((2048, 2048), dtype=np.float32)
    begin = time.perf_counter()
    a @ a
    return 2 * 2048**3 / (time.perf_counter() - begin)


def measured(data: Samples, width: int, batch: int, *, torch: bool) -> dict[str, Any]:
    """Measure all methods in turn."""
    methods: dict[str, tuple[Callable[[int], None], int]] = {
        "sparsedyn": (ours(data, width, batch, native=True), MEMBERS),
        "XLA": (ours(data, width, batch, native=False), MEMBERS),
    }
    if torch:
        methods["published loop"] = loop(data, width, batch, loader=True), 1
        methods["indexed loop"] = loop(data, width, batch, loader=False), 1
        methods |= {f"stacked, {n} threads": (stacked(data, width, batch, n), MEMBERS) for n in (1, 2)}
    steps = {}
    for name, (turn, members) in methods.items():
        turn(10)
        first = timed(turn, 200, members) * members / 1e6
        steps[name] = int(min(max(SECONDS / first, 200), len(data.x) // batch))
    times: dict[str, list[float]] = {name: [] for name in methods}
    rates = []
    for _ in range(TURNS):
        for name, (turn, members) in methods.items():
            times[name].append(timed(turn, steps[name], members))
        rates.append(product())
    found = {name: statistics.median(own) for name, own in times.items()}
    shapes = list(itertools.pairwise(widths(width)))
    # Forward, and backward by weights and by inputs, which the first layer does not need.
    operations = 2 * batch * (3 * sum(i * o for i, o in shapes) - shapes[0][0] * shapes[0][1])
    result: dict[str, Any] = {"width": width, "batch": batch}
    result |= {f"{name} us": round(value, 2) for name, value in found.items()}
    result |= {
        f"times {name}": round(statistics.median(a / b for a, b in zip(own, times["sparsedyn"], strict=True)), 1)
        for name, own in times.items()
        if name != "sparsedyn"
    }
    result["product Gflop/s"] = round(statistics.median(rates) / 1e9)
    result["share"] = round(operations / (found["sparsedyn"] * 1e-6) / statistics.median(rates), 3)
    return result


def main() -> None:
    """Measure, and print a line of JSON for each shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, nargs="*", default=[25, 64, 128])
    parser.add_argument("--batch", type=int, nargs="*", default=[50, 256])
    parser.add_argument("--no-torch", action="store_true", help="measure this package alone")
    parser.add_argument("-o", "--output", type=Path, help="file for all results")
    arguments = parser.parse_args()
    data, results = samples(), []
    for width, batch in itertools.product(arguments.width, arguments.batch):
        results.append(measured(data, width, batch, torch=not arguments.no_torch))
        print(json.dumps(results[-1]), flush=True)
    if arguments.output is not None:
        facts = {"devices": len(jax.devices()), "version": sparsedyn.__version__, "results": results}
        arguments.output.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
