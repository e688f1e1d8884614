"""Whether forecasts can be native, and those forecasts."""

import itertools
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Float32

from sparsedyn._devices import native
from sparsedyn._warnings import SparsedynWarning
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
    if jax.default_backend() != "cpu" or not isinstance(models, MLP):
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
    threads = min(jax.device_count(), count)
    bounds = np.linspace(0, count, threads + 1).round().astype(int).tolist()
    if threads == 1:
        step((0, count))
    else:
        list(_pool(threads).map(step, itertools.pairwise(bounds)))
    return found


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sparsedyn-forecast")


@cache
def _compiled() -> Callable[..., None] | None:
    """The compiled steps, where Numba works here and `SPARSEDYN_NATIVE` is not 0."""
    if not native():
        return None
    try:
        from .steps import integrate
    except (ImportError, RuntimeError) as error:  # the second where nothing can be cached
        warnings.warn(
            f"Networks forecast without compiled steps, more slowly: Numba cannot be used ({error}). "
            "Mend that, or set SPARSEDYN_NATIVE=0 to be spared this warning.",
            SparsedynWarning,
            stacklevel=2,
        )
        return None
    compiled: Callable[..., None] = integrate
    return compiled
