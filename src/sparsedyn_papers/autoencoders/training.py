"""Train the members of a cell by the recipe that it names."""

import warnings
from collections.abc import Callable

from sparsedyn import SparsedynWarning
from sparsedyn.data import Snapshots
from sparsedyn.estimators.autoencoder import OnErrors, Recipe, SINDyAutoencoder, geodesic, projected
from sparsedyn.studies.cells import OnProgress
from sparsedyn.training import Checkpoint, Progress
from sparsedyn_papers.autoencoders.cells import AutoencoderCell
from sparsedyn_papers.autoencoders.spec_tables import RecipeSpec
from sparsedyn_papers.champion2019.as_published import as_published
from sparsedyn_papers.champion2019.systems import TRUTHS

Checkpoints = Callable[[int], Checkpoint | None]
"""The checkpoint of every phase, by its number."""


def recipe_of(training: RecipeSpec, system: str, data: Snapshots) -> Recipe:
    """Return the recipe that a study names, for these training data."""
    if training.recipe == "geodesic":
        return geodesic()
    if training.recipe == "default":
        return projected(polish=training.polish, bending=training.bending)
    numbers = TRUTHS[system].published
    own = {name: value for name in numbers if (value := getattr(training, name)) is not None}
    return as_published({**numbers, **own}, data)


def fitted(
    cell: AutoencoderCell,
    system: str,
    train: Snapshots,
    seed: int,
    checkpoint: Checkpoints,
    on_progress: OnProgress,
    on_errors: OnErrors | None = None,
) -> SINDyAutoencoder:
    """Return the trained members of a cell; what `on_errors` raises ends training, see `SINDyAutoencoder.fit`."""
    model, training = cell.model, cell.training
    modes = model.modes or ("none" if training.recipe == "as-published" else "auto")
    estimator = SINDyAutoencoder(
        latent=model.latent,
        widths=model.widths,
        order=model.order,
        degree=model.degree,
        sine=model.sine,
        members=training.members,
        seed=seed,
        modes=None if modes == "none" else modes,
        recipe=recipe_of(training, system, train),
        effort=training.effort,
    )
    terms = model.latent * estimator.library_.size

    def report(phase: int, phases: int, share: float, progress: Progress) -> None:
        left = f"{(1 - progress.sparsity) * terms:.1f} terms"
        on_progress(share, f"phase {phase + 1} of {phases}, step {progress.step:,}, loss {progress.loss:.3g}, {left}")

    with warnings.catch_warnings():
        # A study compares all members by their errors, poor ones included.
        warnings.simplefilter("ignore", SparsedynWarning)
        return estimator.fit(train, progress=False, checkpoint=checkpoint, on_progress=report, on_errors=on_errors)
