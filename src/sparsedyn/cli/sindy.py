"""`sparsedyn sindy`: equations of trajectories, by sparse regression."""

import time as clock
from typing import TYPE_CHECKING, Any

from sparsedyn.cli import equation_options, options, sindy_options
from sparsedyn.cli.calibration import Calibrate, Coverage, fit_for_bands
from sparsedyn.cli.calibration import calibrate as calibrated
from sparsedyn.cli.equation_options import EXACT, SHOWN
from sparsedyn.cli.equations import statement_facts
from sparsedyn.cli.errors import Interrupted, UsageProblem, guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.forecast import usual_horizons
from sparsedyn.cli.held_out import hold_out as held
from sparsedyn.cli.model_file import save_model
from sparsedyn.cli.output import findings, note, number, percent, plural, show_json, show_pairs, show_text
from sparsedyn.cli.progress import duration
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.sindy_terms import functions_of, known_of, lags_of, restrictions_of, threshold_of
from sparsedyn.cli.source import ColumnOptions, expanded, read_columns, remarks, rows_apart
from sparsedyn.cli.values import check_choice
from sparsedyn.data.options import ReadOptions

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SINDy

HELP = """
Find the equations that trajectories follow: derivatives as sums of few terms, by sparse regression (SINDy).

DATA is a table as for `sparsedyn fit`: say which columns are states and inputs, which one is the time (or give --dt),
and which one tells trajectories apart. Terms are products of states and inputs up to --degree, and --functions of
them. By default as many are kept as the data call for, whatever the units; what is doubtful about the data or the
equations is said.

Examples:

```
sparsedyn sindy lorenz.csv --states x,y,z --time t
sparsedyn sindy tank.csv --states level --inputs flow --time t \\
    --trajectory run --hold-out 0.2 -o tank.safetensors
sparsedyn sindy arm.csv --states angle --order 2 --functions sin,cos \\
    --degree 1 --time t
sparsedyn sindy counts.csv --states n --discrete
sparsedyn sindy oven.csv --states temperature --inputs power --time t \\
    --discrete --lags auto
sparsedyn sindy swing.csv --states x,v --time t --fix "x: v = 1" \\
    --bound "v: v <= 0" --exclude "x: 1, x"
```

Inputs that never change are in no equation: their effect is in the constant. With --hold-out a share of the data is
not fitted to, and scored: R^2 of derivatives, and the error of forecasts from the first row.

`sparsedyn forecast` forecasts with a model that -o wrote, `sparsedyn equations` prints it. With --json: `{"equations":
["dx/dt = ..."], "coefficients": {"x": {"y": ...}}, "latex": [...], "report": [...]}` and more, constants with all their
digits unless --digits is given.
"""


