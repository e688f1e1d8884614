"""Simulate a plant: many trajectories at once, those that blow up drawn again."""

import logging
from typing import NamedTuple, SupportsFloat

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, PRNGKeyArray

from sparsedyn.data import Trajectories
from sparsedyn.systems.arguments import (
    excitation_for,
    given_array,
    plant_of,
    sample_time,
    whole_number,
)
from sparsedyn.systems.base import AbstractSystem
from sparsedyn.systems.excitation import AbstractExcitation
from sparsedyn.systems.integrate import trajectory

# How often a trajectory is drawn before giving up.
ROUNDS = 20
# Trajectories computed at once. More lanes take proportionally longer on a CPU.
BLOCK = 64

logger = logging.getLogger(__name__)

States = Float64[np.ndarray, "trajectory row state"]
Inputs = Float64[np.ndarray, "trajectory row input"]


class SimulationError(ValueError):
    """A plant that blows up however often it is drawn again, or whose start and inputs are fixed."""


def simulate(
    system: AbstractSystem | str,
    trajectories: int = 1,
    steps: int = 1000,
    seed: int = 0,
    *,
    dt: SupportsFloat | None = None,
    x0: object = None,
    excitation: AbstractExcitation | None = None,
    inputs: object = None,
) -> Trajectories:
    """Simulate a plant: `trajectories` runs of `steps` rows, `dt` apart; row 0 is the initial condition.

    The input of a row is held until the next row. Plants that are defined by sampling take one Runge-Kutta
    step a row; smooth ones are integrated from row to row by an adaptive method of order 8 to a tolerance of
    1e-10. Computed in float64 in any mode of JAX.

    `system` is a plant or its registered name. `x0`, (state,) or (trajectory, state), replaces the plant's
    distribution of initial conditions; `excitation` replaces its default excitation; `inputs`, (row, input)
    or (trajectory, row, input), are given instead of an excitation. `dt` None is the plant's own.

    Trajectory i of a seed does not depend on the number of trajectories. One that does not stay finite is
    drawn again, initial condition and excitation; `attrs` holds how many draws were thrown away ("redrawn"),
    and "system", "seed", "dt".

    Raises ValueError for arguments out of range, unknown names and wrong shapes, and `SimulationError` (a
    ValueError) where trajectories stay non-finite in 20 draws, or nothing is left to draw again.
    """
    plant = plant_of(system)
    trajectories = whole_number("trajectories", trajectories, least=1)
    steps = whole_number("steps", steps, least=2)
    seed = whole_number("seed", seed, least=0, most=2**63 - 1)
    dt = sample_time(plant.dt if dt is None else dt)
    excitation = excitation_for(plant, excitation, inputs)
    job = _Job(
        plant,
        excitation,
        given_array("x0", x0, plant.state_names, (trajectories,)),
        given_array("inputs", inputs, plant.input_names, (trajectories, steps)),
        trajectories,
        steps,
        seed,
        dt,
    )
    states, controls, redrawn = _draw_until_finite(job)
    return Trajectories(
        states,
        controls if plant.input_names else None,
        dt=dt,
        state_names=plant.state_names,
        input_names=plant.input_names or None,
        state_units=plant.state_units,
        input_units=plant.input_units or None,
        attrs={"system": plant.name, "seed": seed, "dt": dt, "redrawn": redrawn},
    )


class _Job(NamedTuple):
    """The checked arguments of a simulation."""

    plant: AbstractSystem
    excitation: AbstractExcitation
    x0: np.ndarray | None
    inputs: np.ndarray | None
    trajectories: int
    steps: int
    seed: int
    dt: float


