"""`sparsedyn forecast`: how far ahead a model follows trajectories."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded
from sparsedyn.cli.files import check_new_folder
from sparsedyn.cli.model_file import load_model
from sparsedyn.cli.output import between, note, number, percent, show_json, show_table
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.source import ColumnOptions, read_columns, renamed
from sparsedyn.data.options import ReadOptions

if TYPE_CHECKING:
    import pandas as pd

    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SparseStateSpace, SparseTimeStepper
    from sparsedyn.forecast import Forecast

    Fitted = SparseTimeStepper | SparseStateSpace

USUAL = (100, 1000)

HELP = """
Forecast trajectories with a model and score the forecasts against what was recorded.

Every member starts from the first row of every trajectory and is given the recorded inputs, but no later
states: a free run. A horizon counts rows, the first included. The error (RFMSE) is the absolute error in
standard deviations of the training data, averaged over time and over the states. A forecast has diverged when
the error of any state exceeds 3 or is not finite; `diverged` is the share of such forecasts, and `rfmse` the mean
over the others. Intervals are 95 % bootstrap intervals over members and trajectories.

The columns are those that the model was trained with; column options are needed only where DATA has other names
(--trajectory "" for a file with a single trajectory and no column of labels).

Examples:

```
sparsedyn forecast model.safetensors new.csv
sparsedyn forecast model.safetensors new.csv --horizons 100,1000,5000 \\
    -o pictures
sparsedyn forecast cell.safetensors cell.npz --only 2 --json
```

A model that was calibrated has bands: the share of recorded values that they hold, and the share of rows near the
training data, follow.

A model with latent states is shown the first rows of a trajectory (--warmup), which are not scored.

