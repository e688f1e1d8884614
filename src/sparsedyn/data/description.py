"""What files written by this package say about their numbers, so that they read back without arguments."""

from collections.abc import Mapping
from typing import Any

from .clock import TOLERANCE, sampling_time
from .errors import DataError
from .tables import Columns

FORMAT = "sparsedyn trajectories"
VERSION = 1
FIELDS = ("state_names", "input_names", "state_units", "input_units", "labels", "attrs")


def describe(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what trajectories have besides numbers, `dt` and the `FIELDS`, as JSON values."""
    plain = {name: list(fields[name]) if isinstance(fields[name], tuple) else fields[name] for name in FIELDS}
    return {"format": FORMAT, "version": VERSION, "dt": fields["dt"], **plain}


def checked(description: Mapping[str, Any], columns: Columns) -> tuple[dict[str, Any], float]:
    """Return the `FIELDS` and the sampling time of a description.

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
    dt = sampling_time(description["dt"])
    _check_request(columns, dt)
    return {name: description[name] for name in FIELDS}, dt


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
