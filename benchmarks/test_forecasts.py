"""Forecasts of ten networks from 40 states over 5,000 steps: this package, XLA, PyTorch, SciPy and Diffrax.

    pip install ".[bench]" && pytest benchmarks/test_forecasts.py --benchmark-json=forecasts.json

Euler's method, 13-w-w-w-8, ReLU; elapsed time, compilation excluded. `published` (a Python loop over networks,
trajectories and steps in PyTorch) and `scipy` (the same right-hand side in NumPy, `solve_ivp` with fixed steps) take a
thousandth of the work: their times are to be multiplied.
"""

import dataclasses
import itertools
import time

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import RK23, solve_ivp

import sparsedyn  # noqa: F401 - sets up one CPU device per core
from sparsedyn.data import Scaling
from sparsedyn.forecast import rollout
from sparsedyn.models import MLP

torch = pytest.importorskip("torch", reason="pip install '.[bench]'")

STATES, INPUTS, MEMBERS, TRAJECTORIES, STEPS, DT = 8, 5, 10, 40, 5000, 1e-3


@dataclasses.dataclass
class Problem:
    """Networks, first states and inputs."""

    models: MLP
    x0: np.ndarray
    inputs: np.ndarray

    @property
    def matrices(self):
        """Weights (member, in, out) and biases (member, 1, out) of every layer."""
        pairs = zip(self.models.weights, self.models.biases, strict=True)
        return [(np.array(weight), np.array(bias)[:, None]) for weight, bias in pairs]


def problem(width):
    """Random networks, which settle: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    models = eqx.filter_vmap(lambda key: MLP(STATES, INPUTS, (width,) * 3, key=key))(keys)
    x0 = rng.standard_normal((TRAJECTORIES, STATES))
    return Problem(models, x0, rng.standard_normal((TRAJECTORIES, STEPS, INPUTS)))


def ours(given):
    """Return forecasts by this package."""
    scaling = Scaling.identity(STATES, INPUTS)
    return lambda: rollout(given.models, given.x0, given.inputs, scaling=scaling, dt=DT)


def stacked(given):
    """Return forecasts of all networks and trajectories at once by `torch.baddbmm`, one step after the other."""
    layers = [tuple(map(torch.from_numpy, pair)) for pair in given.matrices]
    x0 = torch.from_numpy(given.x0.astype(np.float32)).expand(MEMBERS, -1, -1)
    inputs = torch.from_numpy(given.inputs.astype(np.float32))

    @torch.inference_mode()
    def run():
        torch.set_num_threads(1)
        x, states = x0, torch.empty(STEPS, *x0.shape)
        for step in range(STEPS):
            h = torch.cat([x, inputs[:, step].expand(MEMBERS, -1, -1)], dim=-1)
            for number, (weight, bias) in enumerate(layers, 1):
                h = torch.baddbmm(bias, h, weight)
                h = torch.relu(h) if number < len(layers) else h
            x = x + DT * h
            states[step] = x
        return states

    return run


def by_diffrax(given):
    """Return forecasts by Diffrax's method of Euler, mapped over networks and trajectories, on one device."""
    inputs = jnp.asarray(given.inputs, jnp.float32)

    def one(model, x0, u):
        field = diffrax.ODETerm(lambda t, x, _: model(x, u[jnp.int32(t / DT + 0.5)]))
        ends = diffrax.SaveAt(steps=True)
        found = diffrax.diffeqsolve(
            field, diffrax.Euler(), 0.0, STEPS * DT, DT, x0, saveat=ends, max_steps=STEPS + 1,
            adjoint=diffrax.ForwardMode(),
        )  # fmt: skip
        return found.ys

    each = eqx.filter_vmap(eqx.filter_vmap(one, in_axes=(None, 0, 0)), in_axes=(eqx.if_array(0), None, None))
    compiled, x0 = eqx.filter_jit(each), jnp.asarray(given.x0, jnp.float32)
    return lambda: jax.block_until_ready(compiled(given.models, x0, inputs))


def published(given):
    """Return a thousandth of the forecasts by a Python loop."""
    layers = [torch.nn.Linear(weight.shape[1], weight.shape[2]) for weight, _ in given.matrices]
    model = torch.nn.Sequential(*itertools.chain(*((layer, torch.nn.ReLU()) for layer in layers)))[:-1]
    x0, inputs = (torch.from_numpy(part.astype(np.float32)) for part in (given.x0, given.inputs))

    @torch.inference_mode()
    def run():
        torch.set_num_threads(1)
        x = x0[0]
        for step in range(STEPS * MEMBERS * TRAJECTORIES // 1000):
            x = x + DT * model(torch.cat([x, inputs[0, step]]))
        return x

    return run


def scipy(given):
    """Return a thousandth of the forecasts by SciPy, with steps of one row."""
    layers = [(weight[0], bias[0, 0]) for weight, bias in given.matrices]
    inputs, steps = given.inputs[0], STEPS * MEMBERS * TRAJECTORIES // 1000

    def field(t, x):
        h = np.concatenate([x, inputs[min(int(t / DT + 0.5), STEPS - 1)]])
        for weight, bias in layers[:-1]:
            h = np.maximum(h @ weight + bias, 0.0)
        weight, bias = layers[-1]
        return h @ weight + bias

    loose = {"rtol": 1e6, "atol": 1e6, "first_step": DT, "max_step": DT}
    return lambda: solve_ivp(field, (0.0, steps * DT), given.x0[0], method=RK23, **loose)


METHODS = {
    "sparsedyn": ours,
    "xla": ours,
    "stacked": stacked,
    "diffrax": by_diffrax,
    "published": published,
    "scipy": scipy,
}


@pytest.mark.benchmark(timer=time.perf_counter)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("width", [25, 64])
def test_forecasts(benchmark, width, method, monkeypatch):
    if method == "xla":
        monkeypatch.setenv("SPARSEDYN_NATIVE", "0")
    benchmark.group = f"{MEMBERS} x {TRAJECTORIES} x {STEPS:,}, width {width}"
    benchmark.extra_info["share_of_the_work"] = 1e-3 if method in ("published", "scipy") else 1.0
    benchmark.pedantic(METHODS[method](problem(width)), rounds=5, warmup_rounds=1)