def _draw_until_finite(job: _Job) -> tuple[States, Inputs, int]:
    """States, inputs, and how many draws were thrown away."""
    fixed = job.x0 is not None and job.inputs is not None
    states = np.empty((job.trajectories, job.steps, len(job.plant.state_names)))
    controls = np.empty((job.trajectories, job.steps, len(job.plant.input_names)))
    waiting = np.arange(job.trajectories)
    redrawn = 0
    for attempt in range(1 if fixed else ROUNDS):
        for block in np.split(waiting, range(BLOCK, len(waiting), BLOCK)):
            states[block], controls[block] = _draw(job, block, attempt)
        waiting = waiting[_blown_up(states[waiting], controls[waiting])]
        if not len(waiting):
            break
        redrawn += len(waiting)
    else:
        raise SimulationError(_complaint(job, states, controls, waiting))
    if redrawn:
        logger.info("%s: %d draws blew up and were drawn again.", job.plant.name, redrawn)
    return states, controls, redrawn


def _draw(job: _Job, indices: Int[np.ndarray, " chosen"], attempt: int) -> tuple[States, Inputs]:
    """The trajectories of these numbers, at most a block of them, as the given attempt draws them."""
    # Always a full block: one compilation serves any number of trajectories, and rounds them all alike.
    padded = np.resize(indices, BLOCK)
    with jax.enable_x64(True):
        x0 = None if job.x0 is None else jnp.asarray(job.x0[padded])
        inputs = None if job.inputs is None else jnp.asarray(job.inputs[padded])
        # The generator is named, so that a seed means the same data whatever JAX's default is set to.
        root = jax.random.key(job.seed, impl="threefry2x32")
        block = _draw_block(
            job.plant,
            job.excitation,
            x0,
            inputs,
            root,
            jnp.asarray(padded),
            jnp.asarray(attempt),
            job.steps,
            job.dt,
        )
        states, controls = (np.asarray(part) for part in block)
    return states[: len(indices)], controls[: len(indices)]


@eqx.filter_jit
def _draw_block(
    plant: AbstractSystem,
    excitation: AbstractExcitation,
    x0: Float[Array, "trajectory state"] | None,
    inputs: Float[Array, "trajectory row input"] | None,
    root: PRNGKeyArray,
    indices: Int[Array, " trajectory"],
    attempt: Int[Array, ""],
    steps: int,
    dt: float,
) -> tuple[Float[Array, "trajectory row state"], Float[Array, "trajectory row input"]]:
    def one(
        index: Int[Array, ""],
        x0: Float[Array, " state"] | None,
        inputs: Float[Array, "row input"] | None,
    ) -> tuple[Float[Array, "row state"], Float[Array, "row input"]]:
        # One draw of two keys, of which no other trajectory or attempt has any.
        numbers = 2 * (ROUNDS * index + attempt) + jnp.arange(2)
        start_key, signal_key = jax.vmap(jax.random.fold_in, (None, 0))(root, numbers)
        start = plant.initial(start_key) if x0 is None else x0
        if inputs is not None:
            return trajectory(plant, None, start, inputs, dt)
        return trajectory(plant, excitation, start, excitation.signal(signal_key, steps, dt), dt)

    return jax.vmap(one)(indices, x0, inputs)


def _blown_up(states: np.ndarray, controls: np.ndarray) -> np.ndarray:
    return ~(np.isfinite(states).all((1, 2)) & np.isfinite(controls).all((1, 2)))


def _complaint(job: _Job, states: States, controls: Inputs, bad: np.ndarray) -> str:
    first = bad[0]
    finite = np.isfinite(states[first]).all(1) & np.isfinite(controls[first]).all(1)
    row = int(np.flatnonzero(~finite)[0])
    fixed = job.x0 is not None and job.inputs is not None
    tries = "from the x0 and inputs given" if fixed else f"in {ROUNDS} draws"
    return (
        f"{job.plant.name}: {len(bad)} of {job.trajectories} trajectories do not stay finite {tries}; "
        f"trajectory {first} blows up at row {row} (time {row * job.dt:g}). "
        "Use fewer steps, a smaller dt, or a gentler x0 or excitation."
    )
