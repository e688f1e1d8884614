"""The order of samples: a function of seed and epoch, so that a resumed run has the same one."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import Sharding
from jaxtyping import Array, Int


class Orders:
    """One permutation of the samples an epoch, or one for each of the `members`, placed on the devices."""

    def __init__(self, seed: int, samples: int, sharding: Sharding, members: Sequence[int] | None = None):
        self.seed, self.samples, self.sharding, self.members = seed, samples, sharding, members
        self.epoch = -1

    def __call__(self, epoch: int) -> Int[Array, "*member sample"]:
        """Return the order of all samples in this epoch."""
        if epoch != self.epoch:
            self.drawn = self._draw(epoch)
            self.epoch, self.order = epoch, jax.device_put(self.drawn, self.sharding)
        return self.order

    def first(self, epoch: int, batch: int) -> Int[np.ndarray, " batch"]:
        """Return the first batch of this epoch, the first member's where members differ."""
        self(epoch)
        return self.drawn.reshape(-1, self.samples)[0, :batch]

    def _draw(self, epoch: int) -> Int[np.ndarray, "*member sample"]:
        if self.members is None:
            return np.random.default_rng([self.seed, epoch]).permutation(self.samples).astype(np.int32)
        draws = [np.random.default_rng([self.seed, epoch, m]).permutation(self.samples) for m in self.members]
        return np.stack(draws).astype(np.int32)
