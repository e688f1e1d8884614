"""Train an ensemble of SINDy autoencoders through the phases of a recipe, and solve for its equations."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from sparsedyn.equations.coordinates import contributions_at
from sparsedyn.estimators.autoencoder._initial import along_curve
from sparsedyn.estimators.autoencoder._members import encoded, solutions, with_coefficients
from sparsedyn.estimators.autoencoder._recipes import Recipe
from sparsedyn.estimators.autoencoder._terms import with_selected_terms
from sparsedyn.models import Autoencoder, Jet
from sparsedyn.training import FOLLOWED, Checkpoint, Progress, fit, optimizer

CLIP = 1.0
"""Bound of the gradient's norm."""

OnPhase = Callable[[int, int, float, Progress], None]
"""Called with the phase, the number of phases, the share of all steps that is done, and the progress of the phase."""
OnModels = Callable[[float, Callable[[], Autoencoder]], None]
"""Called with the share of all steps that is done, and a function that returns the stacked members of that moment."""


class Trained(NamedTuple):
    """Stacked members, their coefficients in float64, which are finite, and the history of every phase."""

    models: Autoencoder
    coefficients: Float[np.ndarray, "member term latent"]
    alive: Bool[np.ndarray, " member"]
    histories: list[list[dict[str, Any]]]


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
        models = along_curve(models, data, importance, keys)
    alive = np.ones(keys.shape[0], bool)
    histories = []
    for number, phase in enumerate(recipe.phases):
        objective = replace(phase.objective, importance=np.asarray(importance, np.float32))
        if phase.select_terms:
            models = with_selected_terms(models, data)
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
            on_progress=None if on_progress is None else _on_progress(on_progress, number, recipe),
            on_models=None if on_models is None else _on_models(on_models, number, recipe, data),
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


def _on_progress(on_progress: OnPhase, number: int, recipe: Recipe) -> Callable[[Progress], None]:
    return lambda progress: on_progress(number, len(recipe.phases), _share(recipe, number, progress), progress)


def _on_models(on_models: OnModels, number: int, recipe: Recipe, data: Jet) -> Callable[[Progress, Any], None]:
    def called(progress: Progress, read: Callable[[], Autoencoder]) -> None:
        on_models(_share(recipe, number, progress), lambda: _solved(read(), data, recipe)[0])

    return called


def _share(recipe: Recipe, number: int, progress: Progress) -> float:
    """Return the share of all steps that is done, each weighted by its batch."""
    work = [phase.steps * phase.batch for phase in recipe.phases]
    return (sum(work[:number]) + work[number] * progress.step / max(progress.steps, 1)) / sum(work)


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
