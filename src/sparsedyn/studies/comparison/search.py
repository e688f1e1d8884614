"""A comparison's grid by batched halving: combinations of one shape are members of one computation."""

from collections.abc import Callable, Iterator, Sequence

import jax
import numpy as np
import pandas as pd

from sparsedyn import _disk, training
from sparsedyn.data import Trajectories
from sparsedyn.estimators import SparseTimeStepper, fit_together
from sparsedyn.studies.comparison.budgets import Budget, budgets, cells_of, cost, later_cost
from sparsedyn.studies.comparison.cells import ComparisonCell, Group, groups_of, points_of
from sparsedyn.studies.comparison.grid import WORDING
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.events import GroupProgress, GroupStarted, OnEvent
from sparsedyn.studies.files import write_table
from sparsedyn.studies.run_record import GroupClock, RunRecord
from sparsedyn.studies.search.halving import halve, kept_count, rows_of
from sparsedyn.studies.search.space import Combination
from sparsedyn.studies.search_files import SearchFiles
from sparsedyn.studies.store import Store


class GridSearch:
    """One run of a search, which does what is not done yet. It has no access to test trajectories."""

    def __init__(
        self,
        spec: StudySpec,
        store: Store,
        record: RunRecord,
        tell: OnEvent,
        train: Trajectories,
        validation: Trajectories,
    ):
        self.spec, self.store, self.record, self.tell = spec, store, record, tell
        self.train, self.validation = train, validation
        self.files = SearchFiles(store.directory)
        self.budgets = budgets(spec)
        self.points = points_of(spec)
        self.done = 0
        self.total = 0
        self.fitted: dict[str, SparseTimeStepper] = {}

    @property
    def last(self) -> int:
        """The number of the last rung, whose cells are the study's."""
        return len(self.budgets)

    def choose(self) -> list[ComparisonCell]:
        """Train all rungs, store their tables and the result, and return the cells of the last, the best first."""
        halve(self.points, [budget.keep for budget in self.budgets], self.files, self._rung)
        return ranked_cells(self.spec, self.store)

    def trained(self) -> Iterator[tuple[ComparisonCell, Group, SparseTimeStepper]]:
        """Yield the cells of the last rung that are not stored, their groups, and their networks."""
        number, budget = self.last, self.budgets[-1]
        numbers = set(pd.read_parquet(self.files.rung(number))["combination"])
        groups = self._groups([point for point in self.points if point.number in numbers], budget)
        entry = _entry(number, groups)
        # Its times are recorded already, unless run.json was lost.
        self.record.group(entry.key, entry.labels, entry.members)
        for group in groups:
            missing = [cell for cell in group.cells if not self.store.is_finished(cell.slug)]
            if any(cell.slug not in self.fitted for cell in missing):
                # From the checkpoint of the finished training.
                self._fit(number, group, None)
            for cell in missing:
                yield cell, entry, self.fitted[cell.slug]
            _disk.remove(self.store.checkpoint(_key(number, group)))

    def _groups(self, points: Sequence[Combination], budget: Budget) -> list[Group]:
        return groups_of(cells_of(self.spec, points, budget))

    def _rung(self, number: int, points: Sequence[Combination]) -> pd.DataFrame:
        """Return the losses of all points of a rung, trained as far as they are not stored."""
        budget, data = self.budgets[number - 1], (self.train, self.validation)
        groups = self._groups(points, budget)
        later = later_cost(groups, kept_count(len(points), budget.keep), self.budgets[number:], *data)
        self.total = self.done + sum(cost(group, budget, *data) for group in groups) + later
        entry = _entry(number, groups)
        clock = self.record.group(entry.key, entry.labels, entry.members)
        by_label = {point.label: point for point in points}
        for i, group in enumerate(groups, 1):
            if not self.files.group(number, group.key).is_file():
                self._group(number, i, len(groups), group, by_label, clock)
            if number < self.last:
                _disk.remove(self.store.checkpoint(_key(number, group)))
                self.fitted.clear()
            self.done += cost(group, budget, *data)
        # The next rung has other numbers of steps and samples: no compiled function would be used again.
        jax.clear_caches()
        tables = [pd.read_parquet(self.files.group(number, group.key)) for group in groups]
        return pd.concat(tables, ignore_index=True)

    def _group(
        self, rung: int, number: int, groups: int, group: Group, points: dict[str, Combination], clock: GroupClock
    ) -> None:
        """Train a group and store its losses."""
        checkpoint = self.store.checkpoint(_key(rung, group))
        what = f"rung {rung} of {self.last}: {describe(self.spec, group)}"
        self.tell(GroupStarted(number, groups, (what,), group.members, checkpoint.is_file()))
        whole = cost(group, self.budgets[rung - 1], self.train, self.validation)

        def watch(progress: training.Progress) -> None:
            clock.tick(progress.step)
            done = self.done + round(whole * progress.step / max(1, progress.steps))
            self.tell(GroupProgress(number, groups, progress, done, self.total))

        self._fit(rung, group, watch)
        clock.tick(self.fitted[group.cells[0].slug].steps_, now=True)
        losses = [losses_of(self.fitted[cell.slug]) for cell in group.cells]
        write_table(self.files.group(rung, group.key), rows_of([points[cell.label] for cell in group.cells], losses))

    def _fit(self, rung: int, group: Group, watch: Callable[[training.Progress], None] | None) -> None:
        steppers = {cell.slug: cell.estimator() for cell in group.cells}
        fit_together(
            list(steppers.values()),
            self.train[: group.cells[0].train_trajectories],
            self.validation,
            on_progress=watch,
            checkpoint=self.store.checkpoint(_key(rung, group)),
            check_units=False,
        )
        self.fitted |= steppers


