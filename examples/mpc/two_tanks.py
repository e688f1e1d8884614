"""Track the level of the lower of two tanks, while the upper one must not overflow.

python examples/mpc/two_tanks.py [FOLDER]
"""

import casadi
import numpy as np
from nmpc import Limit, Problem, compared, repeated, reported, runge_kutta, trained

import sparsedyn

PLANT = sparsedyn.systems.TwoTanks()


def reference(now):
    """The level that the lower tank should have, in cm: 10, then 14, then 8."""
    return casadi.if_else(now < 200, 10.0, casadi.if_else(now < 600, 14.0, 8.0))


def cost(x, v, before, now):
    """Squared distance, and a little for a valve that is not at rest and for moves."""
    return (x[1] - reference(now)) ** 2 + (v[1] - 1) ** 2 + 0.1 * casadi.sumsqr(v - before)


def true(x, u):
    """The plant's equations."""
    out = PLANT.outlet * casadi.sqrt(2 * PLANT.gravity * casadi.fmax(x, 1e-3))
    return casadi.vertcat(PLANT.pump_flow * u[0] - out[0], out[0] - u[1] * out[1]) / PLANT.area


PROBLEM = Problem(
    PLANT,
    start=np.asarray([8.0, 10.0]),
    rows=5,
    horizon=15,
    intervals=90,
    decided=(("pump", 2.0, 4.0), ("valve", 0.8, 1.2)),
    first=(2.8, 1.0),
    cost=cost,
    limits=(Limit("upper, cm", lambda x, u: x[0], 3.0, 13.5, 1.0),),
)


def main() -> None:
    """Train, control, compare."""
    step = runge_kutta(true, PROBLEM.interval)
    found = compared(PROBLEM, step, trained(PLANT), lambda made: repeated(made.step, PROBLEM.rows))
    columns = [
        ("lower, cm", lambda x, u: x[:, 1]),
        ("upper, cm", lambda x, u: x[:, 0]),
        ("pump, V", lambda x, u: u[:, 0]),
        ("valve", lambda x, u: u[:, 1]),
    ]
    reported("two-tanks", PROBLEM, found, columns, "min", 60.0)


if __name__ == "__main__":
    main()
