"""The curve along which data lie, and the distance along it: a coordinate that is found without training."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import BSpline, make_interp_spline, make_lsq_spline
from scipy.sparse.csgraph import connected_components
from sklearn.manifold import Isomap
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

from sparsedyn.data import DataError
from sparsedyn.models import Jet

FEWEST = 50
LANDMARKS = 400
"""Points between which distances along the data are measured."""
NEIGHBOURS = 4
"""Landmarks that each is linked to: of landmarks at even distances, two on either side."""
MOST_SAMPLES = 20_000
"""Samples that landmarks are chosen among, and that a curve is fitted to."""
PIECES = 200
"""Polynomials of the curve, at most."""
EACH = 20
"""Samples that each of them is fitted to, on average, at least."""
DEGREE = 5
"""Second derivatives of a quintic spline are as smooth as cubic ones."""
TURNS = 2
"""Fits of the curve, each to where samples are on the one before."""
STEPS = 4
"""Gauss-Newton steps to the nearest point of a curve; they converge quadratically."""
APART = 3.0
"""Landmarks that follow each other are at most so many times as far apart as nearest ones are..."""
FOLLOWING = 0.8
"""... this share of them at least: data may have gaps."""
PROJECTED = "sparsedyn.estimators.autoencoder.projected()"
"""What to do instead where there is no curve."""
ASTRAY = 0.1
"""Share of the variance beside the curve from which on data do not lie along one."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve through data: points by the distance along it, which runs over `span`."""

    points: BSpline
    span: tuple[float, float]

    def locate(self, values: Float[np.ndarray, "sample coordinate"]) -> Float[np.ndarray, " sample"]:
        """Return the distance along the curve of the point that is nearest to each sample."""
        grid = np.linspace(*self.span, 4 * PIECES)
        found = grid[NearestNeighbors(n_neighbors=1).fit(self.points(grid)).kneighbors(values)[1][:, 0]]
        for _ in range(STEPS):
            tangent = self.points(found, 1)
            step = np.sum(tangent * (values - self.points(found)), axis=1) / np.sum(np.square(tangent), axis=1)
            found = np.clip(found + step, *self.span)
        return np.asarray(found, np.float64)

    def pushforward(self, jet: Jet) -> Jet:
        """Return the jet along the curve, (sample, 1): derivatives are what of the given ones is tangential.

        On the curve x = p(z) the velocity is x' = p' z', and the acceleration x'' = p' z'' + p'' z'^2.
        """
        value = self.locate(np.asarray(jet.value, np.float64))
        tangent = self.points(value, 1)
        size = np.sum(np.square(tangent), axis=1)
        first = np.sum(tangent * jet.first, axis=1) / size
        if jet.second is None:
            return Jet(value[:, None], first[:, None])
        straight = np.asarray(jet.second) - self.points(value, 2) * np.square(first)[:, None]
        second = np.sum(tangent * straight, axis=1) / size
        return Jet(value[:, None], first[:, None], second[:, None])


