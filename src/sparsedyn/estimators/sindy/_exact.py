"""Clean data: equations are found on part of the rows, and taken where all others agree with them to rounding.

More rows make coefficients better only where there is noise. Rows are integrated one by one, along paths that agree
with the equations (see `_paths`), or compared with derivatives that were measured. Whatever is not explained to
rounding is left to the regression of all rows.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.integrate import RK45
from scipy.linalg import solve_triangular

from sparsedyn.data import Samples
from sparsedyn.data.derivatives import AUTO
from sparsedyn.estimators.sindy._fitting import Identified, above_thresholds, paths, thresholds
from sparsedyn.estimators.sindy._forms import SMOOTH
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._paths import Quadrature, jumps, quadrature
from sparsedyn.estimators.sindy._proposals import EXACT, exact, fits_of
from sparsedyn.estimators.sindy._regression import DEPENDENT, Block, pooled, terms
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._states import States, states_of
from sparsedyn.estimators.sindy._weak import FEW, SETTLED
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, factor, unexplained

FEWEST, EACH = 240, 6
"""Rows that equations are found on: at least so many, and so many for each term of the library."""
SWEEPS, WORSE = 15, 1e-3
"""Sweeps that paths may take to settle, and the share of derivatives that is left after the second beyond which data
are not clean."""
STEPS = (1, 4)
"""Steps of integration in a row, by the method of Dormand and Prince: more for long rows."""
CHUNK = 4096
"""Rows that are integrated at once: about as many as a cache holds."""

Rates = Callable[[Float[np.ndarray, "variable row"]], Float[np.ndarray, "equation row"]]


class Exact(NamedTuple):
    """Equations that explain all rows to rounding, and the rows on which they were found."""

    states: States
    blocks: list[Block]
    reduced: Factor
    found: Identified


def exactly(measured: Measured, library: Library, settings: Settings, *, validated: bool) -> Exact | None:
    """Return equations that explain all rows to rounding; `None` if they do not, or if more than that is asked for.

    `validated`: whether there are other trajectories by which terms may be chosen.
    """
    if not _plain(settings, validated) or settings.inputs == "interpolated":
        return None
    states = states_of(measured, settings.order, settings.derivative)
    if states.given is not None:
        samples = states.samples()
        part = [_some(np.concatenate(arrays), library) for arrays in zip(*samples, strict=True)]
        return _chosen(
            states, Block(terms(library, *part[:2]), part[2]), library, settings, partial(_measured, samples)
        )
    estimated = settings.weak is False and settings.derivative != AUTO
    if estimated or (settings.order == 2 and measured.x_dot is None):
        return None
    if settings.inputs is None and states.varying and not jumps(measured.data, SMOOTH):
        return None
    found = _integrated(states, library)
    return None if found is None else _chosen(states, found, library, settings, partial(_reached, states))


def _plain(settings: Settings, validated: bool) -> bool:
    """Whether nothing is asked for but terms above thresholds, or as few as explain everything."""
    asked = (settings.ensemble, settings.constraints, settings.known)
    chosen = settings.refine is None and not validated if settings.threshold is None else settings.refine is not True
    return settings.optimizer == "stlsq" and chosen and all(one is None for one in asked)


def _chosen(
    states: States,
    block: Block,
    library: Library,
    settings: Settings,
    left: Callable[[Library, Coefficients], Float[np.ndarray, " equation"]],
) -> Exact | None:
    """The equations of part of the rows, if they explain it, and leave nothing of all rows."""
    if len(block.theta) < library.size:
        return None
    reduced = pooled([block], library.size)
    sizes = np.linalg.svd(reduced.triangle[:, : library.size] / reduced.rms[: library.size], compute_uv=False)
    if sizes[-1] <= DEPENDENT * sizes[0]:
        return None
    if settings.threshold is not None:
        coefficients = above_thresholds(settings)(reduced)
    elif (known := exact(fits_of(reduced, partial(paths, settings)))) is not None:
        coefficients = known.coefficients
    else:
        return None
    if not np.all(unexplained(reduced, coefficients) <= EXACT):
        return None
    with np.errstate(all="ignore"):
        if not np.all(left(library, coefficients) <= EXACT):
            return None
    return Exact(states, [block], reduced, Identified(coefficients, thresholds(settings, coefficients)))


def _some(rows: np.ndarray, library: Library) -> np.ndarray:
    return rows[_part(len(rows), library)]


def _part(rows: int, library: Library) -> Int[np.ndarray, " row"]:
    """Rows that equations are found on: spread by the golden ratio, which is in step with no period."""
    count = max(FEWEST, EACH * library.size)
    if rows <= 2 * count:
        return np.arange(rows)
    return np.unique((np.arange(count) * ((5**0.5 - 1) / 2) % 1 * rows).astype(int))


def _integrated(states: States, library: Library) -> Block | None:
    """Terms and derivatives, integrated over rows, along the paths of all terms; `None` where paths do not settle."""
    rows, equations = _rows(states), len(states.measured.data.state_names)
    few = rows.at(_part(len(rows.lasting), library))
    rule, rises, spread, before = quadrature(FEW), few.ends - few.begins, rows.begins.std(axis=1), np.inf
    target = rises[-equations:] / few.lasting
    x = few.begins[:, None] + rule.places[:, None] * rises[:, None]
    inputs = np.broadcast_to(few.inputs[:, None], (len(few.inputs), *x.shape[1:]))
    for sweep in range(SWEEPS):
        at_nodes = library.some(np.concatenate([x, inputs]), range(library.size))
        theta = rule.weights @ at_nodes
        if theta.shape[1] < library.size or not np.isfinite(at_nodes).all():
            return None
        found, left = _least_squares(theta, target)
        if not np.all(left <= (WORSE if sweep else 1.0)):
            return None
        following = _straight(few, np.tensordot(found.T, at_nodes, 1), rule)
        change = float(np.max(np.abs(following - x).max(axis=(1, 2)) / spread))
        # Rounding may keep paths from settling further.
        if change < SETTLED or (change < np.sqrt(EXACT) and change > before / 2):
            return Block(theta.T, target.T)
        x, before = following, change
    return None


def _least_squares(
    theta: Float[np.ndarray, "term row"], target: Float[np.ndarray, "equation row"]
) -> tuple[Coefficients, Float[np.ndarray, " equation"]]:
    """Coefficients of all terms, and the share of every target that they leave; not finite if terms are dependent."""
    size = np.sqrt(np.square(theta).sum(axis=1, keepdims=True))
    terms = len(theta)
    triangle = factor((theta / np.where(size > 0, size, 1.0)).T, target.T).triangle
    squares = np.square(triangle[:, terms:])
    if not np.diagonal(triangle)[:terms].all():
        return np.full((terms, len(target)), np.nan), np.full(len(target), np.nan)
    found = solve_triangular(triangle[:terms, :terms], triangle[:terms, terms:], check_finite=False)
    return found / size, squares[terms:].sum(axis=0) / squares.sum(axis=0)


def _straight(rows: "Rows", slopes: Float[np.ndarray, "equation node row"], rule: Quadrature) -> np.ndarray:
    """Return paths with these derivatives of the last states, straightened so that they end in the next row."""
    parts: list[np.ndarray] = []
    for last in reversed(range(len(rows.begins) // len(slopes))):
        of = slice(last * len(slopes), (last + 1) * len(slopes))
        missed = rows.ends[of] - rows.begins[of] - rows.lasting * (rule.weights @ slopes)
        slopes = rows.begins[of, None] + rows.lasting * (rule.integrals @ slopes)
        slopes = slopes + rule.places[:, None] * missed[:, None]
        parts.insert(0, slopes)
    return np.concatenate(parts)


def _measured(samples: list[Samples], library: Library, coefficients: Coefficients) -> Float[np.ndarray, " equation"]:
    """The share of measured derivatives that equations leave."""
    rates = _rates(library, coefficients)
    left = [np.square(rates(np.concatenate([x, u], axis=1).T) - dx.T).sum(axis=1) for x, u, dx in samples]
    return np.sum(left, axis=0) / np.sum([np.square(dx).sum(axis=0) for _, _, dx in samples], axis=0)


class Rows(NamedTuple):
    """All rows that have a next one: states there and in the next, inputs that are held, and how long rows last."""

    begins: Float[np.ndarray, "state row"]
    ends: Float[np.ndarray, "state row"]
    inputs: Float[np.ndarray, "input row"]
    lasting: Float[np.ndarray, " row"]

    def at(self, which: Int[np.ndarray, " _row"] | slice) -> "Rows":
        """Return some of them."""
        return Rows(*(np.ascontiguousarray(part[..., which]) for part in self))


def _rows(states: States) -> Rows:
    data = states.whole
    begins, ends = (np.concatenate([x[part].T for x in data.states], axis=1) for part in (slice(-1), slice(1, None)))
    inputs = np.concatenate([u[:-1].T for u in data.inputs], axis=1)
    lasting = np.full(begins.shape[1], data.dt) if data.regular else np.concatenate([np.diff(t) for t in data.time])
    return Rows(begins, ends, inputs, lasting)


def _reached(states: States, library: Library, coefficients: Coefficients) -> Float[np.ndarray, " equation"]:
    """The share of the rises of states over rows that equations leave, integrated from every row to the next."""
    rows, equations = _rows(states), coefficients.shape[1]
    rises = np.square(rows.ends - rows.begins).sum(axis=1)[-equations:]
    rates = _rates(library, coefficients)
    for steps in STEPS:
        left = np.zeros(equations)
        for first in range(0, len(rows.lasting), CHUNK):
            some = rows.at(slice(first, first + CHUNK))
            missed = _after(some.begins, some.inputs, some.lasting / steps, rates, steps) - some.ends
            left += np.square(missed).sum(axis=1)[-equations:]
        if np.all(left <= EXACT * rises):
            break
    return left / rises


def _after(
    x: Float[np.ndarray, "state row"],
    u: Float[np.ndarray, "input row"],
    step: Float[np.ndarray, " row"],
    rates: Rates,
    steps: int,
) -> Float[np.ndarray, "state row"]:
    """The states after so many steps under held inputs, by the method of fifth order of Dormand & Prince 1980."""
    slopes, flat = np.zeros((RK45.n_stages, *x.shape)), (RK45.n_stages, x.size)
    whole = np.concatenate([x, u])
    for _ in range(steps):
        for stage, weights in enumerate(RK45.A):
            whole[: len(x)] = x + step * (weights[:stage] @ slopes.reshape(flat)[:stage]).reshape(x.shape)
            found = rates(whole)
            # Of second order, positions come first, and velocities are their rates.
            rest = len(x) - len(found)
            slopes[stage, :rest], slopes[stage, rest:] = whole[len(found) : len(x)], found
        x = x + step * (RK45.B @ slopes.reshape(flat)).reshape(x.shape)
    return x


def _rates(library: Library, coefficients: Coefficients) -> Rates:
    """Derivatives by equations of few terms; of others nothing is evaluated."""
    kept = np.flatnonzero(coefficients.any(axis=1))
    few = coefficients[kept].T
    return lambda values: few @ library.some(values, kept)
