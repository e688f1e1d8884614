"""Economic MPC of an aluminum cell: as much metal per energy as bath temperature, alumina and voltage allow.

    python examples/mpc/aluminum_cell.py [FOLDER]

The controller chooses alumina feed, line current and anode distance every three minutes; fluoride follows the feed and
tapping the current, as they do in balance. Voltage is a known function of state and inputs for all controllers; how
states move is what the models have learned.
"""

import casadi
import numpy as np
from nmpc import Limit, Problem, compared, reported, runge_kutta

import sparsedyn
from sparsedyn.systems import aluminum_cell as cell

PLANT = sparsedyn.systems.AluminumCell()
METAL = 100.0
"""What a kilogram of metal is worth, in MJ."""


def inputs(v):
    """Alumina feed, current, fluoride feed, tapping, distance; currents are in kA among decisions."""
    return casadi.vertcat(v[0], 1e3 * v[1], cell.K4 * v[0], 1e3 * cell.K6 * v[1], v[2])


def percent(x):
    """Alumina and fluoride in percent of the bath's mass."""
    return 100 * x[1] / (x[1] + x[2] + x[3]), 100 * x[2] / (x[1] + x[2] + x[3])


def voltage(x, u):
    """As `sparsedyn.systems.aluminum_cell.cell_voltage`."""
    alumina, current, distance = percent(x)[0], u[1], u[4]
    exponential = np.exp if isinstance(current, np.ndarray | float) else casadi.exp
    conductivity = exponential(2.496 - 2068.4 / (273 + x[5]) - 2.07e-2 * alumina)
    excess = alumina - 2.2
    coverage = 0.531 + 6.958e-7 * current - 2.51e-12 * current**2 + 3.06e-18 * current**3
    coverage = coverage + (0.431 - 0.1437 * excess) / (1 + 7.353 * excess)
    thickness = (0.5517 + 3.8168e-6 * current) / (1 + 8.271e-6 * current)
    bubbles = 3.8168e-6 * coverage * thickness * current / (conductivity * (1 - coverage))
    return bubbles + current * distance / (2620 * conductivity)


def field(x, u):
    """The plant's equations, as `AluminumCell.field` has them."""
    alumina, fluoride = percent(x)
    liquidus = 991.2 + 1.12 * fluoride - 0.13 * fluoride**2.2 + 0.061 * fluoride**1.5
    liquidus -= 7.93 * alumina / (1 + 0.0936 * fluoride - 0.0017 * fluoride**2 - 0.0023 * fluoride * alumina)
    thickness, superheat, undercooling = cell.K0 * x[0], x[5] - liquidus, liquidus - x[6]
    w = cell.K1 * undercooling / thickness - cell.K2 * superheat
    to_ledge = cell.K9 * (x[5] - x[6]) / (cell.K10 + cell.K11 * thickness)
    melting = cell.K7 * superheat**2 - cell.K8 * superheat * undercooling / thickness
    freezing = cell.K12 * superheat * undercooling - cell.K13 * undercooling**2 / thickness
    into_ledge = cell.K9 * undercooling / (cell.K15 * thickness)
    to_wall = cell.K9 * (x[6] - x[7]) / (cell.K14 + cell.K15 * thickness)
    to_air = cell.K9 * (x[7] - cell.AMBIENT) / (cell.K14 + cell.K20)
    return casadi.vertcat(
        w,
        u[0] - cell.K3 * u[1],
        u[2] - cell.K4 * u[0],
        -w + cell.K5 * u[0],
        cell.K6 * u[1] - u[3],
        cell.ALPHA / (x[1] + x[2] + x[3]) * (u[1] * voltage(x, u) - to_ledge - melting),
        cell.BETA / x[0] * (into_ledge - to_wall - freezing),
        cell.K17 * (to_wall - to_air),
    )


def cost(x, v, before, now):
    """Power less the worth of the metal, in MW, and a little for moves."""
    u = inputs(v)
    moves = (v - before) / casadi.DM([0.06, 35.0, 0.013])
    return 1e-6 * u[1] * voltage(x, u) - METAL * cell.K6 * u[1] + 0.1 * casadi.sumsqr(moves)


PROBLEM = Problem(
    PLANT,
    start=np.asarray([3300.0, 400.0, 1600.0, 13500.0, 9950.0, 971.0, 815.0, 580.0]),
    rows=18,
    horizon=12,
    intervals=40,
    decided=(("alumina feed", 0.0, 0.06), ("line current", 120.0, 154.0), ("anode distance", 0.044, 0.057)),
    first=(0.024, 140.0, 0.05),
    cost=cost,
    limits=(
        Limit("bath, °C", lambda x, u: x[5], 966.0, 974.0, 1.0),
        Limit("alumina, %", lambda x, u: percent(x)[0], 2.5, 3.5, 0.1),
        Limit("voltage, V", voltage, 1.0, 1.4, 0.05),
    ),
    inputs=inputs,
)


def main() -> None:
    """Train, control, compare."""
    data = sparsedyn.simulate(PLANT, trajectories=20, steps=3000, seed=0)
    options = {
        "hidden": (32, 32),
        "activation": "tanh",
        "learning_rate": 2e-3,
        "skip": True,
        "epochs": 20,
        "members": 4,
        "seed": 0,
    }
    dense = sparsedyn.SparseTimeStepper(**options).fit(data)
    technique = [sparsedyn.L1(1e-4), sparsedyn.MagnitudePruning(0.9)]
    models = {"dense": dense, "sparse": sparsedyn.SparseTimeStepper(technique=technique, **options).fit(data)}
    found = compared(
        PROBLEM,
        runge_kutta(field, PROBLEM.interval),
        models,
        lambda made: runge_kutta(made.f, PROBLEM.interval),
    )
    columns = [
        ("bath, °C", lambda x, u: x[:, 5]),
        ("alumina, %", lambda x, u: percent(x.T)[0]),
        ("voltage, V", lambda x, u: voltage(x.T, u.T)),
        ("feed, kg/s", lambda x, u: u[:, 0]),
        ("current, kA", lambda x, u: u[:, 1] / 1e3),
    ]
    reported("aluminum-cell", PROBLEM, found, columns, "h", 3600.0)


if __name__ == "__main__":
    main()
