"""The weak form: equations integrated against test functions over rows, along paths that agree with them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from sparsedyn.data import Trajectories
from sparsedyn.estimators.sindy._known import Known
from sparsedyn.estimators.sindy._paths import Paths, chords
from sparsedyn.estimators.sindy._regression import Block, pooled, terms
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, solve, unexplained

POWER = 6
"""Test functions over several rows are (1 - s^2)^6: smooth at the ends of their windows."""
SHORTEST, OVERLAP = 5, 4
FEW, MANY = 5, 8
"""Nodes in a row: few, as long as paths settle quickly, which they do where rows are short."""
QUICK, SWEEPS = 8, 60
SETTLED, ASTRAY = 1e-12, 10.0
"""Change of paths, in shares of the spread of states, below which they are done, and above which they are lost."""
NOISE = 1e-4
"""The same in shares of what equations leave unexplained."""


class Form(NamedTuple):
    """Test functions over `width` rows, every `stride` rows: weights of values at nodes and, by parts, of states."""

    terms: Float[np.ndarray, "node width"]
    states: Float[np.ndarray, "node width"]
    rises: Float[np.ndarray, " width"]
    stride: int


class Integrated(NamedTuple):
    """Blocks of integrals, the largest share of an equation that least squares leaves, and whether paths settled."""

    blocks: list[Block]
    left: float
    settled: bool


def weak_form(
    data: Trajectories,
    library: Library,
    equations: int,
    *,
    order: int = 1,
    inputs: str = "held",
    windows: bool = True,
    most: float = np.inf,
    known: Known | None = None,
) -> Integrated:
    """Return integrals of the terms and, by parts, of derivatives with test functions over windows, or single rows.

    No derivative is estimated: `-integral of phi' x` stands for `integral of phi dx/dt`. Within rows, states are on
    paths that agree with the equations that least squares finds for them, so that integrals are exact however coarse
    the rows are and however often the inputs jump. For order 2, `data` are positions, with or without velocities. Where
    more than the share `most` is left after a few sweeps, it is not worth going on.
    Source: Messenger & Bortz 2021; paths within rows are ours.
    """
    found = _swept(chords(data, order, equations, inputs, FEW), data, library, windows, QUICK, known)
    if found.settled or found.left > most:
        return found
    return _swept(chords(data, order, equations, inputs, MANY), data, library, windows, SWEEPS, known)


def _swept(
    paths: Paths, data: Trajectories, library: Library, windows: bool, sweeps: int, known: Known | None
) -> Integrated:
    """Return integrals along paths and equations that were improved in turn."""
    form = _bumps(paths, window(data)) if windows else _single(paths)
    spread = np.concatenate(data.states).std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    for _ in range(sweeps):
        blocks = integrated(form, paths, library, known)
        reduced = pooled(blocks, library.size)
        found = solve(reduced, np.ones(reduced.size, bool))
        left = _left(reduced, found)
        following = paths.following(_slopes(paths, library, found, known))
        moved = (following.states - paths.states)[..., : len(spread)]
        change = float(np.max(np.abs(moved).max(axis=(0, 1)) / spread))
        if change < max(SETTLED, NOISE * np.sqrt(left)) or not change < ASTRAY:
            return Integrated(blocks, left, change < ASTRAY)
        paths = following
    return Integrated(blocks, left, False)


def _left(reduced: Factor, found: Coefficients) -> float:
    """Return the largest share of an equation's mean square that is left, for the rows that terms do not use up."""
    freedom = max(reduced.samples - reduced.terms, 0) / reduced.samples
    return float(np.max(unexplained(reduced, found) / freedom)) if freedom else 1.0


