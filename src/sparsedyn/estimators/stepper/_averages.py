"""Averages of weights as plain dictionaries: what a TOML file, a saved model and a fingerprint say of them."""

from collections.abc import Mapping
from typing import Any

from sparsedyn.training import AVERAGES, AbstractAverage


def average_spec(average: AbstractAverage | None) -> dict[str, Any] | None:
    """Return an average as a plain dictionary."""
    if average is None:
        return None
    names = {cls: name for name, cls in AVERAGES.items()}
    fields = {name: getattr(average, name) for name in average.__dataclass_fields__ if name != "active"}
    return {"type": names[type(average)], **fields}


def average_from_spec(spec: Mapping[str, Any] | str | None) -> AbstractAverage | None:
    """Build an average from its name, a dictionary with a type, or `None`."""
    if spec is None or spec == "none":
        return None
    if not isinstance(spec, str | Mapping):
        raise ValueError(f"average: expected a name such as 'swa', SWA(...) or none; got {spec!r}.")
    spec = {"type": spec} if isinstance(spec, str) else dict(spec)
    name = spec.pop("type", None)
    if name not in AVERAGES:
        raise ValueError(f"average: expected none, {' or '.join(AVERAGES)}; got {name!r}.")
    try:
        return AVERAGES[name](**spec)
    except TypeError as error:
        allowed = [field for field in AVERAGES[name].__dataclass_fields__ if field != "active"]
        raise ValueError(f"average {name}: {error}. It takes: {', '.join(allowed)}.") from error
