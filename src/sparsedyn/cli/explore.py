"""`sparsedyn explore`: a model as a page that runs it, for whoever has a browser."""

from pathlib import Path
from typing import Annotated

import typer

from sparsedyn._disk import replacing
from sparsedyn.cli import options
from sparsedyn.cli.errors import guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.model_file import load_model
from sparsedyn.cli.output import note, plural, show_json
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.recorded import recorded
from sparsedyn.cli.source import ColumnOptions, remarks
from sparsedyn.data.options import ReadOptions

LARGE = 5_000_000
"""Bytes from which on it is said what makes a page smaller."""

HELP = """
Write a page that runs a model in the browser: what if an input, or the initial state, were another?

The page is one file that needs no network: open it by a double click, or send it by mail. It begins with the recorded
trajectories of DATA. Each input can be shifted by a slider, held constant, or drawn with a pointer, a finger or by
numbers; initial states and the horizon have sliders, too. Forecasts of all members stand beside what was recorded, with
calibrated bands where the model has them (`sparsedyn fit --calibrate`). Where a forecast leaves the training domain,
the page says so. A scenario can be saved as CSV.

MODEL is a file that `sparsedyn fit` or `sparsedyn sindy` wrote. The columns of DATA are those that the model was
trained with; column options are needed only where DATA has other names, which stand for those of the model in its
order.

Examples:

```
sparsedyn explore prey.safetensors prey.csv -o prey.html
sparsedyn explore cell.safetensors cell.npz --only 0..4 -o cell.html
sparsedyn explore tank.model night.csv --time t --title "Tank 3" -o tank.html
```

All trajectories of DATA and all members of the model are in the page; --only keeps it small.
"""

Model = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="A file that `sparsedyn fit` or `sparsedyn sindy` wrote.", show_default=False),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Page to write.", rich_help_panel=options.OUTPUT, show_default=False
    ),
]
Title = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What stands at the top; by default the name of MODEL.")
]


@guarded
@reads
def explore(
    model: Model,
    data: options.DataFile,
    output: Output,
    title: Title = None,
    states: options.States = None,
    inputs: options.Inputs = None,
    time: options.Time = None,
    trajectory: options.Trajectory = None,
    dt: options.SampleTime = None,
    only: options.Only = None,
    any_units: options.AnyUnits = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    reading: ReadOptions = PLAIN,
) -> None:
    """Write a page that runs a model in the browser."""
    check_new_file(output, force=force)
    fitted, known = load_model(model)
    columns = ColumnOptions(states, inputs, time, trajectory, dt, reading)
    records = recorded(fitted, data, columns, known, only, quiet=quiet)
    from sparsedyn.export import explore as page_of

    with parameters(), remarks(quiet=quiet):
        page = page_of(fitted, records, title=title or model.stem, check_units=not any_units)
    with replacing(output) as temporary:
        temporary.write_text(page, encoding="utf-8")
    size = len(page.encode())
    if as_json:
        show_json({"file": str(output), "model": str(model), "trajectories": len(records), "bytes": size})
        return
    note(f"{output}: {plural(len(records), 'trajectory')}, {size / 1e6:.2g} MB. Open it in a browser.", quiet=quiet)
    if size > LARGE:
        note("Fewer trajectories make a smaller page: --only 0..4.", quiet=quiet)
