"""Simulated trajectories: this package, and a loop over SciPy's `solve_ivp`, to the same tolerance.

    pip install ".[bench]" && pytest benchmarks/test_data.py --benchmark-json=data.json

Processor time of 64 trajectories of 1,000 rows, compilation excluded. SciPy has the same first states and inputs, a
method of the same order (DOP853), and one call for every stretch over which inputs are held. The aluminum cell is left
out: it is defined by its Runge-Kutta steps.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import sparsedyn

TRAJECTORIES, ROWS, TOLERANCE = 64, 1000, 1e-10


def lorenz(t, x, u):
    return 10.0 * (x[1] - x[0]), x[0] * (28.0 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]


def duffing(t, x, u):
    return x[1], u[0] - 0.3 * x[1] + x[0] - x[0] ** 3


def lotka_volterra(t, x, u):
    return x[0] * (1.0 - x[1] - u[0]), x[1] * (x[0] - 1.0 - u[0])


PLANTS = {"lorenz63": lorenz, "duffing": duffing, "lotka-volterra": lotka_volterra}


def ours(plant, data):
    """Return states (trajectory, row, state)."""
    return np.stack(sparsedyn.simulate(plant, TRAJECTORIES, ROWS, seed=0).states)


def scipy(plant, data):
    """Return states (trajectory, row, state) from the same first states, under the same inputs."""
    found = np.empty((TRAJECTORIES, ROWS, len(data.state_names)))
    for states, given, inputs in zip(found, data.states, data.inputs, strict=True):
        states[0] = given[0]
        jumps = np.flatnonzero(np.any(inputs[1:] != inputs[:-1], axis=1)) + 1
        for first, last in zip([0, *jumps], [*jumps, ROWS - 1], strict=True):
            if first == last:
                continue
            times = data.dt * np.arange(last - first + 1)
            held = inputs[first].tolist()
            options = {"method": "DOP853", "rtol": TOLERANCE, "atol": TOLERANCE, "args": (held,)}
            states[first : last + 1] = solve_ivp(
                PLANTS[plant], times[[0, -1]], states[first], t_eval=times, **options
            ).y.T
    return found


@pytest.mark.parametrize("method", [scipy, ours], ids=["scipy", "sparsedyn"])
@pytest.mark.parametrize("plant", PLANTS)
def test_simulation(benchmark, plant, method):
    data = sparsedyn.simulate(plant, TRAJECTORIES, ROWS, seed=0)
    benchmark.group = f"{plant}, {TRAJECTORIES} x {ROWS:,}"
    states = benchmark.pedantic(method, (plant, data), rounds=5 if method is ours else 2, warmup_rounds=1)
    # Where the plant is chaotic, rounding has taken over later on.
    np.testing.assert_allclose(states[:, :500], np.stack(data.states)[:, :500], rtol=1e-5, atol=1e-5)
