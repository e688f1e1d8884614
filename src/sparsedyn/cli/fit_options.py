"""The options of `sparsedyn fit`, described."""

from pathlib import Path
from typing import Annotated

import typer

from sparsedyn.cli.held_out import ENOUGH
from sparsedyn.cli.options import COLUMNS, NETWORK, OUTPUT, TRAINING
from sparsedyn.cli.techniques import DEFAULT, FOR_FEW
from sparsedyn.sparsify.catalogue import TECHNIQUES

ACTIVATIONS = ("relu", "tanh", "silu", "gelu", "softplus", "sigmoid", "identity")
"""The keys of `sparsedyn.models.ACTIVATIONS`, here for messages that come before JAX is imported."""
AVERAGES = ("none", "swa", "ema")

Outputs = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Columns that are measured where states are not, written like the states; in place of --states.",
        rich_help_panel=COLUMNS,
    ),
]
Model = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="MODEL", help="File to write the model to, usually .safetensors.",
        rich_help_panel=OUTPUT, show_default=False,
    ),
]  # fmt: skip
Validation = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Trajectories to validate on, with the columns of DATA; then nothing of DATA is held out.",
        rich_help_panel=COLUMNS,
    ),
]
HoldOut = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=0.9,
        metavar="SHARE",
        help="Share of the data to validate on: whole trajectories where there are five or more, else "
        "the end of each. 0 holds nothing out.",
        rich_help_panel=COLUMNS,
    ),
]
Stream = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write the numbers of DATA to this folder, file by file, and train from there: for data that are larger "
        "than memory. The folder is kept, and used again by the same command.",
        rich_help_panel=COLUMNS,
    ),
]
Hidden = Annotated[str, typer.Option(metavar="WIDTHS", help="Widths of the hidden layers.", rich_help_panel=NETWORK)]
Technique = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="A sparsification technique; give the option several times to combine techniques, in order. Names: "
        f"{', '.join(TECHNIQUES)}. A value after a colon is the first argument: l1:1e-4, magnitude:0.75 (the share of "
        "zeros). Others have names: magnitude:sparsity=0.9,scope=global. phases, chain and on need a TOML table in "
        "braces. none is dense.",
        show_default=f"{' '.join(DEFAULT)}; of fewer than {ENOUGH} trajectories {FOR_FEW[0]}",
        rich_help_panel=NETWORK,
    ),
]
Activation = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Nonlinearity of the hidden layers: {', '.join(ACTIVATIONS)}.",
        rich_help_panel=NETWORK,
    ),
]
Skip = Annotated[
    bool,
    typer.Option("--skip/--no-skip", help="Feed states and inputs to every layer.", rich_help_panel=NETWORK),
]
Members = Annotated[
    int, typer.Option(min=1, help="Networks in the ensemble, trained together.", rich_help_panel=NETWORK)
]
Epochs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Passes over the training data; by default 60, or as many as make 30,000 steps.",
        rich_help_panel=TRAINING,
    ),
]
Batch = Annotated[int, typer.Option(min=1, help="Samples per step.", rich_help_panel=TRAINING)]
Rollout = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="ROWS",
        help="Rows ahead that training looks. With 1, derivatives are matched; with more, states of free runs, which "
        "takes as many times longer and stands noise.",
        rich_help_panel=TRAINING,
    ),
]
LearningRate = Annotated[
    float, typer.Option(help="Highest learning rate; it falls to 1 % of that along a cosine.", rich_help_panel=TRAINING)
]
Average = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help=f"Average of the weights over the last quarter of the training: {', '.join(AVERAGES)}.",
        rich_help_panel=TRAINING,
    ),
]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        help="Discard the checkpoint of an interrupted run instead of continuing from it.",
        rich_help_panel=TRAINING,
    ),
]