def curve_along(values: Float[np.ndarray, "sample coordinate"], rng: np.random.Generator) -> Curve:
    """Return the open curve along which samples lie, measured by the distance along it from its middle.

    Landmarks far from each other are put in their order by Isomap: shortest paths from neighbour to neighbour,
    embedded on a line. A spline through them is then fitted to all samples, at their distances along it, and measured
    again. `rng` chooses the first landmark, and samples where there are many. Raises `DataError` for data that do not
    lie along one open curve.

    Source: Tenenbaum, de Silva, Langford 2000 (Isomap); de Silva, Tenenbaum 2004 (landmarks).
    """
    if len(values) < FEWEST:
        raise DataError(f"x: expected at least {FEWEST} rows to find the curve they lie on; got {len(values)}.")
    some = np.asarray(values[rng.permutation(len(values))[:MOST_SAMPLES]], np.float64)
    landmarks = some[_far_apart(some, min(LANDMARKS, len(some) // 2))]
    if len(landmarks) < FEWEST // 2:
        raise DataError(
            f"x: expected at least {FEWEST // 2} different rows to find the curve they lie on; got {len(landmarks)}."
        )
    places = _line(landmarks)
    order = np.argsort(places)
    _check_order(landmarks[order])
    span = (float(places.min()), float(places.max()))
    curve = Curve(make_interp_spline(places[order], landmarks[order], k=DEGREE), span)
    for _ in range(TURNS):
        curve = _fitted(some, _lengths(curve, curve.locate(some)))
    lost = np.sum(np.square(some - curve.points(curve.locate(some)))) / np.sum(np.square(some - some.mean(axis=0)))
    if not lost <= ASTRAY:
        raise DataError(
            f"x: expected data along one open curve, as one latent variable can tell apart; got {lost:.0%} of their "
            f"variance beside the best one. Choose more latent variables, or recipe={PROJECTED}."
        )
    return curve


def _far_apart(values: Float[np.ndarray, "sample coordinate"], count: int) -> Int[np.ndarray, " landmark"]:
    """Return so many samples, each the farthest from those before it."""
    # Random landmarks leave gaps that links do not cross.
    chosen, distance = [0], np.full(len(values), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.sum(np.square(values - values[chosen[-1]]), axis=1))
        if not distance.max() > 0:
            break
        chosen.append(int(distance.argmax()))
    return np.array(chosen)


def _line(landmarks: Float[np.ndarray, "landmark coordinate"]) -> Float[np.ndarray, " landmark"]:
    """Return the places of landmarks on a line, by shortest paths over links between neighbours."""
    links = kneighbors_graph(landmarks, NEIGHBOURS)
    pieces = connected_components(links, directed=False)[0]
    if pieces > 1:
        raise DataError(
            f"x: expected data along one curve without gaps; got {pieces} pieces. Record trajectories that connect "
            f"them, or choose recipe={PROJECTED}."
        )
    places = Isomap(n_neighbors=NEIGHBOURS, n_components=1).fit_transform(landmarks)
    return np.asarray(places[:, 0], np.float64)


def _check_order(landmarks: Float[np.ndarray, "landmark coordinate"]) -> None:
    """Raise `DataError` where landmarks, in their order, leap: on a loop, a line leads to and fro between two sides."""
    nearest = NearestNeighbors(n_neighbors=2).fit(landmarks).kneighbors(landmarks)[0][:, 1]
    leaps = np.linalg.norm(np.diff(landmarks, axis=0), axis=1)
    if np.quantile(leaps, FOLLOWING) > APART * np.median(nearest):
        raise DataError(
            "x: expected data along one open curve, as one latent variable can tell apart; they lie along one that "
            f"closes, crosses or branches. Choose more latent variables, or recipe={PROJECTED}."
        )


def _lengths(curve: Curve, places: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Return the lengths of the curve up to places on it, from its middle."""
    grid = np.linspace(*curve.span, 100 * PIECES)
    speed = np.linalg.norm(curve.points(grid, 1), axis=1)
    lengths = cumulative_trapezoid(speed, grid, initial=0)
    return np.interp(places, grid, lengths - lengths[-1] / 2)


def _fitted(values: Float[np.ndarray, "sample coordinate"], places: Float[np.ndarray, " sample"]) -> Curve:
    """Return the least-squares spline through samples at their places."""
    places, first = np.unique(places, return_index=True)
    values = values[first]
    # Pieces end at samples, and have some inside: without, a spline is not determined.
    pieces = min(PIECES, len(places) // EACH)
    ends = np.searchsorted(places, np.linspace(places[0], places[-1], pieces + 1))[1:-1]
    ends = np.unique(ends[(ends > DEGREE) & (ends < len(places) - DEGREE)])
    knots = places[ends[np.diff(ends, prepend=0) > DEGREE]]
    padded = np.concatenate([[places[0]] * (DEGREE + 1), knots, [places[-1]] * (DEGREE + 1)])
    return Curve(make_lsq_spline(places, values, padded, k=DEGREE), (float(places[0]), float(places[-1])))
