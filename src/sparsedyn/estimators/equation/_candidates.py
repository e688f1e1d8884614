"""Banks of random units, and the choice of those that explain what a network leaves unexplained.

A unit of an equation learner with simple arguments is a term of an equation. Thousands are evaluated at the price of
one training step; those that go with the residual are where training should begin. So are connections that a network
does not have yet: a further summand in a denominator, say, by what it would change at first order.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models.eql import apply, places
from sparsedyn.models.primitives import Primitive, Units

INNER = 10
"""Units of every primitive in the inner layers of a bank, twice as many of homogeneous ones."""
OUTER = {1: 400, 2: 6000}
"""Units of every primitive in its last layer, by the number of arguments."""
FITTED = {1: 64, 2: 512}
"""Regressions by which arguments of such units are fitted to the target, each with random inner units."""
CHOICE = (0.5, 6.0)
"""Range of the number of inner units of every primitive that such a regression chooses from."""
SUMMANDS = 4
"""The most summands that such a regression adds; what it has after each is a unit of the bank."""
SCREENED = 128
"""Samples that banks are evaluated at: enough to choose by, and more units are worth more than more samples."""
SEEN = 0.35
"""Share of the units of a bank that a network chooses from: networks should differ."""
STRETCH = (0.3, 3.0)
"""Range of the root mean square of an argument of arbitrary weights."""
TEXTBOOK = np.asarray([1.0, 1.0, 1.0, 2.0, 0.5])
"""Sizes of weights in natural units, as textbooks have them."""
LARGEST = 1e18
"""Size from which on a candidate is taken for infinite: the square of a larger one would be, in float32."""
SIMPLE = 0.6
"""Share of the units with such weights; the others have arbitrary ones."""


class Bank(NamedTuple):
    """Random units in layers: `matrices[d]` holds the weights of layer d.

    `entering` is what enters the last layer at the samples, and `values` what it hands on; `good` ones are finite.
    """

    layers: tuple[Units, ...]
    matrices: list[np.ndarray]
    entering: Float[np.ndarray, "sample row"]
    values: Float[np.ndarray, "sample unit"]
    good: Bool[np.ndarray, " unit"]


class Parent(NamedTuple):
    """A network to build on, at the samples that banks are evaluated at.

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


def bank(
    layout: Layout,
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
    natural: Float[np.ndarray, " feature"],
    rng: np.random.Generator,
    *,
    fitted: bool = True,
) -> Bank:
    """Draw a bank with the primitives of the layout, evaluated at the samples `x`; some of it is `fitted` to `y`."""
    last = len(layout.hidden) - 1
    layers, matrices = [], []
    hidden = entering = np.concatenate([np.ones((len(x), int(layout.bias))), x], axis=1)
    kinds = np.concatenate([np.full(int(layout.bias), -1), np.zeros(x.shape[1], int)])
    unit = np.concatenate([np.ones(int(layout.bias)), natural])
    for depth, own in enumerate(layout.hidden):
        layer = tuple((p, 1 if p.arity == 0 else OUTER[p.arity] if depth == last else _copies(p)) for p, _ in own)
        matrix = _arguments(rng, layer, hidden, kinds, unit)
        if depth == last and fitted:
            _fit(matrix, layer, hidden, kinds, y, rng)
        layers.append(layer)
        matrices.append(matrix)
        entering, hidden = hidden, np.asarray(_values(layer, hidden, matrix), np.float64)
        kinds = np.concatenate([np.full(n, i if p.arity else -1) for i, (p, n) in enumerate(layer)])
        unit = np.ones(len(kinds))
    spread = hidden.std(axis=0)
    good = np.isfinite(hidden).all(axis=0) & (spread > 1e-6) & (np.abs(hidden).max(axis=0) < 1e6)
    entering = np.where(np.isfinite(entering), entering, 0.0)
    return Bank(tuple(layers), matrices, entering, np.where(good, hidden, 0.0).astype(np.float32), good)


def _copies(primitive: Primitive) -> int:
    return 2 * INNER if primitive.homogeneous else INNER


