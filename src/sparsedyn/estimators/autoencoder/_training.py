"""Train an ensemble of SINDy autoencoders through the phases of a recipe, and solve for its equations."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from sparsedyn.equations.coordinates import Affine, contributions_at, polynomial, sparsest, transformed
from sparsedyn.estimators.autoencoder._initial import along_curve
from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.models import Autoencoder, Chart, Jet, Library, pushforward
from sparsedyn.training import FOLLOWED, Checkpoint, Progress, fit, optimizer
from sparsedyn.training.least_squares import factor, needed, solve

CLIP = 1.0
"""Bound of the gradient's norm."""
SMALLEST = 0.02
"""Contribution below which a term does not count, when coordinates of few terms are looked for."""
MOST = 20_000
"""Samples that coordinates are looked for with."""

OnPhase = Callable[[int, int, float, Progress], None]
"""Is told the phase, how many there are, the share of all steps that is done, and the progress of the phase."""


OnModels = Callable[[float, Callable[[], Autoencoder]], None]
"""Is told the share of all steps that is done, with a function that returns the stacked members as they are then."""


class Trained(NamedTuple):
    """Stacked members, their coefficients in float64, which are finite, and the history of every phase."""

    models: Autoencoder
    coefficients: Float[np.ndarray, "member term latent"]
    alive: Bool[np.ndarray, " member"]
    histories: list[list[dict[str, Any]]]


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


def trained(
    models: Autoencoder,
    data: Jet,
    recipe: Recipe,
    *,
    importance: tuple[float, ...],
    keys: Key[Array, " member"],
    seed: int = 0,
    checkpoint: Callable[[int], Checkpoint | None] = lambda phase: None,
    on_progress: OnPhase | None = None,
    on_models: OnModels | None = None,
) -> Trained:
    """Return the members after all phases; coefficients are least-squares solutions where the recipe projects."""
    if recipe.curve:
        # Landmarks are drawn with other numbers than weights and coefficients.
        starts = [jax.random.fold_in(key, 2) for key in keys]
        models = stacked([along_curve(member(models, i), data, importance, key) for i, key in enumerate(starts)])
    alive = np.ones(keys.shape[0], bool)
    histories = []
    for number, phase in enumerate(recipe.phases):
        objective = replace(phase.objective, importance=np.asarray(importance, np.float32))
        if phase.tidy:
            models = tidied(models, data)
        if objective.coefficients == "projected":
            models = followed(models, data)
        found = fit(
            models,
            data,
            sparsifier=phase.sparsifier(),
            rates=phase.schedule(),
            keys=jax.vmap(lambda key, number=number: jax.random.fold_in(key, number))(keys),
            batch=phase.batch,
            objective=objective,
            optimizer=optimizer("adam", clip=CLIP),
            validations=20,
            seed=seed + number,
            checkpoint=checkpoint(number),
            on_progress=None if on_progress is None else _teller(on_progress, number, recipe),
            on_models=None if on_models is None else _shower(on_models, number, recipe, data),
        )
        models, alive = cast(Autoencoder, found.last), alive & found.alive
        histories.append(found.history)
    return Trained(*_solved(models, data, recipe), alive, histories)


def _solved(models: Autoencoder, data: Jet, recipe: Recipe) -> tuple[Autoencoder, np.ndarray]:
    """Return the members with the coefficients of their equations, and these in float64."""
    if recipe.phases[-1].objective.coefficients != "projected":
        return models, np.asarray(models.coefficients, np.float64)
    coefficients = solutions(models, encoded(models, data))
    return with_coefficients(models, coefficients), coefficients


def _teller(on_progress: OnPhase, number: int, recipe: Recipe) -> Callable[[Progress], None]:
    return lambda progress: on_progress(number, len(recipe.phases), _share(recipe, number, progress), progress)


def _shower(on_models: OnModels, number: int, recipe: Recipe, data: Jet) -> Callable[[Progress, Any], None]:
    def show(progress: Progress, read: Callable[[], Autoencoder]) -> None:
        on_models(_share(recipe, number, progress), lambda: _solved(read(), data, recipe)[0])

    return show


def _share(recipe: Recipe, number: int, progress: Progress) -> float:
    """Return the share of all steps that is done, each worth its batch."""
    work = [phase.steps * phase.batch for phase in recipe.phases]
    return (sum(work[:number]) + work[number] * progress.step / max(progress.steps, 1)) / sum(work)


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


def followed(models: Autoencoder, data: Jet) -> Autoencoder:
    """Return the members with contributions in the place of coefficients, as training follows them."""
    moved = encoded(models, data)
    found = solutions(models, moved)
    sizes = [
        contributions_at(models.library, coefficients, np.asarray(state))
        for coefficients, state in zip(found, moved.state, strict=True)
    ]
    tiny = np.finfo(np.float32).tiny
    # A term that is there stays distinguishable from one that is not.
    kept = np.asarray(models.coefficients) != 0
    return with_coefficients(models, np.where(kept, np.clip(sizes, tiny, FOLLOWED), 0.0))


def tidied(models: Autoencoder, data: Jet) -> Autoencoder:
    """Return members in the affine coordinates of fewest terms, without terms that others can stand in for.

    The change of coordinates goes into encoder and decoder: what they reconstruct stays the same. It is made where that
    takes away terms, and for polynomials only.
    """
    moved = encoded(models, data)
    step = max(1, moved.value.shape[1] // MOST)
    changed = []
    for i, (states, target) in enumerate(zip(np.asarray(moved.state), np.asarray(moved.highest), strict=True)):
        changed.append(_tidied(member(models, i), states[::step], target[::step]))
    return stacked(changed)


def _tidied(
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
