"""Reduced snapshots with their derivatives in time: what autoencoders are trained on and judged by."""

import numpy as np

from sparsedyn.data import DataError, Snapshots
from sparsedyn.data.derivatives import splined
from sparsedyn.data.splits import hold_out
from sparsedyn.estimators.autoencoder._reduction import Reduction
from sparsedyn.models import Jet

FEW = 5
"""Trajectories from which on some are held out as a whole."""


def jet_of(data: Snapshots, reduction: Reduction, order: int, derivative: str = "auto") -> Jet:
    """Return the reduced snapshots (trajectory, time, mode) with derivatives up to `order`, estimated where not given.

    Estimates are those of splines through every mode of every trajectory: smoothing ones where the data look noisy, in
    which case their values replace the measured ones. Where the first derivative alone is given, the second one is that
    of splines through it.
    """
    x = reduction.reduce(data.x)
    if data.x_dot is None:
        if order == 2 and data.x_ddot is not None:
            raise DataError("x_dot: expected the first derivative beside the second; got None. Give both, or none.")
        value, first, second = splined(x, data.dt, order, derivative)
        return Jet(value, first, second if order == 2 else None)
    first = reduction.reduce(data.x_dot)
    if order == 1:
        return Jet(x, first)
    if data.x_ddot is not None:
        return Jet(x, first, reduction.reduce(data.x_ddot))
    first, second, _ = splined(first, data.dt, 1, derivative)
    return Jet(x, first, second)


def split(jet: Jet, share: float) -> tuple[Jet, Jet]:
    """Return what to train on and the `share` that is held out: the last trajectories, or of few the last rows."""
    trajectories, rows, _ = jet.value.shape
    first, last = hold_out(trajectories, rows, share, from_trajectories=FEW)
    return jet.map(lambda part: part[first]), jet.map(lambda part: part[last])


def pooled(jet: Jet) -> Jet:
    """Return trajectories of a jet below each other, in float32, as networks are trained on them."""
    return jet.map(lambda part: part.reshape(-1, part.shape[-1]).astype(np.float32))


def thinned(jet: Jet, most: int) -> Jet:
    """Return at most so many samples of a jet, below each other."""
    samples = pooled(jet)
    step = -(-len(samples.value) // most)
    return samples.map(lambda part: part[::step])
