"""The options of `sparsedyn equation`, described."""

from pathlib import Path
from typing import Annotated

import typer

from sparsedyn.cli import options

EXACT = 17
"""Significant digits that keep every constant exactly."""
SHOWN = 5
SEARCH = "Search"

Data = Annotated[
    Path, typer.Argument(metavar="DATA", help="A .csv or .parquet file, a row per sample.", show_default=False)
]
Target = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="The column to explain.", rich_help_panel=options.COLUMNS, show_default=False
    ),
]  # fmt: skip
Inputs = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Columns that may appear in the equation, comma separated; x1..x3 is short for x1,x2,x3.",
        show_default="all other columns of numbers",
        rich_help_panel=options.COLUMNS,
    ),
]
Trials = Annotated[
    int,
    typer.Option(
        min=0, help="Searches by networks, run together; 0 for cheap proposals alone.", rich_help_panel=SEARCH
    ),
]
Primitives = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Functions that equations are made of: general, kim2019, or a list with how many of each a layer has, "
        "such as constant,identity:3,sin:2.",
        rich_help_panel=SEARCH,
    ),
]
Hidden = Annotated[
    int, typer.Option(min=1, help="Layers of functions: how deeply functions may be nested.", rich_help_panel=SEARCH)
]
Generations = Annotated[
    int,
    typer.Option(
        min=1,
        help="Rounds of a search at most; it ends earlier when nothing is left to explain.",
        rich_help_panel=SEARCH,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="MODEL", help="File to write the fitted regressor to, usually .safetensors.",
        rich_help_panel=options.OUTPUT,
    ),
]  # fmt: skip
Digits = Annotated[
    int | None,
    typer.Option(
        min=1, max=EXACT, metavar="N", help="Significant digits of constants.",
        show_default=f"{SHOWN}; all with --json", rich_help_panel=options.OUTPUT,
    ),
]  # fmt: skip
Front = Annotated[
    bool, typer.Option("--front/--no-front", help="Show the simpler equations as well.", rich_help_panel=options.OUTPUT)
]
