"""One CPU device per core, so that an ensemble's members are spread over all of them.

XLA runs small batched products of one device on about one core. JAX fixes its devices at its first use, so this is done
when the package is imported. What the user has set (`JAX_NUM_CPU_DEVICES`, `XLA_FLAGS`) stays, and so do the devices of
JAX that is in use already; `SPARSEDYN_CPU_DEVICES=1` turns it off, another number asks for that many.
"""

import os
import sys
import warnings

WANTED, JAX_COUNT = "SPARSEDYN_CPU_DEVICES", "JAX_NUM_CPU_DEVICES"
MOST_DEVICES = 16


def spread_over_cores() -> None:
    """Ask JAX for as many CPU devices as this process may use cores, without importing it.

    JAX reads the environment when it is imported; where it is imported already, its configuration is changed instead.
    Processes that this one starts inherit the number.
    """
    wanted = requested()
    chosen = JAX_COUNT in os.environ or "device_count" in os.environ.get("XLA_FLAGS", "")
    if chosen and wanted is None:
        return
    count = wanted or min(cores(), MOST_DEVICES)
    if "jax" not in sys.modules:
        os.environ[JAX_COUNT] = str(count)
        return
    import jax

    try:
        jax.config.update("jax_num_cpu_devices", count)
    except RuntimeError:
        # JAX is already in use with the devices that it has; everything works with those too.
        return


def requested() -> int | None:
    """Return the number that the user asks for by `SPARSEDYN_CPU_DEVICES`; warn where it is none."""
    text = os.environ.get(WANTED, "")
    if not text:
        return None
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    warnings.warn(f"{WANTED}: expected a number of at least 1; got {text!r}, which is ignored.", stacklevel=4)
    return None


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
