"""Training ensembles of small networks: this package, XLA and PyTorch, side by side.

    pip install ".[bench]" && pytest benchmarks/test_training.py --benchmark-json=training.json
    pytest benchmarks/test_training.py -k "25-50" --benchmark-columns=median

Every row is the elapsed time of 2,000 gradient steps of a network 13-w-w-w-8 (ReLU, L1, Adam): 200 of ten networks, or
2,000 of one where these are trained one after the other. Compilation is excluded.

- `sparsedyn`, `xla`: this package, compiled by Numba and, with `SPARSEDYN_NATIVE=0`, by XLA;
- `published`: one network, `DataLoader`, as the scripts of the field have it; `indexed`: batches by index;
- `stacked`: ten networks in one `torch.baddbmm` a layer; `vmap`: the same by `torch.func.vmap`;
- `product`: products of float32 matrices by NumPy that take as many operations, on as many threads as OMP_NUM_THREADS.
"""

import dataclasses
import importlib
import itertools
import time

import equinox as eqx
import jax
import numpy as np
import pytest

import sparsedyn  # noqa: F401 - sets up one CPU device per core
from sparsedyn.data import Samples
from sparsedyn.models import MLP
from sparsedyn.sparsify import L1, Chain
from sparsedyn.training import SWA, derivative_matching, learning_rates, optimizer

torch = pytest.importorskip("torch", reason="pip install '.[bench]'")

STATES, INPUTS, MEMBERS, WEIGHT, MEMBER_STEPS, SIDE = 8, 5, 10, 1e-4, 2000, 1024


@pytest.fixture(scope="module")
def samples():
    """Random data: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    return Samples(*(rng.standard_normal((200_000, width), dtype=np.float32) for width in (STATES, INPUTS, STATES)))


def shapes(width):
    """The shapes of all matrices."""
    return list(itertools.pairwise([STATES + INPUTS, width, width, width, STATES]))


def operations(width, batch):
    """Of a member's step: forward, and backward by weights and by inputs, which the first layer does not need."""
    first, *_ = shapes(width)
    return 2 * batch * (3 * sum(i * o for i, o in shapes(width)) - first[0] * first[1])