def ranked_cells(spec: StudySpec, store: Store) -> list[ComparisonCell]:
    """Return the cells of the last rung, the best first; none before it is finished."""
    spent = budgets(spec)
    path = SearchFiles(store.directory).rung(len(spent))
    if not path.is_file():
        return []
    by_number = {point.number: point for point in points_of(spec)}
    ranked = [by_number[int(number)] for number in pd.read_parquet(path)["combination"]]
    return cells_of(spec, ranked, spent[-1])


def how_far(spec: StudySpec, store: Store) -> str:
    """Describe the progress of a search."""
    rungs, done = len(budgets(spec)), len(SearchFiles(store.directory).rungs())
    return f"with {done} of {rungs} rungs of the search finished"


def losses_of(stepper: SparseTimeStepper) -> list[float]:
    """Return the validation loss of every member at the end of training, infinite for one that failed."""
    history = stepper.history_
    last = history[history["step"] == history["step"].max()].sort_values("member")
    values = last["validation"].to_numpy(np.float64)
    return [float(v) for v in np.where(stepper.alive_ & np.isfinite(values), values, np.inf)]


def describe(spec: StudySpec, group: Group) -> str:
    """Name a group by what its combinations share: "2 x 15, adam, batch 32 (6 combinations)"."""
    shared = []
    for key in spec.search.grid.axes() if spec.search is not None else ():
        values = [cell.arguments[key.partition(".")[2]] for cell in group.cells]
        if all(value == values[0] for value in values):
            shared.append(WORDING.setting(key, values[0]))
    count = f"{len(group.cells)} combination{'s' if len(group.cells) > 1 else ''}"
    return f"{', '.join(shared)} ({count})" if shared else count


def _key(rung: int, group: Group) -> str:
    return f"rung-{rung}-{group.key}"


def _entry(number: int, groups: list[Group]) -> Group:
    """A whole rung as one entry of the record of times, which would otherwise have hundreds."""
    cells = [cell for group in groups for cell in group.cells]
    members = sum(group.members for group in groups)
    label = f"rung {number}, {len(cells)} combination{'s' if len(cells) > 1 else ''}"
    one = cells[0]
    return Group(f"rung-{number}", (ComparisonCell("", label, one.technique, one.average, 0, {"members": members}),))
