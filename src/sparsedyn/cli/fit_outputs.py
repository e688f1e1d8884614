"""`sparsedyn fit --outputs`: a sparse state-space model of a plant whose states are not measured."""

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.calibration import calibrate, fit_for_bands
from sparsedyn.cli.errors import Interrupted, UsageProblem
from sparsedyn.cli.held_out import SHARE, given, hold_out
from sparsedyn.cli.model_file import save_model
from sparsedyn.cli.output import findings, note, number, plural, show_json, show_pairs
from sparsedyn.cli.progress import duration
from sparsedyn.cli.source import ColumnOptions, read_columns, remarks, rows_apart
from sparsedyn.cli.techniques import check_techniques, techniques

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SparseStateSpace

ELSEWHERE: dict[str, Any] = {
    "states": None, "hold_out": SHARE, "activation": "relu", "skip": True, "members": 10, "epochs": None, "batch": 128,
    "rollout": 1, "learning_rate": 8e-3, "average": "none", "restart": False, "stream": None,
}  # fmt: skip
"""Options of networks of measured states, and their values where they are not given."""
LAYERS = "64,64,64"
"""What --hidden is where it is not given."""


def check_options(**given: Any) -> None:
    """Raise `UsageProblem` for options of networks of measured states, which --outputs has no use for."""
    for name, value in given.items():
        if (value or None) != (ELSEWHERE[name] or None):
            raise UsageProblem(
                f"--{name.replace('_', '-')}: expected it without --outputs, whose models are fitted to free "
                "runs. Leave one of the two out."
            )


def network_of(hidden: str, technique: list[str] | None) -> dict[str, Any]:
    """Return the parameters of a latent network, if its width or a technique is given; raises `UsageProblem`."""
    if hidden == LAYERS and not technique:
        return {}
    pieces = [piece.strip() for piece in hidden.split(",") if piece.strip()]
    if hidden != LAYERS and not (len(pieces) == 1 and pieces[0].isdecimal() and int(pieces[0]) >= 1):
        raise UsageProblem(f"--hidden: expected one width with --outputs, such as 32; got {hidden!r}.")
    check_techniques(technique or [])
    units = {} if hidden == LAYERS else {"nonlinear_units": int(pieces[0])}
    return {"units": "network", "technique": techniques(technique or []), **units}


def fit_outputs(
    data: Path,
    output: Path,
    columns: ColumnOptions,
    only: str | None,
    validation: Path | None,
    coverage: float | None,
    *,
    hidden: str = LAYERS,
    technique: list[str] | None = None,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fit to the outputs and inputs of a file and write the model; with a `coverage`, calibrate bands.

    These need rows that the model was not fitted to: those of `validation`, or a part of the records held out.
    """
    network = network_of(hidden, technique)
    train, columns = rows_apart(data, columns, only)
    others = None if validation is None else read_columns(validation, columns)
    held_out = None
    if coverage is not None:
        parts = hold_out(train, SHARE, seed) if others is None else given(train, others, str(validation))
        train, held_out = parts.train, fit_for_bands(parts.validation, coverage)
        note(parts.words, quiet=quiet)
    from sparsedyn.estimators import SparseStateSpace

    model = SparseStateSpace(seed=seed, **network)
    note(f"Fitting free runs over {plural(sum(train.lengths), 'row')} of {plural(len(train), 'record')}.", quiet=quiet)
    began = clock.monotonic()
    try:
        with remarks():
            model.fit(train, validation=others, progress=False if quiet else None)
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted; no model was written. The same command starts over.") from error
    bands = None if coverage is None or held_out is None else calibrate(model, held_out, coverage, quiet=quiet)
    save_model(model, output, columns)
    found = facts(model, train, output, clock.monotonic() - began) | {"bands": bands}
    if as_json:
        show_json(found)
    else:
        show_pairs(summary(found))


def facts(model: "SparseStateSpace", train: "Trajectories", output: Path, seconds: float) -> dict[str, Any]:
    """Return the facts of a fit, for JSON."""
    return {
        "model": str(output),
        "outputs": list(model.state_names_),
        "inputs": list(model.input_names_),
        "dt": model.dt_,
        "trajectories": len(train),
        "states": model.model_.sizes[0],
        "units": list(model.model_.acting),
        "nonzeros": float(model.nonzeros_.mean()),
        "weights": model.weights_,
        "held_out": model.held_out_,
        "equations": [statement.text() for statement in model.statements()],
        "report": findings(model.report_),
        "seconds": seconds,
    }


def summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of a fit in words."""
    return [
        ("model", facts["model"]),
        ("outputs", ", ".join(facts["outputs"])),
        ("inputs", ", ".join(facts["inputs"]) or "none"),
        ("states", f"{facts['states']} latent"),
        ("units", ", ".join(facts["units"]) or "none: the model is linear"),
        ("nonzeros", f"{facts['nonzeros']:,.0f} of {facts['weights']:,} weights"),
        ("held-out rows", f"{number(facts['held_out'])} standard deviations off in free runs"),
        ("fitted in", duration(facts["seconds"])),
        ("equations", "\n".join(facts["equations"])),
    ]
