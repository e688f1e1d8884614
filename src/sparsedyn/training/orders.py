"""The order of samples: a function of seed and epoch, so that a resumed run has the same one."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import Sharding
from jaxtyping import Array, Int


class Orders:
    """One permutation of the samples an epoch, or one for each of the `members`, placed on the devices if asked for."""

    def __init__(self, seed: int, samples: int, sharding: Sharding, members: Sequence[int] | None = None):
        self.seed, self.samples, self.sharding, self.members = seed, samples, sharding, members
        self.epoch, self.order = -1, np.empty(0, np.int32)
        self._placed: tuple[int, Array] | None = None

    def __call__(self, epoch: int) -> Int[Array, "*member sample"]:
        """Return the order of all samples in this epoch, on the devices."""
        if self._placed is None or self._placed[0] != epoch:
            self._placed = epoch, jax.device_put(self.on_host(epoch), self.sharding)
        return self._placed[1]

    def on_host(self, epoch: int) -> Int[np.ndarray, "*member sample"]:
        """Return the order of all samples in this epoch."""
        if epoch != self.epoch:
            self.epoch, self.order = epoch, self._draw(epoch)
            self.order.flags.writeable = False
        return self.order

    def first(self, epoch: int, batch: int) -> Int[np.ndarray, " batch"]:
        """Return the first batch of this epoch, the first member's where members differ."""
        return self.on_host(epoch).reshape(-1, self.samples)[0, :batch]

    def _draw(self, epoch: int) -> Int[np.ndarray, "*member sample"]:
        if self.members is None:
            return self._shuffled(self.seed, epoch)
        return np.stack([self._shuffled(self.seed, epoch, member) for member in self.members])

    def _shuffled(self, *seed: int) -> Int[np.ndarray, " sample"]:
        order = np.arange(self.samples, dtype=np.int32)
        np.random.default_rng(seed).shuffle(order)
        return order
