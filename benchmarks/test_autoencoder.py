"""Gradient steps of SINDy autoencoders: this package and PyTorch, side by side.

    pip install ".[bench]" && pytest benchmarks/test_autoencoder.py --benchmark-json=autoencoder.json

Every row is the elapsed time of 40 gradient steps of networks 128-64-32-3-32-64-128 (sigmoid) with all 20 terms of
degree three, by the loss of Champion et al. 2019 and Adam. Compilation is excluded.

- `sparsedyn`: ten networks, four steps each, as one computation;
- `torch`: one network; derivatives by `torch.func.jvp`, batches by index; `vmap`: ten networks by `torch.func.vmap`.
"""

import importlib
import itertools
import time
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sparsedyn  # noqa: F401 - sets up one CPU device per core
from sparsedyn.models import Autoencoder, Jet, Library
from sparsedyn.sparsify import Support
from sparsedyn.training import SWA, LatentDynamics, optimizer

torch = pytest.importorskip("torch", reason="pip install '.[bench]'")

FEATURES, LATENT, DEGREE, WIDTHS, MEMBERS, STEPS = 128, 3, 3, (64, 32), 10, 40
DERIVATIVE, EQUATION, SPARSITY = 1e-4, 1e-5, 1e-5


@pytest.fixture(scope="module")
def samples():
    """Random data: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal((50_000, FEATURES), dtype=np.float32) for _ in range(2))


def sparsedyn_steps(samples, batch):
    """Return what takes the steps."""
    prepare = importlib.import_module("sparsedyn.training.fit")._prepare
    library = Library(LATENT, DEGREE)
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    begin = jnp.ones((library.size, LATENT))
    network = partial(Autoencoder, FEATURES, library, widths=WIDTHS, activation="sigmoid", linear=False)
    models = eqx.filter_vmap(lambda key: network(coefficients=begin, key=key))(keys)
    objective = LatentDynamics(
        1.0, DERIVATIVE, EQUATION, SPARSITY, coefficients="trained", contributions=False, relative=False, mean=True,
        importance=np.ones(FEATURES, np.float32),
    )  # fmt: skip
    rates = np.full(STEPS, 1e-3, np.float32)
    run, state = prepare(
        models, Jet(*samples), Support(), rates, keys, batch, objective, optimizer("adam"), SWA(active=0.0),
        None, None, None, "shared", 0, None,
    )  # fmt: skip
    return lambda: jax.block_until_ready(run.advance(state, 0, STEPS // MEMBERS).members.loss)


def chart(*widths):
    """Return a network between layers of these widths."""
    layers = []
    for a, b in itertools.pairwise(widths):
        layers += [torch.nn.Linear(a, b), torch.nn.Sigmoid()]
    return torch.nn.Sequential(*layers[:-1])


class Network(torch.nn.Module):
    """Encoder, decoder and coefficients."""

    def __init__(self):
        super().__init__()
        self.encoder = chart(FEATURES, *WIDTHS, LATENT)
        self.decoder = chart(LATENT, *WIDTHS[::-1], FEATURES)
        self.terms = list(Library(LATENT, DEGREE).monomials)
        self.coefficients = torch.nn.Parameter(torch.ones(len(self.terms), LATENT))

    def forward(self, x, dx):
        """Return the loss."""
        z, dz = torch.func.jvp(self.encoder, (x,), (dx,))
        made = {(): torch.ones_like(z[:, 0])}
        for term in self.terms[1:]:
            made[term] = made[term[:-1]] * z[:, term[-1]]
        predicted = torch.stack(list(made.values()), dim=1) @ self.coefficients
        restored, slopes = torch.func.jvp(self.decoder, (z,), (predicted,))
        losses = [(1.0, restored - x), (DERIVATIVE, slopes - dx), (EQUATION, predicted - dz)]
        return sum(weight * off.square().mean() for weight, off in losses) + SPARSITY * self.coefficients.abs().mean()


def batches(samples, batch, steps):
    """Return so many batches by index."""
    tables = [torch.from_numpy(one) for one in samples]
    order = torch.randperm(len(tables[0]))
    return ([table[order[k * batch : (k + 1) * batch]] for table in tables] for k in range(steps))


def torch_steps(samples, batch, *, threads):
    """Return what takes the steps of one network."""
    model = Network()
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def steps():
        torch.set_num_threads(threads)
        for own in batches(samples, batch, STEPS):
            adam.zero_grad()
            model(*own).backward()
            adam.step()

    return steps


def vmapped(samples, batch, *, threads):
    """Return what takes the steps of all networks, by vectorized gradients of one."""
    base = Network()
    parameters, _ = torch.func.stack_module_state([Network() for _ in range(MEMBERS)])
    adam = torch.optim.Adam(parameters.values(), lr=1e-3, fused=True)
    gradients = torch.func.vmap(
        torch.func.grad(lambda own, *rows: torch.func.functional_call(base, own, rows)), in_dims=(0, None, None)
    )

    def steps():
        torch.set_num_threads(threads)
        for own in batches(samples, batch, STEPS // MEMBERS):
            for name, gradient in gradients(parameters, *own).items():
                parameters[name].grad = gradient
            adam.step()

    return steps


METHODS = {
    "sparsedyn": sparsedyn_steps,
    "torch-1-thread": lambda *shape: torch_steps(*shape, threads=1),
    "torch-2-threads": lambda *shape: torch_steps(*shape, threads=2),
    "vmap-1-thread": lambda *shape: vmapped(*shape, threads=1),
    "vmap-2-threads": lambda *shape: vmapped(*shape, threads=2),
}


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [128, 1024])
def test_steps(benchmark, samples, batch, method):
    benchmark.group = f"batch {batch}"
    benchmark.extra_info |= {"member_steps": STEPS}
    benchmark.pedantic(METHODS[method](samples, batch), rounds=5, warmup_rounds=1)
