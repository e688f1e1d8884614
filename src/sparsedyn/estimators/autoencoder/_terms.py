"""Selection of terms between phases of training, and of the affine coordinates in which there are few of them."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from sparsedyn.equations.coordinates import Affine, contributions_at, polynomial, transformed
from sparsedyn.equations.sparse_coordinates import sparsest
from sparsedyn.estimators.autoencoder._members import encoded, member, stacked
from sparsedyn.models import Autoencoder, Chart, Jet
from sparsedyn.training.least_squares import factor, needed, solve

SMALLEST = 0.02
"""Contribution below which a term does not count, when coordinates of few terms are looked for."""
MOST_SAMPLES = 20_000
"""Samples that coordinates are looked for with."""


def with_selected_terms(models: Autoencoder, data: Jet) -> Autoencoder:
    """Return members in the affine coordinates of fewest terms, without terms that others can stand in for.

    The change of coordinates goes into encoder and decoder: what they reconstruct stays the same. It is made where that
    takes away terms, and for polynomials only.
    """
    moved = encoded(models, data)
    step = max(1, moved.value.shape[1] // MOST_SAMPLES)
    changed = []
    for i, (states, target) in enumerate(zip(np.asarray(moved.state), np.asarray(moved.highest), strict=True)):
        changed.append(_selected(member(models, i), states[::step], target[::step]))
    return stacked(changed)


def _selected(
    one: Autoencoder, states: Float[np.ndarray, "sample state"], target: Float[np.ndarray, "sample latent"]
) -> Autoencoder:
    if not (np.isfinite(states).all() and np.isfinite(target).all()):
        return one
    library, kept = one.library, np.asarray(one.coefficients) != 0
    theta = library.evaluate(states)
    if not polynomial(library, kept):
        # Sines of small values are nearly cubes, and either may be there for nothing.
        kept = needed(factor(theta, target), kept, SMALLEST)
    if polynomial(library, kept):
        one, change = _shortened(one, solve(factor(theta, target), kept), states)
        if change is not None:
            states, target = change.states(states), target @ change.matrix.T
            theta, kept = library.evaluate(states), np.asarray(one.coefficients) != 0
    reduced = factor(theta, target)
    kept = needed(reduced, kept, SMALLEST)
    return eqx.tree_at(lambda m: m.coefficients, one, solve(reduced, kept).astype(np.float32))


def _shortened(
    one: Autoencoder, coefficients: Float[np.ndarray, "term latent"], states: Float[np.ndarray, "sample state"]
) -> tuple[Autoencoder, Affine | None]:
    """Return the autoencoder in the affine coordinates of fewest terms and the change, if these are fewer than now."""
    now = contributions_at(one.library, coefficients, states) >= SMALLEST
    change = sparsest(one.library, coefficients, states, threshold=SMALLEST)
    after = transformed(one.library, coefficients, change, states)
    kept = contributions_at(one.library, after, change.states(states)) >= SMALLEST
    if kept.sum() >= now.sum():
        return one, None
    made = np.where(kept, after, 0.0).astype(np.float32)
    return eqx.tree_at(lambda m: m.coefficients, absorbed(one, change), made), change


def absorbed(one: Autoencoder, change: Affine) -> Autoencoder:
    """Return the autoencoder whose latent variables are changed; what it reconstructs is the same."""
    back = change.inverse()
    encoder, decoder = one.encoder, one.decoder
    outer = _turned(encoder, change)
    inner = eqx.tree_at(
        lambda c: (c.weights[0], c.biases[0]),
        decoder,
        (
            (back.matrix.T @ decoder.weights[0]).astype(np.float32),
            (decoder.biases[0] + back.offset @ decoder.weights[0]).astype(np.float32),
        ),
    )
    if decoder.linear is not None:
        inner = eqx.tree_at(
            lambda c: (c.linear, c.biases[-1]),
            inner,
            (
                (back.matrix.T @ decoder.linear).astype(np.float32),
                (inner.biases[-1] + back.offset @ decoder.linear).astype(np.float32),
            ),
        )
    return eqx.tree_at(lambda m: (m.encoder, m.decoder), one, (outer, inner))


def _turned(chart: Chart, change: Affine) -> Chart:
    """Return the chart followed by an affine change."""
    weights = (chart.weights[-1] @ change.matrix.T).astype(np.float32)
    biases = (chart.biases[-1] @ change.matrix.T + change.offset).astype(np.float32)
    turned = eqx.tree_at(lambda c: (c.weights[-1], c.biases[-1]), chart, (weights, biases))
    if chart.linear is None:
        return turned
    return eqx.tree_at(lambda c: c.linear, turned, (chart.linear @ change.matrix.T).astype(np.float32))