def sparsedyn_steps(data, width, batch, *, native=True):
    """Return what takes the steps."""
    prepare = importlib.import_module("sparsedyn.training.fit")._prepare
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    models = eqx.filter_vmap(lambda key: MLP(STATES, INPUTS, (width,) * 3, key=key))(keys)
    rates = np.asarray(learning_rates("cosine", 1e-3, len(data.x) // batch), np.float32)
    run, state = prepare(
        models, data, Chain(L1(WEIGHT)), rates, keys, batch, derivative_matching, optimizer("adam"), SWA(active=0.0),
        None, None, None, "shared", 0, None,
    )  # fmt: skip
    run = run if native else dataclasses.replace(run, native=None)
    return lambda: jax.block_until_ready(run.advance(state, 0, MEMBER_STEPS // MEMBERS).members.loss)


def tables(data):
    """Return rows and targets for PyTorch."""
    return torch.from_numpy(np.concatenate(data[:2], axis=1)), torch.from_numpy(np.asarray(data.dx))


def network(width):
    """Return one network."""
    layers = [layer for pair in shapes(width) for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())]
    return torch.nn.Sequential(*layers[:-1])


def penalty(weights):
    """Return the L1 penalty."""
    return WEIGHT * sum(w.abs().sum() for w in weights if w.ndim > 1)


def batches(rows, targets, batch, steps):
    """Return so many batches by index."""
    order = torch.randperm(len(rows))
    return ((rows[own], targets[own]) for own in (order[i * batch : (i + 1) * batch] for i in range(steps)))


def one_network(data, width, batch, *, loader):
    """Return what takes the steps of one network, with its batches from a `DataLoader` or by index."""
    (rows, targets), model = tables(data), network(width)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)

    def steps():
        torch.set_num_threads(1)
        if loader:
            table = torch.utils.data.TensorDataset(rows, targets)
            given = itertools.islice(torch.utils.data.DataLoader(table, batch_size=batch, shuffle=True), MEMBER_STEPS)
        else:
            given = batches(rows, targets, batch, MEMBER_STEPS)
        for x, y in given:
            loss = torch.nn.functional.mse_loss(model(x), y) + penalty(model.parameters())
            adam.zero_grad()
            loss.backward()
            adam.step()

    return steps


def stacked(data, width, batch, *, threads):
    """Return what takes the steps of all networks, as one batched product a layer."""
    rows, targets = tables(data)
    weights = [torch.randn(MEMBERS, i, o).mul_((2 / i) ** 0.5).requires_grad_() for i, o in shapes(width)]
    biases = [torch.zeros(MEMBERS, 1, o, requires_grad=True) for _, o in shapes(width)]
    adam = torch.optim.Adam([*weights, *biases], lr=1e-3, fused=True)

    def steps():
        torch.set_num_threads(threads)
        for x, y in batches(rows, targets, batch, MEMBER_STEPS // MEMBERS):
            h = x.expand(MEMBERS, -1, -1)
            for number, (w, b) in enumerate(zip(weights, biases, strict=True)):
                h = torch.baddbmm(b, h, w)
                h = torch.relu(h) if number + 1 < len(weights) else h
            # The sum over members of their means: each has its own gradient.
            loss = (h - y).square().mean((1, 2)).sum() + penalty(weights)
            adam.zero_grad()
            loss.backward()
            adam.step()

    return steps


def vmapped(data, width, batch, *, threads):
    """Return what takes the steps of all networks, by vectorized gradients of one."""
    (rows, targets), base = tables(data), network(width)
    parameters, _ = torch.func.stack_module_state([network(width) for _ in range(MEMBERS)])
    adam = torch.optim.Adam(parameters.values(), lr=1e-3, fused=True)

    def loss(own, x, y):
        return torch.nn.functional.mse_loss(torch.func.functional_call(base, own, (x,)), y) + penalty(own.values())

    gradients = torch.func.vmap(torch.func.grad(loss), in_dims=(0, None, None))

    def steps():
        torch.set_num_threads(threads)
        for x, y in batches(rows, targets, batch, MEMBER_STEPS // MEMBERS):
            for name, gradient in gradients(parameters, x, y).items():
                parameters[name].grad = gradient
            adam.step()

    return steps


def product(data, width, batch):
    """Return products of matrices that take as many operations."""
    del data
    matrix = np.random.default_rng(0).standard_normal((SIDE, SIDE), dtype=np.float32)
    times = max(1, round(MEMBER_STEPS * operations(width, batch) / (2 * SIDE**3)))

    def steps():
        for _ in range(times):
            matrix @ matrix

    return steps


METHODS = {
    "sparsedyn": sparsedyn_steps,
    "xla": lambda *shape: sparsedyn_steps(*shape, native=False),
    "published": lambda *shape: one_network(*shape, loader=True),
    "indexed": lambda *shape: one_network(*shape, loader=False),
    "stacked-1-thread": lambda *shape: stacked(*shape, threads=1),
    "stacked-2-threads": lambda *shape: stacked(*shape, threads=2),
    "vmap-1-thread": lambda *shape: vmapped(*shape, threads=1),
    "vmap-2-threads": lambda *shape: vmapped(*shape, threads=2),
    "product": product,
}


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [50, 256])
@pytest.mark.parametrize("width", [25, 64, 128])
def test_steps(benchmark, samples, width, batch, method):
    benchmark.group = f"width {width}, batch {batch}"
    benchmark.extra_info |= {"member_steps": MEMBER_STEPS, "operations": MEMBER_STEPS * operations(width, batch)}
    benchmark.pedantic(METHODS[method](samples, width, batch), rounds=5, warmup_rounds=1)
