"""`sparsedyn study`: comparisons of techniques, studies of equation learners and of autoencoders, data to report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded
from sparsedyn.cli.output import note, plural, show_json, show_pairs, show_table, show_text
from sparsedyn.cli.study_progress import study_progress

if TYPE_CHECKING:
    from sparsedyn.executors import Executor
    from sparsedyn.tracking import Tracker

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")

Name = Annotated[
    str,
    typer.Argument(metavar="NAME_OR_TOML", help="A built-in study, or a TOML file.", show_default=False),
]
Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder of a study that was started.", show_default=False)
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

Mixed = Annotated[
    bool, typer.Option("--mixed", help="Go on although finished cells were made with other versions or devices.")
]
Part = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Compute part I of N only; `slurm`: this array task's.",
        show_default=False,
    ),
]

RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Compute cells on the workers of a Ray cluster: `auto`, HOST:PORT, or ray://HOST:10001.",
        show_default=False,
    ),
]

Track = Annotated[
    str | None,
    typer.Option(
        "--track",
        metavar="mlflow[:URI]",
        help="Record the study and its cells in MLflow: by default in mlflow.db, or in a database or on a server.",
        show_default=False,
    ),
]


@app.callback()
def study() -> None:
    """Compare sparsification techniques, test equation learners and autoencoders, or search their settings.

    One table, one illustrated report.

    A study is a TOML file; some are built in. It can be stopped at any time and resumed.

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
    """Print a study's TOML, with its cells as comments above it.

    The output is a study itself: save it, change it, run it. For comparisons of simulated plants the time is estimated
    from a measurement of this machine. With --json, the study with all defaults written out, its cells, and the cost.

    Example:

    ```
    sparsedyn study show aluminum-quick > mine.toml
    ```
    """
    from sparsedyn.studies.catalogue import check_known

    check_known(name)
    from sparsedyn.studies import load
    from sparsedyn.studies.cost import expected, expected_text
    from sparsedyn.studies.kinds import kind_of

    spec = load(name)
    found = kind_of(spec).overview(spec)
    if as_json:
        show_json({"study": spec.resolved(), **found.facts, **({"cost": expected(found.cost)} if found.cost else {})})
        return
    head = [f"# {found.headline}{':' if ':' not in found.headline else ''}", *(f"#   {line}" for line in found.lines)]
    if found.cost is not None:
        head.append(f"# {expected_text(found.cost)}")
    show_text("\n".join([*head, "", study_text(name)]))


