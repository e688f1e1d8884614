"""Training and forecasting ensembles: this package against a plain PyTorch loop, measured in turn in one run.

    python benchmarks/time_steppers.py            # this package alone
    pip install ".[peers]" && python benchmarks/time_steppers.py --torch

Prints microseconds per member-step of training (13-25-25-25-8, batch 50, ten members) and seconds for 10 members x 40
trajectories x 5000 steps of forecast, compilation excluded, each the median of five turns. On a shared machine only the
ratios mean something.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np

import sparsedyn  # sets up one CPU device per core
from sparsedyn.data import Samples, Scaling
from sparsedyn.forecast import rollout
from sparsedyn.models import MLP
from sparsedyn.sparsify import Chain
from sparsedyn.training import fit, learning_rates

MEMBERS, BATCH, STEPS, TURNS = 10, 50, 4000, 5
HIDDEN = (25, 25, 25)


def samples() -> Samples:
    """Random data: speed does not depend on the values."""
    rng = np.random.default_rng(0)
    return Samples(*(rng.standard_normal((200_000, width), dtype=np.float32) for width in (8, 5, 8)))


def networks(hidden: tuple[int, ...]) -> tuple[MLP, Any]:
    """Ten stacked networks and their keys."""
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    return eqx.filter_vmap(lambda key: MLP(8, 5, hidden, key=key))(keys), keys


def our_training(data: Samples) -> Callable[[], float]:
    """Return a turn of training that gives microseconds per member-step, everything around the steps included."""
    models, keys = networks(HIDDEN)
    rates = learning_rates("cosine", 1e-3, STEPS)

    def turn() -> float:
        begin = time.perf_counter()
        fit(models, data, sparsifier=Chain(), rates=rates, keys=keys, batch=BATCH)
        return (time.perf_counter() - begin) / STEPS / MEMBERS * 1e6

    return turn


def our_forecast() -> Callable[[], float]:
    """Return a turn of forecasting that gives seconds."""
    models, _ = networks((64, 64, 64))
    rng = np.random.default_rng(0)
    x0, inputs = rng.standard_normal((40, 8)), rng.standard_normal((40, 5000, 5))
    scaling = Scaling.identity(8, 5)

    def turn() -> float:
        begin = time.perf_counter()
        rollout(models, x0, inputs, scaling=scaling, dt=1e-3)
        return time.perf_counter() - begin

    return turn


def torch_training(data: Samples) -> Callable[[], float]:
    """Return a turn of the usual PyTorch loop, one member after the other, one thread."""
    import torch

    torch.set_num_threads(1)
    inputs = torch.from_numpy(np.concatenate([data.x, data.u], axis=1))
    targets = torch.from_numpy(np.asarray(data.dx))
    widths = [13, *HIDDEN, 8]

    def network() -> Any:
        layers: list[Any] = []
        for fan_in, fan_out in itertools.pairwise(widths):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
        return torch.nn.Sequential(*layers[:-1])

    def turn() -> float:
        begin = time.perf_counter()
        steps = STEPS // 10
        for _ in range(2):
            model = network()
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            order = torch.randperm(len(inputs))
            for step in range(steps):
                rows = order[step * BATCH : (step + 1) * BATCH]
                loss = torch.nn.functional.mse_loss(model(inputs[rows]), targets[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return (time.perf_counter() - begin) / steps / 2 * 1e6

    return turn


def main() -> None:
    """Measure, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", action="store_true", help="measure the PyTorch loop in the same run")
    arguments = parser.parse_args()
    data = samples()
    turns = {"train_us_per_member_step": our_training(data), "forecast_s": our_forecast()}
    if arguments.torch:
        turns["torch_train_us_per_member_step"] = torch_training(data)
    measured: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        turn()
    for _ in range(TURNS):
        for name, turn in turns.items():
            measured[name].append(turn())
    result: dict[str, Any] = {name: round(statistics.median(values), 3) for name, values in measured.items()}
    if arguments.torch:
        pairs = zip(measured["torch_train_us_per_member_step"], measured["train_us_per_member_step"], strict=True)
        result["torch_over_sparsedyn"] = round(statistics.median(a / b for a, b in pairs), 1)
    result["devices"], result["version"] = len(jax.devices()), getattr(sparsedyn, "__version__", "")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
