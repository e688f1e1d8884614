"""`sparsedyn fit`: an ensemble of sparse networks from a file of trajectories."""

import time as clock
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn._stopping import patient
from sparsedyn.cli import fit_options, options
from sparsedyn.cli.calibration import Calibrate, Coverage, fit_for_bands
from sparsedyn.cli.calibration import calibrate as calibrated
from sparsedyn.cli.errors import Interrupted, UsageProblem, guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.held_out import ENOUGH, SHARE, Parts, given, hold_out
from sparsedyn.cli.model_file import save_model
from sparsedyn.cli.output import findings, note, number, plural, show_json, show_pairs
from sparsedyn.cli.progress import duration, reading_progress, training_progress
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.source import ColumnOptions, read_columns
from sparsedyn.cli.techniques import DEFAULT, FOR_FEW, check_techniques, techniques
from sparsedyn.cli.values import check_choice, check_positive
from sparsedyn.data.options import ReadOptions

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories
    from sparsedyn.estimators import SparseTimeStepper

EPOCHS, STEPS, MAX_EPOCHS = 60, 30_000, 2_000
"""Small data sets are passed over more often: what counts is how many steps the optimizer takes."""

HELP = """
Learn a model of a plant from its trajectories: an ensemble of sparse networks from states and inputs to
derivatives.

DATA is a table with a row per sample: say which columns are states and inputs, which one is the time (or give
--dt), and which one tells trajectories apart. The model is one file; it stores these column options, so that
`sparsedyn forecast` need not repeat them. States and inputs are standardized with the mean and the standard
deviation of the training data.

Where states are not measured, --outputs names what is: the model is then a sparse state-space model with latent
states, few nonlinear units and few weights, fitted to free runs (`sparsedyn.SparseStateSpace`); without --time and --dt
its rows are one apart.

With --calibrate, bands around forecasts are calibrated on the data held out; `sparsedyn forecast` shows them, how many
recorded values they hold, and which rows are far from the training data.

By default the networks are sparse: an L1 penalty of 1e-4 and gradual magnitude pruning to 75 % zeros by half
of the training. With fewer than five trajectories the penalty is 1e-3. Part of the data is held out, and each
member keeps the weights, of those since its last pruning, that forecast the held-out data best. A run that was
killed continues from its checkpoint when the same command is given again.

Examples:

```
sparsedyn fit plant.csv --states a,b --inputs c,d --time t \\
    --trajectory run -o model.safetensors
sparsedyn fit train.npz --validation val.npz -o model.safetensors
sparsedyn fit cell.npz --states x1..x8 --inputs x9..x13 --dt 10 \\
    --only 0,1 -o cell.safetensors
sparsedyn fit circuit.csv --outputs y --inputs u -o circuit.safetensors
sparsedyn fit train.npz -o small.safetensors --hidden 32,32 --no-skip \\
    --technique l1:1e-4 --technique magnitude:0.9,scope=global
```
"""


@guarded
@reads
def fit(
    data: options.DataFile,
    output: fit_options.Model,
    states: options.States = None,
    inputs: options.Inputs = None,
    outputs: fit_options.Outputs = None,
    time: options.Time = None,
    trajectory: options.Trajectory = None,
    dt: options.SampleTime = None,
    only: options.Only = None,
    validation: fit_options.Validation = None,
    hold_out: fit_options.HoldOut = SHARE,
    stream: fit_options.Stream = None,
    hidden: fit_options.Hidden = "64,64,64",
    technique: fit_options.Technique = None,
    activation: fit_options.Activation = "relu",
    skip: fit_options.Skip = True,
    members: fit_options.Members = 10,
    epochs: fit_options.Epochs = None,
    batch: fit_options.Batch = 128,
    rollout: fit_options.Rollout = 1,
    learning_rate: fit_options.LearningRate = 8e-3,
    average: fit_options.Average = "none",
    calibrate: Calibrate = False,
    coverage: Coverage = 0.9,
    seed: options.Seed = 0,
    restart: fit_options.Restart = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    reading: ReadOptions = PLAIN,
) -> None:
    """Train on the data of a file and write the model."""
    check_new_file(output, force=force)
    if outputs is not None:
        from sparsedyn.cli.fit_outputs import check_options, fit_outputs

        check_options(
            states=states, hold_out=hold_out, activation=activation, skip=skip, members=members, epochs=epochs,
            batch=batch, rollout=rollout, learning_rate=learning_rate, average=average, restart=restart,
            stream=stream,
        )  # fmt: skip
        columns = ColumnOptions(outputs, inputs, time, trajectory, dt, reading)
        fit_outputs(
            data, output, columns, only, validation, coverage if calibrate else None,
            hidden=hidden, technique=technique, seed=seed, quiet=quiet, as_json=as_json,
        )  # fmt: skip
        return
    if calibrate and validation is None and not hold_out:
        raise UsageProblem(
            "--calibrate: expected data that are held out; got --hold-out 0. Leave it, or give --validation."
        )
    stepper = unfitted(
        hidden=hidden, technique=technique or DEFAULT, activation=activation, skip=skip, members=members,
        epochs=epochs or EPOCHS, batch=batch, rollout=rollout, learning_rate=learning_rate, average=average, seed=seed,
    )  # fmt: skip
    columns = ColumnOptions(states, inputs, time, trajectory, dt, reading)
    recorded = read_columns(data, columns, only) if stream is None else streamed(data, columns, only, stream, quiet)
    parts = divided(recorded, validation, columns, hold_out, seed)
    suit(stepper, parts.train, technique=not technique, epochs=epochs is None)
    held_out = fit_for_bands(parts.validation, coverage) if calibrate else None
    note(introduction(stepper, parts), quiet=quiet)
    began = clock.monotonic()
    checkpoint = checkpoint_path(output)
    if restart:
        checkpoint.unlink(missing_ok=True)
    train(stepper, parts, checkpoint, quiet=quiet)
    bands = None if held_out is None else calibrated(stepper, held_out, coverage, quiet=quiet)
    save_model(stepper, output, columns)
    checkpoint.unlink(missing_ok=True)
    facts = outcome(stepper, parts, output, clock.monotonic() - began) | {"bands": bands}
    if as_json:
        show_json(facts)
    else:
        show_pairs(summary(facts))