def _arguments(
    rng: np.random.Generator,
    layer: Units,
    hidden: Float[np.ndarray, "sample row"],
    kinds: np.ndarray,
    unit: np.ndarray,
) -> Float[np.ndarray, "row argument"]:
    """Weights of one or two rows for every argument; constants have none."""
    rows, columns = hidden.shape[1], sum(p.arity * count for p, count in layer)
    size = np.sqrt(np.mean(np.square(np.where(np.isfinite(hidden), hidden, 0.0)), axis=0))
    usable = np.flatnonzero(size > 1e-6)
    alike = _alike(kinds[usable])
    first, second, fellow = (rng.choice(usable, columns, p=alike / alike.sum()) for _ in range(3))
    # The second summand is often a constant, or of the first one's kind, as in a sum of squares.
    luck = rng.random(columns)
    constants = usable[kinds[usable] == -1]
    if len(constants):
        second = np.where(luck < 0.4, constants[0], second)
    same = luck > 0.75
    for kind in np.unique(kinds[usable]):
        members = usable[kinds[usable] == kind]
        second = np.where(same & (kinds[first] == kind), members[fellow % len(members)], second)
    two = (first != second) & (rng.random(columns) < 0.4)
    stretch = np.exp(rng.uniform(np.log(STRETCH[0]), np.log(STRETCH[1]), (2, columns)))
    sign = rng.choice([-1.0, 1.0], (2, columns))
    textbook = np.concatenate([np.tile(rng.random(count) < SIMPLE, p.arity) for p, count in layer])
    simple = rng.choice(TEXTBOOK, (2, columns))
    matrix = np.zeros((rows, columns))
    everyone = np.arange(columns)
    for which, chosen, there in ((0, first, np.ones(columns, bool)), (1, second, two)):
        weight = sign[which] * np.where(textbook, simple[which] * unit[chosen], stretch[which] / size[chosen])
        matrix[chosen, everyone] += np.where(there, weight, 0.0)
    begin = 0
    for primitive, count in layer:
        if primitive.name == "identity":
            # An identity only hands on.
            part = slice(begin, begin + count)
            chosen = usable[np.arange(count) % len(usable)]
            matrix[:, part] = 0.0
            matrix[chosen, np.arange(begin, begin + count)] = unit[chosen]
        begin += primitive.arity * count
    return matrix


def _alike(kinds: np.ndarray) -> Float[np.ndarray, " row"]:
    """Weights by which every primitive is as likely as the others, however many copies it has."""
    _, which, count = np.unique(kinds, return_inverse=True, return_counts=True)
    return 1.0 / count[which]


def _fit(
    matrix: Float[np.ndarray, "row argument"],
    layer: Units,
    hidden: Float[np.ndarray, "sample row"],
    kinds: np.ndarray,
    y: Float[np.ndarray, " sample"],
    rng: np.random.Generator,
) -> None:
    """Fit arguments of some divisions, and of units that can be inverted, to `y`, each alone; write them to the matrix.

    That is linear regression: `y = p / q` is `y q = p`, one summand of `q` given, and `y = f(g)` is `f^-1(y) = g`.
    """
    size = np.sqrt(np.mean(np.square(hidden), axis=0))
    usable = np.flatnonzero((size > 1e-6) & (size < 1e6))
    terms, alike = hidden[:, usable] / size[usable], _alike(kinds[usable])

    def put(start: int, weights: Float[np.ndarray, "summands term fit"]) -> None:
        found = np.concatenate(list(weights), axis=1) / size[usable, None]
        columns = slice(start, start + found.shape[1])
        matrix[:, columns] = 0.0
        matrix[usable, columns] = found

    begin = 0
    for primitive, count in layer:
        fits = FITTED.get(primitive.arity, 0)
        chance = rng.uniform(*CHOICE, fits) * alike[:, None]
        if primitive.name == "division":
            given = rng.choice(len(usable), fits, p=alike / alike.sum())
            able = rng.random((2, *chance.shape)) < chance
            able[1, given, np.arange(fits)] = False
            both = np.concatenate([terms, -y[:, None] * terms], axis=1)
            found = _regressions(both, y[:, None] * terms[:, given], np.concatenate(list(able)))
            above, below = np.split(found, 2, axis=1)
            below[:, given, np.arange(fits)] = 1.0
            put(begin, above)
            put(begin + count, below)
        elif primitive.inverse is not None:
            wanted = np.asarray(primitive.inverse(jnp.asarray(y)), np.float64)
            if np.isfinite(wanted).all():
                put(begin, _regressions(terms, np.tile(wanted[:, None], fits), rng.random(chance.shape) < chance))
        begin += primitive.arity * count


