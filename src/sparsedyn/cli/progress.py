"""Progress of training on standard error: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparsedyn.cli.output import note

if TYPE_CHECKING:
    from sparsedyn.training import Progress

LINE_EVERY = 15.0
"""Seconds between two lines in a log."""

OnProgress = Callable[["Progress"], None]


@contextmanager
def training_progress(title: str, *, quiet: bool) -> Iterator[OnProgress | None]:
    """Yield a function that shows the progress of one training run; `None` when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from sparsedyn.estimators import progress_bar

        with progress_bar(title, True) as show:
            yield show
    else:
        yield Lines(title).training


@contextmanager
def reading_progress(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield a function that shows how many of so many files are read; `None` when quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        from sparsedyn.estimators import stage_bar

        with stage_bar(title, True) as show:
            yield show and (lambda done, of: show(done / of, f"{done} of {of} files"))
    else:
        lines = Lines(title)
        yield lambda done, of: lines.line(done / of, f"{done} of {of} files", done / of)


class Lines:
    """Plain lines, the first after a while, then one every `LINE_EVERY` seconds."""

    def __init__(self, title: str):
        self.title = title
        self.began = self.written = time.monotonic()
        self.first_step = -1

    def training(self, progress: "Progress") -> None:
        """Write the progress of a training run if a line is due."""
        from sparsedyn.estimators import describe

        if progress.step == 0:
            return
        # A resumed run starts with steps that say nothing about its speed.
        if self.first_step < 0:
            self.first_step = progress.step
        share = (progress.step - self.first_step) / max(1, progress.steps - self.first_step)
        self.line(progress.step / progress.steps, describe(progress), share)

    def line(self, done: float, text: str, share: float) -> None:
        """Write a line if one is due.

        `done` is the finished share of the whole, `share` the finished share of what was left when this run began.
        """
        now = time.monotonic()
        if now - self.written < LINE_EVERY:
            return
        self.written = now
        left = f"  about {duration((now - self.began) * (1 - share) / share)} left" if share > 0 else ""
        note(f"{self.title}: {100 * done:.0f} %  {text}{left}")


def duration(seconds: float) -> str:
    """Write a time span: 8 s, 2 min 5 s, 1 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
