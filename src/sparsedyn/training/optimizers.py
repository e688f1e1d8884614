"""Optimizers by name. Their updates are for a learning rate of one; training multiplies by the rate."""

from functools import cache

import optax

OPTIMIZERS = ("adam", "adamw", "sgd", "momentum", "rmsprop", "lion")


@cache
def optimizer(name: str, clip: float | None = None) -> optax.GradientTransformation:
    """Return the Optax optimizer `name` at rate one; `clip` bounds the gradient's global norm.

    Cached: the same arguments give the same object, so that compiled training is reused.
    """
    makers = {
        "adam": lambda: optax.adam(1.0),
        "adamw": lambda: optax.adamw(1.0, weight_decay=1e-4),
        "sgd": lambda: optax.sgd(1.0),
        "momentum": lambda: optax.sgd(1.0, momentum=0.9),
        "rmsprop": lambda: optax.rmsprop(1.0),
        "lion": lambda: optax.lion(1.0),
    }
    if name not in makers:
        raise ValueError(f"optimizer: expected one of {', '.join(makers)}; got {name!r}.")
    made = makers[name]()
    found = made if clip is None or clip == float("inf") else optax.chain(optax.clip_by_global_norm(clip), made)
    _NAMES[found] = (name, clip)
    return found


_NAMES: dict[optax.GradientTransformation, tuple[str, float | None]] = {}


def named(optimizer: optax.GradientTransformation) -> tuple[str, float | None] | None:
    """Return the name and the clip of an optimizer that `optimizer` returned, None for any other."""
    return _NAMES.get(optimizer)
