"""Options that several commands share, described once."""

from pathlib import Path
from typing import Annotated

import typer

COLUMNS = "Which columns play which role"
NETWORK = "Network and sparsification"
TRAINING = "Training"
OUTPUT = "Output"

States = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Columns that are states, comma separated; x1..x8 is short for x1,x2,...,x8. For a file without "
        "column names give positions (0..7), the names x1, x2, ... of positions, or a name for every column, states "
        "first.",
        rich_help_panel=COLUMNS,
    ),
]
Inputs = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Columns that are inputs, written like the states; leave it out for a plant without inputs. The input "
        "of a row acts until the next row. One that stays the same needs no column: flow,pressure=2.5 (not for sindy).",
        rich_help_panel=COLUMNS,
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of times, in seconds or as dates; they must be regular to 0.1 %, but for `sindy`.",
        rich_help_panel=COLUMNS,
    ),
]
Trajectory = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of trajectory labels; without it all rows are one trajectory.",
        rich_help_panel=COLUMNS,
    ),
]
SampleTime = Annotated[
    float | None,
    typer.Option(
        "--dt", metavar="SECONDS", help="Sample time, for a file without a column of times.", rich_help_panel=COLUMNS
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        metavar="LIST",
        help="Use these trajectories only, by label or by number from 0: 0,1 or 0..9 or run-a,run-b.",
        rich_help_panel=COLUMNS,
    ),
]
AnyUnits = Annotated[
    bool,
    typer.Option(
        "--any-units", help="Forecast even where values look as if they were in another unit than in training."
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document to standard output and nothing else.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Write no progress and no remarks to standard error.", rich_help_panel=OUTPUT),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace what is there.", rich_help_panel=OUTPUT)]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Random seed; the same seed gives the same result.")]
DataFile = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A .csv, .parquet, .nc or .npz file, a folder of files of one kind, or a Zarr store. What sparsedyn wrote "
        "needs no column options.",
        show_default=False,
    ),
]
