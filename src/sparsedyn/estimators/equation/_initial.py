"""Initial networks of equation learners, with different units and different structure."""

from functools import lru_cache, partial
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from sparsedyn.models import EQL
from sparsedyn.models.eql import places, width
from sparsedyn.models.primitives import Units

SCALES = (0.5, 1.5)
"""Range of a dense network's own factor on its weights' standard deviation of 0.5."""
SHARE = 0.4
"""Share of the units, constants aside, that a network begins with."""


class Generation(NamedTuple):
    """New networks: their flattened weights, whose trial they are of, and whether they began at random."""

    weights: Float[np.ndarray, "network weight"]
    trial: Int[np.ndarray, " network"]
    random: Bool[np.ndarray, " network"]


class Layout(NamedTuple):
    """The shape of networks."""

    features: int
    hidden: tuple[Units, ...]
    bias: bool = False

    def shapes(self) -> list[tuple[int, int]]:
        """Return the shapes of the matrices."""
        widths = [self.features + self.bias, *(width(layer) for layer in self.hidden)]
        taken = [*(sum(p.arity * count for p, count in layer) for layer in self.hidden), 1]
        return list(zip(widths, taken, strict=True))

    def model(self, matrices: list[np.ndarray]) -> EQL:
        """Return the (stacked) network of these matrices."""
        return eqx.tree_at(lambda m: m.weights, _blank(self), tuple(matrices))

    def split(self, flat: Float[np.ndarray, "*member weight"]) -> list[np.ndarray]:
        """Return the matrices of flattened weights."""
        sizes = [rows * columns for rows, columns in self.shapes()]
        parts = np.split(flat, np.cumsum(sizes)[:-1], axis=-1)
        return [part.reshape(*flat.shape[:-1], *shape) for part, shape in zip(parts, self.shapes(), strict=True)]


@lru_cache
def _blank(layout: Layout) -> EQL:
    """A network of shapes only, to be filled."""
    make = partial(EQL, layout.features, 0, 1, layout.hidden, bias=layout.bias)
    blank: EQL = eqx.filter_eval_shape(lambda key: make(key=key), jax.random.key(0))
    return blank


def random_weights(
    layout: Layout, natural: Float[np.ndarray, " feature"], rng: np.random.Generator
) -> Float[np.ndarray, " weight"]:
    """Return the flattened weights of a new network.

    Half of the networks are dense: every unit that is there takes all that comes, at random weights. The other half are
    sparse, as equations are: an argument takes one or two things, and half of these networks take inputs in their
    `natural` unit, of which the network sees shares: for a sine of an angle of several turns no gradient finds the way.
    """
    dense = rng.random() < 0.5
    unit = natural if rng.random() < 0.5 else np.ones_like(natural)
    matrices = [np.zeros(shape) for shape in layout.shapes()]
    alive = np.ones(layout.features + layout.bias, bool)
    for depth, layer in enumerate(layout.hidden):
        there = np.asarray([p.arity == 0 or rng.random() < SHARE for p, _ in places(layer)])
        for (_, own), alive_now in zip(places(layer), there, strict=True):
            for column in own if alive_now else ():
                matrices[depth][:, column] = _argument(rng, depth, alive, unit, layout.bias, dense=dense)
        alive = there
    matrices[-1][:, 0] = rng.normal(size=len(alive)) * alive
    scale = 0.5 * np.exp(rng.uniform(*np.log(SCALES))) if dense else 1.0
    return np.concatenate([scale * matrix.ravel() for matrix in matrices])


def _argument(
    rng: np.random.Generator, depth: int, alive: np.ndarray, unit: np.ndarray, bias: bool, *, dense: bool
) -> Float[np.ndarray, " row"]:
    """The weights of one argument of a unit."""
    if dense:
        return np.clip(rng.normal(size=len(alive)), -2, 2) * alive
    rows = np.flatnonzero(alive)
    count = min(len(rows), 1 if rng.random() < (0.7 if depth == 0 else 0.5) else 2)
    weights = np.zeros(len(alive))
    chosen = rng.choice(rows, count, replace=False)
    weights[chosen] = rng.choice([-1.0, 1.0], count) * rng.uniform(0.7, 1.3, count)
    if depth == 0:
        weights[int(bias) :] *= unit
    return weights
