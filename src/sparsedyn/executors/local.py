"""One item after the other, in this process."""

from collections.abc import Callable, Sequence
from typing import Any

from sparsedyn.executors.protocol import Finished, Function, Results


class Local:
    """Calls functions in this process, one after the other; see `Executor`."""

    @property
    def workers(self) -> int:
        """How many items are computed at once."""
        return 1

    def map(
        self,
        function: Function,
        shared: Any,
        items: Sequence[Any],
        *,
        on_report: Callable[[int, Any], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Results:
        """Yield the results in the order of the items; see `Executor.map`."""
        for place, item in enumerate(items):
            if check is not None:
                check()

            def report(what: Any, place: int = place) -> None:
                if on_report is not None:
                    on_report(place, what)

            try:
                done = Finished(place, function(shared, item, report))
            except Exception as error:
                done = Finished(place, error=error)
            yield done
