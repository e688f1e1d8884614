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


@contextmanager
def progress_bar(title: str, show: bool | None = None) -> Iterator[Callable[[training.Progress], None] | None]:
    """Yield a callback that draws training progress; `show=None` draws on a terminal only."""
    show = sys.stderr.isatty() if show is None else show
    if not show:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(title, total=None, note="compiling")

        def update(progress: training.Progress) -> None:
            bar.update(task, total=progress.steps, completed=progress.step, note=describe(progress))

        yield update
