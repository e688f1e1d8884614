"""What files written by this package say about their numbers, so that they read back without arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .clock import TOLERANCE, sampling_time
from .errors import DataError
from .tables import Columns, listed
from .trajectories import Trajectories

FORMAT = "sparsedyn trajectories"
VERSION = 1
FIELDS = ("state_names", "input_names", "state_units", "input_units", "labels", "attrs")


def describe(data: Trajectories) -> dict[str, Any]:
    """Return everything but the numbers, as JSON values."""
    fields = {name: getattr(data, name) for name in FIELDS}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
    return {"format": FORMAT, "version": VERSION, "dt": data.dt, **plain}


def restore(
    description: Mapping[str, Any],
    states: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    time: Sequence[np.ndarray],
    columns: Columns,
) -> Trajectories:
    """Build the trajectories that `describe` described, with the columns that are asked, by default all.

    **Raises:** `DataError` for a newer version, missing entries, a request that contradicts the file.
    """
    missing = [name for name in ("version", "dt", *FIELDS) if name not in description]
    if missing:
        raise DataError(f"the description in the file lacks {missing[0]!r}; the file is damaged, write it again.")
    if description["version"] != VERSION:
        raise DataError(
            f"the file has format version {description['version']}, this package reads version {VERSION}; "
            "update the package."
        )
    _check_request(columns, sampling_time(description["dt"]))
    fields = {name: description[name] for name in FIELDS}
    data = Trajectories(states, inputs, time=list(time), **fields)
    dt = sampling_time(description["dt"])
    if abs(data.dt - dt) > TOLERANCE * dt:
        raise DataError(
            f"the file says dt = {dt:.6g}, its time column has steps of {data.dt:.6g}; correct one of them."
        )
    # The step measured from the time column carries rounding; the file keeps the exact one.
    data = data._with(dt=dt)
    if columns.states is None and columns.inputs is None:
        return data
    known = (*data.state_names, *data.input_names)
    chosen = [None if names is None else listed(names, known) for names in (columns.states, columns.inputs)]
    return data.select(*chosen)


def _check_request(columns: Columns, dt: float) -> None:
    for role in ("time", "trajectory"):
        name = getattr(columns, role)
        if name not in (None, role):
            raise DataError(
                f"{role}={name!r} is asked, but the file was written by this package and says itself that "
                f"its {role} is {role!r}; leave {role}= out."
            )
    if columns.dt is not None and abs(sampling_time(columns.dt) - dt) > TOLERANCE * dt:
        raise DataError(f"dt={columns.dt} is asked, but the file says dt = {dt:.6g}; leave dt= out.")
