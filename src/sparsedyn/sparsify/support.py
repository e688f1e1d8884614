"""Keep the zeros that a network starts with."""

from typing import Any

import jax
from jaxtyping import Array, PRNGKeyArray

from sparsedyn.sparsify.base import AbstractMask, Flags, Free, MaskMemo, Revised, Weights, none_fresh


class Support(AbstractMask):
    """Entries that are zero at the start stay zero: training happens within a given structure.

    It is for networks whose structure was drawn or found elsewhere, such as the initial networks of a search, which
    have different units.
    """

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return the weights and the mask of those that are not zero."""
        mask: Flags = jax.tree.map(lambda w: w != 0, weights)
        return Free(weights, None), MaskMemo(mask)

    def turns(self) -> tuple[float, ...]:
        """Return no turn."""
        return ()

    def revise(self, free: Free, memo: Any, dense_grad: Weights, progress: Array, *, key: PRNGKeyArray) -> Revised:
        """Change nothing."""
        return Revised(free, memo, none_fresh(free.weights))
