"""Ends of the ranges of sensors, beyond which outputs are not measured, where records plainly show them."""

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Scaling, Trajectories
from sparsedyn.data.clipping import Clipped, clipping

Ends = Float[np.ndarray, " output"]


def limits_of(data: Trajectories, scaling: Scaling) -> tuple[Ends, Ends]:
    """Return the least and the greatest values that sensors show, standardized; infinite where none is seen."""
    found = _clipped(data)
    floor, ceiling = (np.asarray([getattr(one, end) for one in found]) for end in ("floor", "ceiling"))
    return (floor - scaling.x_mean) / scaling.x_std, (ceiling - scaling.x_mean) / scaling.x_std


def clipped(data: Trajectories) -> list[Finding]:
    """Return a finding for every end of a range that records show."""
    rows = sum(data.lengths)
    ends = [
        (name, what, value, count / rows)
        for name, one in zip(data.state_names, _clipped(data), strict=True)
        for what, value, count in (("least", one.floor, one.below), ("greatest", one.ceiling, one.above))
        if count
    ]
    return [
        Finding(
            "clipped-output",
            f"fit: {name} is exactly {value:.6g}, its {what} value, in {share:.1%} of the rows, as a sensor at the end "
            "of its range is. Outputs of the model are cut off there; what the plant does beyond was not measured.",
        )
        for name, what, value, share in ends
    ]


def _clipped(data: Trajectories) -> list[Clipped]:
    return [clipping([y[:, j] for y in data.states]) for j in range(len(data.state_names))]