@app.command("run")
@guarded
def run(
    name: Name,
    output: Output = None,
    members: Members = None,
    seed: Seed = None,
    mnist: Mnist = None,
    mixed: Mixed = False,
    shard: Part = None,
    ray: RayAddress = None,
    track: Track = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Run a study: make or read the data, train every cell, forecast, draw the report.

    The folder gets `report.html`, `results.parquet` (a row per cell, and per horizon), `figures/`, and the data behind
    them. A folder that holds the same study already is resumed: finished cells stay, training continues from its
    checkpoint, and the results are those of an uninterrupted run, bit for bit.

    With --shard, a part is computed in DIR/shards; `sparsedyn study collect DIR` puts all parts together. With --ray,
    the workers of a cluster compute the cells, and only this process writes to the folder.

    Examples:

    ```
    sparsedyn study run aluminum-quick
    sparsedyn study run mine.toml -o results --members 20 --seed 1
    sparsedyn study run kim2019-table5
    sparsedyn study run mine.toml --ray auto --track mlflow
    ```
    """
    from sparsedyn import studies
    from sparsedyn.studies.catalogue import check_known

    check_known(name)
    spec = studies.load(name)
    if mnist is not None:
        spec = studies.with_mnist(spec, mnist)
    folder = output or Path(spec.name)
    if shard is not None:
        from sparsedyn.studies.shards import shard_of

        if ray is not None:
            raise UsageProblem("--shard, --ray: expected one of them; got both. A cluster divides a study by itself.")
        if track is not None:
            raise UsageProblem("--track: expected a whole study; got --shard. Give it to `sparsedyn study collect`.")

        part = shard_of(shard)
        with study_progress(spec.name, quiet=quiet) as on_event:
            studies.run(spec, folder, on_event=on_event, members=members, seed=seed, mixed=mixed, shard=part)
        note(f"When all parts are finished: sparsedyn study collect {folder}", quiet=quiet)
        return
    note(f"Study {spec.name} in {folder} (Ctrl-C stops it; the same command resumes it).", quiet=quiet)
    with workers_of(ray, quiet=quiet) as executor, study_progress(spec.name, quiet=quiet) as on_event:
        report = studies.run(
            spec,
            folder,
            on_event=on_event,
            members=members,
            seed=seed,
            mixed=mixed,
            executor=executor,
            tracker=tracker_of(track),
        )
    conclude(folder, report, as_json=as_json)


@app.command("resume")
@guarded
def resume(
    directory: Directory,
    mixed: Mixed = False,
    ray: RayAddress = None,
    track: Track = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Resume a study that was interrupted.

    Finished cells stay as they are and training resumes from its checkpoint. For a finished study, only the results are
    collected and the report is drawn again. Under other versions of Python, JAX, NumPy or Numba, or on other devices,
    results can differ in their last digits: that is refused unless --mixed is given.

    Example:

    ```
    sparsedyn study resume aluminum-quick
    ```
    """
    from sparsedyn import studies

    with workers_of(ray, quiet=quiet) as executor, study_progress(directory.name, quiet=quiet) as on_event:
        report = studies.resume(directory, on_event=on_event, mixed=mixed, executor=executor, tracker=tracker_of(track))
    conclude(directory, report, as_json=as_json)


@app.command("collect")
@guarded
def collect(
    directory: Directory,
    mixed: Mixed = False,
    track: Track = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Put the parts of a study that was run with --shard together, and draw the report.

    Every file is checked against its checksum. The results are those of a run in one piece.

    Examples:

    ```
    sparsedyn study run mine.toml -o mine --shard 1/2
    sparsedyn study run mine.toml -o mine --shard 2/2
    sparsedyn study collect mine
    ```
    """
    from sparsedyn import studies

    with study_progress(directory.name, quiet=quiet) as on_event:
        report = studies.collect(directory, on_event=on_event, mixed=mixed, tracker=tracker_of(track))
    conclude(directory, report, as_json=as_json)


@app.command("report")
@guarded
def report(directory: Directory, quiet: options.Quiet = False, as_json: options.Json = False) -> None:
    """Collect the finished cells of a study and draw its report again, without any training.

    A study that is not finished is reported on with the cells that are.

    Example:

    ```
    sparsedyn study report aluminum-quick
    ```
    """
    from sparsedyn import studies

    note(f"Drawing the report of {directory} from its finished cells.", quiet=quiet)
    conclude(directory, studies.report(directory), as_json=as_json)


@app.command("verify")
@guarded
def verify(directory: Directory, as_json: options.Json = False) -> None:
    """Check the files of a study against the checksums that were stored with them.

    Data, finished cells, checkpoints and, once the study is finished, results: `sha256sum --check SHA256SUMS` does the
    same in each folder. Exit status 4 if a file is not as it was written. With --json, the files, and what is wrong.

    Example:

    ```
    sparsedyn study verify aluminum-quick
    ```
    """
    from sparsedyn.studies import StudyError
    from sparsedyn.studies import verify as check

    files, faults, unknown = check(directory)
    if as_json:
        wrong = [{"file": str(file), "fault": why} for file, why in faults]
        show_json({"checked": files, "faults": wrong, "without_checksums": [str(folder) for folder in unknown]})
    elif not faults:
        show_text(f"{files} files are as they were written.")
    for folder in unknown:
        note(f"{folder} has no checksums: an earlier version wrote it.", quiet=as_json)
    if faults:
        listed = "\n".join(f"  {file} {why}" for file, why in faults)
        raise StudyError(
            f"{directory}: expected the files that the study wrote; {len(faults)} of {files} are not:\n{listed}\n"
            f"Remove the folders of these cells, then run: sparsedyn study resume {directory}"
        )


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
    from sparsedyn.studies import publish as write_pages

    written = write_pages(directories, output, results=keep, tell=note)
    if as_json:
        show_json({"written": [str(path) for path in written]})
    else:
        show_text("\n".join(str(path) for path in written))


@contextmanager
def workers_of(address: str | None, *, quiet: bool) -> Iterator["Executor | None"]:
    """Yield the workers of a cluster; None without an address."""
    if address is None:
        yield None
        return
    from sparsedyn.executors import Ray

    try:
        connection = Ray(address)
    except ImportError as error:
        raise UsageProblem(f"--ray: {error}") from error
    with connection as cluster:
        note(f"Ray at {address}: {plural(cluster.workers, 'worker')}.", quiet=quiet)
        yield cluster


def tracker_of(text: str | None) -> "Tracker | None":
    """Return the tracking service that an option names."""
    if text is None:
        return None
    service, _, uri = text.partition(":")
    if service != "mlflow":
        raise UsageProblem(f"--track: expected mlflow, or mlflow:URI; got {text!r}.")
    from sparsedyn.tracking import MLflow

    try:
        return MLflow(uri or None)
    except ImportError as error:
        raise UsageProblem(f"--track: {error}") from error
    except Exception as error:  # of MLflow, its databases and the network
        raise UsageProblem(f"--track: {text}: runs cannot be kept there ({' '.join(str(error).split())}).") from error


def study_text(name: str) -> str:
    """Return the TOML of a study that can be loaded, as it was written."""
    from sparsedyn.studies import catalogue

    builtin = catalogue.studies()
    return (builtin[name] if name in builtin else Path(name)).read_text(encoding="utf-8")


def conclude(folder: Path, report: Path, *, as_json: bool) -> None:
    """Print the results of a study and the path of its report; a part has neither."""
    if report == folder:
        note(f"When all parts are finished: sparsedyn study collect {folder.parent.parent}")
        return
    import pandas as pd

    from sparsedyn.studies.kinds import kind_of
    from sparsedyn.studies.reading import stored_spec
    from sparsedyn.studies.store import Store

    spec, store = stored_spec(folder), Store(folder)
    found = kind_of(spec).summary(spec, store, pd.read_parquet(store.results_file))
    if as_json:
        show_json({"directory": str(folder), "report": str(report), "results": found.records, **found.facts})
        return
    for listing in found.listings:
        show_table(listing.columns, listing.rows, title=listing.title)
    show_text(f"Report: {report}")
