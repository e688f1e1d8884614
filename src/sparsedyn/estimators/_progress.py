"""A Rich progress bar for training, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sparsedyn import training


def describe(progress: training.Progress) -> str:
    """Return one line: losses, sparsity, members alive."""
    parts = [f"loss {progress.loss:.3g}"] if progress.loss == progress.loss else []
    if progress.validation == progress.validation:
        parts.append(f"validation {progress.validation:.3g}")
    parts.append(f"zeros {100 * progress.sparsity:.0f} %")
    parts.append(f"{progress.alive}/{progress.members} alive")
    return "  ".join(parts)


COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.percentage:>3.0f} %"),
    TextColumn("{task.fields[note]}"),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
)


@contextmanager
def progress_bar(title: str, show: bool | None = None) -> Iterator[Callable[[training.Progress], None] | None]:
    """Yield a callback that draws training progress; `show=None` draws on a terminal only."""
    with _bar(title, show) as update:
        yield update and (lambda progress: update(progress.step, progress.steps, describe(progress)))


@contextmanager
def search_bar(title: str, show: bool | None = None) -> Iterator[Callable[[int, int, int], None] | None]:
    """Yield a callback that draws the generations of a search for equations, and how many trials are exact."""
    with _bar(title, show) as update:
        yield update and (lambda done, of, exact: update(done, of, f"{exact} exact"))


@contextmanager
def phase_bar(
    title: str, show: bool | None = None
) -> Iterator[Callable[[int, int, float, training.Progress], None] | None]:
    """Yield a callback that draws training in phases: phase, phases, share of all steps done, and its progress."""
    with _bar(title, show) as update:
        yield update and (
            lambda phase, phases, done, progress: update(
                round(1000 * done), 1000, f"phase {phase + 1} of {phases}  {describe(progress)}"
            )
        )


@contextmanager
def stage_bar(title: str, show: bool | None = None) -> Iterator[Callable[[float, str], None] | None]:
    """Yield a callback that draws the share of a search that is done, and what it is at."""
    with _bar(title, show) as update:
        yield update and (lambda done, note: update(round(1000 * done), 1000, note))


@contextmanager
def _bar(title: str, show: bool | None) -> Iterator[Callable[[int, int, str], None] | None]:
    show = sys.stderr.isatty() if show is None else show
    if not show:
        yield None
        return
    with Progress(*COLUMNS, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(title, total=None, note="compiling")
        yield lambda done, total, note: bar.update(task, total=total, completed=done, note=note)
