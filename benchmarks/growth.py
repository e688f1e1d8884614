"""How the time of training grows with members, and what a second device gives.

    python benchmarks/growth.py [--members 10 30 100 300 1000] [--devices 1 2] [--jax]

Members 13-25-25-25-8 (ReLU, L1, Adam, batch 50) are trained by `training.fit` on random data, with everything that
belongs to it, such as 25 validations, but not the first call, which compiles. A line is a number of members; a process
has one number of devices, and takes the numbers of members by turns. Elapsed time, median of five turns.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

EPOCHS, ROWS, VALIDATION, BATCH, TURNS = 10, 10_000, 2_000, 50, 5


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, nargs="+", default=[10, 30, 100, 300, 1000])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--jax", action="store_true", help="the steps by XLA (SPARSEDYN_NATIVE=0)")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(measured(arguments.members)))
        return
    times = {}
    for devices in arguments.devices:
        environment = os.environ | {"SPARSEDYN_CPU_DEVICES": str(devices), "OMP_NUM_THREADS": "1"}
        environment |= {"SPARSEDYN_NATIVE": "0"} if arguments.jax else {}
        command = [sys.executable, __file__, "--worker", "--members", *map(str, arguments.members)]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        times[devices] = json.loads(done.stdout)
    print(f"{'members':>8}" + "".join(f"{f'{n} device(s), us':>18}" for n in times) + f"{'times as fast':>15}")
    first, *_, last = [*times, *times]
    for k, members in enumerate(arguments.members):
        row = "".join(f"{1e6 * each[k]:18.2f}" for each in times.values())
        print(f"{members:8}{row}{times[first][k] / times[last][k]:15.2f}")


def measured(counts: list[int]) -> list[float]:
    """Return the median time of a member's step for every number of members."""
    import equinox as eqx
    import jax
    import numpy as np

    from sparsedyn.data import Samples
    from sparsedyn.models import MLP
    from sparsedyn.sparsify import L1, Chain
    from sparsedyn.training import derivative_matching, fit, learning_rates, optimizer

    rng = np.random.default_rng(0)
    train, held_out = (
        Samples(*(rng.standard_normal((rows, width), dtype=np.float32) for width in (8, 5, 8)))
        for rows in (ROWS, VALIDATION)
    )
    steps = EPOCHS * (ROWS // BATCH)
    rates = np.asarray(learning_rates("cosine", 1e-3, steps), np.float32)

    def trained(members: int) -> float:
        keys = jax.random.split(jax.random.key(0), members)
        models = jax.block_until_ready(eqx.filter_vmap(lambda key: MLP(8, 5, (25, 25, 25), key=key))(keys))
        started = time.perf_counter()
        fitted = fit(
            models, train, sparsifier=Chain(L1(1e-4)), rates=rates, keys=keys, batch=BATCH, validation=held_out,
            objective=derivative_matching, optimizer=optimizer("adam"),
        )  # fmt: skip
        jax.block_until_ready(fitted)
        return (time.perf_counter() - started) / (members * steps)

    turns = [[trained(members) for members in counts] for _ in range(TURNS + 1)][1:]
    return [statistics.median(column) for column in zip(*turns, strict=True)]


if __name__ == "__main__":
    main()
