"""The interface of all sparsification techniques."""

from abc import abstractmethod
from typing import Any, NamedTuple, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray, PyTree

Weights: TypeAlias = PyTree[Float[Array, "..."] | None]
Flags: TypeAlias = PyTree[Bool[Array, "..."] | None]


class Free(NamedTuple):
    """What the optimizer moves: the `weights`, and a technique's own trainables, `aux` (e.g. thresholds)."""

    weights: Weights
    aux: Any


class Revised(NamedTuple):
    """The outcome of a revision. `fresh` marks pruned or re-grown entries, whose moments restart."""

    free: Free
    memo: Any
    fresh: Flags


class AbstractSparsifier(eqx.Module):
    """A way to make the weights of any model sparse.

    `weights` is a pytree of matrices (holes are `None`); no technique knows which model it came from. All
    times are fractions of training in [0, 1], so a technique never counts steps. Float attributes are pytree
    leaves: a path of hyperparameters is a vmapped axis like a seed.
    """

    @abstractmethod
    def init(self, weights: Weights, *, key: PRNGKeyArray) -> tuple[Free, Any]:
        """Return the starting `Free` and the untrained memory (masks, adaptive thresholds)."""

    @abstractmethod
    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the weights that the model sees; `key=None` is the deterministic read-out."""

    @abstractmethod
    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return the penalty that is added to the training loss at this fraction of training."""

    @abstractmethod
    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return the entries of `weights` that are active (all of them without a mask)."""

    @abstractmethod
    def turns(self) -> tuple[float, ...]:
        """Return the fractions of training at which `revise` is due, in increasing order."""

    @abstractmethod
    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Prune, grow or adapt. Does nothing if `progress` is not one of its `turns()`.

        `dense_grad` is the gradient of the task's loss at the effective weights, dense also where masks are
        zero.
        """


def is_turn(turns: tuple[float, ...], progress: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether `progress` is one of `turns`; exact, since training passes the fraction itself."""
    return jnp.any(jnp.asarray(turns, jnp.float32) == progress.astype(jnp.float32))


def none_fresh(weights: Weights) -> Flags:
    """Flags that restart nothing."""
    return jax.tree.map(lambda w: jnp.zeros(w.shape, bool), weights)


def all_active(weights: Weights) -> Flags:
    """Flags that mask nothing."""
    return jax.tree.map(lambda w: jnp.ones(w.shape, bool), weights)


def keep_largest(score: Float[Array, "..."], keep: Array | int) -> Bool[Array, "..."]:
    """The mask of exactly `keep` entries of largest score, also with ties; `keep` may be traced."""
    flat = score.ravel()
    rank = jnp.argsort(jnp.argsort(-flat, stable=True), stable=True)
    return (rank < keep).reshape(score.shape)


class AbstractUnrevised(AbstractSparsifier):
    """A technique that acts only through the gradient, without masks and revisions."""

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return ones."""
        return all_active(weights)

    def turns(self) -> tuple[float, ...]:
        """Return no turn."""
        return ()

    def revise(
        self, free: Free, memo: Any, dense_grad: Weights, progress: Float[Array, ""], *, key: PRNGKeyArray
    ) -> Revised:
        """Change nothing."""
        return Revised(free, memo, none_fresh(free.weights))


class AbstractMask(AbstractSparsifier):
    """A technique whose memory has a 0/1 `mask` per matrix: zeros stay zero, whatever the optimizer does."""

    def effective(self, free: Free, memo: Any, *, key: PRNGKeyArray | None = None) -> Weights:
        """Return the weights times their masks."""
        return jax.tree.map(lambda w, m: jnp.where(m, w, 0.0), free.weights, memo.mask)

    def penalty(self, free: Free, memo: Any, progress: Float[Array, ""]) -> Float[Array, ""]:
        """Return zero."""
        return jnp.zeros(())

    def active(self, memo: Any, weights: Weights) -> Flags:
        """Return the masks."""
        masks: Flags = memo.mask
        return masks


class MaskMemo(NamedTuple):
    """The memory of a technique that only masks."""

    mask: Flags


def masked(free: Free, mask: Flags) -> Free:
    """`free` with zeros where the mask is zero, so that a pruned weight is zero to the optimizer too."""
    return Free(jax.tree.map(lambda w, m: jnp.where(m, w, 0.0), free.weights, mask), free.aux)
