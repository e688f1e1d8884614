"""One CPU device per core, so that an ensemble's members are spread over all of them.

XLA runs small batched products of one device on about one core. JAX fixes its devices at first use, so this is done
when the package is imported. It leaves alone what the user has set (`JAX_NUM_CPU_DEVICES`, `XLA_FLAGS`) or JAX that is
already in use; `SPARSEDYN_CPU_DEVICES=1` turns it off, another number asks for that many.
"""

import os

import jax


def spread_over_cores() -> None:
    """Ask JAX for as many CPU devices as this process may use cores."""
    wanted = os.environ.get("SPARSEDYN_CPU_DEVICES", "")
    if wanted and not (wanted.isdigit() and int(wanted) >= 1):
        raise ValueError(f"SPARSEDYN_CPU_DEVICES: expected a number of at least 1; got {wanted!r}.")
    chosen = "JAX_NUM_CPU_DEVICES" in os.environ or "device_count" in os.environ.get("XLA_FLAGS", "")
    if chosen and not wanted:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        jax.config.update("jax_num_cpu_devices", int(wanted) if wanted else min(cores, 16))
    except RuntimeError:
        # JAX is already in use with the devices that it has; everything works with those too.
        return


spread_over_cores()
