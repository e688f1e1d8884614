"""Rolling forecasts: integrate learned derivatives from an initial state under given inputs."""

from collections.abc import Callable
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
from sparsedyn.forecast.native import native_rollout
from sparsedyn.models import AbstractModel

METHODS = tuple(STEPS)
MAP = "map"
"""The method of models whose outputs are the states of the next row."""
PRECISIONS = ("float32", "float64")

Known = Callable[[Float[np.ndarray, "row state"], Float[np.ndarray, "row input"]], Float[np.ndarray, "row state"]]


def rollout(
    models: AbstractModel,
    x0: Float[np.ndarray, "trajectory state"],
    inputs: Float[np.ndarray, "trajectory time input"],
    *,
    scaling: Scaling,
    dt: float,
    method: str = "euler",
    precision: str = "float32",
    known: Known | None = None,
) -> Float[np.ndarray, "member trajectory time state"]:
    """Forecast all members x trajectories at once, in the data's units; row 0 is the initial state.

    `models` is stacked along a leading member axis. `euler` is `x <- x + dt f(x, u)` (Haugstvedt et al. 2023,
    Algorithm 2, its misprint corrected), `rk4` the classical Runge-Kutta step with the input held over the
    sample; `map` is `x <- f(x, u)`. A forecast that diverges continues as inf or NaN: divergence is a result, not an
    error. `precision` is that of the steps, `float32` or `float64`; models that were trained in float32 gain nothing
    from the latter. `known` gives what the models' outputs, in the data's units, are added to, by states (row, state)
    and inputs (row, input); it may be any function of NumPy arrays, and is called on the host, a step at a time.
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
    if known is not None:
        with jax.enable_x64(True) if precision == "float64" else nullcontext(), np.errstate(all="ignore"):
            return _stepped(models, x0, inputs, scaling, dt, method, precision, known)
    arrays, static = eqx.partition(models, eqx.is_array)
    members = jax.tree.leaves(arrays)[0].shape[0]
    start = ((x0 - scaling.x_mean) / scaling.x_std).astype(precision)
    forcing = ((inputs - scaling.u_mean) / scaling.u_std).astype(precision)
    # In scaled states z the step is z <- z + gain * f + drift, which keeps float32 accurate near large means.
    rate, origin = (1.0, scaling.x_mean) if method == MAP else (dt, 0.0)
    gain = (rate * scaling.dx_std / scaling.x_std).astype(precision)
    drift = ((rate * scaling.dx_mean - origin) / scaling.x_std).astype(precision)
    if precision == "float32":
        found = native_rollout(models, start, np.swapaxes(forcing, 0, 1), gain, drift, method, scaling)
        if found is not None:
            return found
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


def _stepped(
    models: AbstractModel,
    x0: Float[np.ndarray, "trajectory state"],
    inputs: Float[np.ndarray, "trajectory time input"],
    scaling: Scaling,
    dt: float,
    method: str,
    precision: str,
    known: Known,
) -> Float[np.ndarray, "member trajectory time state"]:
    """The same step by step on the host, in float64 but for the models."""
    models = jax.tree.map(lambda leaf: jnp.asarray(leaf) if eqx.is_array(leaf) else leaf, models)
    members = jax.tree.leaves(eqx.filter(models, eqx.is_array))[0].shape[0]

    def field(u: np.ndarray, x: np.ndarray) -> np.ndarray:
        z = ((x - scaling.x_mean) / scaling.x_std).astype(precision)
        v = ((u - scaling.u_mean) / scaling.u_std).astype(precision)
        found = np.asarray(outputs(models, z, v), np.float64) * scaling.dx_std + scaling.dx_mean
        return found + known(np.concatenate(x), np.tile(u, (members, 1))).reshape(x.shape)

    states = [np.broadcast_to(np.asarray(x0, np.float64), (members, *x0.shape))]
    for row in range(inputs.shape[1] - 1):
        u = inputs[:, row]
        if method == MAP:
            states.append(field(u, states[-1]))
        else:
            states.append(STEPS[method](lambda _, x, u=u: field(u, x), states[-1], dt))
    return np.stack(states, axis=2)


@eqx.filter_jit
def outputs(
    models: AbstractModel, z: Float[Array, "member sample state"], v: Float[Array, "sample input"]
) -> Float[Array, "member sample output"]:
    """Return what stacked models give at scaled states, each at its own, and inputs."""
    arrays, static = eqx.partition(models, eqx.is_array)

    def one(arrays: Any, z: Array) -> Array:
        return jax.vmap(eqx.combine(arrays, static))(z, v)

    found: Array = jax.vmap(one)(arrays, z)
    return found


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
