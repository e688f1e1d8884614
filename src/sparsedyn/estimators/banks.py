"""Banks of random units, and the choice of those that explain what a network leaves unexplained.

A unit of an equation learner with simple arguments is a term of an equation. Thousands are evaluated at the price of
one training step; those that go with the residual are where training should begin.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from sparsedyn.estimators.populations import Layout
from sparsedyn.models.eql import apply, places
from sparsedyn.models.primitives import Primitive, Units

INNER = 4
"""Units of every primitive in the inner layers of a bank."""
OUTER = {1: 100, 2: 3000}
"""Units of every primitive in its last layer, by the number of arguments."""
SEEN = 0.35
"""Share of the units of a bank that a network chooses from: networks should differ."""
STRETCH = (0.3, 3.0)
"""Range of the root mean square of an argument that is no input in its own unit."""


class Bank(NamedTuple):
    """Random units in layers: `matrices[d]` holds the weights of layer d; `values` the last layer's at the samples."""

    layers: tuple[Units, ...]
    matrices: list[np.ndarray]
    values: Float[np.ndarray, "sample unit"]
    good: Bool[np.ndarray, " unit"]


def bank(layout: Layout, x: Float[np.ndarray, "sample feature"], natural: np.ndarray, rng: np.random.Generator) -> Bank:
    """Draw a bank with the primitives of the layout, evaluated at the samples `x`."""
    last = len(layout.hidden) - 1
    layers, matrices = [], []
    hidden = np.concatenate([np.ones((len(x), int(layout.bias))), x], axis=1)
    kinds = np.concatenate([np.full(int(layout.bias), -1), np.zeros(x.shape[1], int)])
    unit = np.concatenate([np.ones(int(layout.bias)), natural])
    for depth, own in enumerate(layout.hidden):
        layer = tuple((p, 1 if p.arity == 0 else OUTER[p.arity] if depth == last else _copies(p)) for p, _ in own)
        matrix = _arguments(rng, layer, hidden, kinds, unit if depth == 0 else None)
        layers.append(layer)
        matrices.append(matrix)
        hidden = np.asarray(_values(layer, hidden, matrix), np.float64)
        kinds = np.concatenate([np.full(n, i if p.arity else -1) for i, (p, n) in enumerate(layer)])
    spread = hidden.std(axis=0)
    good = np.isfinite(hidden).all(axis=0) & (spread > 1e-6) & (np.abs(hidden).max(axis=0) < 1e6)
    return Bank(tuple(layers), matrices, np.where(good, hidden, 0.0).astype(np.float32), good)


def _copies(primitive: Primitive) -> int:
    return 2 * INNER if primitive.arity == 2 or primitive.name == "identity" else INNER


def _arguments(
    rng: np.random.Generator,
    layer: Units,
    hidden: Float[np.ndarray, "sample row"],
    kinds: np.ndarray,
    unit: np.ndarray | None,
) -> Float[np.ndarray, "row argument"]:
    """Weights of one or two rows for every argument; constants have none."""
    rows, columns = hidden.shape[1], sum(p.arity * count for p, count in layer)
    size = np.sqrt(np.mean(np.square(np.where(np.isfinite(hidden), hidden, 0.0)), axis=0))
    usable = np.flatnonzero(size > 1e-6)
    # Every primitive is as likely as the others, however many copies it has; the second summand is often a constant.
    alike = np.asarray([1.0 / np.sum(kinds[usable] == kinds[row]) for row in usable])
    first, second = (rng.choice(usable, columns, p=alike / alike.sum()) for _ in range(2))
    constants = usable[kinds[usable] == -1]
    if len(constants):
        second = np.where(rng.random(columns) < 0.5, constants[0], second)
    two = (first != second) & (rng.random(columns) < (0.4 if unit is None else 0.25))
    stretch = np.exp(rng.uniform(np.log(STRETCH[0]), np.log(STRETCH[1]), (2, columns)))
    sign = rng.choice([-1.0, 1.0], (2, columns))
    plain = rng.random(columns) < (0.5 if unit is not None else 0.0)
    matrix = np.zeros((rows, columns))
    everyone = np.arange(columns)
    for which, chosen, there in ((0, first, np.ones(columns, bool)), (1, second, two)):
        scaled = stretch[which] / size[chosen]
        weight = sign[which] * (scaled if unit is None else np.where(plain, unit[chosen], scaled))
        matrix[chosen, everyone] += np.where(there, weight, 0.0)
    begin = 0
    for primitive, count in layer:
        if primitive.name == "identity":
            # An identity only hands on.
            part = slice(begin, begin + count)
            matrix[:, part] = 0.0
            matrix[usable[np.arange(count) % len(usable)], np.arange(begin, begin + count)] = 1.0
        begin += primitive.arity * count
    return matrix


