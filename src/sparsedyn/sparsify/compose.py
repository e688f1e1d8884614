"""Combine techniques: one after the other, or on some of the matrices only."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from sparsedyn.sparsify import arguments
from sparsedyn.sparsify.base import AbstractSparsifier, Flags, Free, Revised, Weights, all_active, none_fresh


class Chain(AbstractSparsifier):
    """Techniques one after the other: each sees the weights that the ones before it make (revisions see the raw ones).

    `Chain(L1(), STR())` penalizes the raw weights, `Chain(STR(), L1())` the thresholded ones. An empty chain
    is plain dense training.
    """

    links: tuple[AbstractSparsifier, ...]

    def __init__(self, *links: AbstractSparsifier):
        for link in links:
            if not isinstance(link, AbstractSparsifier):
                raise TypeError(
                    f"Chain: expected sparsification techniques such as L1(1e-4); got {link!r}. Give "
                    "instances, not classes or names."
                )
        self.links = links

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Initialize every technique."""
        aux, memo = [], []
        for i, link in enumerate(self.links):
            free, own = link.init(weights, key=jax.random.fold_in(key, i))
            weights = free.weights
            aux.append(free.aux)
            memo.append(own)
        return Free(weights, tuple(aux)), tuple(memo)

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the weights after the last technique."""
        weights = free.weights
        for i, (link, aux, own) in enumerate(zip(self.links, free.aux, memo, strict=True)):
            weights = link.effective(Free(weights, aux), own, key=_fold(key, i))
        return weights

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the sum of the penalties, each of the weights that its technique sees."""
        weights, total = free.weights, jnp.zeros(())
        for link, aux, own in zip(self.links, free.aux, memo, strict=True):
            seen = Free(weights, aux)
            total = total + link.penalty(seen, own, progress)
            weights = link.effective(seen, own)
        return total

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return the entries that all masks leave active."""
        flags = all_active(weights)
        for link, own in zip(self.links, memo, strict=True):
            flags = jax.tree.map(jnp.logical_and, flags, link.active(own, weights))
        return flags

    def turns(self) -> tuple[float, ...]:
        """Return the turns of all techniques."""
        return tuple(sorted({turn for link in self.links for turn in link.turns()}))

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Let every technique revise in turn."""
        weights, fresh = free.weights, none_fresh(free.weights)
        aux, memos = [], []
        for i, (link, own_aux, own) in enumerate(zip(self.links, free.aux, memo, strict=True)):
            revised = link.revise(Free(weights, own_aux), own, dense_grad, progress, key=jax.random.fold_in(key, i))
            weights = revised.free.weights
            fresh = jax.tree.map(jnp.logical_or, fresh, revised.fresh)
            aux.append(revised.free.aux)
            memos.append(revised.memo)
        return Revised(Free(weights, tuple(aux)), tuple(memos), fresh)


class On(AbstractSparsifier):
    """Confine a technique to some matrices, counted from the input side: `On((0, -1), L1())`."""

    where: tuple[int, ...] = eqx.field(static=True, converter=lambda w: (w,) if isinstance(w, int) else tuple(w))
    technique: AbstractSparsifier

    def __check_init__(self) -> None:
        if not isinstance(self.technique, AbstractSparsifier):
            raise ValueError(f"technique: expected one such as L1(1e-4); got {self.technique!r}.")
        arguments.on(self.where, self.technique)

    def _picked(self, tree: PyTree) -> PyTree:
        return self._split(tree)[0]

    def _split(self, tree: PyTree) -> tuple[PyTree, PyTree]:
        leaves, structure = jax.tree.flatten(tree)
        count = len(leaves)
        if any(not -count <= i < count for i in self.where):
            raise ValueError(
                f"On: expected matrix numbers from {-count} to {count - 1} (the model has {count}); got {self.where}."
            )
        chosen = {i % count for i in self.where}
        flags = jax.tree.unflatten(structure, [i in chosen for i in range(count)])
        return eqx.partition(tree, flags)

    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Initialize on the chosen matrices."""
        inside, outside = self._split(weights)
        free, memo = self.technique.init(inside, key=key)
        return Free(eqx.combine(free.weights, outside), free.aux), memo

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return all weights, the chosen ones as the technique makes them."""
        inside, outside = self._split(free.weights)
        return eqx.combine(self.technique.effective(Free(inside, free.aux), memo, key=key), outside)

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the penalty of the chosen matrices."""
        return self.technique.penalty(Free(self._picked(free.weights), free.aux), memo, progress)

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return the masks of the chosen matrices and ones elsewhere."""
        inside, outside = self._split(weights)
        return eqx.combine(self.technique.active(memo, inside), all_active(outside))

    def turns(self) -> tuple[float, ...]:
        """Return the technique's turns."""
        return self.technique.turns()

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Revise the chosen matrices."""
        inside, outside = self._split(free.weights)
        revised = self.technique.revise(Free(inside, free.aux), memo, self._picked(dense_grad), progress, key=key)
        weights = eqx.combine(revised.free.weights, outside)
        fresh = eqx.combine(revised.fresh, none_fresh(outside))
        return Revised(Free(weights, revised.free.aux), revised.memo, fresh)


def _fold(key: PRNGKeyArray | None, i: int) -> PRNGKeyArray | None:
    return None if key is None else jax.random.fold_in(key, i)
