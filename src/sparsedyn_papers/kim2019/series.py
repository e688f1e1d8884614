"""Series of two physical systems with a parameter that differs from series to series."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Trajectory = Callable[
    [Float[np.ndarray, " sample"], Float[np.ndarray, "sample state"], Float[np.ndarray, " time"]],
    Float[np.ndarray, "sample time state"],
]


@dataclass(frozen=True)
class Simulated:
    """Simulated series of position and velocity: `seen` to be encoded, `propagated` to be forecast.

    Both are under one parameter, and begin at initial states of their own: what is encoded can be nothing else.
    """

    parameter: Float[np.ndarray, " sample"]
    seen: Float[np.ndarray, "sample time state"]
    propagated: Float[np.ndarray, "sample step state"]


@dataclass(frozen=True)
class Physics:
    """A system whose solution is known: `solution(parameter, initial states, times)`, parameters drawn uniformly."""

    solution: Trajectory
    parameter: tuple[float, float]
    time_step: float

    def draw(self, samples: int, *, seen: int, steps: int, seed: int) -> Simulated:
        """Draw series of `seen` rows to be encoded and of `steps` steps to be propagated."""
        rng = np.random.default_rng(seed)
        parameter = rng.uniform(*self.parameter, samples)
        first, second = rng.uniform(-1.0, 1.0, (2, samples, 2))
        times = self.time_step * np.arange(max(seen, steps + 1))
        return Simulated(
            parameter,
            self.solution(parameter, first, times[:seen]),
            self.solution(parameter, second, times[: steps + 1]),
        )


def accelerated(
    parameter: Float[np.ndarray, " sample"], start: Float[np.ndarray, "sample state"], times: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "sample time state"]:
    """Return position and velocity under constant acceleration."""
    (u, v), a = start.T[..., None], parameter[:, None]
    return np.stack([u + v * times + 0.5 * a * times**2, v + a * times], axis=-1)


def swinging(
    parameter: Float[np.ndarray, " sample"], start: Float[np.ndarray, "sample state"], times: Float[np.ndarray, " time"]
) -> Float[np.ndarray, "sample time state"]:
    """Return position and velocity of the oscillator `u'' = -p u` for `p = omega^2`."""
    (u, v), w = start.T[..., None], np.sqrt(parameter)[:, None]
    cos, sin = np.cos(w * times), np.sin(w * times)
    return np.stack([u * cos + v / w * sin, v * cos - w * u * sin], axis=-1)


def euler(
    parameter: Float[np.ndarray, " sample"], start: Float[np.ndarray, "sample state"], time_step: float, steps: int
) -> Float[np.ndarray, "sample step state"]:
    """Return what the explicit Euler scheme makes of the true oscillator, the initial states first."""
    u, v = start.T
    rows = [start]
    for _ in range(steps):
        u, v = u + time_step * v, v - time_step * parameter * u
        rows.append(np.stack([u, v], axis=-1))
    return np.stack(rows, axis=1)


KINEMATICS = Physics(accelerated, (-1.0, 1.0), 1.0)
OSCILLATOR = Physics(swinging, (0.1, 1.0), 0.1)
