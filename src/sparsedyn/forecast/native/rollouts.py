"""Whether forecasts can be native, and those forecasts."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Float32

from sparsedyn._native import compiled, over_members
from sparsedyn.data import Scaling
from sparsedyn.models import MLP, AbstractModel
from sparsedyn.models.native.layout import ACTIVATIONS, layout

METHODS = {"euler": 0, "rk4": 1, "map": 2}


def native_rollout(
    models: AbstractModel,
    start: Float32[np.ndarray, "trajectory state"],
    forcing: Float32[np.ndarray, "time trajectory input"],
    gain: Float32[np.ndarray, " state"],
    drift: Float32[np.ndarray, " state"],
    method: str,
    scaling: Scaling,
) -> Float[np.ndarray, "member trajectory time state"] | None:
    """Return states under scaled increments `gain * model + drift`; None for another model, without Numba or a CPU."""
    if jax.default_backend() != "cpu" or type(models) is not MLP:
        return None
    integrate = _compiled() if models.activation in ACTIVATIONS else None
    if integrate is None:
        return None
    from sparsedyn.models.native.tiles import LANES

    from .steps import BLOCK

    matrices = [np.asarray(weight, np.float32) for weight in models.weights]
    biases = [None if bias is None else np.asarray(bias, np.float32) for bias in models.biases]
    count = len(matrices[0])
    rows = min(BLOCK, len(start))
    shapes: list[Any] = [matrix.shape[1:] for matrix in matrices]
    own = layout(shapes, [bias is not None for bias in biases], 0, rows, LANES)
    weights = own.packed([*matrices, *(bias for bias in biases if bias is not None)], count)
    found = np.empty((count, len(start), len(forcing), len(gain)))
    step = partial(
        integrate, weights=weights, start=np.ascontiguousarray(start), forcing=np.ascontiguousarray(forcing),
        gain=gain, drift=drift, mean=scaling.x_mean, std=scaling.x_std, layers=own.layers, sizes=own.work,
        activation=ACTIVATIONS[models.activation], method=METHODS[method], found=found,
    )  # fmt: skip
    over_members(step, count, jax.device_count())
    return found


@cache
def _compiled() -> Callable[..., None] | None:
    """The compiled steps, where Numba can be used."""
    return compiled(
        "sparsedyn.forecast.native.steps", "integrate", "Networks forecast without compiled steps, more slowly"
    )