def windows_in(data: Trajectories) -> int:
    """Return how many windows of several rows there are: none where states move too far for that within them."""
    half = window(data)
    return sum(max(0, (rows - 1 - 2 * half) // _stride(half) + 1) for rows in data.lengths) if half >= SHORTEST else 0


def _stride(half: int) -> int:
    return max(1, half // OVERLAP)


def _bumps(paths: Paths, half: int) -> Form:
    s = (np.arange(2 * half) + paths.rule.places[:, None] - half) / half
    weights = paths.rule.weights[:, None]
    bump = weights * (1 - s**2) ** POWER
    if paths.parts == 1:
        by_parts = weights * 2 * POWER * s * (1 - s**2) ** (POWER - 1)
    else:
        by_parts = weights * 2 * POWER * ((2 * POWER - 1) * s**2 - 1) * (1 - s**2) ** (POWER - 2)
    # A derivative and its terms are weighted means: units and sizes stay what they are without windows.
    by_parts = by_parts / (half * float(np.mean(paths.dt))) ** paths.parts
    return Form(bump / bump.sum(), by_parts / bump.sum(), np.zeros(2 * half), _stride(half))


def _single(paths: Paths) -> Form:
    """A row, or for derivatives that are integrated by parts twice the hat over two."""
    places, weights = paths.rule.places[:, None], paths.rule.weights[:, None]
    terms = weights if paths.parts == 1 else weights * np.concatenate([places, 1 - places], axis=1)
    rises = np.ones(1) if paths.parts == 1 else np.array([-1.0, 1.0])
    return Form(terms, np.zeros_like(terms), rises, 1)


def integrated(form: Form, paths: Paths, library: Library, known: Known | None = None) -> list[Block]:
    """Return the terms along paths, and derivatives, integrated against test functions; a block per trajectory."""
    nodes, width = form.terms.shape
    long = [rows >= width for rows in paths.lengths]
    matrices = [
        [_windowed(kernel, rows, form.stride) for kernel in (*form.terms, *form.states, form.rises)]
        for rows, fits in zip(paths.lengths, long, strict=True)
        if fits
    ]

    def total(sums: list[Any], which: slice, values: Callable[[int], np.ndarray]) -> list[Any]:
        for node in range(nodes):
            every = [part for part, fits in zip(paths.split(values(node)), long, strict=True) if fits]
            added = [matrix[which][node] @ part for matrix, part in zip(matrices, every, strict=True)]
            sums = [part + more for part, more in zip(sums, added, strict=True)]
        return sums

    # Test functions over windows are functions of the number of the row, and rows count by how long they last.
    share = paths.dt / np.mean(paths.dt) if form.states.any() else 1.0
    rates = paths.rises[:, paths.known] / paths.dt**paths.parts
    rises = [part for part, fits in zip(paths.split(rates), long, strict=True) if fits]
    target = [matrix[-1] @ rise for matrix, rise in zip(matrices, rises, strict=True)]
    if form.states.any():
        # Large means would cost digits, and nothing of them is left in the integrals.
        centred = paths.states[..., paths.known] - paths.begins[:, paths.known].mean(axis=0)
        target = total(target, slice(nodes, 2 * nodes), lambda node: centred[node])
    if known is not None:
        part = total(
            [0.0] * len(matrices),
            slice(nodes),
            lambda node: share * known.values(paths.states[node], paths.inputs[node]),
        )
        target = [whole - one for whole, one in zip(target, part, strict=True)]
    theta = total(
        [0.0] * len(matrices), slice(nodes), lambda node: share * terms(library, paths.states[node], paths.inputs[node])
    )
    return [Block(*pair) for pair in zip(theta, target, strict=True)]


def window(data: Trajectories) -> int:
    """Return half a window in rows: twice the time in which the quickest state moves by a standard deviation.

    At most a quarter of the usual trajectory. Most of a test function lies in the middle third of its window.
    """
    spread = np.square(np.concatenate(data.states).std(axis=0))
    longest = max(SHORTEST, int(np.median(data.lengths)) // 4)
    for lag in range(1, longest // 2):
        moved = np.concatenate([x[lag:] - x[:-lag] for x in data.states if len(x) > lag])
        if np.any(np.mean(np.square(moved), axis=0) > spread):
            return 2 * lag
    return longest


def _slopes(
    paths: Paths, library: Library, found: Coefficients, known: Known | None
) -> Float[np.ndarray, "node row state"]:
    def slope(x: np.ndarray, u: np.ndarray) -> np.ndarray:
        return terms(library, x, u) @ found + (known.values(x, u) if known else 0.0)

    return np.stack([slope(*pair) for pair in zip(paths.states, paths.inputs, strict=True)])


def _windowed(kernel: Float[np.ndarray, " width"], rows: int, stride: int) -> Any:
    """The matrix that applies a kernel to every window."""
    begins = np.arange(0, rows - len(kernel) + 1, stride)
    places = begins[:, None] + np.arange(len(kernel))
    edges = np.arange(len(begins) + 1) * len(kernel)
    return csr_array((np.tile(kernel, len(begins)), places.ravel(), edges), shape=(len(begins), rows))