@guarded
@reads
def sindy(
    data: options.DataFile,
    states: options.States = None,
    inputs: options.Inputs = None,
    time: options.Time = None,
    trajectory: options.Trajectory = None,
    dt: options.SampleTime = None,
    only: options.Only = None,
    x_dot: sindy_options.XDot = None,
    x_ddot: sindy_options.XDDot = None,
    validation: sindy_options.Validation = None,
    hold_out: sindy_options.HoldOut = 0.0,
    degree: sindy_options.Degree = 2,
    functions: sindy_options.Functions = None,
    constant: sindy_options.Constant = True,
    order: sindy_options.Order = 1,
    known: sindy_options.Known = None,
    fix: sindy_options.Fix = None,
    bound: sindy_options.Bound = None,
    exclude: sindy_options.Exclude = None,
    terms: sindy_options.Only = None,
    threshold: sindy_options.Threshold = "auto",
    scale: sindy_options.Scale = "coefficients",
    discrete: sindy_options.Discrete = False,
    lags: sindy_options.Lags = "0",
    inputs_between: sindy_options.Between = "auto",
    derivative: sindy_options.DerivativeChoice = "auto",
    weak: sindy_options.Weak = None,
    refine: sindy_options.Refine = None,
    ensemble: sindy_options.Ensemble = None,
    calibrate: Calibrate = False,
    coverage: Coverage = 0.9,
    seed: options.Seed = 0,
    output: sindy_options.Model = None,
    digits: equation_options.Digits = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    reading: ReadOptions = PLAIN,
) -> None:
    """Find equations, print them, and write the model if asked to."""
    if output is not None:
        check_new_file(output, force=force)
    check_choice("--inputs-between", inputs_between, sindy_options.BETWEEN)
    check_choice("--derivative", derivative, sindy_options.DERIVATIVES)
    check_choice("--scale", scale, sindy_options.SCALES)
    measured = Derivatives(states, x_dot, x_ddot, order)
    if discrete:
        check_discrete(order=order, weak=weak, x_dot=x_dot, inputs_between=inputs_between)
    if calibrate and not hold_out:
        raise UsageProblem("--calibrate: expected along with --hold-out, on whose data bands are calibrated; got none.")
    model = unfitted(
        restrictions_of(fix, bound, exclude, terms), degree=degree, threshold=threshold_of(threshold),
        functions=functions_of(functions), constant=constant, order=order, ensemble=ensemble, known=known_of(known),
        weak="auto" if weak is None else weak, derivative=derivative, inputs=inputs_between,
        time="discrete" if discrete else "continuous", seed=seed, scale=scale,
        refine="auto" if refine is None else refine, lags=lags_of(lags, discrete=discrete),
    )  # fmt: skip
    columns = ColumnOptions(measured.columns, inputs, time, trajectory, dt, reading)
    read, columns = rows_apart(data, columns, only) if discrete else (read_columns(data, columns, only), columns)
    others = None if validation is None else read_columns(validation, columns._replace(states=states))
    parts = held(read, hold_out, seed) if hold_out else None
    train = read if parts is None else parts.train
    held_out = fit_for_bands(parts.validation, coverage) if parts is not None and calibrate else None
    rows, records = plural(sum(train.lengths), "row"), plural(len(train), "trajectory")
    note(f"Finding equations in {rows} of {records}." + (f" {parts.words}" if parts else ""), quiet=quiet)
    began = clock.monotonic()
    try:
        with remarks(quiet=quiet), parameters():
            model.fit(*measured.of(train), validation=others)
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted; nothing was written. The same command starts over.") from error
    bands = None
    if held_out is not None:
        bands = calibrated(model, measured.of(held_out)[0], coverage, quiet=quiet)
    if output is not None:
        save_model(model, output, columns._replace(states=states))
    found = facts(model, EXACT if digits is None else digits)
    if parts is not None and parts.validation is not None:
        with remarks(quiet=quiet):
            found["held_out"] = parts.facts | scores(model, measured.of(parts.validation))
    found |= {
        "bands": bands,
        "rows": sum(train.lengths),
        "seconds": clock.monotonic() - began,
        "model": output and str(output),
    }
    if as_json:
        show_json(found)
    else:
        show_text("\n".join(statement.text(digits or SHOWN) for statement in model.statements()))
        show_pairs(summary(found))


class Derivatives:
    """Measured derivatives, which are read as further states, and told apart again."""

    def __init__(self, states: str | None, x_dot: str | None, x_ddot: str | None, order: int):
        """Take the names as they were typed; raises `UsageProblem`."""
        if x_dot is not None and states is None:
            raise UsageProblem("--x-dot: expected along with --states, in whose order derivatives are; got it alone.")
        if x_ddot is not None and (x_dot is None or order == 1):
            raise UsageProblem("--x-ddot: expected along with --order 2 and velocities as --x-dot; got it without.")
        self.columns = None if states is None else ",".join(filter(None, (states, x_dot, x_ddot)))
        self.kinds = 1 + (x_dot is not None) + (x_ddot is not None)
        self.given = states, x_dot, x_ddot
        counts = [len(names_in(text)) for text in self.given if text is not None]
        if len(set(counts)) > 1:
            raise UsageProblem(
                f"--x-dot, --x-ddot: expected a column for each of {plural(counts[0], 'state')}; got "
                f"{' and '.join(map(str, counts[1:]))}."
            )

    def of(self, data: "Trajectories") -> tuple[Any, ...]:
        """Return the arguments of `SINDy.fit` and `SINDy.score` in their places: x, t, u and derivatives."""
        if self.kinds == 1:
            return (data,)
        width = len(data.state_names) // self.kinds
        parts = [[x[:, i * width : (i + 1) * width] for x in data.states] for i in range(1, self.kinds)]
        return data.select(data.state_names[:width]), None, None, *parts


