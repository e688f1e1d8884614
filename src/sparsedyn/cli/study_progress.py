"""The progress of a study on standard error: two bars on a terminal, plain lines in a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparsedyn._memory import amount
from sparsedyn.cli.output import console, note, number, percent, plural
from sparsedyn.cli.progress import Lines, duration

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sparsedyn.studies import Event, GroupProgress
    from sparsedyn.studies.events import OnEvent


@contextmanager
def study_progress(name: str, *, quiet: bool) -> Iterator["OnEvent | None"]:
    """Yield a function that shows the events of a study; `None` when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield StudyBars(name, bars).event
    else:
        yield StudyLines(name).event


class StudyLines:
    """Events as lines; training itself now and then."""

    def __init__(self, name: str):
        self.lines = Lines(name)
        self.first_done = -1.0

    def event(self, event: "Event") -> None:
        """Write what happened."""
        from sparsedyn.studies import CellProgress, GroupProgress

        if isinstance(event, GroupProgress):
            self._line(float(event.done), event.total, describe_group(event))
        elif isinstance(event, CellProgress):
            self._line(event.done, event.cells, f"{event.label}: {event.remark}")
        else:
            note(words(event))

    def _line(self, done: float, total: int, text: str) -> None:
        if self.first_done < 0:
            self.first_done = done
        share = (done - self.first_done) / max(1, total - self.first_done)
        self.lines.line(done / max(1, total), text, share)


class StudyBars:
    """A bar for the whole study, with the time left, and one for each group or cell that is being computed."""

    def __init__(self, name: str, bars: "Progress"):
        self.bars = bars
        self.whole = bars.add_task(name, total=None, note="")
        self.parts: dict[str, TaskID] = {}

    def event(self, event: "Event") -> None:
        """Move the bars; write what happened above them."""
        from sparsedyn.studies import CellProgress, CellStarted, GroupProgress

        if isinstance(event, CellStarted):
            self.bars.update(self.whole, total=event.cells)
            self._part(event.label, 0.0, 1.0, "")
        elif isinstance(event, CellProgress):
            self.bars.update(self.whole, total=event.cells, completed=event.done)
            self._part(event.label, event.share, 1.0, event.remark)
        elif isinstance(event, GroupProgress):
            training = event.training
            self.bars.update(self.whole, total=event.total, completed=event.done)
            what = f"group {event.number} of {event.groups}"
            self._part(what, training.step, training.steps, describe_group(event, short=True))
        else:
            self.bars.console.print(words(event), soft_wrap=True)

    def _part(self, what: str, done: float, total: float, remark: str) -> None:
        """Move the bar of a part. A new one takes the place of those that are done."""
        if what not in self.parts:
            done_with = {task.id for task in self.bars.tasks if task.finished}
            for other in [name for name, task in self.parts.items() if task in done_with]:
                self.bars.remove_task(self.parts.pop(other))
            self.parts[what] = self.bars.add_task(what, total=total, note="")
        self.bars.update(self.parts[what], total=total, completed=done, note=remark)


def describe_group(event: "GroupProgress", *, short: bool = False) -> str:
    """Return losses, sparsity and members alive of the group in training."""
    from sparsedyn.estimators import describe

    text = describe(event.training)
    return text if short else f"group {event.number} of {event.groups}  {text}"


def words(event: "Event") -> str:
    """Return an event as a line."""
    from sparsedyn import studies

    match event:
        case studies.DataReady(train, validation, test, redrawn, seconds):
            again = f", {redrawn} drawn again" if redrawn else ""
            parts = f"{train} to train on, {validation} to validate, {test} to test{again}"
            return f"Data ready in {duration(seconds)}: {parts}."
        case studies.MemoryPlanned(bytes=size, members=members):
            return f"Needs about {amount(size)} of memory; {members:,} members fit at once."
        case studies.GroupStarted(number=i, groups=n, labels=labels, members=members, resumed=resumed):
            start = "resumes from its checkpoint" if resumed else "starts"
            return f"Group {i} of {n} {start}: {', '.join(labels)} ({plural(members, 'network')} at once)."
        case studies.CellFinished() as cell:
            return (
                f"{cell.number} of {cell.cells} finished: {cell.label}: {number(cell.nonzeros, 4)} of "
                f"{cell.weights} weights; at {cell.horizon} steps {percent(cell.diverged)} diverged, "
                f"RFMSE {number(cell.rfmse)}."
            )
        case studies.CellStarted(label=label, number=i, cells=n):
            return f"{i} of {n} starts: {label}."
        case studies.CellStored(label=label, number=i, cells=n, summary=summary, seconds=seconds):
            return f"{i} of {n} finished in {duration(seconds)}: {label}: {summary}."
        case studies.CellFailed(label=label, why=why):
            return f"Failed: {label}: {why}"
        case studies.WorkerLost(labels=labels, times=times):
            return f"Lost the worker of {', '.join(labels)} (time {times}): begun anew on another one."
        case studies.ReportStarted():
            return "Drawing the report."
        case studies.StudyFinished(seconds=seconds):
            return f"Done in {duration(seconds)}."
    return ""


def _bars() -> "Progress":
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %", markup=False),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left", markup=False),
        TimeRemainingColumn(),
        console=console(stderr=True),
    )