@partial(jax.jit, static_argnums=0)
def _values(layer: Units, hidden: Array, matrix: Array) -> Array:
    return jax.vmap(lambda g: apply(layer, g, guard=True))(hidden @ matrix)


def with_terms(
    layout: Layout,
    drawn: Bank,
    tangent: Float[np.ndarray, "sample direction"],
    residual: Float[np.ndarray, " sample"],
    parent: Float[np.ndarray, " weight"] | None,
    terms: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, " weight"]:
    """Return the parent with up to `terms` units of the bank that explain most of its residual.

    Gains are those of orthogonal matching pursuit, on a random third of the units, after what the parent's own weights
    can explain (`tangent`, the derivatives by them). Units for which the layout has no room are passed over.
    """
    matrices = [np.zeros(s) for s in layout.shapes()] if parent is None else layout.split(parent.copy())
    matrices = [np.array(matrix) for matrix in matrices]
    basis = _orthonormal(np.concatenate([np.ones((len(residual), 1)), tangent], axis=1)).astype(np.float32)
    residual = residual.astype(np.float32)
    left = residual - basis @ (basis.T @ residual)
    units = np.flatnonzero(drawn.good & (rng.random(len(drawn.good)) < SEEN))
    raw = drawn.values[:, units]
    size = raw.std(axis=0)
    values = raw - basis @ (basis.T @ raw)
    able = np.ones(len(units), bool)
    added: list[tuple[int, int]] = []
    for _ in range(terms):
        norm = np.sqrt(np.sum(np.square(values), axis=0))
        able &= norm > 1e-3 * size * np.sqrt(len(left))
        gain = np.where(able, np.abs(left @ values) / np.where(able, norm, 1.0), -1.0)
        order = np.argsort(-gain)[:20]
        # Not always the very best: trials should differ.
        for choice in order[min(int(rng.geometric(0.6)) - 1, 5) :]:
            place = _placed(layout, drawn, matrices, int(units[choice])) if gain[choice] > 0 else None
            if place is not None:
                added.append((place, int(choice)))
                break
        else:
            break
        chosen = values[:, added[-1][1]] / norm[added[-1][1]]
        left = left - chosen * (chosen @ left)
        values = values - np.outer(chosen, chosen @ values)
        able[added[-1][1]] = False
    if added:
        columns = raw[:, [unit for _, unit in added]]
        full = np.concatenate([basis, columns], axis=1)
        found = np.linalg.lstsq(full, residual, rcond=None)[0][basis.shape[1] :]
        for (place, _), weight in zip(added, found, strict=True):
            matrices[-1][place, 0] += weight
    constant = [i for i, (p, _) in enumerate(places(layout.hidden[-1])) if p.arity == 0]
    if constant and matrices[-1][constant[0], 0] == 0:
        matrices[-1][constant[0], 0] = residual.mean() if parent is None else 1e-3
    return np.concatenate([matrix.ravel() for matrix in matrices])


def _orthonormal(columns: Float[np.ndarray, "sample direction"]) -> Float[np.ndarray, "sample rank"]:
    scaled = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    u, s, _ = np.linalg.svd(np.where(np.isfinite(scaled), scaled, 0.0), full_matrices=False)
    return u[:, s > 1e-7 * s[0]]


def _placed(layout: Layout, drawn: Bank, matrices: list[np.ndarray], unit: int) -> int | None:
    """Copy a unit of the bank's last layer, with all it needs, to free places; `None` where there is no room."""
    trial = [matrix.copy() for matrix in matrices]
    place = _copied(layout, drawn, trial, len(layout.hidden) - 1, unit)
    if place is not None:
        for matrix, new in zip(matrices, trial, strict=True):
            matrix[:] = new
    return place


def _copied(layout: Layout, drawn: Bank, matrices: list[np.ndarray], depth: int, unit: int) -> int | None:
    primitive, theirs = places(drawn.layers[depth])[unit]
    slots = places(layout.hidden[depth])
    wanted: list[dict[int, float]] = []
    for column in theirs:
        rows: dict[int, float] = {}
        for row in np.flatnonzero(drawn.matrices[depth][:, column]):
            below: int | None = int(row)
            if depth > 0:
                below = _copied(layout, drawn, matrices, depth - 1, int(row))
            if below is None:
                return None
            rows[below] = rows.get(below, 0.0) + float(drawn.matrices[depth][row, column])
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


def pareto(count: np.ndarray, error: np.ndarray, most: int) -> list[int]:
    """Return the candidates, of at most `most` weights, that are clearly better than all smaller ones."""
    best, found = np.inf, []
    for place in np.argsort(count, kind="stable").tolist():
        if count[place] <= most and error[place] < 0.5 * best:
            best = error[place]
            found.append(place)
    return found
