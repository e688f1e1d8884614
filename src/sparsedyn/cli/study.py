"""`sparsedyn study`: comparisons of techniques, studies of equation learners and of autoencoders, data to report."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import guarded
from sparsedyn.cli.output import between, note, number, percent, plural, show_json, show_pairs, show_table, show_text
from sparsedyn.cli.study_progress import study_progress

if TYPE_CHECKING:
    import pandas as pd

    from sparsedyn.studies import StudySpec
    from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
    from sparsedyn_papers.equations.spec import EquationsSpec

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME_OR_TOML", help="A built-in study, or a TOML file.", show_default=False),
]
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder of a study that was begun.", show_default=False)
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="DIR", help="Folder to write to; by default ./ and the study's name.",
        rich_help_panel=options.OUTPUT,
    ),
]  # fmt: skip
Members = Annotated[int | None, typer.Option(min=1, help="Networks per cell, instead of what the study says.")]
Seed = Annotated[int | None, typer.Option(min=0, max=2**31 - 1, help="Random seed, instead of what the study says.")]
Mnist = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder with the four files of MNIST, for studies of digits.", show_default=False),
]

READABLE = 15
"""Terms up to which equations are written out in a table."""
TRIAL_COLUMNS = {
    "objective": "objective",
    "terms": "terms",
    "held out: decoder": "decoder_held_out",
    "derivative": "derivative_held_out",
    "test: decoder": "decoder_test",
}
"""What is shown of a trial, by heading."""


@app.callback()
def study() -> None:
    """Compare sparsification techniques, see what equation learners and autoencoders find, or search their settings.

    One table, one illustrated report.

    A study is a TOML file; some are built in. It can be stopped at any time and goes on where it was.

    ```
    sparsedyn study list
    sparsedyn study run aluminum-quick
    sparsedyn study show aluminum-quick > mine.toml
    sparsedyn study run mine.toml -o results --members 20
    ```
    """


@app.command("list")
@guarded
def list_(as_json: options.Json = False) -> None:
    """List the built-in studies.

    With --json, a dictionary of names and titles. `sparsedyn study show NAME` prints one in full.
    """
    from sparsedyn.studies.catalogue import list_studies

    studies = list_studies()
    if as_json:
        show_json(studies)
    else:
        show_pairs(studies.items())


@app.command("show")
@guarded
def show(name: Name, as_json: options.Json = False) -> None:
    """Print a study's TOML, with the cells that it stands for as comments above it.

    What is printed is a study itself: save it, change it, run it. With --json, the study with all defaults
    written out, and its cells.

    Example:

    ```
    sparsedyn study show aluminum-quick > mine.toml
    ```
    """
    from sparsedyn.studies.catalogue import check_known

    check_known(name)
    from sparsedyn.studies import load
    from sparsedyn.studies.comparison.cells import expand, groups_of
    from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
    from sparsedyn_papers.equations.spec import EquationsSpec

    spec = load(name)
    if isinstance(spec, EquationsSpec | AutoencodersSpec):
        show_listed(spec, name, as_json=as_json)
        return
    if spec.search is not None:
        show_search(spec, name, as_json=as_json)
        return
    cells = expand(spec)
    groups = groups_of(cells)
    if as_json:
        show_json({"study": spec.resolved(), "cells": [cell.label for cell in cells], "groups": len(groups)})
        return
    networks = sum(group.members for group in groups)
    head = [
        f"# {plural(len(cells), 'cell')} of {networks} networks, {plural(len(groups), 'computation')}:",
        *(f"#   {cell.label}" for cell in cells),
    ]
    show_text("\n".join([*head, "", study_text(name)]))


def show_listed(spec: "EquationsSpec | AutoencodersSpec", name: str, *, as_json: bool) -> None:
    """Print a study whose cells are computed one after the other: them as comments, then its TOML."""
    from sparsedyn_papers.autoencoders.cells import cells_of
    from sparsedyn_papers.autoencoders.search_report import dimension_text
    from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
    from sparsedyn_papers.equations.kind import EQUATIONS
    from sparsedyn_papers.equations.spec import EquationsSpec

    cells = EQUATIONS.cells(spec) if isinstance(spec, EquationsSpec) else cells_of(spec)
    if as_json:
        show_json({"study": spec.resolved(), "cells": [cell.label for cell in cells]})
        return
    tried = spec.dimensions() if isinstance(spec, AutoencodersSpec) else {}
    if tried:
        head = [f"# {plural(len(cells), 'trial')}, one after the other, with values of:"]
        head += [f"#   {key}: {dimension_text(dimension)}" for key, dimension in tried.items()]
    else:
        head = [f"# {plural(len(cells), 'cell')}, one after the other:", *(f"#   {cell.label}" for cell in cells)]
    show_text("\n".join([*head, "", study_text(name)]))


def show_search(spec: "StudySpec", name: str, *, as_json: bool) -> None:
    """Print a study that searches: its axes and rungs as comments, then its TOML."""
    from sparsedyn.studies.comparison.budgets import budgets
    from sparsedyn.studies.comparison.cells import points_of
    from sparsedyn.studies.search.halving import rungs_left

    points, axes = points_of(spec), spec.search.grid.axes() if spec.search is not None else {}
    spent = budgets(spec)
    rungs = list(zip(rungs_left(len(points), [budget.keep for budget in spent]), spent, strict=True))
    if as_json:
        tried = [{"combinations": left, **asdict(budget)} for left, budget in rungs]
        show_json({"study": spec.resolved(), "combinations": [point.label for point in points], "rungs": tried})
        return
    head = [
        f"# {plural(len(points), 'combination')}: {' x '.join(f'{len(v)} {key}' for key, v in axes.items())}",
        *(
            f"#   rung {i}: {left:,} x {plural(budget.members, 'network')}, {plural(budget.epochs, 'epoch')} over "
            f"{budget.train} trajectories"
            for i, (left, budget) in enumerate(rungs, 1)
        ),
    ]
    show_text("\n".join([*head, "", study_text(name)]))


@app.command("run")
@guarded
def run(
    name: Name,
    output: Output = None,
    members: Members = None,
    seed: Seed = None,
    mnist: Mnist = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Run a study: make or read the data, train every cell, forecast, draw the report.

    The folder gets `report.html`, `results.parquet` (a row per cell, and per horizon), `figures/`, and everything
    they are made from. A folder that holds the same study already is gone on with: finished cells stay,
    training resumes from its checkpoint, and the results are those of an uninterrupted run, bit for bit.

    Examples:

    ```
    sparsedyn study run aluminum-quick
    sparsedyn study run mine.toml -o results --members 20 --seed 1
    sparsedyn study run kim2019-table5
    ```
    """
    from sparsedyn import studies
    from sparsedyn.studies.catalogue import check_known

    check_known(name)
    spec = studies.load(name)
    if mnist is not None:
        spec = studies.with_mnist(spec, mnist)
    folder = output or Path(spec.name)
    note(f"Study {spec.name} in {folder} (Ctrl-C stops it; the same command goes on).", quiet=quiet)
    with study_progress(spec.name, quiet=quiet) as on_event:
        report = studies.run(spec, folder, on_event=on_event, members=members, seed=seed)
    conclude(folder, report, as_json=as_json)


