"""Candidate terms: thousands of random units of equation learners, evaluated at the price of one training step.

A unit with simple arguments is a term of an equation. Arguments of some are fitted to the target.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from sparsedyn.estimators.equation._initial import Layout
from sparsedyn.models.eql import apply
from sparsedyn.models.primitives import Primitive, Units

INNER = 10
"""Units of every primitive in the inner layers, twice as many of homogeneous ones."""
OUTER = {1: 400, 2: 6000}
"""Units of every primitive in the last layer, by the number of arguments."""
FITTED = {1: 64, 2: 512}
"""Regressions by which arguments of such units are fitted to the target, each with random inner units."""
CHOICE = (0.5, 6.0)
"""Range of the number of inner units of every primitive that such a regression chooses from."""
SUMMANDS = 4
"""The most summands that such a regression adds; what it has after each is a candidate."""
SCREENED = 128
"""Samples that candidates are evaluated at: enough to choose by, and more units help more than more samples."""
STRETCH = (0.3, 3.0)
"""Range of the root mean square of an argument of arbitrary weights."""
TEXTBOOK = np.asarray([1.0, 1.0, 1.0, 2.0, 0.5])
"""Sizes of weights in natural units, as textbooks have them."""
SIMPLE = 0.6
"""Share of the units with such weights; the others have arbitrary ones."""


class CandidateTerms(NamedTuple):
    """Random units in layers: `matrices[d]` holds the weights of layer d.

    `entering` is what enters the last layer at the samples, and `values` what it hands on; `good` ones are finite.
    """

    layers: tuple[Units, ...]
    matrices: list[np.ndarray]
    entering: Float[np.ndarray, "sample row"]
    values: Float[np.ndarray, "sample unit"]
    good: Bool[np.ndarray, " unit"]


def candidate_terms(
    layout: Layout,
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
    natural: Float[np.ndarray, " feature"],
    rng: np.random.Generator,
    *,
    fitted: bool = True,
) -> CandidateTerms:
    """Draw candidate terms of the primitives of the layout, evaluated at samples `x`; some are `fitted` to `y`."""
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
    return CandidateTerms(tuple(layers), matrices, entering, np.where(good, hidden, 0.0).astype(np.float32), good)


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
