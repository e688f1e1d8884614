"""Stacked members of an ensemble of autoencoders: their first weights, latent states, and least-squares equations."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.models import Autoencoder, Jet, Library, pushforward
from sparsedyn.training.least_squares import factor, solve


def drawn(
    features: int, library: Library, order: int, widths: Sequence[int], recipe: Recipe, keys: Key[Array, " member"]
) -> Autoencoder:
    """Return the stacked members before training."""
    latent = library.variables // order

    def one(key: Key[Array, ""]) -> Autoencoder:
        return Autoencoder(
            features,
            library,
            order=order,
            widths=widths,
            activation=recipe.activation,
            linear=recipe.linear,
            coefficients=_start(recipe.start, (library.size, latent), jax.random.fold_in(key, 1)),
            key=key,
        )

    return eqx.filter_vmap(one)(keys)


def _start(start: float | str | np.ndarray, shape: tuple[int, int], key: Key[Array, ""]) -> Float[Array, "term latent"]:
    if isinstance(start, str):
        if start not in ("normal", "glorot"):
            raise ValueError(f"start: expected a number, 'normal', 'glorot' or coefficients; got {start!r}.")
        return jax.random.normal(key, shape) if start == "normal" else jax.nn.initializers.glorot_uniform()(key, shape)
    if np.ndim(start) and np.shape(start) != shape:
        raise ValueError(f"start: expected coefficients (term, latent) = {shape}; got shape {np.shape(start)}.")
    return jnp.broadcast_to(jnp.asarray(start, jnp.float32), shape)


def member(models: Autoencoder, index: int) -> Autoencoder:
    """Return one of the stacked members."""
    arrays, static = eqx.partition(models, eqx.is_array)
    return eqx.combine(jax.tree.map(lambda leaf: np.asarray(leaf)[index], arrays), static)


def stacked(members: Sequence[Autoencoder]) -> Autoencoder:
    """Return members along a leading axis."""
    arrays = [eqx.filter(one, eqx.is_array) for one in members]
    return eqx.combine(jax.tree.map(lambda *leaves: np.stack(leaves), *arrays), members[0])


def with_coefficients(models: Autoencoder, coefficients: Float[np.ndarray, "member term latent"]) -> Autoencoder:
    """Return the members with these coefficients."""
    return eqx.tree_at(lambda m: m.coefficients, models, np.asarray(coefficients, np.float32))


def encoded(models: Autoencoder, data: Jet) -> Jet:
    """Return the latent jet of all samples (member, sample, latent), in float64."""
    blocks = [_encoded(models, part).map(_wide) for part in data.blocks()]
    second = None if data.second is None else np.concatenate([block.highest for block in blocks], axis=1)
    value, first = (np.concatenate([block[i] for block in blocks], axis=1) for i in range(2))
    return Jet(value, first, second)


def _wide(values: Array) -> np.ndarray:
    return np.asarray(values, np.float64)


@eqx.filter_jit
def _encoded(models: Autoencoder, data: Jet) -> Jet:
    moved: Jet = eqx.filter_vmap(lambda m: pushforward(m.encoder, data))(models)
    return moved


def solutions(models: Autoencoder, moved: Jet) -> Float[np.ndarray, "member term latent"]:
    """Return the least-squares coefficients of every member on its latent jet, in float64, on the terms it has."""
    kept = np.asarray(models.coefficients) != 0
    found = np.full(kept.shape, np.nan)
    for i, (state, target) in enumerate(zip(np.asarray(moved.state), np.asarray(moved.highest), strict=True)):
        if np.isfinite(state).all() and np.isfinite(target).all():
            found[i] = solve(factor(models.library.evaluate(state), target), kept[i])
    return found