@app.command("resume")
@guarded
def resume(directory: Directory, quiet: options.Quiet = False, as_json: options.Json = False) -> None:
    """Go on with a study that was interrupted.

    Finished cells stay as they are and training resumes from its checkpoint. A study that is finished already
    only has its results collected and its report drawn again.

    Example:

    ```
    sparsedyn study resume aluminum-quick
    ```
    """
    from sparsedyn import studies

    with study_progress(directory.name, quiet=quiet) as on_event:
        report = studies.resume(directory, on_event=on_event)
    conclude(directory, report, as_json=as_json)


@app.command("report")
@guarded
def report(directory: Directory, quiet: options.Quiet = False, as_json: options.Json = False) -> None:
    """Collect the finished cells of a study anew and draw its report again, without any training.

    Works on a study that is not finished, too: the report then shows the cells that are.

    Example:

    ```
    sparsedyn study report aluminum-quick
    ```
    """
    from sparsedyn import studies

    note(f"Drawing the report of {directory} from its finished cells.", quiet=quiet)
    conclude(directory, studies.report(directory), as_json=as_json)


@app.command("publish")
@guarded
def publish(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders of finished studies.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the pages.", rich_help_panel=options.OUTPUT),
    ] = Path("docs/reproduction"),
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="DIR",
            help="Folder for what the pages are made from, without models.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Write finished studies as pages of Markdown with pictures, and a page of their claims.

    The folder gets NAME.md and NAME/*.png of every study, and claims.md over all that are given: give them at once.
    Nothing is trained: equal folders give equal pages. With --keep, what a page needs, some megabytes, is copied to
    a folder of the study's name; publishing that folder gives the same page again. With --json, the files written.

    Example:

    ```
    sparsedyn study publish aluminum-quick --output docs/reproduction --keep results
    ```
    """
    from sparsedyn.studies.kinds import publish as write_pages

    written = write_pages(directories, output, results=keep, tell=note)
    if as_json:
        show_json({"written": [str(path) for path in written]})
    else:
        show_text("\n".join(str(path) for path in written))


def study_text(name: str) -> str:
    """Return the TOML of a study that can be loaded, as it was written."""
    from sparsedyn.studies import catalogue

    builtin = catalogue.studies()
    return (builtin[name] if name in builtin else Path(name)).read_text(encoding="utf-8")


def conclude(folder: Path, report: Path, *, as_json: bool) -> None:
    """Write the results, and where the report is."""
    import pandas as pd

    results = pd.read_parquet(folder / "results.parquet")
    if "objective" in results:
        conclude_trials(folder, report, results, as_json=as_json)
        return
    if "canonical_terms" in results:
        conclude_autoencoders(folder, report, results, as_json=as_json)
        return
    if "horizon" not in results:
        conclude_equations(folder, report, results, as_json=as_json)
        return
    searched = search_rows(folder)
    if as_json:
        found = {"directory": str(folder), "report": str(report), "results": results.to_dict(orient="records")}
        show_json(found | ({"search": searched} if searched else {}))
        return
    if searched:
        shown = [(row["label"], number(row["loss"]), str(row["rung"])) for row in searched[:10]]
        title = f"The best of {plural(len(searched), 'combination')} by validation loss"
        show_table(("combination", "validation loss", "rung"), shown, title=title)
    longest = int(results["horizon"].max())
    names = ("cell", "nonzeros", "of", "diverged", "95 %", "RFMSE", "95 %")
    rows = [result_row(row) for row in results[results["horizon"] == longest].to_dict(orient="records")]
    show_table(names, rows, title=f"Forecasts of {longest:,} steps")
    show_text(f"Report: {report}")


def conclude_equations(folder: Path, report: Path, results: "pd.DataFrame", *, as_json: bool) -> None:
    """Write the results of a study of equation learners, and where the report is."""
    records = results.to_dict(orient="records")
    if as_json:
        show_json({"directory": str(folder), "report": str(report), "results": records})
        return
    if "share" in results:
        columns: tuple[str, ...] = ("cell", "found", "paper", "choice", "equation")
        rows = [function_row(row) for row in records]
    elif "head" in results:
        columns = ("network's end", "below 15", "from 15 on", "correlation", "equation")
        rows = [digits_row(row) for row in records]
    else:
        columns = ("model", "error, span", "twice", "four times", "correlation", "equation")
        rows = [propagation_row(row) for row in records]
    show_table(columns, rows)
    show_text(f"Report: {report}")


def conclude_autoencoders(folder: Path, report: Path, results: "pd.DataFrame", *, as_json: bool) -> None:
    """Write the first member of every cell's ranking, and where the report is."""
    records = results.to_dict(orient="records")
    if as_json:
        show_json({"directory": str(folder), "report": str(report), "results": records})
        return
    right = results.groupby("cell")["right"].sum()
    members = results.groupby("cell").size()
    rows = [
        (
            row["cell"],
            f"{right[row['cell']]} of {members[row['cell']]}",
            "right" if row["right"] else "wrong",
            str(row["canonical_terms"]),
            *(number(row[f"{name}_test"]) for name in ("decoder", "derivative", "latent")),
            row["equations"] if row["canonical_terms"] <= READABLE else f"{row['canonical_terms']} terms",
        )
        for row in records
        if row["rank"] == 1
    ]
    show_table(("cell", "right", "first", "terms", "decoder", "derivative", "latent", "equations"), rows)
    show_text(f"Report: {report}")


def conclude_trials(folder: Path, report: Path, results: "pd.DataFrame", *, as_json: bool) -> None:
    """Write the trials of a search of autoencoders, the best first, and where the report is."""
    records = results.sort_values(["state", "objective"], kind="stable").to_dict(orient="records")
    if as_json:
        show_json({"directory": str(folder), "report": str(report), "results": records})
        return
    rows = [
        (row["cell"], row["state"], *(number(row.get(name, math.nan)) for name in TRIAL_COLUMNS.values()))
        for row in records
    ]
    show_table(("trial", "state", *TRIAL_COLUMNS), rows)
    show_text(f"Report: {report}")


def function_row(row: dict[Any, Any]) -> tuple[str, ...]:
    """Return a row of the results on functions in words."""
    choice = "right" if row["choice_reached"] else "wrong"
    return row["cell"], f"{row['reached']} of {row['trials']}", percent(row["published"]), choice, row["equation"]


def digits_row(row: dict[Any, Any]) -> tuple[str, ...]:
    """Return a row of the results on digits in words."""
    shares = (percent(row["below_test"]), percent(row["above_test"]))
    return f"{row['head']}, seed {row['seed']}", *shares, number(row["correlation"], 5), row["equation"]


def propagation_row(row: dict[Any, Any]) -> tuple[str, ...]:
    """Return a row of the results on a propagated system in words."""
    errors = (number(row[name]) for name in ("error_span", "error_twice", "error_beyond"))
    return f"{row['model']}, seed {row['seed']}", *errors, number(row["correlation"], 5), row["equation"]


def search_rows(folder: Path) -> list[dict[str, Any]]:
    """Return every combination of a search, the best first; none where nothing was searched."""
    import pandas as pd

    path = folder / "search.parquet"
    if not path.is_file():
        return []
    return [{str(key): value for key, value in row.items()} for row in pd.read_parquet(path).to_dict(orient="records")]


def result_row(row: dict[Any, Any]) -> tuple[str, ...]:
    """Return a row of the results in words."""
    return (
        str(row["cell"]),
        f"{row['nonzeros']:,.0f}",
        f"{row['weights']:,}",
        percent(row["diverged"]),
        between(row["diverged_low"], row["diverged_high"], 100.0),
        number(row["rfmse"]),
        between(row["rfmse_low"], row["rfmse_high"]),
    )
