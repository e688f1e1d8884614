"""Members of one ensemble that are trained in parts, by workers."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from sparsedyn.estimators._inputs import Recorded
from sparsedyn.estimators.stepper._settings import Settings
from sparsedyn.estimators.stepper._training import Trained, trained
from sparsedyn.executors import Executor, Report, results
from sparsedyn.training import Fit, Progress

OnProgress = Callable[[Progress], None]


class _Shared(NamedTuple):
    settings: Settings
    given: Recorded
    check_units: bool


def trained_by(
    executor: Executor,
    settings: Settings,
    given: Recorded,
    *,
    on_progress: OnProgress | None = None,
    check_units: bool = True,
) -> Trained:
    """Train the members of `settings` in as many parts as there are workers; see `trained`.

    A member's bits are its own where steps are compiled. Where JAX takes them, they may differ in the last digits from
    those of an ensemble in one piece, as its sums then have another order.
    """
    parts = divided(settings.members, executor.workers)
    heard: dict[int, Progress] = {}

    def hear(place: int, what: Any) -> None:
        if on_progress is not None and isinstance(what, Progress):
            heard[place] = what
            on_progress(_together(list(heard.values()), settings.members))

    shared = _Shared(settings, given, check_units)
    found: list[Trained] = results(executor.map(_part, shared, parts, on_report=hear), len(parts))
    return found[0]._replace(result=joined([one.result for one in found]))


def divided(members: int, parts: int) -> list[range]:
    """Return ranges of members, as equal as can be."""
    count = max(1, min(parts, members))
    bounds = [round(members * part / count) for part in range(count + 1)]
    return [range(*pair) for pair in itertools.pairwise(bounds)]


def joined(parts: Sequence[Fit]) -> Fit:
    """Return the result of an ensemble, given those of its parts, in order."""

    def join(*leaves: Any) -> Any:
        return np.concatenate(leaves) if isinstance(leaves[0], np.ndarray) else leaves[0]

    def together(name: str) -> Any:
        return jax.tree.map(join, *(getattr(part, name) for part in parts))

    names = ("last", "best", "averaged", "active", "alive", "best_value")
    return parts[0]._replace(
        **{name: together(name) for name in names},
        history=_history([part.history for part in parts]),
        steps=max(part.steps for part in parts),
        compiled=all(part.compiled for part in parts),
    )


def _part(shared: _Shared, members: range, report: Report) -> Trained:
    settings = dataclasses.replace(shared.settings, members=len(members))
    (found,) = trained(
        [settings], shared.given, begin=members.start, on_progress=report, check_units=shared.check_units
    )
    return found


def _history(parts: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Join records by their steps.

    A part whose members have all stopped has no more records: it stays as it was, and has no loss, which is that since
    the record before.
    """
    longest = max(parts, key=lambda history: history[-1]["step"] if history else 0)
    found, before = [], -1
    for step in (record["step"] for record in longest):
        latest = [[one for one in part if one["step"] <= step][-1] for part in parts]
        record = {name: [value for one in latest for value in one[name]] for name in latest[0] if name != "step"}
        record["loss"] = [loss if one["step"] > before else float("nan") for one in latest for loss in one["loss"]]
        found.append({"step": step, **record})
        before = step
    return found


def _together(parts: Sequence[Progress], members: int) -> Progress:
    """Return how far all parts are, those that have not begun included."""

    def mean(name: str) -> float:
        values = [getattr(part, name) for part in parts if np.isfinite(getattr(part, name))]
        return float(np.mean(values)) if values else float("nan")

    begun = sum(part.members for part in parts)
    return Progress(
        step=sum(part.step * part.members for part in parts) // members,
        steps=parts[0].steps,
        loss=mean("loss"),
        validation=mean("validation"),
        sparsity=mean("sparsity"),
        alive=members - begun + sum(part.alive for part in parts),
        members=members,
        shared=sum(part.shared for part in parts),
    )
