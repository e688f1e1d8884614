"""The options of `sparsedyn.read`, for every command that reads data: described once, added to a command by `reads`."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any

import typer

from sparsedyn.cli.errors import UsageProblem
from sparsedyn.cli.signatures import retyped
from sparsedyn.data.options import DUPLICATES, EXCEL, FILL, GAPS, PRESETS, RESTARTS, TIME_UNITS, ReadOptions

FILE = "How the file is written"
ROWS = "Times and gaps"

PLAIN = ReadOptions()
"""Nothing typed."""
UNSET = {option.name for option in fields(ReadOptions) if option.default is None} - {"day_first"}
"""Options that there need be none of: an empty text, or 0, says so."""


def _text(flag: str, metavar: str, text: str, panel: str = FILE) -> Any:
    return Annotated[str | None, typer.Option(flag, metavar=metavar, help=text, rich_help_panel=panel)]


OPTIONS: dict[str, Any] = {
    "like": Annotated[
        bool,
        typer.Option(
            "--like-excel-de",
            help="Short for --separator ';' --decimal , --encoding cp1252 --day-first: a table saved by a spreadsheet "
            "in German.",
            rich_help_panel=FILE,
        ),
    ],
    "separator": _text("--separator", "MARK", "Between cells: a character, tab, whitespace or fixed (width)."),
    "decimal": _text("--decimal", "MARK", "Decimal mark, . or a comma."),
    "thousands": _text("--thousands", "MARK", "Mark between thousands."),
    "encoding": _text("--encoding", "NAME", "Encoding of a file that is not UTF-8, such as cp1252."),
    "header": Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether there is a row of column names; without, columns are x1, x2, ..., or 0, 1, ...",
            rich_help_panel=FILE,
        ),
    ],
    "skip_rows": Annotated[
        int | None, typer.Option("--skip-rows", min=0, help="Lines above the column names.", rich_help_panel=FILE)
    ],
    "skip_footer": Annotated[
        int | None, typer.Option("--skip-footer", min=0, help="Lines below the table.", rich_help_panel=FILE)
    ],
    "units_row": Annotated[
        bool | None,
        typer.Option(
            "--units-row/--no-units-row", help="Whether the row below the names holds units.", rich_help_panel=FILE
        ),
    ],
    "cell_units": Annotated[
        bool | None,
        typer.Option(
            "--cell-units/--no-cell-units",
            help="Whether cells hold a number and its unit: 21.5 °C.",
            rich_help_panel=FILE,
        ),
    ],
    "missing": _text("--missing", "TEXTS", 'Texts that stand for a missing value: "Bad Input,n/a".'),
    "true": _text("--true", "TEXTS", "Texts that stand for 1, such as on."),
    "false": _text("--false", "TEXTS", "Texts that stand for 0, such as off."),
    "date_format": _text("--date-format", "FORMAT", "Format of dates, such as '%d.%m.%y %H:%M'.", ROWS),
    "day_first": Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="Whether 01/02/2024 is the first of February.", rich_help_panel=ROWS
        ),
    ],
    "time_zone": _text("--time-zone", "NAME", "Where the clock of local dates stood, such as Europe/Berlin.", ROWS),
    "time_unit": _text(
        "--time-unit", "UNIT", f"Unit of times that are numbers: {', '.join((*TIME_UNITS, EXCEL))}.", ROWS
    ),
    "fill": _text(
        "--fill",
        "RULE",
        f"Missing cells: {', '.join(FILL)}; by default refuse. hold gives inputs the value before, thin leaves out "
        "rows too in which a state is missing.",
        ROWS,
    ),
    "pivot": _text("--pivot", "TAG=VALUE", "Columns of tags and values, of a table with a row per tag and time.", ROWS),
    "unwrap": _text(
        "--unwrap", "COLUMN=PERIOD", "Columns that go round, as counters and angles do: encoder=65536,angle=360.", ROWS
    ),
    "restarts": _text(
        "--restarts",
        "RULE",
        f"Where times go back: {', '.join(RESTARTS)} (a new trajectory) or sort; by default refuse.",
        ROWS,
    ),
    "gaps": _text("--gaps", "RULE", f"Where rows or cells are missing: {', '.join(GAPS)}; by default refuse.", ROWS),
    "duplicates": _text("--duplicates", "RULE", f"Rows of one time: {', '.join(DUPLICATES)}; by default refuse.", ROWS),
    "resample": Annotated[
        float | None,
        typer.Option(
            "--resample", metavar="SECONDS", help="Interpolate to this sample time; 0 for none.", rich_help_panel=ROWS
        ),
    ],
}


def reads(command: Callable[..., None]) -> Callable[..., None]:
    """Give `command` the options of `ReadOptions`, which it takes as one keyword, `reading`."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        given = {name: options.pop(name, None) for name in OPTIONS}
        command(*args, reading=reading_of(given), **options)

    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=False if name == "like" else None, annotation=option)
        for name, option in OPTIONS.items()
    ]
    return retyped(run, command, added, without="reading")


def reading_of(given: dict[str, Any]) -> ReadOptions:
    """Return the options that were typed; raises `UsageProblem` for values that mean nothing.

    Those typed as they are by default are among them, `--skip-rows 0` or `--encoding ""`: a model may keep others.
    """
    typed = {name: value for name, value in given.items() if name != "like" and value is not None}
    typed |= {name: None for name, value in typed.items() if name in UNSET and value in ("", 0.0)}
    try:
        return ReadOptions.given(like=next(iter(PRESETS)) if given["like"] else None, **typed)
    except ValueError as error:
        raise UsageProblem(f"--{str(error).replace('_', '-', 1)}") from error
