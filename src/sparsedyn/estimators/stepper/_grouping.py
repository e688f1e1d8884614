"""Which runs can share one computation, and how their techniques are made alike for it."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from sparsedyn.estimators.stepper._settings import Settings
from sparsedyn.sparsify import AbstractPenalty, AbstractSparsifier, Chain
from sparsedyn.training import SWA, AbstractAverage


def penalties_and_rest(
    technique: Chain,
) -> tuple[dict[type, AbstractSparsifier], tuple[AbstractSparsifier, ...]]:
    """Split a chain into its leading penalties, by class, and what follows.

    Leading penalties act on the raw weights and commute, so a run without one is the same as with weight
    zero: dense and L1 training can share a computation.
    """
    leading: dict[type, AbstractSparsifier] = {}
    links = list(technique.links)
    while links and isinstance(links[0], AbstractPenalty) and type(links[0]) not in leading:
        penalty = links.pop(0)
        leading[type(penalty)] = penalty
    return leading, tuple(links)


def grouped(settings: Sequence[Settings]) -> list[list[int]]:
    """Return the places of `settings` in groups that can be trained as one computation.

    A group shares shapes, steps, batches and the structure of its techniques; penalty weights, sparsities,
    learning rates and averaging on or off may differ.
    """
    groups: dict[Any, list[int]] = {}
    for i, one in enumerate(settings):
        _, rest = penalties_and_rest(one.technique)
        base = (one.shape_key, jax.tree.structure(rest))
        if one.average is None:
            # An unaveraged run goes with any group of its shape: its average is simply switched off.
            key = next((k for k in groups if k[0] == base), (base, None))
        else:
            wanted = (base, jax.tree.structure(one.average))
            if wanted not in groups and (base, None) in groups:
                groups[wanted] = groups.pop((base, None))
            key = wanted
        groups.setdefault(key, []).append(i)
    return sorted(groups.values())


def align_techniques(techniques: Sequence[Chain]) -> list[Chain]:
    """Return equivalent chains of one structure: penalties that others have are added with weight zero."""
    parts = [penalties_and_rest(technique) for technique in techniques]
    kinds = sorted({kind for leading, _ in parts for kind in leading}, key=lambda kind: kind.__name__)
    return [Chain(*(leading.get(kind, kind(weight=0.0)) for kind in kinds), *rest) for leading, rest in parts]


def align_averages(averages: Sequence[AbstractAverage | None]) -> list[AbstractAverage]:
    """Return averages of one structure; `None` becomes one that is switched off."""
    present = [average for average in averages if average is not None]
    pattern = present[0] if present else SWA()
    off = jax.tree.map(lambda _: 0.0, pattern)
    return [off if average is None else average for average in averages]


def stack_members(trees: Sequence[Any], members: Sequence[int]) -> Any:
    """Stack one tree per run along the member axis, each repeated for its members."""

    def stack(*leaves: Any) -> Any:
        return np.concatenate([np.full(m, leaf, np.float32) for leaf, m in zip(leaves, members, strict=True)])

    return jax.tree.map(stack, *trees)
