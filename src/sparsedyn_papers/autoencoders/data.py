"""What a cell is trained on, and what it is judged by."""

from typing import NamedTuple

import numpy as np

from sparsedyn.data import Snapshots
from sparsedyn_papers.autoencoders.cache import cached
from sparsedyn_papers.autoencoders.spec_tables import SINGLE, SnapshotsSpec

PARTS = ("train", "test", "beyond", "noise", "networks")


class Split(NamedTuple):
    """Snapshots to train on, clean ones to test with, and where there are any, ones beyond the training's starts."""

    train: Snapshots
    test: Snapshots
    beyond: Snapshots | None


def seeds_of(seed: int, cell_seed: int) -> dict[str, int]:
    """Return independent seeds of the parts of a study and of its networks."""
    drawn = np.random.SeedSequence([seed, cell_seed]).generate_state(len(PARTS)) >> 1
    return dict(zip(PARTS, (int(number) for number in drawn), strict=True))


def split_of(data: SnapshotsSpec, noise: float, seeds: dict[str, int]) -> Split:
    """Return the snapshots of a cell."""
    settings = dict(data.settings)
    if data.system in SINGLE:
        assert data.share is not None
        whole = cached(data.system, settings | {"seed": seeds["train"]})
        cut = round(data.share * whole.x.shape[1])
        train, test = whole.select(rows=slice(0, cut)), whole.select(rows=slice(cut, None))
        beyond = None
    else:
        assert data.train is not None
        assert data.test is not None
        train = cached(data.system, settings | {"count": data.train, "seed": seeds["train"]})
        test = cached(data.system, settings | {"count": data.test, "seed": seeds["test"]})
        beyond = None
        if data.out_of_distribution is not None:
            wide = {"count": data.test, "seed": seeds["beyond"], "box": data.out_of_distribution}
            beyond = cached(data.system, settings | wide)
    return Split(train.noisy(noise, seed=seeds["noise"]) if noise else train, test, beyond)
