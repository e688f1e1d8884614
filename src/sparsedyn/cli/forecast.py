"""`sparsedyn forecast`: how far ahead a model follows trajectories."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded
from sparsedyn.cli.files import check_new_folder
from sparsedyn.cli.model_file import load_model
from sparsedyn.cli.output import note, show_json
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.recorded import recorded
from sparsedyn.cli.scores import facts, show_scores
from sparsedyn.cli.source import ColumnOptions
from sparsedyn.data.options import ReadOptions

if TYPE_CHECKING:
    from sparsedyn.cli.model_file import Fitted
    from sparsedyn.data import Trajectories
    from sparsedyn.forecast import Forecast

USUAL = (100, 1000)


HELP = """
Forecast trajectories with a model and score the forecasts against what was recorded.

Every member starts from the first row of every trajectory and is given the recorded inputs, but no later
states: a free run. A horizon counts rows, the first included. The error (RFMSE) is the absolute error in
standard deviations of the training data, averaged over time and over the states. A forecast has diverged when
the error of any state exceeds 3 or is not finite; `diverged` is the share of such forecasts, and `rfmse` the mean
over the others. Intervals are 95 % bootstrap intervals over members and trajectories.

The columns are those that the model was trained with; column options are needed only where DATA has other names
(--trajectory "" for a file with a single trajectory and no column of labels). Other names stand for those of the model
in its order; its own are taken by name.

Examples:

```
sparsedyn forecast model.safetensors new.csv
sparsedyn forecast model.safetensors new.csv --horizons 100,1000,5000 \\
    -o pictures
sparsedyn forecast cell.safetensors cell.npz --only 2 --json
```

A model that was calibrated (`sparsedyn fit --calibrate`) has bands: the share of recorded values that they hold, and
the rows far from the training data, follow; -o draws them and writes `bands.csv`, a row per time and state with
`lower`, `upper` and `trust`.

A model with latent states, or with lags, is shown the first rows of a trajectory (--warmup), which are not scored.

With --json: `{"horizons": [...], "diverged": [...], "rfmse": [...], "nonzeros": ..., "rmse": {...}}` and more;
`nonzeros` is the mean over members; `rfmse` is null where every forecast diverged; `rmse` is the root mean squared
error of each state over the longest horizon, in the data's units. With bands, `bands` is what they hold, and `trust`
says of every row whether it is near the training data.
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
        help="Rows that show a model with latent states, or with lags, where a trajectory begins; they are not scored, "
        "and horizons count from their end. By default 50, or a tenth of a short record; as few as lags need.",
    ),
]  # fmt: skip
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
    any_units: options.AnyUnits = False,
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
    columns = ColumnOptions(states, inputs, time, trajectory, dt, reading)
    truth = recorded(fitted, data, columns, known, only, quiet=quiet)
    forecasts, rows = free_runs(fitted, truth, rows, warmup, check_units=not any_units)
    scores = forecasts.score(rows)
    if forecasts.calibration is not None and not forecasts.has_bands:
        rows_shown = int(forecasts.calibration.edges[0])
        note(
            f"Without bands: they were calibrated with a warm-up of {rows_shown} rows (--warmup {rows_shown}).",
            quiet=quiet,
        )
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
    from sparsedyn.estimators import EquationLearner, SINDy, SparseStateSpace

    if isinstance(model, SparseStateSpace) or (isinstance(model, EquationLearner | SINDy) and model.delays_.rows):
        made = model.forecast(truth, warmup=warmup, check_units=check_units)
        return made, rows or usual_horizons(max(truth.lengths) - made.warmup)
    if warmup is not None:
        raise UsageProblem(
            "--warmup: expected a model with latent states, or with lags; this one starts from the first row."
        )
    rows = rows or usual_horizons(max(truth.lengths))
    return model.forecast(truth.head(max(rows)), check_units=check_units), rows


def usual_horizons(longest: int) -> list[int]:
    """Return the horizons that are scored by default."""
    return sorted({rows for rows in (*USUAL, longest) if rows <= longest})
