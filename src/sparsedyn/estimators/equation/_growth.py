"""Networks that begin with another and explain more: with further terms, or with further connections.

What goes with the residual is where training should begin. A connection that a network does not have yet, a further
summand in a denominator, say, is judged by what it would change at first order.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from sparsedyn.data import Samples
from sparsedyn.estimators.equation._candidates import SCREENED, CandidateTerms
from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models import EQL
from sparsedyn.models.eql import places

SEEN = 0.35
"""Share of the candidate terms that a network chooses from: networks should differ."""
LARGEST = 1e18
"""Size from which on a column is taken for infinite: the square of a larger one would be, in float32."""


class Parent(NamedTuple):
    """A network to build on, at the samples that candidates are evaluated at.

    `residual` is what it leaves of the targets and `tangent` holds the derivatives of its output by its nonzero
    weights. The derivative by any entry of matrix d is a column of `entering[d]` times one of `leaving[d]`.
    """

    matrices: list[np.ndarray]
    residual: Float[np.ndarray, " sample"]
    tangent: Float[np.ndarray, "sample direction"]
    entering: list[Float[np.ndarray, "sample row"]]
    leaving: list[Float[np.ndarray, "sample argument"]]


Place = tuple[int, int, int]
"""A matrix, a row and a column of it."""


def unexplained(layout: Layout, flat: np.ndarray | None, data: Samples) -> Parent:
    """What a parent, or a network without weights, leaves of the targets, and its derivatives."""
    x, u, target = data.x[:SCREENED], data.u[:SCREENED], data.dx[:SCREENED, 0]
    if flat is None:
        return Parent([np.zeros(shape) for shape in layout.shapes()], target, np.zeros((len(x), 0)), [], [])
    matrices = [np.asarray(matrix) for matrix in layout.split(flat)]
    with jax.enable_x64(True):
        model = layout.model(matrices).exact()
        output, entering, leaving = _sensitivities(model, jnp.asarray(x), jnp.asarray(u))
    before, after = [np.asarray(part) for part in entering], [np.asarray(part)[:, 0] for part in leaving]
    # A unit that nobody reads may be infinite; its derivatives are not among those that are returned.
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [h[:, :, None] * d[:, None, :] for h, d in zip(before, after, strict=True)]
    every = np.concatenate([part.reshape(len(x), -1) for part in parts], axis=1)
    return Parent(matrices, target - np.asarray(output)[:, 0], every[:, flat != 0], before, after)


@eqx.filter_jit
def _sensitivities(model: EQL, x: jax.Array, u: jax.Array) -> tuple[jax.Array, list[jax.Array], list[jax.Array]]:
    return jax.vmap(model.sensitivity)(x, u)


def with_terms(
    layout: Layout, candidates: CandidateTerms, parent: Parent, most: int, rng: np.random.Generator
) -> Float[np.ndarray, " weight"]:
    """Return the parent with up to `most` candidate terms that explain most of its residual.

    Units for which the layout has no room are passed over.
    """
    matrices = [matrix.copy() for matrix in parent.matrices]
    last = len(layout.hidden)
    units = np.flatnonzero(candidates.good & (rng.random(len(candidates.good)) < SEEN))

    def place(choice: int) -> Place | None:
        row = _placed(layout, candidates, matrices, last - 1, int(units[choice]))
        return None if row is None else (last, row, 0)

    _pursue(matrices, parent, candidates.values[:, units], place, most, rng)
    constant = [i for i, (p, _) in enumerate(places(layout.hidden[-1])) if p.arity == 0]
    if constant and matrices[-1][constant[0], 0] == 0:
        matrices[-1][constant[0], 0] = (
            1e-3 if any(matrix.any() for matrix in parent.matrices) else parent.residual.mean()
        )
    return np.concatenate([matrix.ravel() for matrix in matrices])


def with_connections(
    layout: Layout, candidates: CandidateTerms, parent: Parent, most: int, rng: np.random.Generator
) -> Float[np.ndarray, " weight"]:
    """Return the parent with up to `most` more summands in its units' arguments.

    A summand is anything that the parent has in the layer before, or an inner unit of the candidates in the last layer.
    What explains most of the residual at first order is taken.
    """
    matrices = [matrix.copy() for matrix in parent.matrices]
    last = len(layout.hidden) - 1
    columns, origins = [], []
    for depth in range(last + 1):
        known, new = (
            parent.entering[depth],
            candidates.entering if depth == last > 0 else np.zeros((len(candidates.entering), 0)),
        )
        for column in np.flatnonzero(matrices[depth].any(axis=0)):
            free = np.flatnonzero((matrices[depth][:, column] == 0) & known.any(axis=0))
            with np.errstate(over="ignore", invalid="ignore"):
                columns.append(parent.leaving[depth][:, column, None] * np.concatenate([known[:, free], new], axis=1))
            origins += [(depth, int(row), int(column), False) for row in free]
            origins += [(depth, row, int(column), True) for row in range(new.shape[1])]
    values = np.concatenate(columns, axis=1)
    # What is out of float32's range, or would be once it is squared, explains nothing.
    values = np.where(np.abs(values) < LARGEST, values, 0.0).astype(np.float32)

    def place(choice: int) -> Place | None:
        depth, row, column, new_unit = origins[choice]
        below = _placed(layout, candidates, matrices, depth - 1, row) if new_unit else row
        return None if below is None else (depth, below, column)

    _pursue(matrices, parent, values, place, most, rng)
    return np.concatenate([matrix.ravel() for matrix in matrices])


def _pursue(
    matrices: list[np.ndarray],
    parent: Parent,
    raw: Float[np.ndarray, "sample column"],
    place: Callable[[int], Place | None],
    most: int,
    rng: np.random.Generator,
) -> None:
    """Add up to `most` columns to the matrices, where `place` says, by orthogonal matching pursuit.

    Gains are what is left after all that the parent's own weights can explain.
    """
    target = parent.residual.astype(np.float32)
    ones = np.ones((len(target), 1))
    basis = _orthonormal(np.concatenate([ones, parent.tangent], axis=1)).astype(np.float32)
    left = target - basis @ (basis.T @ target)
    size, values = raw.std(axis=0), raw - basis @ (basis.T @ raw)
    able = size > 0
    added: list[tuple[Place, int]] = []
    for _ in range(most):
        norm = np.sqrt(np.sum(np.square(values), axis=0))
        able &= norm > 1e-3 * size * np.sqrt(len(left))
        gain = np.where(able, np.abs(left @ values) / np.where(able, norm, 1.0), -1.0)
        best = np.argpartition(-gain, min(20, len(gain) - 1))[:20]
        order = best[np.argsort(-gain[best])]
        # Not always the very best: trials should differ.
        for choice in order[min(int(rng.geometric(0.6)) - 1, 5) :]:
            there = place(int(choice)) if gain[choice] > 0 else None
            if there is not None:
                added.append((there, int(choice)))
                break
        else:
            break
        chosen = values[:, added[-1][1]] / norm[added[-1][1]]
        left = left - chosen * (chosen @ left)
        values = values - np.outer(chosen, chosen @ values)
        able[added[-1][1]] = False
    if added:
        full = np.concatenate([basis, raw[:, [choice for _, choice in added]]], axis=1)
        found = np.linalg.lstsq(full, target, rcond=None)[0][basis.shape[1] :]
        for ((depth, row, column), _), weight in zip(added, found, strict=True):
            matrices[depth][row, column] += weight


def _orthonormal(columns: Float[np.ndarray, "sample direction"]) -> Float[np.ndarray, "sample rank"]:
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    u, s, _ = np.linalg.svd(np.where(np.isfinite(scaled), scaled, 0.0), full_matrices=False)
    return u[:, s > 1e-7 * s[0]]


def _placed(
    layout: Layout, candidates: CandidateTerms, matrices: list[np.ndarray], depth: int, unit: int
) -> int | None:
    """Copy a candidate of a layer, with all it needs, to free places; `None` where there is no room."""
    trial = [matrix.copy() for matrix in matrices]
    place = _copied(layout, candidates, trial, depth, unit)
    if place is not None:
        for matrix, new in zip(matrices, trial, strict=True):
            matrix[:] = new
    return place


def _copied(
    layout: Layout, candidates: CandidateTerms, matrices: list[np.ndarray], depth: int, unit: int
) -> int | None:
    primitive, theirs = places(candidates.layers[depth])[unit]
    slots = places(layout.hidden[depth])
    wanted: list[dict[int, float]] = []
    for column in theirs:
        rows: dict[int, float] = {}
        for row in np.flatnonzero(candidates.matrices[depth][:, column]):
            below: int | None = int(row)
            if depth > 0:
                below = _copied(layout, candidates, matrices, depth - 1, int(row))
            if below is None:
                return None
            rows[below] = rows.get(below, 0.0) + float(candidates.matrices[depth][row, column])
        wanted.append(rows)
    for place, (own, ours) in enumerate(slots):
        if own is not primitive:
            continue
        has = [{int(r): float(matrices[depth][r, c]) for r in np.flatnonzero(matrices[depth][:, c])} for c in ours]
        if has == wanted:
            return place
        if not any(has):
            for column, rows in zip(ours, wanted, strict=True):
                matrices[depth][list(rows), column] = list(rows.values())
            return place
    return None
