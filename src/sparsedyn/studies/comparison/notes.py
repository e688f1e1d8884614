"""Caveats of a comparison: lost members, redrawn trajectories, small samples."""

from collections.abc import Mapping

from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.comparison.members import living
from sparsedyn.studies.document.words import listing, plural

FEWEST = 3
"""The least number of members and of trajectories for an interval."""


def notes(contents: Contents) -> list[str]:
    """Return sentences (plain text)."""
    return [note for note in (_lost_members(contents), _redrawn(contents), _too_few(contents)) if note]


def size(contents: Contents) -> str:
    """Return one sentence on how much was trained and forecast (plain text)."""
    members, trajectories = contents.ensemble()
    data = contents.spec.data
    train = plural(data.train[0], "trajectory")
    if len(data.train) > 1:
        train = f"{listing([str(count) for count in data.train], 12)} trajectories"
    return (
        f"{plural(len(contents.looks), 'configuration')} of {plural(members, 'network')}; {train} for training, "
        f"{data.validation} for validation, {trajectories} for test; forecasts of up to "
        f"{contents.clock.horizon(contents.horizons[-1])}."
    )


def _lost_members(contents: Contents) -> str:
    lost = []
    for label, cell in contents.cells.items():
        alive = living(cell.facts, int(cell.facts.get("members", 1)))
        if not alive.all():
            lost.append(f"{label} ({int((~alive).sum())} of {alive.size})")
    if not lost:
        return ""
    return f"Members that stopped in training because their loss was no longer a number: {', '.join(lost)}."


def _redrawn(contents: Contents) -> str:
    parts = [facts for facts in contents.run.get("data", {}).values() if isinstance(facts, Mapping)]
    redrawn = sum(int(facts.get("redrawn", 0)) for facts in parts)
    if not redrawn:
        return ""
    return f"{plural(redrawn, 'trajectory')} blew up when the plant was simulated and had to be drawn again."


def _too_few(contents: Contents) -> str:
    members, trajectories = contents.ensemble()
    counts = ((members, "member"), (trajectories, "test trajectory"))
    few = [plural(count, name) for count, name in counts if count < FEWEST]
    if not few:
        return ""
    return f"Intervals from {' and '.join(few)} are too narrow; no ranking should rest on them."
