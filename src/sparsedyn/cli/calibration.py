"""Bands around forecasts, calibrated with a fit on what was held out of it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparsedyn.cli.options import TRAINING
from sparsedyn.cli.output import note, percent, plural

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories

SHORTEST = 10
"""Rows of a block, at least."""

Calibrate = Annotated[
    bool,
    typer.Option(
        "--calibrate",
        help="Calibrate bands around forecasts on the data held out, or on --validation, and keep them with the model.",
        rich_help_panel=TRAINING,
    ),
]
Coverage = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=0.999,
        metavar="SHARE",
        help="Share of recorded values that calibrated bands are to hold.",
        rich_help_panel=TRAINING,
    ),
]


def blocks(data: "Trajectories | None", coverage: float) -> "Trajectories":
    """Return data to calibrate on: as they are, or cut into as many blocks of equal length as the coverage needs.

    Raises `DataError` where there are none, or the blocks would be too short.
    """
    from sparsedyn.data import DataError, windows
    from sparsedyn.data.windows import Window
    from sparsedyn.forecast import fewest

    if data is None:
        raise DataError("--calibrate: expected data that are held out; these are too short for it. Give --validation.")
    needed = fewest(coverage)
    if len(data) >= needed:
        return data
    whole = sum(data.lengths)
    length = max((rows for rows in range(whole // needed, 0, -1) if _count(data, rows) >= needed), default=0)
    if length < SHORTEST:
        raise DataError(
            f"--calibrate: {percent(coverage)} need {plural(needed, 'trajectory')}, or blocks of at least {SHORTEST} "
            f"rows; held out are {plural(len(data), 'trajectory')} of {whole:,} rows. Hold out more (--hold-out), give "
            "--validation, or ask for less (--coverage)."
        )
    return windows(
        data,
        [
            Window(i, start, start + length)
            for i, rows in enumerate(data.lengths)
            for start in range(0, rows - length + 1, length)
        ],
    )


def fit_for_bands(data: "Trajectories | None", coverage: float) -> "Trajectories":
    """Return data held out that `calibrate` can use; `DataError` else, before any training rather than after."""
    blocks(data, coverage)
    assert data is not None
    return data


def calibrate(
    model: Any, data: "Trajectories", coverage: float, *, quiet: bool, check_units: bool = False
) -> dict[str, Any]:
    """Calibrate a fitted model, say so, and return the facts for JSON; raises `DataError`."""
    parts = blocks(data, coverage)
    model.calibrate(parts, coverage, check_units=check_units)
    calibration = model.calibration_
    reach = int(calibration.edges[-1])
    cut = "" if parts is data else ", cut from fewer"
    note(
        f"Bands for {percent(coverage)} of recorded values are calibrated on {plural(len(parts), 'trajectory')}{cut}; "
        f"they reach {reach:,} rows.",
        quiet=quiet,
    )
    return {"coverage": coverage, "trajectories": len(parts), "rows": reach, "cut": parts is not data}


def _count(data: "Trajectories", length: int) -> int:
    return sum(rows // length for rows in data.lengths)
