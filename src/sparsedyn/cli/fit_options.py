"""The options of `sparsedyn fit`, described."""

from pathlib import Path
from typing import Annotated

import typer

from sparsedyn.cli.held_out import ENOUGH
from sparsedyn.cli.options import COLUMNS, NETWORK, OUTPUT, TRAINING
from sparsedyn.cli.techniques import DEFAULT, FOR_FEW

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
Hidden = Annotated[str, typer.Option(metavar="WIDTHS", help="Widths of the hidden layers.", rich_help_panel=NETWORK)]
Technique = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="A sparsification technique; may be given several times, in order. l1:1e-4, l2, l05, l03, "
        "l07, l0:1e-3, str, magnitude:0.75 (share of zeros), dsr:0.5, threshold:0.05, freeze:0.5, support, with "
        "arguments by name as in magnitude:sparsity=0.9,scope=global, or a TOML table in braces, as phases needs. none "
        "is dense.",
        show_default=f"{' '.join(DEFAULT)}; of fewer than {ENOUGH} trajectories {FOR_FEW[0]}",
        rich_help_panel=NETWORK,
    ),
]
Activation = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="relu, tanh, silu, gelu, softplus, sigmoid or identity.",
        rich_help_panel=NETWORK,
    ),
]
Skip = Annotated[
    bool,
    typer.Option("--skip/--no-skip", help="Feed states and inputs to every layer.", rich_help_panel=NETWORK),
]
Members = Annotated[
    int, typer.Option(min=1, help="Networks in the ensemble, trained at once.", rich_help_panel=NETWORK)
]
Epochs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Passes over the training data; by default 60, or as many as make 30,000 steps.",
        rich_help_panel=TRAINING,
    ),
]
Batch = Annotated[int, typer.Option(min=1, help="Samples of one step.", rich_help_panel=TRAINING)]
LearningRate = Annotated[
    float, typer.Option(help="Highest learning rate; it falls by a cosine.", rich_help_panel=TRAINING)
]
Average = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Average the weights over the last quarter: none, swa or ema.",
        rich_help_panel=TRAINING,
    ),
]
Restart = Annotated[
    bool,
    typer.Option(
        "--restart",
        help="Drop the checkpoint of an interrupted run instead of going on from it.",
        rich_help_panel=TRAINING,
    ),
]
