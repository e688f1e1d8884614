"""The part of the data that is held out for validation."""

from typing import TYPE_CHECKING, Any, NamedTuple

from sparsedyn.cli.source import rows_of

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories

SHARE = 0.2
ENOUGH = 5
"""With this many trajectories or more, whole ones are held out; with fewer, the end of each."""
SHORTEST = 10
"""Trajectories of fewer rows are not divided."""


class Parts(NamedTuple):
    """Data for training and for validation, and how they were divided: as a sentence, and for JSON."""

    train: "Trajectories"
    validation: "Trajectories | None"
    words: str
    facts: dict[str, Any]


def hold_out(data: "Trajectories", share: float, seed: int) -> Parts:
    """Hold out a share of the trajectories; of fewer than `ENOUGH`, the last rows of each."""
    if share == 0.0:
        return Parts(data, None, "Nothing is held out; members keep the weights of their last step.", {"kind": "none"})
    if len(data) >= ENOUGH:
        count = min(max(1, round(share * len(data))), len(data) - 1)
        train, validation = data.split(train=len(data) - count, validation=count, test=0, seed=seed)
        labels = ", ".join(validation.labels[:8]) + (", ..." if count > 8 else "")
        words = f"{count} of {len(data)} trajectories are held out for validation ({labels})."
        return Parts(train, validation, words, {"kind": "trajectories", "labels": list(validation.labels)})
    if min(data.lengths) < SHORTEST:
        words = f"Nothing is held out: trajectories of fewer than {SHORTEST} rows are too short for it."
        return Parts(data, None, words, {"kind": "none"})
    cuts = [min(round((1 - share) * rows), rows - 2) for rows in data.lengths]
    words = (
        f"The last {100 * share:g} % of the rows of each trajectory are held out for validation (with {ENOUGH} or "
        "more trajectories, whole ones are)."
    )
    tails = rows_of(data, [slice(cut, None) for cut in cuts])
    return Parts(rows_of(data, [slice(0, cut) for cut in cuts]), tails, words, {"kind": "ends", "share": share})


def given(data: "Trajectories", validation: "Trajectories", name: str) -> Parts:
    """Validate on the trajectories of another file."""
    words = f"Validation on the trajectories of {name}: {len(validation)}."
    return Parts(data, validation, words, {"kind": "file", "file": name})
