"""One step of a differential equation, on arrays of NumPy or JAX."""

from collections.abc import Callable
from typing import Any

Field = Callable[[Any, Any], Any]
"""From the time since the step began and the state to the derivative; an input held over the step is part of it."""


def euler_step(field: Field, x: Any, dt: Any = 1.0) -> Any:
    """Return the state after `dt` by one forward Euler step."""
    return x + dt * field(0.0, x)


def rk4_step(field: Field, x: Any, dt: Any = 1.0) -> Any:
    """Return the state after `dt` by one step of the classical fourth-order Runge-Kutta method."""
    k1 = field(0.0, x)
    k2 = field(0.5 * dt, x + 0.5 * dt * k1)
    k3 = field(0.5 * dt, x + 0.5 * dt * k2)
    k4 = field(dt, x + dt * k3)
    return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


STEPS: dict[str, Callable[..., Any]] = {"euler": euler_step, "rk4": rk4_step}