def unfitted(*, hidden: str, technique: Sequence[str], average: str, **options: Any) -> "SparseTimeStepper":
    """Return the estimator that the options describe; raises `UsageProblem`."""
    widths = widths_of(hidden)
    check_techniques(technique)
    check_choice("--activation", options["activation"], fit_options.ACTIVATIONS)
    check_choice("--average", average, fit_options.AVERAGES)
    check_positive("--learning-rate", options["learning_rate"])
    # What can be said without JAX has been said.
    from sparsedyn.estimators import SparseTimeStepper, average_from_spec

    with parameters():
        stepper = SparseTimeStepper(widths, techniques(technique), average=average_from_spec(average), **options)
        stepper.check_parameters()
    return stepper


def streamed(data: Path, columns: ColumnOptions, only: str | None, folder: Path, quiet: bool) -> "Trajectories":
    """Return data whose numbers are in files of a folder, which are made if they are not there."""
    if columns.inputs is not None and "=" in columns.inputs:
        raise UsageProblem("--inputs: expected columns alone along with --stream; got one that stays the same.")
    note(f"Numbers of {data} are kept in {folder}, 8 bytes each, and trained on from there.", quiet=quiet)
    with reading_progress("reading", quiet=quiet) as on_file:
        return read_columns(data, columns, only, stream=folder, on_file=on_file)


def widths_of(text: str) -> tuple[int, ...]:
    """Return comma separated widths of layers; raises `UsageProblem`."""
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if not all(piece.isdecimal() and int(piece) >= 1 for piece in pieces):
        raise UsageProblem(f"--hidden: expected widths of at least 1, such as 64,64,64; got {text!r}.")
    return tuple(map(int, pieces))


def divided(data: "Trajectories", validation: Path | None, columns: ColumnOptions, share: float, seed: int) -> Parts:
    """Return what to train on and what to validate on."""
    if validation is None:
        return hold_out(data, share, seed)
    return given(data, read_columns(validation, columns), str(validation))


def suit(stepper: "SparseTimeStepper", data: "Trajectories", *, technique: bool, epochs: bool) -> None:
    """Choose by the data what the user left open: the technique, the epochs, or both, as the flags say."""
    # A few trajectories show little of a plant; where they say nothing, a stronger penalty keeps forecasts stable.
    if technique and len(data) < ENOUGH:
        stepper.technique = techniques(FOR_FEW)
    if epochs:
        stepper.epochs = enough_epochs(data, stepper.batch, stepper.rollout)


def samples_of(data: "Trajectories", rollout: int) -> int:
    """Return how many samples training sees: rows that have enough others behind them."""
    return max(1, sum(max(0, rows - rollout) for rows in data.lengths))


