"""The options of `sparsedyn sindy`, described."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sparsedyn.cli.options import COLUMNS, OUTPUT

TERMS = "Terms"
CHOICE = "How terms are chosen"
DERIVATIVES = ("auto", "forward", "central", "savgol", "spline", "smoothing-spline")
"""What `SINDy(derivative=)` may be, here for messages that come before JAX is imported; so are the others."""
BETWEEN = ("auto", "held", "interpolated")
SCALES = ("coefficients", "contributions")


def _several(metavar: str, text: str, *names: str) -> Any:
    return Annotated[list[str] | None, typer.Option(*names, metavar=metavar, help=text, rich_help_panel=TERMS)]


Degree = Annotated[
    int, typer.Option(min=0, help="Degree of the polynomials of states and inputs.", rich_help_panel=TERMS)
]
Functions = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES", help="Further terms, of every variable: sin,cos,exp,log,sqrt,tanh,...", rich_help_panel=TERMS
    ),
]
Constant = Annotated[
    bool, typer.Option("--constant/--no-constant", help="Whether there is a constant term.", rich_help_panel=TERMS)
]
Order = Annotated[
    int,
    typer.Option(
        min=1, max=2, help="2: the states are positions, and equations are those of accelerations.",
        rich_help_panel=TERMS,
    ),
]  # fmt: skip
Known = _several("TEXT", "The known part of a right-hand side, 'w = -2*sin(theta)'; the rest is found.")
Fix = _several("TEXT", "A coefficient that is known, 'x: v = 1': the term v of the equation of x.")
Bound = _several("TEXT", "Bounds of a coefficient, 'v: v <= 0' or 'v: 0 <= u'; both, '-1 <= u <= 1', as well.")
Exclude = _several("TEXT", "Terms that an equation does not have, 'x: u, x^2'.")
Only = _several("TEXT", "The terms that an equation may have, 'x: v'; others are left out.", "--terms")
Threshold = Annotated[
    str,
    typer.Option(
        metavar="SIZE",
        help="auto: as many terms as the data call for. Or a number, or one per equation: smaller ones are zero.",
        rich_help_panel=CHOICE,
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What a --threshold is compared with: coefficients, in the data's units, or contributions, as shares of "
        "the derivative's.",
        rich_help_panel=CHOICE,
    ),
]
Discrete = Annotated[
    bool,
    typer.Option(
        "--discrete",
        help="Find a map, x[k+1] = f(x[k], u[k]), instead of derivatives; rows without --time and --dt are one apart.",
        rich_help_panel=CHOICE,
    ),
]
Lags = Annotated[
    str,
    typer.Option(
        metavar="ROWS",
        help="With --discrete, how many earlier rows of states and inputs equations may have, where some states are "
        "not measured; auto: as many as the data call for, and a dead time for every input.",
        rich_help_panel=CHOICE,
    ),
]
Between = Annotated[
    str,
    typer.Option(
        "--inputs-between",
        metavar="NAME",
        help="What inputs do between rows: held until the next, interpolated, or auto: what the data say.",
        rich_help_panel=CHOICE,
    ),
]
DerivativeChoice = Annotated[
    str,
    typer.Option(
        metavar="NAME", help=f"How derivatives are estimated: {', '.join(DERIVATIVES)}.", rich_help_panel=CHOICE
    ),
]
XDot = Annotated[
    str | None,
    typer.Option(
        "--x-dot",
        metavar="NAMES",
        help="Columns of measured derivatives, one per state, in their order; then none are estimated.",
        rich_help_panel=COLUMNS,
    ),
]
XDDot = Annotated[
    str | None,
    typer.Option(
        "--x-ddot",
        metavar="NAMES",
        help="Columns of accelerations, for --order 2 along with velocities as --x-dot.",
        rich_help_panel=COLUMNS,
    ),
]
Weak = Annotated[
    bool | None,
    typer.Option(
        "--weak/--no-weak",
        help="Whether equations are integrated against test functions, which needs no derivatives; by default where "
        "it serves.",
        rich_help_panel=CHOICE,
    ),
]
Refine = Annotated[
    bool | None,
    typer.Option(
        "--refine/--no-refine",
        help="Whether coefficients are fitted to the states by multiple shooting; by default where it helps.",
        rich_help_panel=CHOICE,
    ),
]
Ensemble = Annotated[
    int | None, typer.Option(min=2, help="Fits to as many bootstrap samples; medians count.", rich_help_panel=CHOICE)
]
Validation = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Trajectories that terms are chosen by, with the columns of DATA.", rich_help_panel=COLUMNS
    ),
]
HoldOut = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=0.9,
        metavar="SHARE",
        help="Share of the data that is not fitted to, and scored: whole trajectories where there are five or more, "
        "else the end of each.",
        rich_help_panel=COLUMNS,
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="MODEL", help="File to write the model to, usually .safetensors.",
        rich_help_panel=OUTPUT,
    ),
]  # fmt: skip
