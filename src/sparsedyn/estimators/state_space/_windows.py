"""What free runs go over, and which rows judge: windows of records, and copies that each leave out a block."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.training.free_run import Windows

LONGEST = 1_500
"""Rows of a free run; longer records are cut."""
LENGTH = 1_000
"""Rows of a window where records are longer than all windows together."""
MOST_ROWS = 12_000
"""Rows of all windows together."""
BLOCKS, GROUPS = 8, 4
"""Blocks of rows that copies leave out in turn; groups of windows, where there are many."""
MANY = 8
"""With this many windows, whole ones are left out."""


class Folds(NamedTuple):
    """Windows, and which rows each member is fitted to and judged by; member 0 is fitted to all, and judged by none."""

    windows: Windows
    fitted: Float[np.ndarray, "member window row"]
    judged: Float[np.ndarray, "member window row"]

    @property
    def everything(self) -> "Folds":
        """The same with every member fitted to all rows."""
        return self._replace(fitted=np.broadcast_to(self.fitted[:1], self.fitted.shape), judged=0.0 * self.judged)


def warm_rows(rows: int) -> int:
    """Return how many first rows of a run show its initial state: 50, or a tenth of a short run."""
    return min(50, max(1, rows // 10))


def pieces(lengths: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Return (record, first row, end) of the windows: whole records, cut ones, or windows spread over long ones."""
    few = sum(lengths) <= MOST_ROWS
    found = []
    for record, rows in enumerate(lengths):
        edges = np.linspace(0, rows, -(-rows // (LONGEST if few else LENGTH)) + 1).astype(int)
        found += [(record, int(a), int(b)) for a, b in pairwise(edges)]
    if few:
        return found
    # Spread evenly over all rows, so that long records have their share.
    ends = np.cumsum([end - first for _, first, end in found])
    count = max(1, round(len(found) * MOST_ROWS / ends[-1]))
    places = np.searchsorted(ends, (np.arange(count) + 0.5) / count * ends[-1])
    return [found[i] for i in np.unique(places)]


def folds(data: Trajectories, scaling: Scaling, validation: Trajectories | None = None) -> Folds:
    """Return windows in standardized units, with members that leave blocks out, or one that is judged by others."""
    cut = _cut(data, scaling)
    if validation is not None:
        return _judged_by(cut, _cut(validation, scaling))
    used = [len(y) for _, y in cut]
    members = 1 + (GROUPS if len(cut) >= MANY else BLOCKS)
    fitted, judged = (np.zeros((members, len(cut), max(used))) for _ in range(2))
    judging = sum(rows - warm_rows(rows) for rows in used)
    seen = 0
    for window, rows in enumerate(used):
        fitted[:, window, :rows] = 1.0
        warm = warm_rows(rows)
        if len(cut) >= MANY:
            block = np.full(rows - warm, window % GROUPS)
        else:
            block = BLOCKS * (seen + np.arange(rows - warm)) // judging
        seen += rows - warm
        own = block == np.arange(members - 1)[:, None]
        judged[1:, window, warm:rows] = own
        fitted[1:, window, warm:rows] = ~own
    return Folds(_padded(cut), fitted, judged)


def _judged_by(cut: list[tuple[np.ndarray, np.ndarray]], others: list[tuple[np.ndarray, np.ndarray]]) -> Folds:
    """Return folds whose copies are fitted to all windows, and judged by one group each of others."""
    members = 1 + min(GROUPS, len(others))
    everything = [*cut, *others]
    fitted, judged = (np.zeros((members, len(everything), max(len(y) for _, y in everything))) for _ in range(2))
    for window, (_, y) in enumerate(everything):
        if window < len(cut):
            fitted[:, window, : len(y)] = 1.0
        else:
            warm = warm_rows(len(y))
            fitted[:, window, :warm] = 1.0
            judged[1 + (window - len(cut)) % (members - 1), window, warm : len(y)] = 1.0
    return Folds(_padded(everything), fitted, judged)


def _cut(data: Trajectories, scaling: Scaling) -> list[tuple[np.ndarray, np.ndarray]]:
    scaled = [
        ((u - scaling.u_mean) / scaling.u_std, (y - scaling.x_mean) / scaling.x_std)
        for u, y in zip(data.inputs, data.states, strict=True)
    ]
    return [(scaled[record][0][a:b], scaled[record][1][a:b]) for record, a, b in pieces(data.lengths)]


def _padded(cut: list[tuple[np.ndarray, np.ndarray]]) -> Windows:
    rows = max(len(y) for _, y in cut)
    filled = [[np.pad(part, ((0, rows - len(part)), (0, 0))) for part in pair] for pair in cut]
    return Windows(*(np.stack(side) for side in zip(*filled, strict=True)))