def enough_epochs(data: "Trajectories", batch: int, rollout: int = 1) -> int:
    """Return how many passes make a good number of steps."""
    samples = samples_of(data, rollout)
    per_epoch = samples // min(batch, samples)
    return min(max(EPOCHS, -(-STEPS // per_epoch)), MAX_EPOCHS)


def introduction(stepper: "SparseTimeStepper", parts: Parts) -> str:
    """Return a sentence on the data and one on the training that begins."""
    samples = samples_of(parts.train, stepper.rollout)
    steps = stepper.epochs * (samples // min(stepper.batch, samples))
    return (
        f"{parts.words}\nTraining {plural(stepper.members, 'member')} on {plural(samples, 'sample')} of "
        f"{plural(len(parts.train), 'trajectory')}: {plural(stepper.epochs, 'epoch')}, "
        f"{plural(steps, 'step')}."
    )


def checkpoint_path(output: Path) -> Path:
    """Return where the checkpoints of a run go: a hidden file beside its model."""
    return output.with_name(f".{output.name}.checkpoint")


def train(stepper: "SparseTimeStepper", parts: Parts, checkpoint: Path, *, quiet: bool) -> None:
    """Fit, resuming from the checkpoint if there is one; raises `Interrupted` on Ctrl-C and SIGTERM."""
    from sparsedyn.estimators import fit_together
    from sparsedyn.training import CheckpointError

    resumed = Resumed(checkpoint, quiet=quiet)
    try:
        with patient() as stop, training_progress("training", quiet=quiet) as on_progress:
            fit_together(
                [stepper],
                parts.train,
                parts.validation,
                on_progress=stop.watched(resumed.told(on_progress)),
                checkpoint=checkpoint,
                # What was held out of one file is in the units of that file.
                check_units=parts.facts["kind"] == "file",
            )
    except CheckpointError as error:
        if not resumed.is_due:
            raise
        raise CheckpointError(resumed.refusal(error)) from error
    except KeyboardInterrupt as error:
        kept = "continues where it stopped" if checkpoint.exists() else "starts over: no checkpoint was due yet"
        raise Interrupted(f"Interrupted; no model was written. The same command {kept}.") from error
    for finding in stepper.report_:
        note(finding.message)


class Resumed:
    """Says once, as soon as its checkpoint has been read, that a run goes on."""

    def __init__(self, checkpoint: Path, *, quiet: bool):
        self.checkpoint, self.quiet = checkpoint, quiet
        self.is_due = checkpoint.exists()

    def told(self, tell: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """Return what is to be called with progress in place of `tell`."""

        def say(progress: Any) -> None:
            if self.is_due:
                self.is_due = False
                note(f"Continuing from {self.checkpoint} (--restart starts over).", quiet=self.quiet)
            if tell is not None:
                tell(progress)

        return say

    def refusal(self, error: Exception) -> str:
        """Return why the checkpoint cannot be used, and what to do about it."""
        from sparsedyn.training.checkpoint import OtherRunError

        if isinstance(error, OtherRunError):
            return (
                f"{self.checkpoint}: expected a checkpoint of this run; it is of another one (other data, options or "
                "seed). Start over with --restart, which drops it, or keep it and choose another --output."
            )
        return f"{error}\nStart over with --restart, which drops it."


def outcome(stepper: "SparseTimeStepper", parts: Parts, output: Path, seconds: float) -> dict[str, Any]:
    """Return the facts of a fit, for JSON."""
    last = stepper.history_[stepper.history_["step"] == stepper.history_["step"].max()]
    return {
        "model": str(output),
        "states": list(stepper.state_names_),
        "inputs": list(stepper.input_names_),
        "dt": stepper.dt_,
        "trajectories": len(parts.train),
        "held_out": parts.facts,
        "members": stepper.members,
        "alive": int(stepper.alive_.sum()),
        "epochs": stepper.epochs,
        "steps": stepper.steps_,
        "loss": float(last["loss"].mean()),
        "validation": float(last["validation"].mean()),
        "report": findings(stepper.report_),
        "nonzeros": float(stepper.nonzeros_.mean()),
        "nonzeros_per_member": stepper.nonzeros_,
        "weights": stepper.weights_,
        "sparsity": {name: float(values.mean()) for name, values in stepper.sparsity_.items()},
        "seconds": seconds,
    }


def summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of a fit in words."""
    zeros = ", ".join(f"{100 * share:.3g} % {name}" for name, share in facts["sparsity"].items())
    return [
        ("model", facts["model"]),
        ("states", ", ".join(facts["states"])),
        ("inputs", ", ".join(facts["inputs"]) or "none"),
        ("members", f"{facts['members']}, {facts['alive']} alive"),
        ("training", f"{facts['epochs']:,} epochs, {facts['steps']:,} steps, {duration(facts['seconds'])}"),
        ("loss", f"{number(facts['loss'])} in training, {number(facts['validation'])} in validation"),
        ("nonzeros", f"{facts['nonzeros']:,.0f} of {facts['weights']:,} weights (mean over members)"),
        ("zeros", zeros),
    ]
