"""`sparsedyn forecast`: how far ahead a model follows trajectories."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded
from sparsedyn.cli.files import check_new_folder
from sparsedyn.cli.model_file import load_model
from sparsedyn.cli.output import between, note, number, percent, show_json, show_table
from sparsedyn.cli.source import Columns, read_columns, renamed

if TYPE_CHECKING:
    import pandas as pd

    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SparseTimeStepper
    from sparsedyn.forecast import Forecast

USUAL = (100, 1000)

HELP = """
Forecast trajectories with a model and score the forecasts against what was recorded.

Every member starts from the first row of every trajectory and follows its recorded inputs; from then on it
sees its own states only. A horizon counts rows, the first included. The error (RFMSE) is the mean absolute
error over time in standard deviations of the training data, mean over the states. A forecast has diverged
when the error of any state exceeds 3, or is no finite number; `diverged` is the share of such forecasts, and
`rfmse` the mean over the others. Intervals are 95 % bootstrap intervals over members and trajectories.

The columns are those that the model was trained with; the column options are needed only where DATA names
them differently (--trajectory "" for a file that holds a single trajectory and no such column).

Examples:

```
sparsedyn forecast model.safetensors new.csv
sparsedyn forecast model.safetensors new.csv --horizons 100,1000,5000 \\
    -o pictures
sparsedyn forecast cell.safetensors cell.npz --only 2 --json
```

With --json: `{"horizons": [...], "diverged": [...], "rfmse": [...], "nonzeros": ...}` and more; `nonzeros` is
the mean over members, and null stands where every forecast diverged.
"""

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `sparsedyn fit` wrote.", show_default=False)]
Horizons = Annotated[
    str | None,
    typer.Option(
        metavar="ROWS",
        help="Horizons in rows, comma separated; by default 100, 1000 and the longest trajectory.",
    ),
]
AnyUnits = Annotated[
    bool,
    typer.Option(
        "--any-units", help="Forecast also where values look as if they were in another unit than in training."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="DIR", rich_help_panel=options.OUTPUT,
        help="Write pictures (PNG), scores (CSV) and the forecasts themselves (NetCDF) to this folder.",
    ),
]  # fmt: skip


@guarded
def forecast(
    model: Model,
    data: options.DataFile,
    horizons: Horizons = None,
    states: options.States = None,
    inputs: options.Inputs = None,
    time: options.Time = None,
    trajectory: options.Trajectory = None,
    dt: options.SampleTime = None,
    only: options.Only = None,
    any_units: AnyUnits = False,
    output: Folder = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Forecast and score."""
    rows = numbers(horizons) if horizons is not None else None
    if output is not None:
        check_new_folder(output, force=force)
    stepper, known = load_model(model)
    truth = recorded(stepper, data, Columns(states, inputs, time, trajectory, dt), known, only)
    rows = rows or usual_horizons(max(truth.lengths))
    forecasts = stepper.forecast(truth.head(max(rows)), check_units=not any_units)
    scores = forecasts.score(rows)
    if not stepper.alive_.all():
        note(f"{(~stepper.alive_).sum()} of {stepper.members} members died in training: diverged.", quiet=quiet)
    if output is not None:
        from sparsedyn.cli.pictures import write_pictures

        write_pictures(forecasts, scores, stepper, output)
        note(f"Pictures, scores and forecasts are in {output}.", quiet=quiet)
    if as_json:
        show_json(facts(scores, forecasts, stepper))
    else:
        show_scores(scores, forecasts, stepper)


def numbers(text: str) -> list[int]:
    """Return comma separated horizons; raises `UsageProblem`."""
    try:
        rows = [int(piece) for piece in text.split(",") if piece.strip()]
    except ValueError:
        rows = []
    if not rows or min(rows) < 2:
        raise UsageProblem(f"--horizons: expected numbers of rows of at least 2, such as 100,1000; got {text!r}.")
    return rows


def usual_horizons(longest: int) -> list[int]:
    """Return the horizons that are scored when none are asked for."""
    return sorted({rows for rows in (*USUAL, longest) if rows <= longest})


def recorded(
    stepper: "SparseTimeStepper", path: Path, asked: Columns, known: Columns, only: str | None
) -> "Trajectories":
    """Read what was recorded: the columns that are asked for, else those of training."""
    from sparsedyn.data import DataError

    own = Columns(states=",".join(stepper.state_names_), inputs=",".join(stepper.input_names_))
    columns = asked.over(known.over(own))
    try:
        return named_alike(read_columns(path, columns, only), stepper)
    except DataError as error:
        if not asked.given:
            # A file that describes itself refuses to be told its columns; any other is not read without them.
            try:
                return read_columns(path, own, only)
            except DataError:
                pass
        raise DataError(f"{error}\nThe columns asked for, as in training unless given: {columns.options()}.") from error


def named_alike(data: "Trajectories", stepper: "SparseTimeStepper") -> "Trajectories":
    """Call columns that another file names differently as the model does; their number must be the same."""
    same = data.state_names == stepper.state_names_ and data.input_names == stepper.input_names_
    counts = (
        len(data.state_names) == len(stepper.state_names_),
        len(data.input_names) == len(stepper.input_names_),
    )
    if same or not all(counts):
        return data
    return renamed(data, stepper.state_names_, stepper.input_names_)


def facts(scores: "pd.DataFrame", forecasts: "Forecast", stepper: "SparseTimeStepper") -> dict[str, Any]:
    """Return the scores for JSON: a list per quantity, an entry per horizon."""
    first = ("horizon", "diverged", "rfmse")
    more = [name for name in scores.columns if name not in first]
    return {
        "horizons": scores["horizon"],
        "diverged": scores["diverged"],
        "rfmse": scores["rfmse"],
        "nonzeros": float(stepper.nonzeros_.mean()),
        **{str(name): scores[name] for name in more},
        "nonzeros_per_member": stepper.nonzeros_,
        "weights": stepper.weights_,
        "members": stepper.members,
        "trajectories": list(forecasts.labels),
        "valid_time": float(forecasts.valid_time().mean()),
        "dt": forecasts.dt,
    }


def show_scores(scores: "pd.DataFrame", forecasts: "Forecast", stepper: "SparseTimeStepper") -> None:
    """Write the scores as a table."""
    rows = [
        (
            f"{row['horizon']:,}",
            f"{row['horizon'] * forecasts.dt:g} s",
            str(row["forecasts"]),
            percent(row["diverged"]),
            between(row["diverged_low"], row["diverged_high"], 100.0),
            number(row["rfmse"]),
            number(row["rfmse_std"]),
            between(row["rfmse_low"], row["rfmse_high"]),
        )
        for row in scores.to_dict(orient="records")
    ]
    names = ("horizon", "time", "forecasts", "diverged", "95 %", "RFMSE", "spread", "95 %")
    title = (
        f"{stepper.members} members with {stepper.nonzeros_.mean():,.0f} of {stepper.weights_:,} weights, "
        f"{len(forecasts.labels)} trajectories"
    )
    show_table(names, rows, title=title)