def _regressions(
    terms: Float[np.ndarray, "sample term"],
    targets: Float[np.ndarray, "sample target"],
    able: Bool[np.ndarray, "term target"],
) -> Float[np.ndarray, "summands term target"]:
    """Orthogonal least squares of every target by those terms that it is able to use: weights after every step."""
    everyone = np.arange(targets.shape[1])
    along = terms.T @ targets
    whole = np.sum(np.square(terms), axis=0)[:, None]
    norm = np.repeat(whole, len(everyone), axis=1)
    basis: list[np.ndarray] = []
    chosen: list[np.ndarray] = []
    weights = np.zeros((SUMMANDS, *able.shape))
    for step in range(SUMMANDS):
        gain = np.square(along) / np.where(able & (norm > 1e-6 * whole), norm, np.inf)
        best = np.argmax(gain, axis=0)
        able[best, everyone] = False
        new = terms[:, best]
        for _ in range(2):
            for direction in basis:
                new = new - direction * np.sum(direction * new, axis=0)
        new = new / np.maximum(np.linalg.norm(new, axis=0), 1e-300)
        taken = terms.T @ new
        along, norm = along - taken * np.sum(new * targets, axis=0), norm - np.square(taken)
        basis.append(new)
        chosen.append(best)
        columns = np.stack([terms[:, place].T for place in chosen], axis=2)
        gram = np.swapaxes(columns, 1, 2) @ columns
        gram += 1e-14 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(step + 1)
        found = np.linalg.solve(gram, np.einsum("tsk,st->tk", columns, targets)[:, :, None])
        for number, place in enumerate(chosen):
            weights[step, place, everyone] = found[:, number, 0]
    return weights


@partial(jax.jit, static_argnums=0)
def _values(layer: Units, hidden: Array, matrix: Array) -> Array:
    return jax.vmap(lambda g: apply(layer, g, guard=True))(hidden @ matrix)


def with_terms(
    layout: Layout, drawn: Bank, parent: Parent, terms: int, rng: np.random.Generator
) -> Float[np.ndarray, " weight"]:
    """Return the parent with up to `terms` units of the bank that explain most of its residual.

    Units for which the layout has no room are passed over.
    """
    matrices = [matrix.copy() for matrix in parent.matrices]
    last = len(layout.hidden)
    units = np.flatnonzero(drawn.good & (rng.random(len(drawn.good)) < SEEN))

    def place(choice: int) -> Place | None:
        row = _placed(layout, drawn, matrices, last - 1, int(units[choice]))
        return None if row is None else (last, row, 0)

    _pursue(matrices, parent, drawn.values[:, units], place, terms, rng)
    constant = [i for i, (p, _) in enumerate(places(layout.hidden[-1])) if p.arity == 0]
    if constant and matrices[-1][constant[0], 0] == 0:
        matrices[-1][constant[0], 0] = (
            1e-3 if any(matrix.any() for matrix in parent.matrices) else parent.residual.mean()
        )
    return np.concatenate([matrix.ravel() for matrix in matrices])


def with_connections(
    layout: Layout, drawn: Bank, parent: Parent, terms: int, rng: np.random.Generator
) -> Float[np.ndarray, " weight"]:
    """Return the parent with up to `terms` more summands in its units' arguments.

    A summand is anything that the parent has in the layer before, or an inner unit of the bank in the last layer. What
    explains most of the residual at first order is taken.
    """
    matrices = [matrix.copy() for matrix in parent.matrices]
    last = len(layout.hidden) - 1
    columns, origins = [], []
    for depth in range(last + 1):
        known, new = parent.entering[depth], drawn.entering if depth == last > 0 else np.zeros((len(drawn.entering), 0))
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
        depth, row, column, of_bank = origins[choice]
        below = _placed(layout, drawn, matrices, depth - 1, row) if of_bank else row
        return None if below is None else (depth, below, column)

    _pursue(matrices, parent, values, place, terms, rng)
    return np.concatenate([matrix.ravel() for matrix in matrices])


def _pursue(
    matrices: list[np.ndarray],
    parent: Parent,
    raw: Float[np.ndarray, "sample candidate"],
    place: Callable[[int], Place | None],
    terms: int,
    rng: np.random.Generator,
) -> None:
    """Add up to `terms` candidates to the matrices, where `place` says, by orthogonal matching pursuit.

    Gains are what is left after all that the parent's own weights can explain.
    """
    target = parent.residual.astype(np.float32)
    ones = np.ones((len(target), 1))
    basis = _orthonormal(np.concatenate([ones, parent.tangent], axis=1)).astype(np.float32)
    left = target - basis @ (basis.T @ target)
    size, values = raw.std(axis=0), raw - basis @ (basis.T @ raw)
    able = size > 0
    added: list[tuple[Place, int]] = []
    for _ in range(terms):
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


def _placed(layout: Layout, drawn: Bank, matrices: list[np.ndarray], depth: int, unit: int) -> int | None:
    """Copy a unit of the bank's layer, with all it needs, to free places; `None` where there is no room."""
    trial = [matrix.copy() for matrix in matrices]
    place = _copied(layout, drawn, trial, depth, unit)
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
