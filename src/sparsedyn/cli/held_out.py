"""What is held out of the data to validate on, where the user says nothing about it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from sparsedyn.cli.source import rows_of

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories

SHARE = 0.2
ENOUGH = 5
"""Trajectories from which on whole ones are held out; of fewer, the ends."""
SHORTEST = 10
"""Rows of a trajectory below which no end is cut off."""


class Parts(NamedTuple):
    """Data to train on and to validate on, and how they came about: in words, and for JSON."""

    train: "Trajectories"
    validation: "Trajectories | None"
    words: str
    facts: dict[str, Any]


def hold_out(data: "Trajectories", share: float, seed: int) -> Parts:
    """Hold out a share of the trajectories, or of few trajectories the last share of the rows of each."""
    if share == 0.0:
        return Parts(data, None, "Nothing is held out: the weights of the last step are kept.", {"kind": "none"})
    if len(data) >= ENOUGH:
        count = min(max(1, round(share * len(data))), len(data) - 1)
        train, validation = data.split(train=len(data) - count, validation=count, test=0, seed=seed)
        labels = ", ".join(validation.labels[:8]) + (", ..." if count > 8 else "")
        words = f"{count} of {len(data)} trajectories are held out for validation ({labels})."
        return Parts(train, validation, words, {"kind": "trajectories", "labels": list(validation.labels)})
    if min(data.lengths) < SHORTEST:
        words = f"Trajectories of fewer than {SHORTEST} rows are too short to hold out their ends: nothing is."
        return Parts(data, None, words, {"kind": "none"})
    cuts = [min(round((1 - share) * rows), rows - 2) for rows in data.lengths]
    words = (
        f"The last {100 * share:g} % of the rows of each trajectory are held out for validation, there being "
        f"only {len(data)} (whole ones are from {ENOUGH} on)."
    )
    tails = rows_of(data, [slice(cut, None) for cut in cuts])
    return Parts(rows_of(data, [slice(0, cut) for cut in cuts]), tails, words, {"kind": "ends", "share": share})


def given(data: "Trajectories", validation: "Trajectories", name: str) -> Parts:
    """Use what the user holds out."""
    words = f"Validation on the trajectories of {name}: {len(validation)}."
    return Parts(data, validation, words, {"kind": "file", "file": name})
