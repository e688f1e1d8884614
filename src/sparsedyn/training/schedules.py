"""Learning rates over training, as arrays: one rate per step."""

from collections.abc import Callable

import numpy as np
import optax
from jaxtyping import Float

SCHEDULES = ("constant", "cosine", "step")
# Optax compiles its operations for every number of steps: these are rounded up to a multiple of this one.
BLOCK = 1024


def learning_rates(
    schedule: str | Callable[[int], float],
    rate: float,
    steps: int,
    *,
    drops: tuple[float, ...] = (0.4, 0.7, 0.9),
) -> Float[np.ndarray, " steps"]:
    """Return the learning rate of every step.

    `constant` stays at `rate`; `cosine` warms up over the first 2 % and falls to 1 % of `rate`; `step`
    divides by ten at the fractions `drops` of training. An Optax schedule is used as it is (`rate` is then ignored).

    An array rather than a function, so that runs with different schedules can share one computation.
    """
    if callable(schedule):
        return np.asarray([schedule(step) for step in range(steps)], np.float32)
    if schedule == "constant":
        return np.full(steps, rate, np.float32)
    if schedule == "cosine":
        warmup = max(1, steps // 50)
        curve = optax.warmup_cosine_decay_schedule(0.1 * rate, rate, warmup, max(steps, warmup + 1), 0.01 * rate)
        return np.asarray(curve(np.arange(-(-steps // BLOCK) * BLOCK)), np.float32)[:steps]
    if schedule == "step":
        passed = np.sum(np.arange(steps)[:, None] >= np.asarray(drops) * steps, axis=1)
        return (rate * 0.1**passed).astype(np.float32)
    raise ValueError(f"schedule: expected one of {', '.join(SCHEDULES)} or an Optax schedule; got {schedule!r}.")


def raised(rates: Float[np.ndarray, " steps"], start: float, rate: float) -> Float[np.ndarray, " steps"]:
    """Return `rates` with the constant `rate` from the fraction `start` of training on, for SWA."""
    rates = np.array(rates)
    rates[int(np.ceil(start * len(rates))) :] = rate
    return rates
