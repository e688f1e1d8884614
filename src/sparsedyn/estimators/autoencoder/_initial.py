"""Autoencoders of one latent variable that begin at the curve along which the data lie, and at an equation on it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from sparsedyn.estimators.autoencoder._curve import curve_along
from sparsedyn.estimators.autoencoder._members import member, stacked
from sparsedyn.estimators.autoencoder._selection import forward_selection
from sparsedyn.models import Autoencoder, Chart, Jet, pushforward

REGRESSED = 4000
"""Samples that last layers are regressed on."""
RIDGE = 1e-8
"""Added to the mean squares of columns, which are scaled to one: weights must not cancel each other beyond float32."""


def along_curve(
    models: Autoencoder, data: Jet, importance: tuple[float, ...], keys: Key[Array, " member"]
) -> Autoencoder:
    """Return the stacked members, each beginning at the curve along which the data lie; see `one_along_curve`."""
    # Landmarks are drawn with other numbers than weights and coefficients.
    starts = [jax.random.fold_in(key, 2) for key in keys]
    return stacked([one_along_curve(member(models, i), data, importance, key) for i, key in enumerate(starts)])


def one_along_curve(one: Autoencoder, data: Jet, importance: tuple[float, ...], key: Key[Array, ""]) -> Autoencoder:
    """Return an autoencoder whose latent variable is, nearly, the distance along the data's curve, and its terms.

    The distance is measured by `curve_along` in the units of `x`, of whose squared errors `importance` are the weights.
    Its equation, and the affine change in which that is short, are chosen by forward selection; the coefficients are
    those of least squares. Last layers and linear parts are then regressed on values and derivatives, on what the other
    layers' drawn weights make of them: nothing is trained. `key` chooses landmarks and samples.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    units = np.sqrt(importance)
    measured = data.map(lambda part: np.asarray(part, np.float64) * units)
    moved = curve_along(np.asarray(measured.value), rng).pushforward(measured)
    choice = forward_selection(one.library, moved)
    rate = choice.change.matrix[0, 0]
    goal = Jet(
        choice.change(np.asarray(moved.value)),
        rate * moved.first,
        None if moved.second is None else rate * moved.second,
    )
    some = rng.permutation(len(goal.value))[:REGRESSED]
    inside, outside = (part.map(lambda values: np.asarray(values)[some].astype(np.float32)) for part in (goal, data))
    encoder = regressed(one.encoder, outside, inside, (1.0,))
    decoder = regressed(spread_out(one.decoder, np.asarray(inside.value), rng), inside, outside, importance)
    kept = choice.kept.astype(np.float32)
    return eqx.tree_at(lambda m: (m.encoder, m.decoder, m.coefficients), one, (encoder, decoder, kept))


def spread_out(chart: Chart, values: Float[np.ndarray, "sample 1"], rng: np.random.Generator) -> Chart:
    """Return a chart of one variable whose first units turn at even distances over the range of `values`.

    Each turns within about three of these distances. Where all turn at zero, as with biases of zero, a network of one
    input is smooth elsewhere and learns fine structure slowly. A chart without hidden layers stays as it is.
    """
    if len(chart.weights) < 2:
        return chart
    count = chart.weights[0].shape[1]
    low, high = float(np.min(values)), float(np.max(values))
    slopes = rng.choice([-1.0, 1.0], count) * rng.uniform(0.5, 1.5, count) * count / (high - low)
    places = low + (high - low) * (rng.permutation(count) + 0.5) / count
    new = slopes[None].astype(np.float32), (-slopes * places).astype(np.float32)
    return eqx.tree_at(lambda c: (c.weights[0], c.biases[0]), chart, new)


def regressed(chart: Chart, jet: Jet, goal: Jet, importance: tuple[float, ...]) -> Chart:
    """Return the chart with the last layer and the linear part that lead a jet to another one best.

    Least squares over values and derivatives, each relative to its own mean square, with a small ridge. `importance`
    are the weights of the goal's coordinates in that.
    """
    columns = _columns(chart, jet)
    rows, wanted = [], []
    for part, target in zip(columns, goal, strict=True):
        if target is not None:
            values = np.asarray(target, np.float64)
            size = np.sqrt(np.sum(np.asarray(importance) * np.mean(np.square(values), axis=0)))
            rows.append(np.asarray(part, np.float64) / size)
            wanted.append(values / size)
    table = np.concatenate(rows)
    scale = np.sqrt(np.mean(np.square(table), axis=0)) + 1e-30
    table /= scale
    gram = table.T @ table / len(table) + RIDGE * np.eye(table.shape[1])
    found = np.linalg.solve(gram, table.T @ np.concatenate(wanted) / len(table)) / scale[:, None]
    width = chart.weights[-1].shape[0]
    new = [found[:width].astype(np.float32), found[width].astype(np.float32)]
    if chart.linear is None:
        return eqx.tree_at(lambda c: (c.weights[-1], c.biases[-1]), chart, tuple(new))
    linear = found[width + 1 :].astype(np.float32)
    return eqx.tree_at(lambda c: (c.weights[-1], c.biases[-1], c.linear), chart, (*new, linear))


@eqx.filter_jit
def _columns(chart: Chart, jet: Jet) -> Jet:
    """What the last layer, its bias and the linear part act on, with derivatives."""

    def columns(values: Array) -> Array:
        ones = jnp.ones((*values.shape[:-1], 1))
        parts = [chart.hidden(values), ones]
        return jnp.concatenate(parts if chart.linear is None else [*parts, values], axis=-1)

    return pushforward(columns, jet)