def names_in(text: str) -> list[str]:
    """Return the names in a comma separated text, ranges written out."""
    found = expanded(text)
    return [name for name in text.split(",") if name.strip()] if isinstance(found, str) else list(found or ())


def check_discrete(*, order: int, weak: bool | None, x_dot: str | None, inputs_between: str) -> None:
    """Raise `UsageProblem` for options that are about derivatives."""
    given = {
        "--order 2": order == 2, "--weak": bool(weak), "--x-dot": x_dot is not None,
        "--inputs-between interpolated": inputs_between == "interpolated",
    }  # fmt: skip
    for option, there in given.items():
        if there:
            raise UsageProblem(f"{option}: expected none along with --discrete, whose equations have no derivatives.")


def unfitted(restrictions: dict[str, Any], **settings: Any) -> "SINDy":
    """Return the estimator that the options describe; raises `UsageProblem`."""
    from sparsedyn.estimators import SINDy
    from sparsedyn.estimators.sindy import Constraints

    with parameters():
        model = SINDy(constraints=Constraints(**restrictions) if restrictions else None, **settings)
        model.check_parameters()
    return model


def scores(model: "SINDy", arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return how well equations hold on data that they were not fitted to."""
    data = arguments[0]
    found: dict[str, Any] = {"r2": model.score(*arguments)}
    if not data.regular:
        return found
    forecasts = model.forecast(data, check_units=False)
    horizons = usual_horizons(max(data.lengths) - forecasts.warmup)
    table = forecasts.score(horizons)
    return found | {
        "rmse": dict(zip(forecasts.state_names, forecasts.rmse(), strict=True)),
        "horizons": horizons,
        "diverged": table["diverged"],
        "rfmse": table["rfmse"],
    }


def facts(model: "SINDy", digits: int) -> dict[str, Any]:
    """Return what was found, for JSON."""
    table = model.coefficients()
    kept = {name: {term: value for term, value in column.items() if value} for name, column in table.items()}
    return statement_facts(model, digits) | {
        "coefficients": kept,
        "states": list(model.state_names_),
        "inputs": list(model.input_names_),
        "inputs_between": model.inputs_ if model.input_names_ else None,
        "time": model.time_,
        "dt": model.dt_,
        "lags": model.delays_.lags,
        "dead_times": dict(zip(model.input_names_, model.delays_.dead_times, strict=False)),
        "nonzeros": int(table.astype(bool).to_numpy().sum()),
        "terms": table.size,
        "report": findings(model.report_),
    }


def summary(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what else there is to say of a fit, in words."""
    said = [("terms", f"{found['nonzeros']} of {found['terms']}")]
    if found["inputs_between"] and found["time"] == "continuous":
        said.append(("inputs", f"{found['inputs_between']} between rows"))
    if found["lags"] or any(found["dead_times"].values()):
        dead = ", ".join(f"{name} {rows}" for name, rows in found["dead_times"].items() if rows)
        said.append(("lags", f"{found['lags']} rows" + (f"; dead times in rows: {dead}" if dead else "")))
    if held_out := found.get("held_out"):
        said.append(("held out", f"R^2 {number(held_out['r2'], 4)} of {OF[found['time']]}"))
        rows = zip(held_out.get("horizons", ()), held_out.get("diverged", ()), held_out.get("rfmse", ()), strict=True)
        said += [
            ("", f"over {rows:,} rows {percent(diverged)} of forecasts diverged, RFMSE {number(rfmse)}")
            for rows, diverged, rfmse in rows
        ]
    said.append(("fitted in", duration(found["seconds"])))
    return said + ([("model", found["model"])] if found["model"] else [])


OF = {"continuous": "derivatives", "discrete": "next rows"}
