"""Run a study of any kind, resume it after an interruption, and report on it."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from sparsedyn import _disk
from sparsedyn.executors import Executor
from sparsedyn.studies.cell_files import stored_cells, write_results
from sparsedyn.studies.checksums import sums_of
from sparsedyn.studies.claim import claimed
from sparsedyn.studies.computing import compute_here
from sparsedyn.studies.document.writing import write_report
from sparsedyn.studies.elsewhere import compute_elsewhere, surroundings_of
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import OnEvent, ReportStarted, StudyFinished
from sparsedyn.studies.files import read_json, write_text
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.kinds import kind_of
from sparsedyn.studies.made import compared, surroundings, taken_up
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.run_record import RunRecord
from sparsedyn.studies.shards import Shard, check_agreement, known_shard, shards_of, take_over
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.stops import interruptible
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import is_kept, read_kept, read_run
from sparsedyn.studies.tracked import tracked
from sparsedyn.studies.units import StudyRun
from sparsedyn.tracking import Tracker


def run(
    spec: AbstractStudySpec,
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    members: int | None = None,
    seed: int | None = None,
    mixed: bool = False,
    shard: tuple[int, int] | None = None,
    executor: Executor | None = None,
    tracker: Tracker | None = None,
) -> Path:
    """Run `spec` in `directory` and return the report's path; `members` and `seed` override the spec's own.

    A directory that holds the same study is resumed: finished cells stay as they are, training continues from its
    checkpoint, and the results are those of an uninterrupted run, bit for bit. Under other versions or on other devices
    than before they would not be, so that this is refused unless `mixed`: then run.json lists the cells of the others.
    A cell that fails harms no other.

    With `shard` (2, 4), the second of four parts is computed, in a folder of its own below `directory`, which is
    returned: `collect` puts all together.

    With an `executor`, such as `Ray(address)`, its workers compute the cells; data, results and report are made here,
    and what was finished when this process ends is kept. A cell whose worker is lost begins anew on another one.

    A `tracker`, such as `MLflow()`, gets a run for the study and one for every finished cell. What fails there harms
    nothing, and is made up for when the study is resumed with it.

    Raises `StudyError` for a directory of anything else, and where cells failed or are missing in the end,
    `StudyInterrupted` on Ctrl-C and SIGTERM, which wait for the end of a chunk of training.
    """
    chosen = spec.replaced(members=members, seed=seed)
    part = None if shard is None else Shard(*shard)
    place = Path(directory) if part is None else part.folder(Path(directory))
    options: dict[str, Any] = {"on_event": on_event, "mixed": mixed, "executor": executor, "tracker": tracker}
    return run_as(kind_of(spec), chosen, place, shard=part, **options)


def run_as(
    kind: Kind,
    spec: AbstractStudySpec,
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    mixed: bool = False,
    shard: Shard | None = None,
    executor: Executor | None = None,
    tracker: Tracker | None = None,
) -> Path:
    """Run `spec` as a study of this kind, or a part of it; see `run`."""
    store = Store(Path(directory))
    _check_divided(kind, spec, shard, executor)
    with interruptible(store.directory, lambda: how_far(kind, store, spec)) as stop, claimed(store, spec, kind.files):
        here = surroundings(spec) if executor is None else surroundings_of(executor, spec, stop.check)
        others = taken_up(store, kind.cells(spec, store), here.made, mixed=mixed)
        record = RunRecord(store, spec, here)
        record.note("mixed", others)
        wanted = None
        if shard is not None:
            record.part(shard)
            wanted = shard.slugs(kind.cells(spec, store))
        with tracked(tracker, kind, spec, record, store, on_event) as heard:
            this = StudyRun(spec, store, record, stop.watched(heard), stop.check, wanted, apart=executor is not None)
            if executor is None:
                compute_here(kind, this)
            else:
                compute_elsewhere(kind, this, executor, mixed=mixed)
            return _concluded(kind, this)


def _concluded(kind: Kind, run: StudyRun[AbstractStudySpec]) -> Path:
    """Check that all cells are there, write results and report, and return the report's path; of a part, its folder."""
    spec, store, record = run.spec, run.store, run.record
    if run.wanted is not None:
        _check_whole(kind, store, spec, run.wanted)
        record.finish()
        run.tell(StudyFinished(store.directory, store.directory, record.seconds))
        return store.directory
    run.tell(ReportStarted(len(kind.cells(spec, store))))
    _check_whole(kind, store, spec)
    # Before the report, which shows the times, and after it for its own.
    record.finish()
    path = _reported(kind, store, spec)
    _check_whole(kind, store, spec)
    record.finish()
    write_text(store.sums, sums_of(store.directory))
    run.tell(StudyFinished(store.directory, path, record.seconds))
    return path


