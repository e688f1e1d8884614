"""Smooth curves through measured states, and what varies along them: for proposals, which shooting judges."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.interpolate import make_interp_spline

from sparsedyn.data import Trajectories
from sparsedyn.data.derivatives import smoothed
from sparsedyn.estimators.shooting_search._noise import noise_of, shapes_of
from sparsedyn.estimators.shooting_search._prior import NOTHING, Prior

CLEAN = 1e-3
"""Noise, as a share of a state's spread, below which curves go through all rows."""
DEGREE = 5
NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)
NODES, WEIGHTS = (NODES + 1) / 2, WEIGHTS / 2
STRETCH, SHORTEST = 150, 30
"""Rows of a stretch where not all rows are taken, and the fewest of one."""
POINTS = 600
"""Points that tell what values variables take, about."""
MOVING = 3.0
"""Standard deviations within trajectories that the size of errors is counted in, at most."""
LEAST = 0.1
"""Of a state's root mean square: the size that errors in proportion to a state have where it is zero."""


@dataclass(frozen=True)
class Paths:
    """Measured trajectories, with a polynomial for every state and step; noise is in shares of `shapes`.

    `shapes` say how the size of errors varies along a trajectory: in proportion to a state where there is no noise, as
    errors of a solver do, else as smoothing finds.
    """

    data: Trajectories
    smooth: list[np.ndarray]
    shapes: list[np.ndarray]
    noise: Float[np.ndarray, " state"]
    clean: bool
    prior: Prior = NOTHING

    @cached_property
    def pieces(self) -> list[np.ndarray]:
        """Polynomials of the share of a step that has passed, (step, power, state), per trajectory."""
        parts = zip(self.smooth, self.data.inputs, self.data.time, strict=True)
        return [_polynomials(x, u, t) for x, u, t in parts]

    @cached_property
    def inputs(self) -> list[np.ndarray]:
        """The held inputs in the same form."""
        found = []
        for u in self.data.inputs:
            made = np.zeros((len(u) - 1, DEGREE + 1, u.shape[1]))
            made[:, 0] = u[:-1]
            found.append(made)
        return found

    @cached_property
    def variables(self) -> list[np.ndarray]:
        """States and inputs in the same form."""
        return [np.concatenate(pair, axis=2) for pair in zip(self.pieces, self.inputs, strict=True)]

    @cached_property
    def nodes(self) -> list[np.ndarray]:
        """States and inputs at the nodes of every step, (step, node, variable)."""
        powers = NODES[:, None] ** np.arange(DEGREE + 1)
        return [np.einsum("np,spv->snv", powers, one) for one in self.variables]

    @cached_property
    def points(self) -> Float[np.ndarray, "point variable"]:
        """States and inputs at some of the nodes, which tell what values they take."""
        every = np.concatenate([nodes.reshape(-1, nodes.shape[2]) for nodes in self.nodes])
        return every[:: max(1, len(every) // POINTS)]


def paths_of(data: Trajectories, prior: Prior = NOTHING, *, clean: bool | None = None) -> Paths:
    """Return smooth curves through rows, or near them where these are noisy, unless that is said."""
    made = [smoothed(x) for x in data.states]
    whole = np.concatenate(data.states)
    spread = np.where(whole.std(axis=0) > 0, whole.std(axis=0), 1.0)
    share = np.sqrt(np.mean(np.square(np.concatenate([one.spread for one in made])), axis=0)) / spread
    quiet = bool(np.all(share < CLEAN)) if clean is None else clean
    size = np.sqrt(np.mean(np.square(whole), axis=0))
    size = np.where(size > 0, size, 1.0)
    if quiet:
        # A state far from zero that hardly moves, such as a temperature in kelvin, is precise beside how it moves.
        within = np.sqrt(np.mean(np.square(np.concatenate([x - x.mean(axis=0) for x in data.states])), axis=0))
        moving = np.where(within > 0, MOVING * within, np.inf)
        shapes = [np.minimum(np.abs(x) + LEAST * size, moving) + _change(x) for x in data.states]
        return Paths(data, list(data.states), shapes, np.full(len(size), 1e-4), True, prior)
    columns = range(len(size))
    known = [noise_of([x[:, j] for x in data.states], [one.states[:, j] for one in made]) for j in columns]
    shapes = [np.stack([known[j].shapes[k] * size[j] for j in columns], axis=1) for k in range(len(made))]
    smooth = [np.stack([known[j].smooth[k] for j in columns], axis=1) for k in range(len(made))]
    smooth = [np.where(share < CLEAN, x, one) for x, one in zip(data.states, smooth, strict=True)]
    noise = np.asarray([one.scale for one in known]) / size
    return Paths(data, smooth, shapes, np.maximum(noise, 1e-4), False, prior)


def reweighted(paths: Paths, fitted: Sequence[Float[np.ndarray, "row state"]]) -> Paths:
    """Return the same curves, errors being of the sizes that a model's states at all rows say."""
    series = paths.data.states
    columns = range(len(paths.data.state_names))
    sizes = np.sqrt(np.mean(np.square(np.concatenate(series)), axis=0))
    shapes = [shapes_of([x[:, j] for x in series], [m[:, j] for m in fitted]) for j in columns]
    return replace(
        paths, shapes=[np.stack([sizes[j] * shapes[j][k] for j in columns], axis=1) for k in range(len(series))]
    )


def _change(x: Float[np.ndarray, "row state"]) -> Float[np.ndarray, "row state"]:
    """How much states change within a row, before or after: steps of a solver are as precise as that."""
    rises = np.abs(np.diff(x, axis=0))
    found: np.ndarray = np.maximum(np.concatenate([rises[:1], rises]), np.concatenate([rises, rises[-1:]]))
    return found


def stretches(data: Trajectories, rows: int) -> Trajectories:
    """Return at most about so many rows: stretches that are spread evenly over all trajectories."""
    if sum(data.lengths) <= rows:
        return data
    places = [
        (k, begin, min(begin + STRETCH, length))
        for k, length in enumerate(data.lengths)
        for begin in range(0, length, STRETCH)
        if length - begin >= min(SHORTEST, length) or begin == 0
    ]
    typical = float(np.mean([end - begin for _, begin, end in places]))
    chosen = np.unique(np.linspace(0, len(places) - 1, max(1, int(rows / typical))).astype(int))
    states, inputs, times = (
        [source[k][begin:end] for k, begin, end in (places[c] for c in chosen)]
        for source in (data.states, data.inputs, data.time)
    )
    return data.with_rows(states, inputs, times)


def _polynomials(
    x: Float[np.ndarray, "row state"], u: Float[np.ndarray, "row input"], t: Float[np.ndarray, " row"]
) -> Float[np.ndarray, "step power state"]:
    """Splines between the rows at which inputs jump, as their powers in every step."""
    jumps = 1 + np.flatnonzero((u[1:-1] != u[:-2]).any(axis=1))
    edges = np.unique([0, *jumps, len(t) - 1])
    found = np.zeros((len(t) - 1, DEGREE + 1, x.shape[1]))
    for begin, end in itertools.pairwise(edges):
        rows = slice(begin, end + 1)
        # Odd degrees only: others leave the ends undetermined.
        degree = next(k for k in (5, 3, 1) if k <= end - begin)
        spline = make_interp_spline(t[rows], x[rows], k=degree)
        h = np.diff(t[rows])[:, None]
        scale = np.ones_like(h)
        for power in range(degree + 1):
            if power:
                scale = scale * h / power
            # Knots are at rows: a step has one polynomial, that of its beginning.
            found[begin:end, power] = spline.derivative(power)(t[begin:end]) * scale if power else x[begin:end]
    return found
