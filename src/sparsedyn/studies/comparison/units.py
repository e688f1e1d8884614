"""The units of a comparison: data, then networks by groups of one shape, or by rungs of a search."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from sparsedyn import _disk, training
from sparsedyn._memory import budget
from sparsedyn.data import Trajectories
from sparsedyn.estimators import SparseTimeStepper, fit_together
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.cells import Outcome
from sparsedyn.studies.comparison.cells import ComparisonCell, Group, expand, groups_of
from sparsedyn.studies.comparison.data import prepare
from sparsedyn.studies.comparison.measure import measured
from sparsedyn.studies.comparison.memory import planned
from sparsedyn.studies.comparison.results import rows_of
from sparsedyn.studies.comparison.search import GridSearch, ranked_cells
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.events import CellFinished, DataReady, Event, GroupProgress, GroupStarted, MemoryPlanned
from sparsedyn.studies.store import Store
from sparsedyn.studies.units import StudyRun, Unit

Data = dict[str, Trajectories]


def cells_in(spec: StudySpec, store: Store) -> list[ComparisonCell]:
    """Return the cells that the study will have in this directory; for a search none before it is finished."""
    return expand(spec) if spec.search is None else ranked_cells(spec, store)


def units(run: StudyRun[StudySpec]) -> Iterator[Unit]:
    """Make or read the data, and yield what is trained on them."""
    started = time.monotonic()
    data = prepare(run.spec, run.store)
    seconds = time.monotonic() - started
    run.record.data(data, seconds)
    run.tell(_data_ready(data, seconds))
    return _groups(run, data) if run.spec.search is None else _searched(run, data)


def _groups(run: StudyRun[StudySpec], data: Data) -> Iterator[Unit]:
    groups = groups_of(run.chosen(expand(run.spec)), _at_once(run, data))
    # Steps times members, for an estimate of the time left.
    work = [_member_steps(group, data["train"]) for group in groups]
    for number, group in enumerate(groups, 1):
        yield _group(run, data, group, (number, len(groups)), (sum(work[: number - 1]), sum(work)))


def _at_once(run: StudyRun[StudySpec], data: Data) -> int | None:
    """Return the most members of a group: as when the study was begun, since groups have checkpoints."""
    content = run.record.content
    if run.apart:
        # Cells by themselves, so that as many workers as there are have something to do.
        if "members_at_once" not in content:
            content["members_at_once"] = 1
            run.record.save()
        return _known(content)
    try:
        most = budget()
    except ValueError as error:
        raise StudyError(str(error)) from error
    groups = groups_of(run.chosen(expand(run.spec)))
    if not groups:
        return None
    plan = planned(groups, data, most)
    run.tell(MemoryPlanned(plan.needed, plan.at_once))
    if "members_at_once" not in content:
        content["members_at_once"] = plan.at_once if plan.needed > most else None
        run.record.save()
    return _known(content)


def _known(content: dict[str, Any]) -> int | None:
    known: int | None = content["members_at_once"]
    return known


def _group(run: StudyRun[StudySpec], data: Data, group: Group, place: tuple[int, int], work: tuple[int, int]) -> Unit:
    """Cells that are trained as one computation; `work` is the work done before it and the total."""
    checkpoint = run.store.checkpoint(group.key)
    done, total = work

    def trained() -> Callable[[ComparisonCell], Outcome]:
        run.tell(GroupStarted(*place, group.labels, group.members, checkpoint.is_file()))
        # All cells, also those stored already: the checkpoint is that of the whole group.
        steppers = {cell.slug: cell.estimator() for cell in group.cells}
        clock = run.record.group(group.key, group.labels, group.members)

        def watch(progress: training.Progress) -> None:
            clock.tick(progress.step, progress.shared)
            run.tell(GroupProgress(*place, progress, done + progress.step * progress.members, total))

        # All parts of a study come from one source, of which a single trajectory may be a poor sample: no check of
        # units.
        fit_together(
            list(steppers.values()),
            data["train"][: group.cells[0].train_trajectories],
            data.get("validation"),
            on_progress=watch,
            checkpoint=checkpoint,
            check_units=False,
        )
        clock.tick(int(next(iter(steppers.values())).steps_), now=True)
        return lambda cell: _outcome(run, data["test"], group, cell, steppers[cell.slug])

    own = _member_steps(group, data["train"])
    return Unit(group.cells, trained, _stored(run), lambda: _disk.remove(checkpoint), own)


def _searched(run: StudyRun[StudySpec], data: Data) -> Iterator[Unit]:
    """Search the grid, and only then let the chosen cells forecast the test trajectories."""
    search = GridSearch(run.spec, run.store, run.record, run.tell, data["train"], data["validation"])
    search.choose()
    for cell, group, stepper in search.trained():
        yield _chosen(run, data["test"], group, cell, stepper)


def _chosen(
    run: StudyRun[StudySpec], test: Trajectories, group: Group, cell: ComparisonCell, stepper: SparseTimeStepper
) -> Unit:
    return Unit((cell,), lambda: lambda cell: _outcome(run, test, group, cell, stepper), _stored(run))


def _outcome(
    run: StudyRun[StudySpec], test: Trajectories, group: Group, cell: ComparisonCell, stepper: SparseTimeStepper
) -> Outcome:
    found = measured(cell, stepper, test, run.spec)
    return found._replace(share=run.record.share(group.key, cell.arguments["members"]))


def _stored(run: StudyRun[StudySpec]) -> Callable[[ComparisonCell, Outcome, float], Event]:
    def event(cell: ComparisonCell, outcome: Outcome, seconds: float) -> Event:
        cells = cells_in(run.spec, run.store)
        rows = rows_of(StoredCell(cell.slug, {"label": cell.label, **outcome.facts}, outcome.arrays, outcome.tables))
        last = max(rows, key=lambda row: int(row["horizon"]))
        return CellFinished(
            label=cell.label,
            number=sum(run.store.is_finished(other.slug) for other in cells),
            cells=len(cells),
            nonzeros=last["nonzeros"],
            weights=last["weights"],
            horizon=last["horizon"],
            diverged=last["diverged"],
            rfmse=last["rfmse"],
        )

    return event


def _data_ready(data: Data, seconds: float) -> DataReady:
    counts = {part: len(data[part]) if part in data else 0 for part in ("train", "validation", "test")}
    redrawn = sum(int(part.attrs.get("redrawn", 0)) for part in data.values())
    return DataReady(**counts, redrawn=redrawn, seconds=seconds)


def _member_steps(group: Group, train: Trajectories) -> int:
    cell = group.cells[0]
    # Derivative methods drop a few rows at the ends; an estimate of time can ignore that.
    samples = sum(train.lengths[: cell.train_trajectories])
    return group.members * cell.arguments["epochs"] * max(1, samples // cell.arguments["batch"])