With --json: `{"horizons": [...], "diverged": [...], "rfmse": [...], "nonzeros": ..., "rmse": {...}}` and more;
`nonzeros` is the mean over members; `rfmse` is null where every forecast diverged; `rmse` is the root mean squared
error of each state over the longest horizon, in the data's units.
"""

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `sparsedyn fit` wrote.", show_default=False)]
Horizons = Annotated[
    str | None,
    typer.Option(
        metavar="ROWS",
        help="Horizons in rows, comma separated; by default 100, 1000 and the length of the longest trajectory.",
    ),
]
WarmUp = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="ROWS",
        help="Rows that show a model with latent states where a trajectory begins; they are not scored, and horizons "
        "count from their end. By default 50, or a tenth of a short record.",
    ),
]  # fmt: skip
AnyUnits = Annotated[
    bool,
    typer.Option(
        "--any-units", help="Forecast even where values look as if they were in another unit than in training."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="DIR", rich_help_panel=options.OUTPUT,
        help="Write figures (PNG), scores (CSV) and the forecasts (NetCDF) to this folder.",
    ),
]  # fmt: skip


@guarded
@reads
def forecast(
    model: Model,
    data: options.DataFile,
    horizons: Horizons = None,
    warmup: WarmUp = None,
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
    reading: ReadOptions = PLAIN,
) -> None:
    """Forecast trajectories and score the forecasts."""
    rows = numbers(horizons) if horizons is not None else None
    if output is not None:
        check_new_folder(output, force=force)
    fitted, known = load_model(model)
    truth = recorded(fitted, data, ColumnOptions(states, inputs, time, trajectory, dt, reading), known, only)
    forecasts, rows = free_runs(fitted, truth, rows, warmup, check_units=not any_units)
    scores = forecasts.score(rows)
    for finding in forecasts.report:
        note(finding.message, quiet=quiet)
    if lost := sum(not alive for alive in getattr(fitted, "alive_", ())):
        note(f"{lost} of {len(forecasts.predicted)} members failed in training; they count as diverged.", quiet=quiet)
    if output is not None:
        from sparsedyn.cli.pictures import write_pictures

        write_pictures(forecasts, scores, fitted, output)
        note(f"Figures, scores and forecasts are in {output}.", quiet=quiet)
    if as_json:
        show_json(facts(scores, forecasts, fitted))
    else:
        show_scores(scores, forecasts, fitted)


def numbers(text: str) -> list[int]:
    """Return comma separated horizons; raises `UsageProblem`."""
    try:
        rows = [int(piece) for piece in text.split(",") if piece.strip()]
    except ValueError:
        rows = []
    if not rows or min(rows) < 2:
        raise UsageProblem(f"--horizons: expected numbers of rows of at least 2, such as 100,1000; got {text!r}.")
    return rows


def free_runs(
    model: "Fitted", truth: "Trajectories", rows: list[int] | None, warmup: int | None, *, check_units: bool
) -> "tuple[Forecast, list[int]]":
    """Return forecasts, and the horizons to score; raises `UsageProblem` for a warm-up where there is none."""
    from sparsedyn.estimators import SparseStateSpace

    if isinstance(model, SparseStateSpace):
        made = model.forecast(truth, warmup=warmup, check_units=check_units)
        return made, rows or usual_horizons(max(truth.lengths) - made.warmup)
    if warmup is not None:
        raise UsageProblem("--warmup: expected a model with latent states; this one starts from the first row.")
    rows = rows or usual_horizons(max(truth.lengths))
    return model.forecast(truth.head(max(rows)), check_units=check_units), rows


def usual_horizons(longest: int) -> list[int]:
    """Return the horizons that are scored by default."""
    return sorted({rows for rows in (*USUAL, longest) if rows <= longest})


def recorded(
    model: "Fitted", path: Path, given: ColumnOptions, known: ColumnOptions, only: str | None
) -> "Trajectories":
    """Read the recorded trajectories: the columns given on the command line, else those of training."""
    from sparsedyn.data import DataError

    own = ColumnOptions(states=",".join(model.state_names_), inputs=",".join(model.input_names_))
    columns = given.over(known.over(own))
    try:
        return named_alike(read_columns(path, columns, only), model)
    except DataError as error:
        if not given.given:
            # A file that describes itself refuses column options; any other needs them.
            try:
                return read_columns(path, own, only)
            except DataError:
                pass
        raise DataError(f"{error}\nColumn options, as in training unless given: {columns.options()}.") from error


def named_alike(data: "Trajectories", model: "Fitted") -> "Trajectories":
    """Return the data under the names of the model, where another file has as many columns of other names."""
    same = data.state_names == model.state_names_ and data.input_names == model.input_names_
    counts = (
        len(data.state_names) == len(model.state_names_),
        len(data.input_names) == len(model.input_names_),
    )
    if same or not all(counts):
        return data
    return renamed(data, model.state_names_, model.input_names_)


def facts(scores: "pd.DataFrame", forecasts: "Forecast", model: "Fitted") -> dict[str, Any]:
    """Return the scores for JSON: a list per quantity, an entry per horizon."""
    first = ("horizon", "diverged", "rfmse")
    more = [name for name in scores.columns if name not in first]
    return {
        "horizons": scores["horizon"],
        "diverged": scores["diverged"],
        "rfmse": scores["rfmse"],
        "nonzeros": float(model.nonzeros_.mean()),
        "rmse": dict(zip(forecasts.state_names, forecasts.rmse(), strict=True)),
        **{str(name): scores[name] for name in more},
        "nonzeros_per_member": model.nonzeros_,
        "weights": model.weights_,
        "members": len(forecasts.predicted),
        "trajectories": list(forecasts.labels),
        "valid_time": float(forecasts.valid_time().mean()),
        "dt": forecasts.dt,
        "warmup": forecasts.warmup,
        "report": [{"check": finding.check, "message": finding.message} for finding in forecasts.report],
        **band_facts(forecasts, [int(rows) for rows in scores["horizon"]]),
    }


def band_facts(forecasts: "Forecast", horizons: Sequence[int]) -> dict[str, Any]:
    """Return what the bands of a calibrated model hold, up to the horizons that they reach; nothing without them."""
    calibration = forecasts.calibration
    if calibration is None or not forecasts.has_bands:
        return {}
    reached = [rows for rows in horizons if calibration.edges[0] < rows <= calibration.edges[-1]]
    if not reached:
        return {}
    table = forecasts.coverage(reached)
    return {"bands": {"coverage": calibration.coverage, **table.to_dict(orient="list")}}


def show_scores(scores: "pd.DataFrame", forecasts: "Forecast", model: "Fitted") -> None:
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
        f"{len(forecasts.predicted)} members with {model.nonzeros_.mean():,.0f} of {model.weights_:,} weights, "
        f"{len(forecasts.labels)} trajectories"
    )
    show_table(names, rows, title=title)
    if bands := band_facts(forecasts, [int(one) for one in scores["horizon"]]):
        show_bands(bands["bands"])


def show_bands(bands: dict[str, Any]) -> None:
    """Write what the bands hold as a table."""
    columns = ("horizon", "covered", "covered_last", "trusted")
    rows = [
        (f"{horizon:,}", *map(percent, shares)) for horizon, *shares in zip(*(bands[c] for c in columns), strict=True)
    ]
    names = ("horizon", "in the band", "in its last tenth", "rows near training")
    show_table(names, rows, title=f"Bands calibrated for {percent(bands['coverage'])} of recorded values")
