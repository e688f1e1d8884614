"""Fits that do not depend on each other, made here or by an executor."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from sparsedyn.estimators._progress import stage_bar
from sparsedyn.executors import Executor, Local, Report, Results, results


def computed(
    function: Callable[[Any, Any, Report], Any],
    asked: Any,
    items: Sequence[Any],
    executor: Executor | None,
    name: str,
) -> list[Any]:
    """Return the results for all items, in their order, here, or by an executor under a bar of this name.

    `asked` is a named tuple that all fits share; its `progress` says whether there are bars.
    """
    if executor is None:
        return results(Local().map(function, asked, items), len(items))
    with stage_bar(name, asked.progress) as show:
        finished = executor.map(function, asked._replace(progress=False), items)
        return results(_counted(finished, len(items), show), len(items))


def _counted(finished: Results, count: int, show: Callable[[float, str], None] | None) -> Results:
    with closing(finished):
        for done, one in enumerate(finished, 1):
            if show is not None:
                show(done / count, f"{done} of {count} fits")
            yield one
