"""Rolling forecasts: integrate learned derivatives from an initial state under given inputs."""

from contextlib import nullcontext
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from sparsedyn._steps import STEPS
from sparsedyn.data import DataError, Scaling
from sparsedyn.models import AbstractModel

METHODS = tuple(STEPS)
MAP = "map"
"""The method of models whose outputs are the states of the next row."""
PRECISIONS = ("float32", "float64")


def rollout(
    models: AbstractModel,
    x0: Float[np.ndarray, "trajectory state"],
    inputs: Float[np.ndarray, "trajectory time input"],
    *,
    scaling: Scaling,
    dt: float,
    method: str = "euler",
    precision: str = "float32",
) -> Float[np.ndarray, "member trajectory time state"]:
    """Forecast all members x trajectories at once, in the data's units; row 0 is the initial state.

    `models` is stacked along a leading member axis. `euler` is `x <- x + dt f(x, u)` (Haugstvedt et al. 2023,
    Algorithm 2, its misprint corrected), `rk4` the classical Runge-Kutta step with the input held over the
    sample; `map` is `x <- f(x, u)`. A forecast that diverges continues as inf or NaN: divergence is a result, not an
    error. `precision` is that of the steps, `float32` or `float64`; models that were trained in float32 gain nothing
    from the latter.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: expected one of {', '.join(PRECISIONS)}; got {precision!r}.")
    if method not in (*METHODS, MAP):
        raise ValueError(f"method: expected one of {', '.join(METHODS)}; got {method!r}.")
    if x0.ndim != 2 or inputs.ndim != 3 or len(x0) != len(inputs):
        raise DataError(
            "rollout: expected x0 (trajectory, state) and inputs (trajectory, time, input) of as many "
            f"trajectories; got {x0.shape} and {inputs.shape}. Add the missing axis, e.g. x0[None]."
        )
    if x0.shape[1] != len(scaling.x_mean) or inputs.shape[2] != len(scaling.u_mean):
        raise DataError(
            f"rollout: the model was fitted on {len(scaling.x_mean)} states and {len(scaling.u_mean)} "
            f"inputs; got {x0.shape[1]} and {inputs.shape[2]}. Give the same variables in the same order."
        )
    arrays, static = eqx.partition(models, eqx.is_array)
    members = jax.tree.leaves(arrays)[0].shape[0]
    start = ((x0 - scaling.x_mean) / scaling.x_std).astype(precision)
    forcing = ((inputs - scaling.u_mean) / scaling.u_std).astype(precision)
    # In scaled states z the step is z <- z + gain * f + drift, which keeps float32 accurate near large means.
    rate, origin = (1.0, scaling.x_mean) if method == MAP else (dt, 0.0)
    gain = (rate * scaling.dx_std / scaling.x_std).astype(precision)
    drift = ((rate * scaling.dx_mean - origin) / scaling.x_std).astype(precision)
    devices = jax.devices()
    mesh = Mesh(np.asarray(devices[: _divisor(members, len(devices))]), ("members",))
    spread, same = NamedSharding(mesh, PartitionSpec("members")), NamedSharding(mesh, PartitionSpec())
    with jax.enable_x64(True) if precision == "float64" else nullcontext():
        z = _integrate(
            _Static(static, method, mesh),
            jax.device_put(jax.tree.map(jnp.asarray, arrays), spread),
            *jax.device_put((start, np.swapaxes(forcing, 0, 1), gain, drift), same),
        )
    return np.asarray(z).transpose(0, 2, 1, 3) * scaling.x_std + scaling.x_mean


class _Static(tuple[Any, str, Mesh]):
    """The static arguments of a compiled forecast."""

    def __new__(cls, model: Any, method: str, mesh: Mesh) -> "_Static":
        return super().__new__(cls, (model, method, mesh))


def _divisor(members: int, devices: int) -> int:
    return max(d for d in range(1, devices + 1) if members % d == 0)


@partial(jax.jit, static_argnums=0)
def _integrate(static: _Static, arrays: Any, start: Array, forcing: Array, gain: Array, drift: Array) -> Array:
    """Return scaled states (member, time, trajectory, state)."""
    skeleton, method, mesh = static

    def one_member(arrays: Any, start: Array, forcing: Array, gain: Array, drift: Array) -> Array:
        model = eqx.combine(arrays, skeleton)
        increment: Any = jax.vmap(lambda z, v: gain * model(z, v) + drift)

        def body(z: Array, v: Array) -> tuple[Array, Array]:
            return increment(z, v) if method == MAP else STEPS[method](lambda _, state: increment(state, v), z), z

        # The input of the last row acts beyond the horizon, so there is no step from the last row.
        last, rows = jax.lax.scan(body, start, forcing[:-1])
        return jnp.concatenate([rows, last[None]])

    everyone = jax.vmap(one_member, in_axes=(0, None, None, None, None))
    spread, same = PartitionSpec("members"), PartitionSpec()
    sharded = jax.shard_map(
        everyone, mesh=mesh, in_specs=(spread, same, same, same, same), out_specs=spread, check_vma=False
    )
    result: Array = sharded(arrays, start, forcing, gain, drift)
    return result
