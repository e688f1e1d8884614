"""The pauses of training, as step numbers: revisions, snapshots, validations and ends of epochs."""

from collections.abc import Iterable
from typing import NamedTuple


class Pause(NamedTuple):
    """What happens once `step` steps are done, in this order."""

    step: int
    revisions: tuple[float, ...]
    snapshot: bool
    validate: bool


def timeline(
    *,
    steps: int,
    epoch: int,
    revisions: Iterable[float],
    snapshots: Iterable[float],
    validations: int,
    glances: int = 100,
) -> list[Pause]:
    """Return the pauses of a run of `steps` steps, `epoch` steps an epoch, in order; the last is at `steps`.

    `validations` of them, at epoch ends, validate; the end of training always does. About `glances` are only for a
    progress display: a long epoch should not look like a hang.
    """
    revise: dict[int, list[float]] = {}
    for fraction in sorted(revisions):
        revise.setdefault(round(fraction * steps), []).append(fraction)
    snap = {max(1, round(fraction * steps)) for fraction in snapshots}
    ends = list(range(epoch, steps + 1, epoch))
    count = min(validations, len(ends))
    check = {ends[(i + 1) * len(ends) // count - 1] for i in range(count)} if count else set()
    check.add(steps)
    glance = set(range(0, steps + 1, max(1, steps // glances))) if glances else set()
    places = sorted(set(revise) | snap | set(ends) | check | glance)
    return [Pause(p, tuple(revise.get(p, ())), p in snap, p in check) for p in places]


def last_revision(steps: int, revisions: Iterable[float]) -> int:
    """Return the step of the last revision, 0 when there is none."""
    return max((round(fraction * steps) for fraction in revisions), default=0)