def resume(
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    mixed: bool = False,
    executor: Executor | None = None,
    tracker: Tracker | None = None,
) -> Path:
    """Resume the study in `directory`, or the part of one; see `run`."""
    spec, shard = stored_spec(directory), known_shard(Path(directory))
    options: dict[str, Any] = {"on_event": on_event, "mixed": mixed, "executor": executor, "tracker": tracker}
    return run_as(kind_of(spec), spec, directory, shard=shard, **options)


def collect(
    directory: str | Path,
    *,
    on_event: OnEvent | None = None,
    mixed: bool = False,
    tracker: Tracker | None = None,
) -> Path:
    """Put the parts of a study in `directory` together, and return the report's path.

    Cells are checked against their checksums and copied; the results are those of a run in one piece. Raises
    `StudyError` where parts are missing, not finished, damaged, or of different studies, data, or, unless `mixed`,
    versions.
    """
    store = Store(Path(directory))
    parts = shards_of(store.directory)
    check_agreement(parts)
    spec = stored_spec(parts[0].directory)
    kind = kind_of(spec)
    with claimed(store, spec, kind.files):
        for part in parts:
            take_over(store, part, kind.files)
        cells = kind.cells(spec, store)
        others = compared(store, cells, mixed=mixed)
        record = RunRecord(store, spec)
        record.note("mixed", others)
        record.gather([read_json(part.run_file) for part in parts])
        _check_whole(kind, store, spec)
    return run_as(kind, spec, directory, on_event=on_event, mixed=mixed, tracker=tracker)


def report(directory: str | Path) -> Path:
    """Collect the finished cells of `directory` anew, draw its report again, and return the report's path."""
    spec, store = stored_spec(directory), Store(Path(directory))
    kind = kind_of(spec)
    if is_kept(store.directory):
        return write_report(kind.document(read_kept(store.directory, spec)), store.directory)
    if not any(store.is_finished(cell.slug) for cell in kind.cells(spec, store)):
        raise StudyError(
            f"{directory}: expected at least one finished cell to report on; there is none yet. Run it first: "
            f"sparsedyn study resume {directory}"
        )
    with store.lock():
        known = store.sums.is_file()
        _disk.remove(store.sums)
        path = _reported(kind, store, spec)
        if known:
            write_text(store.sums, sums_of(store.directory))
        return path


def how_far(kind: Kind, store: Store, spec: AbstractStudySpec) -> str:
    """Describe how many cells are finished, or how far the choice of cells is."""
    cells = kind.cells(spec, store)
    if not cells:
        return kind.undecided(spec, store)
    return f"with {sum(store.is_finished(cell.slug) for cell in cells)} of {len(cells)} cells finished"


def _check_divided(kind: Kind, spec: AbstractStudySpec, shard: Shard | None, executor: Executor | None) -> None:
    """Raise `StudyError` where cells cannot be computed by themselves, or are to be divided twice."""
    option = "--ray" if shard is None else "--shard"
    if (shard is not None or executor is not None) and kind.chained(spec):
        raise StudyError(f"{spec.name}: every computation of a search depends on those before it. Leave {option} out.")
    if shard is not None and executor is not None:
        raise StudyError(f"{spec.name}: expected a part of the study or workers (--shard or --ray); got both.")


def _check_whole(kind: Kind, store: Store, spec: AbstractStudySpec, wanted: Collection[str] | None = None) -> None:
    """Raise `StudyError` unless every cell is there with all its files: files may be removed while a study runs."""
    cells = [cell for cell in kind.cells(spec, store) if wanted is None or cell.slug in wanted]
    missing = [cell.label for cell in cells if not store.is_finished(cell.slug)]
    if store.spec_file.is_file() and (cells or wanted is not None) and not missing:
        store.check_cells(kind.files)
        return
    lost = f"{len(missing)} of {len(cells)} are missing, the first is {missing[0]!r}" if missing else "they are missing"
    fix = f"make them again: sparsedyn study resume {store.directory}"
    if not store.spec_file.is_file():
        lost, fix = "the folder was removed or emptied during the run", "run the study again."
    raise StudyError(f"{store.directory}: expected the finished cells of the study; {lost}. Keep the folder, and {fix}")


def _reported(kind: Kind, store: Store, spec: AbstractStudySpec) -> Path:
    cells = kind.cells(spec, store)
    results = kind.results(spec, stored_cells(store, kind.files, cells))
    write_results(store, results)
    return write_report(kind.document(read_run(store, kind.files, spec, cells, results)), store.directory)
