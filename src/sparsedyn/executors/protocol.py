"""What an executor is: something that calls a function for many items, anywhere, and returns results as they come."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Protocol, TypeAlias

Results: TypeAlias = Generator["Finished", None, None]
"""Yields what is finished; to be closed, lest workers go on with what nobody waits for."""
Report: TypeAlias = Callable[[Any], None]
"""Given to a function that is sent away: tells whoever waits for it how far it is."""
Function: TypeAlias = Callable[[Any, Any, Report], Any]
"""What is sent away: a function of what all calls share, of an item, and of a function to report progress to."""


class ExecutorError(RuntimeError):
    """Workers cannot be reached, or were lost too often; the message says which, and what to do."""


class Finished(NamedTuple):
    """The result for an item, by its place, or the error that the function raised for it."""

    place: int
    result: Any = None
    error: Exception | None = None


class Lost(NamedTuple):
    """Reported in the place of progress: the worker of an item is gone, for the `times`-th time; it is sent again."""

    times: int


class Executor(Protocol):
    """Calls functions for many items."""

    @property
    def workers(self) -> int:
        """How many items are computed at once."""
        ...

    def map(
        self,
        function: Function,
        shared: Any,
        items: Sequence[Any],
        *,
        on_report: Callable[[int, Any], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Results:
        """Yield `function(shared, item, report)` for every item, in the order in which they are finished.

        What a function reports comes to `on_report`, with the place of its item; some of it may be left out. `check` is
        called at least every second or between two items, and may raise: then what is not finished is given up, as it
        is where the generator is closed. Raises `ExecutorError` where nothing can be computed.
        """
        ...


def results(finished: Results, count: int) -> list[Any]:
    """Return all results in the order of their items; raises the first error."""
    found: dict[int, Any] = {}
    with closing(finished):
        for one in finished:
            if one.error is not None:
                raise one.error
            found[one.place] = one.result
    return [found[place] for place in range(count)]
