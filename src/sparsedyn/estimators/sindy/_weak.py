"""The weak form: equations integrated against test functions over rows, along paths that agree with them."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array

from sparsedyn.data import Trajectories
from sparsedyn.estimators._known import Known
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
KEPT = 10_000_000
"""Values of terms at nodes up to which they are kept rather than evaluated twice."""


AtNode = Callable[[int], Float[np.ndarray, "row column"]]


class Form(NamedTuple):
    """Test functions over `width` rows, every `stride` rows: weights of values at nodes and, by parts, of states."""

    terms: Float[np.ndarray, "node width"]
    states: Float[np.ndarray, "node width"]
    rises: Float[np.ndarray, " width"]
    stride: int


class Windows(NamedTuple):
    """A form over all trajectories: matrices (window, row), one per node, and windows in each trajectory."""

    terms: list[Any]
    states: list[Any]
    rises: Any
    counts: list[int]


class Integrated(NamedTuple):
    """Blocks of integrals, the largest share of an equation that least squares leaves, and whether paths settled.

    `paths` are the last ones, and `coefficients` those of least squares on them.
    """

    blocks: list[Block]
    left: float
    settled: bool
    paths: Paths
    coefficients: Coefficients


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
    form = _over(_bumps(paths, window(data)) if windows else _single(paths), paths)
    spread = _spread(data)
    for _ in range(sweeps):
        theta, part = _evaluated(paths, library, known)
        blocks = integrated(form, paths, theta, part)
        reduced = pooled(blocks, library.size)
        found = solve(reduced, np.ones(reduced.size, bool))
        left = _left(reduced, found)
        following, change = _improved(paths, _along(paths, theta, part, found), spread)
        if change < max(SETTLED, NOISE * np.sqrt(left)) or not change < ASTRAY:
            return Integrated(blocks, left, change < ASTRAY, paths, found)
        paths = following
    return Integrated(blocks, left, False, paths, found)


def _improved(
    paths: Paths, bent: Float[np.ndarray, "node row equation"], spread: Float[np.ndarray, " measured"]
) -> tuple[Paths, float]:
    """Return paths with these derivatives, and how far they moved at most, in shares of the spread of states."""
    following = paths.following(bent)
    moved = (following.states - paths.states)[..., : len(spread)]
    return following, float(np.max(np.abs(moved).max(axis=(0, 1)) / spread))


def _spread(data: Trajectories) -> Float[np.ndarray, " measured"]:
    spread = np.concatenate(data.states).std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def rows_along(
    data: Trajectories, library: Library, coefficients: Coefficients, order: int = 1, known: Known | None = None
) -> list[Block]:
    """Return terms and derivatives, with their known part, integrated over single rows under held inputs.

    Paths within rows are those of the equations with these coefficients, straightened so that they end in the next row.
    """
    paths = chords(data, order, coefficients.shape[1], "held", FEW)
    spread = _spread(data)
    for _ in range(SWEEPS):
        following, change = _improved(paths, slopes(paths, library, coefficients, known), spread)
        if not change < ASTRAY:
            break
        paths = following
        if change < SETTLED:
            break
    return integrated(_over(_single(paths), paths), paths, *_evaluated(paths, library, known))


def slopes(
    paths: Paths, library: Library, coefficients: Coefficients, known: Known | None
) -> Float[np.ndarray, "node row equation"]:
    """Return the derivatives of equations with these coefficients along paths."""
    return _along(paths, *_evaluated(paths, library, known), coefficients)


def _along(
    paths: Paths, theta: AtNode, part: AtNode | None, coefficients: Coefficients
) -> Float[np.ndarray, "node row equation"]:
    nodes = range(len(paths.states))
    return np.stack([theta(node) @ coefficients + (part(node) if part else 0.0) for node in nodes])


def _evaluated(paths: Paths, library: Library, known: Known | None) -> tuple[AtNode, AtNode | None]:
    """Return the terms along paths, and the known part, by node."""

    def theta(node: int) -> np.ndarray:
        return terms(library, paths.states[node], paths.inputs[node])

    def part(node: int) -> np.ndarray:
        assert known is not None
        return known.values(paths.states[node], paths.inputs[node])

    small = np.prod(paths.states.shape[:2]) * library.size <= KEPT
    return cache(theta) if small else theta, cache(part) if known else None


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


def integrated(form: Windows, paths: Paths, theta: AtNode, part: AtNode | None = None) -> list[Block]:
    """Return the terms along paths, and derivatives, integrated against test functions; a block per trajectory.

    `part` is the known part of derivatives.
    """
    target = form.rises @ (paths.rises[:, paths.known] / paths.dt**paths.parts)
    if form.states:
        # Large means would cost digits, and nothing of them is left in the integrals.
        centred = paths.states[..., paths.known] - paths.begins[:, paths.known].mean(axis=0)
        target = target + _total(form.states, lambda node: centred[node])
    if part is not None:
        target = target - _total(form.terms, part)
    both = (_total(form.terms, theta), target)
    edges = np.concatenate([[0], np.cumsum(form.counts)])
    return [Block(*(whole[a:b] for whole in both)) for a, b in pairwise(edges) if a < b]


def _total(matrices: Sequence[Any], values: AtNode) -> np.ndarray:
    found: np.ndarray = sum(matrix @ values(node) for node, matrix in enumerate(matrices))
    return found


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


def _over(form: Form, paths: Paths) -> Windows:
    """Return the matrices that apply a form to every window of every trajectory."""
    width = len(form.rises)
    begins = [np.arange(0, rows - width + 1, form.stride) for rows in paths.lengths]
    firsts = np.cumsum([0, *paths.lengths[:-1]])
    places = np.concatenate([a + b for a, b in zip(firsts, begins, strict=True)])[:, None] + np.arange(width)
    edges = np.arange(len(places) + 1) * width
    shape = (len(places), sum(paths.lengths))
    # Test functions over windows are functions of the number of the row, and rows count by how long they last.
    lasting = np.ndim(paths.dt) and form.states.any()
    share = np.ravel(paths.dt / np.mean(paths.dt))[places] if lasting else np.ones(places.shape)

    def matrix(values: Float[np.ndarray, "window width"]) -> Any:
        return csr_array((values.ravel(), places.ravel(), edges), shape=shape)

    return Windows(
        [matrix(kernel * share) for kernel in form.terms],
        [matrix(np.broadcast_to(kernel, places.shape)) for kernel in form.states if form.states.any()],
        matrix(np.broadcast_to(form.rises, places.shape)),
        [len(one) for one in begins],
    )
