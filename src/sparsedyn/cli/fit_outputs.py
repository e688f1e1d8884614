"""`sparsedyn fit --outputs`: a sparse state-space model of a plant whose states are not measured."""

import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn.cli.errors import Interrupted, UsageProblem
from sparsedyn.cli.held_out import SHARE
from sparsedyn.cli.model_file import save_model
from sparsedyn.cli.output import note, number, plural, show_json, show_pairs
from sparsedyn.cli.progress import duration
from sparsedyn.cli.source import ColumnOptions, read_columns, remarks

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SparseStateSpace

ELSEWHERE: dict[str, Any] = {
    "states": None, "hold_out": SHARE, "hidden": "64,64,64", "technique": None, "activation": "relu", "skip": True,
    "members": 10, "epochs": None, "batch": 128, "learning_rate": 2e-3, "average": "none", "restart": False,
}  # fmt: skip
"""Options of networks, and their values where they are not given."""


def check_options(**given: Any) -> None:
    """Raise `UsageProblem` for options of networks, which --outputs has no use for."""
    for name, value in given.items():
        if (value or None) != (ELSEWHERE[name] or None):
            raise UsageProblem(
                f"--{name.replace('_', '-')}: expected it with --states; got it with --outputs, whose models are no "
                "networks. Leave one of the two out."
            )


def fit_outputs(
    data: Path,
    output: Path,
    columns: ColumnOptions,
    only: str | None,
    validation: Path | None,
    *,
    seed: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fit to the outputs and inputs of a file and write the model."""
    train, columns = rows_apart(data, columns, only)
    others = None if validation is None else read_columns(validation, columns)
    from sparsedyn.estimators import SparseStateSpace

    model = SparseStateSpace(seed=seed)
    note(f"Fitting free runs over {plural(sum(train.lengths), 'row')} of {plural(len(train), 'record')}.", quiet=quiet)
    began = clock.monotonic()
    try:
        with remarks():
            model.fit(train, validation=others, progress=False if quiet else None)
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted; no model was written. The same command starts over.") from error
    save_model(model, output, columns)
    found = facts(model, train, output, clock.monotonic() - began)
    if as_json:
        show_json(found)
    else:
        show_pairs(summary(found))


def rows_apart(path: Path, columns: ColumnOptions, only: str | None) -> "tuple[Trajectories, ColumnOptions]":
    """Read records, and return them with the options that were used: without times, rows are one apart."""
    from sparsedyn.data import DataError

    if columns.time is not None or columns.dt is not None:
        return read_columns(path, columns, only), columns
    counted = columns._replace(dt=1.0)
    try:
        return read_columns(path, columns, only), columns
    except DataError as error:
        try:
            return read_columns(path, counted, only), counted
        except DataError as other:
            # Only a file that describes itself has times of its own, and refuses others.
            raise (error if "--dt" not in str(error) and "dt" in str(other) else other) from other


def facts(model: "SparseStateSpace", train: "Trajectories", output: Path, seconds: float) -> dict[str, Any]:
    """Return the facts of a fit, for JSON."""
    from sparsedyn.equations import text

    names = [f"{name}[k+1]" for name in model.latent_names_] + [f"{name}[k]" for name in model.state_names_]
    pairs = zip(names, model.equations(), strict=True)
    return {
        "model": str(output),
        "outputs": list(model.state_names_),
        "inputs": list(model.input_names_),
        "dt": model.dt_,
        "trajectories": len(train),
        "states": model.model_.sizes[0],
        "units": list(model.model_.units),
        "nonzeros": float(model.nonzeros_.mean()),
        "weights": model.weights_,
        "held_out": model.held_out_,
        "equations": [f"{name} = {text(right)}" for name, right in pairs],
        "report": [{"check": finding.check, "message": finding.message} for finding in model.report_],
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
