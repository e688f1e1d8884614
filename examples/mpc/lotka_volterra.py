"""Bring predators and prey to rest by harvesting, without the predators ever being too many.

python examples/mpc/lotka_volterra.py [FOLDER]
"""

import casadi
import numpy as np
from nmpc import Limit, Problem, compared, repeated, reported, runge_kutta, trained

import sparsedyn

PLANT = sparsedyn.systems.LotkaVolterra()


def cost(x, v, before, now):
    """Squared distance from where a harvest of 0.15 lets both rest, and a little for harvest and moves."""
    return (x[0] - 1.15) ** 2 + (x[1] - 0.85) ** 2 + 0.1 * (v[0] - 0.15) ** 2 + 0.1 * casadi.sumsqr(v - before)


def true(x, u):
    """The plant's equations."""
    return casadi.vertcat(x[0] * (1 - x[1] - u[0]), x[1] * (x[0] - 1 - u[0]))


PROBLEM = Problem(
    PLANT,
    start=np.asarray([1.5, 0.5]),
    rows=4,
    horizon=25,
    intervals=80,
    decided=(("harvest", 0.0, 0.3),),
    first=(0.0,),
    cost=cost,
    limits=(Limit("predators", lambda x, u: x[1], 0.0, 1.0, 0.1),),
)


def main() -> None:
    """Train, control, compare."""
    step = runge_kutta(true, PROBLEM.interval)
    found = compared(PROBLEM, step, trained(PLANT), lambda made: repeated(made.step, PROBLEM.rows))
    columns = [
        ("prey", lambda x, u: x[:, 0]),
        ("predators", lambda x, u: x[:, 1]),
        ("harvest", lambda x, u: u[:, 0]),
    ]
    reported("lotka-volterra", PROBLEM, found, columns, "units", 1.0)


if __name__ == "__main__":
    main()
