"""The regression of sparse identification: terms and derivatives, or both under integrals with test functions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import DataError, Samples
from sparsedyn.estimators._known import Known
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Factor, factor

BLOCKS = 20
DEPENDENT = 1e-12
"""Singular value of the scaled terms, as a share of the largest, up to which it is rounding."""
INVOLVED = 0.01
"""Share of the largest coefficient of a combination from which on a term counts as part of it."""


class Block(NamedTuple):
    """Terms and what they are to explain, of one smooth piece of a trajectory."""

    theta: Float[np.ndarray, "row term"]
    target: Float[np.ndarray, "row equation"]


def strong_form(samples: Sequence[Samples], library: Library, known: Known | None = None) -> list[Block]:
    """Return the terms and the derivatives, without their known part, at samples, a block for each piece."""
    return [Block(terms(library, x, u), dx - (known.values(x, u) if known else 0.0)) for x, u, dx in samples]


def terms(
    library: Library, x: Float[np.ndarray, "row state"], u: Float[np.ndarray, "row input"]
) -> Float[np.ndarray, "row term"]:
    """Return the terms of the library, states first, then inputs; raises `DataError` where one is not finite."""
    theta = library.evaluate(np.concatenate([x, u], axis=-1))
    if not np.isfinite(theta).all():
        names = library.names([f"x{i}" for i in range(x.shape[-1])] + [f"u{i}" for i in range(u.shape[-1])])
        bad = names[int(np.argwhere(~np.isfinite(theta))[0][-1])]
        raise DataError(
            f"library: expected finite terms; {bad} is not, at some samples. Leave it out, or scale the data."
        )
    return theta


def rows_in(blocks: Sequence[Block]) -> int:
    """Return the number of rows of all blocks."""
    return sum(len(block.theta) for block in blocks)


def pooled(blocks: Sequence[Block], terms: int) -> Factor:
    """Return the factor of all blocks together; raises `DataError` for fewer rows than there are terms."""
    check_rows(blocks, terms, "as many samples as the library has terms")
    return factor(*joined(blocks))


def joined(blocks: Sequence[Block]) -> Block:
    """Return all rows as one block."""
    return Block(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def check_rows(blocks: Sequence[Block], least: int, what: str) -> None:
    """Raise `DataError` for fewer rows than `least`, which is `what`."""
    rows = rows_in(blocks)
    if rows < least:
        raise DataError(
            f"data: expected at least {what}, {least}; there are derivatives at {rows}. Give {least - rows} or more "
            "rows in addition, more or longer trajectories, or a lower degree."
        )


def check_size(terms: int, rows: int) -> None:
    """Raise `DataError` for more terms than rows, before a library that may not fit into memory is evaluated."""
    if terms > rows:
        raise DataError(
            f"data: expected at least as many rows as the library has terms, {terms:,}; got {rows:,}. Give more rows, "
            "fewer states and inputs, or a lower degree."
        )


def dependent_terms(reduced: Factor, names: Sequence[str]) -> Finding | None:
    """Say which terms are combinations of each other on the data: which of them are chosen is then arbitrary."""
    scaled = reduced.triangle[:, : reduced.terms] / (reduced.rms[: reduced.terms] * np.sqrt(reduced.samples))
    _, sizes, directions = np.linalg.svd(scaled)
    null = directions[sizes <= DEPENDENT * sizes[0]]
    if not len(null):
        return None
    shares = np.abs(null).max(axis=0)
    involved = [name for name, share in zip(names, shares, strict=True) if share > INVOLVED * shares.max()]
    return Finding(
        "dependent-terms",
        f"library: on these data {', '.join(involved)} are linear combinations of each other: which of them are "
        "chosen is arbitrary. Leave a column out, lower the degree, or give data that vary in more ways.",
    )


def chunks(blocks: Sequence[Block]) -> list[Factor]:
    """Return the factors of consecutive rows, some twenty in all or one per piece: what a bootstrap draws from."""
    rows = rows_in(blocks)
    parts = []
    for theta, target in blocks:
        count = max(1, round(BLOCKS * len(theta) / rows))
        parts += [
            factor(*part) for part in zip(np.array_split(theta, count), np.array_split(target, count), strict=True)
        ]
    return parts
