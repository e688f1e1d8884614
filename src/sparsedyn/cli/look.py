"""`sparsedyn look`: what a data file holds, before anything is fitted to it."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparsedyn._disk import replacing
from sparsedyn.cli import options
from sparsedyn.cli.errors import guarded
from sparsedyn.cli.files import check_new_folder
from sparsedyn.cli.output import as_typed, note, number, plural, show_json, show_pairs, show_table, show_text
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.data.options import ReadOptions, flags

if TYPE_CHECKING:
    from sparsedyn.data import Overview

HELP = """
Show what a data file holds before anything is fitted to it: columns, units, times, gaps, dead and stuck sensors,
outliers, missing cells, columns that are much alike, and the command to go on with.

Files that `fit` refuses are shown as well: what they look like, and the options that read them, all at once. What has
two readings, such as 01/02/2024, is asked about.

Examples:

```
sparsedyn look plant.csv
sparsedyn look plant.csv --time t --trajectory run -o pictures
sparsedyn look log.csv --like-excel-de --json
```

With --json: `{"rows": ..., "columns": [...], "time": {...}, "hint": "...", "next": "..."}` and more; `next` is
null where there are too few rows to fit anything.
"""

FEWEST = 2
"""Rows of which a model can be fitted at all."""
SELDOM = 0.4
"""Share of missing cells from which on a state is logged less often than others."""
RESTARTS = re.compile(r"(?:: |, or )(--restarts \w+(?: --duplicates first)?)")
PIVOT, UNWRAP, MISSING = (re.compile(rf"--{name} ('[^']*'[^\s,]*|[^\s,]+)") for name in ("pivot", "unwrap", "missing"))
IRREGULAR = "irregular, steps"
"""What findings on times say."""

Folder = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="DIR", help="Write a picture of all columns (PNG) to this folder.",
        rich_help_panel=options.OUTPUT,
    ),
]  # fmt: skip


@guarded
@reads
def look(
    data: options.DataFile,
    time: options.Time = None,
    trajectory: options.Trajectory = None,
    output: Folder = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    reading: ReadOptions = PLAIN,
) -> None:
    """Look at a file, and show what is in it."""
    if output is not None:
        check_new_folder(output, force=force)
    from sparsedyn.data import look as look_at

    seen = look_at(data, time or None, trajectory or None, **reading.changed())
    wide = seen
    if pivot := proposed(seen.overview, PIVOT):
        wide = look_at(data, time or None, trajectory or None, **{**reading.changed(), "pivot": pivot})
    following = command(data, wide.overview, wide.options) if wide.overview.rows >= FEWEST else None
    if as_json:
        show_json(
            seen.overview.to_dict()
            | {"options": seen.options.changed(), "hint": as_typed(seen.hint), "next": following}
        )
    else:
        show(seen.overview, seen.hint)
        show_text(next_step(seen.overview, following))
    if output is not None:
        write_picture(seen.overview, data.name, output)
        note(f"A picture is in {output}.", quiet=quiet)


def show(overview: "Overview", hint: str) -> None:
    """Write an overview as text."""
    if hint:
        show_text(as_typed(hint) + "\n")
    show_pairs(pairs(overview))
    columns = ("column", "unit", "least", "mean", "greatest", "deviation", "missing", "")
    show_table(columns, [row(column) for column in overview.columns])
    for one, other, share in overview.correlated:
        show_text(f"{one} and {other} are much alike (correlation {share:.3f}).")


def pairs(overview: "Overview") -> list[tuple[str, str]]:
    """Return what is to be said of all rows."""
    found = [("rows", f"{overview.rows:,}")]
    if overview.trajectory is not None:
        found.append(("trajectories", f"{overview.trajectories:,} by {overview.trajectory}"))
    if (time := overview.time) is None:
        return [*found, ("time", "no column of times is found: --time NAME, or --dt SECONDS")]
    step = "unknown" if time.step is None else f"{time.step:.6g} s" + ("" if time.regular else ", not regular")
    span = f", from {time.first} to {time.last}" if overview.rows else ""
    found += [("time", f"{time.column}{span}"), ("sample time", step)]
    return [*found, *(("", as_typed(finding)) for finding in time.findings)]


def row(column: Any) -> tuple[str, ...]:
    """Return what is to be said of a column."""
    figures = (column.least, column.mean, column.greatest, column.deviation)
    numbers = ["" if value is None else number(value, 4) for value in figures]
    notes = [*column.findings, *(["held between rows"] if column.held and "constant" not in column.findings else [])]
    return (column.name, column.unit, *numbers, str(column.missing or ""), ", ".join(notes))


def next_step(overview: "Overview", following: str | None) -> str:
    """Return the command to go on with, or why there is none."""
    if following is None:
        return f"{plural(overview.rows, 'row')}, at least {FEWEST} are needed: there is nothing to fit a model to yet."
    return f"Next, with your states and inputs (here what changes and what is held):\n{following}"


def command(path: Path, overview: "Overview", reading: ReadOptions) -> str:
    """Return the command that fits a model, as it is typed."""
    pieces = ["sparsedyn fit", shlex.quote(str(path))]
    for name, columns in (("states", overview.states), ("inputs", overview.inputs)):
        if columns:
            pieces.append(f"--{name} {shlex.quote(','.join(columns))}")
    pieces.append("--dt SECONDS" if overview.time is None else f"--time {shlex.quote(overview.time.column)}")
    if overview.trajectory is not None:
        pieces.append(f"--trajectory {shlex.quote(overview.trajectory)}")
    seldom = {c.name for c in overview.columns if c.missing > SELDOM * overview.rows}
    if reading.fill == "hold" and seldom & set(overview.states):
        reading = replace(reading, fill="thin")
    states = [c for c in overview.columns if c.name in overview.states]
    goes_round, codes = (_proposals([one for c in states for one in c.findings], what) for what in (UNWRAP, MISSING))
    if not reading.unwrap:
        reading = replace(reading, unwrap=goes_round)
    if codes:
        gaps = "cut" if reading.gaps == "refuse" else reading.gaps
        reading = replace(reading, missing=(*reading.missing, *codes), gaps=gaps)
    if changed := reading.changed():
        pieces.append(flags(changed))
    time = overview.time
    if restarts := proposed(overview, RESTARTS):
        pieces.append(restarts)
    if time is not None and time.gaps and reading.gaps == "refuse":
        pieces.append("--gaps cut")
    # Dates without a zone may be there twice because the clock was set back.
    settled = reading.time_zone is not None or not overview.dated
    if time is not None and time.duplicates and settled and reading.duplicates == "refuse":
        pieces.append("--duplicates mean")
    if time is not None and time.step and any(IRREGULAR in finding for finding in time.findings):
        pieces.append(f"--resample {time.step:.4g}")
    return " ".join([*pieces, "-o model.safetensors"])


def proposed(overview: "Overview", what: re.Pattern[str]) -> str:
    """Return what the findings on times propose for an option; empty where they do not."""
    return next(iter(_proposals([] if overview.time is None else overview.time.findings, what)), "")


def _proposals(findings: Sequence[str], what: re.Pattern[str]) -> tuple[str, ...]:
    found = (what.search(finding) for finding in findings)
    return tuple(dict.fromkeys(" ".join(shlex.split(one[1])) for one in found if one))


def write_picture(overview: "Overview", name: str, folder: Path) -> None:
    """Write `columns.png`."""
    from sparsedyn import plotting
    from sparsedyn.plotting.layout import in_figure
    from sparsedyn.plotting.style import render

    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "columns.png") as temporary:
        temporary.write_bytes(*render(in_figure(plotting.recorded, overview, title=name), "png"))
