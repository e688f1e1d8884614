"""Ctrl-C and SIGTERM: what they end, and work that may finish its chunk first."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

GRACE = 10.0
"""Seconds that a chunk of work has to come to its end."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends work as Ctrl-C does."""


class Stop:
    """Whether work is to stop: asked once, at its next `check` or after `grace` seconds; asked twice, at once."""

    def __init__(self, grace: float):
        self.grace = grace
        self.asked: type[KeyboardInterrupt] | None = None

    def check(self) -> None:
        """Raise `KeyboardInterrupt`, or `Terminated`, if the work is to stop. To be called where nothing is lost."""
        if self.asked is not None:
            raise self.asked

    def watched(self, tell: Callable[[Any], None] | None) -> Callable[[Any], None]:
        """Return a function that calls `tell`, if there is one, and then checks."""

        def told(what: Any) -> None:
            if tell is not None:
                tell(what)
            self.check()

        return told

    def ask(self, number: int, frame: object) -> None:
        """Handle a signal."""
        again, self.asked = self.asked is not None, Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if again or not hasattr(signal, "setitimer"):
            self.check()
        signal.setitimer(signal.ITIMER_REAL, self.grace)

    def late(self, number: int, frame: object) -> None:
        """Handle the end of the grace."""
        self.check()


@contextmanager
def patient(grace: float = GRACE) -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM wait for the next `check`, for `grace` seconds at most; in the main thread only."""
    stop = Stop(grace)
    handlers: dict[Any, Callable[[int, Any], object]] = {signal.SIGINT: stop.ask, signal.SIGTERM: stop.ask}
    if hasattr(signal, "setitimer"):
        handlers[signal.SIGALRM] = stop.late
    with _handled(handlers):
        try:
            yield stop
        finally:
            if hasattr(signal, "setitimer") and stop.asked is not None:
                signal.setitimer(signal.ITIMER_REAL, 0.0)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise `Terminated`; in the main thread only."""
    with _handled({signal.SIGTERM: _terminate}):
        yield


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C in compiled code be Ctrl-C: Numba makes a `SystemError` of what a signal raises there."""
    try:
        yield
    except SystemError as error:
        cause = error.__cause__ or error.__context__
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise


def is_terminated(error: BaseException | None) -> bool:
    """Whether `error` is, or comes from, SIGTERM."""
    while error is not None:
        if isinstance(error, Terminated):
            return True
        error = error.__cause__
    return False


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated


@contextmanager
def _handled(handlers: dict[Any, Callable[[int, Any], object]]) -> Iterator[None]:
    """Handle signals, but those that the process is to ignore."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = {one: handler for one, handler in handlers.items() if signal.getsignal(one) != signal.SIG_IGN}
    before = {one: signal.signal(one, handler) for one, handler in wanted.items()}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, signal.SIG_DFL if handler is None else handler)
