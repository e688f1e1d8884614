"""SINDy on plants that disturbances drive: of how many records are exactly the true terms found?

    python benchmarks/disturbed.py

Five plants of one and two states, 500 rows each, disturbances of every state that are new at every moment
(Euler-Maruyama, ten steps a row), inputs that are held for ten rows; seeds 0 to 3, no noise of sensors. `SINDy` has
its defaults, but degree 3 for Van der Pol. They were in sight when terms began to be chosen by next rows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sparsedyn import SINDy

ROWS, WITHIN, HELD, SEEDS = 500, 10, 10, 4


class Plant(NamedTuple):
    """Slopes of states under an input, first states, sample time, size of disturbances, and the terms."""

    slopes: Callable[[np.ndarray, float], list[float]]
    start: list[float]
    dt: float
    size: float
    terms: list[set[str]]
    offset: float | None = 0.0
    """Of the input; `None` without one."""
    degree: int = 2


PLANTS = {
    "two linear states": Plant(
        lambda x, u: [-0.5 * x[0] + u, x[0] - 0.8 * x[1]], [0, 0], 0.1, 0.1, [{"u0", "x0"}, {"x0", "x1"}]
    ),
    "first order": Plant(lambda x, u: [1 - 0.5 * x[0] + 0.8 * u], [1], 0.2, 0.15, [{"1", "x0", "u0"}]),
    "Van der Pol": Plant(
        lambda x, u: [x[1], (1 - x[0] ** 2) * x[1] - x[0] + u],
        [1, 0], 0.05, 0.1, [{"x1"}, {"x1", "x0^2 x1", "x0", "u0"}], degree=3,
    ),
    "tank": Plant(lambda x, u: [u - 0.3 * x[0] * abs(x[0])], [1], 0.2, 0.05, [{"u0", "x0^2"}], offset=1.3),
    "predator and prey": Plant(
        lambda x, _: [x[0] * (1 - 0.5 * x[1]), x[1] * (-0.7 + 0.4 * x[0])],
        [1, 1], 0.1, 0.03, [{"x0", "x0 x1"}, {"x1", "x0 x1"}], offset=None,
    ),
}  # fmt: skip


def record(plant: Plant, seed: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the states of all rows, and the input."""
    rng = np.random.default_rng(seed)
    u = np.repeat(rng.uniform(-1, 1, ROWS // HELD + 1), HELD)[:ROWS] + (plant.offset or 0.0)
    x, step = [np.array(plant.start, float)], plant.dt / WITHIN
    for value in u[:-1]:
        now = x[-1]
        for _ in range(WITHIN):
            new = plant.size * np.sqrt(step) * rng.normal(size=len(now))
            now = now + step * np.array(plant.slopes(now, float(value))) + new
        x.append(now)
    return np.array(x), None if plant.offset is None else u[:, None]


def main() -> None:
    """Print a line per plant, and the sum."""
    total = 0
    for name, plant in PLANTS.items():
        right = 0
        for seed in range(SEEDS):
            x, u = record(plant, seed)
            table = SINDy(degree=plant.degree).fit(x, plant.dt, u).coefficients()
            found = [set(table.index[table[state] != 0]) for state in table.columns]
            right += found == plant.terms
        total += right
        print(f"{name}: {right} of {SEEDS}", flush=True)
    print(f"all terms right: {total} of {SEEDS * len(PLANTS)}")


if __name__ == "__main__":
    main()
