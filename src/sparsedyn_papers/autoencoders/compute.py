"""Train the members of a cell and judge each: what is stored of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Snapshots
from sparsedyn.equations import text
from sparsedyn.equations.coordinates import Affine, identity
from sparsedyn.estimators.autoencoder._errors import ERRORS
from sparsedyn.estimators.autoencoder.autoencoder import OnErrors, SINDyAutoencoder
from sparsedyn.forecast import deviation, valid_time
from sparsedyn.studies.cellwise.cells import OnProgress, Outcome
from sparsedyn.systems.lifted_lorenz import SCALE
from sparsedyn.training import Checkpoint, Progress
from sparsedyn_papers.autoencoders.cells import AutoencoderCell
from sparsedyn_papers.autoencoders.data import Split, seeds_of, split_of
from sparsedyn_papers.autoencoders.recipes import RECIPES
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.champion2019 import structures
from sparsedyn_papers.champion2019.structures import Alignment, Structure

Checkpoints = Callable[[int], Checkpoint | None]

DIGITS = 4
MOST_VALUES = 40_000_000
"""Numbers in forecasts that are in memory at once."""
FORECASTS = 50
"""Test trajectories that are forecast, at most."""
JUDGED = 20_000
"""Samples that latent variables are aligned on, at most."""
DRAWN = 2000
"""Samples, and points of a long path, that are kept for pictures."""
PATHS = 3
"""Test trajectories whose paths are kept for pictures."""
SHOWN = 4
"""Frames of a video that are kept for pictures."""
TRAINING = 0.95
"""The share of a cell's time that training takes, about."""
LATENT_OF = {"lifted-lorenz": 3, "pendulum-video": 1, "reaction-diffusion": 2}
"""The number of coordinates that a system has in truth."""


def compute(
    spec: AutoencodersSpec,
    cell: AutoencoderCell,
    checkpoint: Checkpoints,
    on_progress: OnProgress,
    on_errors: OnErrors | None = None,
) -> Outcome:
    """Train the members of a cell and judge each by data that were not trained on, and by the truth.

    What `on_errors` raises ends training; see `SINDyAutoencoder.fit`.
    """
    seeds = seeds_of(spec.seed, cell.seed)
    data = split_of(spec.data, cell.noise, seeds)
    estimator = fitted(spec, cell, data.train, seeds["networks"], checkpoint, on_progress, on_errors)
    on_progress(TRAINING, "judging")
    return judged(spec, cell, estimator, data)


def fitted(
    spec: AutoencodersSpec,
    cell: AutoencoderCell,
    train: Snapshots,
    seed: int,
    checkpoint: Checkpoints,
    on_progress: OnProgress,
    on_errors: OnErrors | None = None,
) -> SINDyAutoencoder:
    """Return the trained members of a cell."""
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
        recipe=RECIPES[training.recipe](training, spec.data.system, train),
        effort=training.effort,
    )
    terms = model.latent * estimator.library_.size

    def tell(phase: int, phases: int, share: float, progress: Progress) -> None:
        left = f"{(1 - progress.sparsity) * terms:.1f} terms"
        remark = f"phase {phase + 1} of {phases}, step {progress.step:,}, loss {progress.loss:.3g}, {left}"
        on_progress(TRAINING * share, remark)

    return estimator.fit(train, progress=False, checkpoint=checkpoint, on_progress=tell, on_errors=on_errors)


def judged(spec: AutoencodersSpec, cell: AutoencoderCell, estimator: SINDyAutoencoder, data: Split) -> Outcome:
    """Judge trained members."""
    members = range(cell.training.members)
    errors = {"test": estimator.errors(data.test)}
    if data.beyond is not None:
        errors["beyond"] = estimator.errors(data.beyond)
    sample = thinned(data.test)
    states = [estimator.latent_state(sample.x[0], _first(sample), m) for m in members]
    assert sample.truth is not None
    truth = _coordinates(spec, sample.truth[0])
    alignments = [structures.aligned(truth, z[:, : cell.model.latent]) for z in states]
    readings = [_read(spec, cell, estimator, m, states[m], alignments[m]) for m in members]
    forecasts = {"test": forecast_errors(estimator, data.test, members)}
    if data.beyond is not None:
        forecasts["beyond"] = forecast_errors(estimator, data.beyond, members)
    arrays = {f"forecast_{part}": curves for part, (curves, _) in forecasts.items()}
    facts = _facts_of_cell(spec, cell, estimator, data)
    table = []
    for m in members:
        rank = int(np.flatnonzero(estimator.ranking_["member"] == m)[0])
        row = estimator.ranking_.iloc[rank]
        held_out = {name: row[name] for name in ERRORS}
        table.append(
            {
                "member": m,
                "rank": rank + 1,
                "score": row["score"],
                "alive": bool(row["alive"]),
                "bounded": bool(row["bounded"]),
                "terms": int(row["terms"]),
                "errors": {"held_out": held_out}
                | {part: dict(zip(ERRORS, values[m], strict=True)) for part, values in errors.items()},
                "r2": alignments[m].r2.tolist(),
                "valid_time": {part: float(times[m].mean()) for part, (_, times) in forecasts.items()},
            }
            | readings[m].facts
        )
    arrays |= _true_coefficients(spec, cell, estimator, facts)
    if spec.data.system == "lifted-lorenz" and "true_coefficients" in arrays:
        arrays |= _attractors(estimator, states, alignments, truth, table, facts)
    arrays |= _shown(spec, estimator, data.test, states[estimator.best], truth, alignments[estimator.best])
    arrays["coefficients"] = estimator.coefficients_
    arrays["canonical"] = np.stack([reading.coefficients for reading in readings])
    arrays |= _histories(estimator)
    facts["members"] = table
    return Outcome(facts, arrays, _summary(facts))


def thinned(data: Snapshots, most: int = JUDGED) -> Snapshots:
    """Return at most so many samples, as one trajectory."""
    all_of_it, step = data.pooled(), -(-(data.x.shape[0] * data.x.shape[1]) // most)

    def some(part: np.ndarray | None) -> np.ndarray | None:
        return None if part is None else part[None, ::step]

    fewer = all_of_it.x[None, ::step], some(all_of_it.x_dot), some(all_of_it.x_ddot)
    return Snapshots(*fewer, data.dt * step, some(all_of_it.truth), data.frame)


def _first(data: Snapshots) -> Float[np.ndarray, "sample dimension"] | None:
    return None if data.x_dot is None else data.x_dot[0]


def _coordinates(spec: AutoencodersSpec, truth: Float[np.ndarray, "*batch state"]) -> np.ndarray:
    """Return the true coordinates, in their own units, without their velocities."""
    shown: np.ndarray = truth[..., : LATENT_OF[spec.data.system]]
    return shown / SCALE if spec.data.system == "lifted-lorenz" else shown


class _Reading:
    """What a member's equations say, as facts and as coefficients in the coordinates in which they read best."""

    def __init__(self, coefficients: np.ndarray, facts: dict[str, Any]):
        self.coefficients, self.facts = coefficients, facts


def _read(
    spec: AutoencodersSpec,
    cell: AutoencoderCell,
    estimator: SINDyAutoencoder,
    member: int,
    states: np.ndarray,
    alignment: Alignment,
) -> _Reading:
    found = estimator.coefficients_[member]
    sound = np.isfinite(found).all()
    true_latent = cell.model.latent == LATENT_OF[spec.data.system]
    # Coordinates of more variables than the truth has are not worth a search.
    change, moved = estimator.canonical_form(member) if sound and true_latent else (identity(cell.model.latent), found)
    structure = structures.WRONG
    if sound and true_latent:
        structure = _structure(spec, cell, estimator, states, alignment, change, moved, found)
    names = estimator.latent_names_
    prime = "'" * cell.model.order

    def written(coefficients: np.ndarray) -> list[str]:
        if not sound:
            return []
        expressions = estimator.expressions(coefficients, digits=DIGITS)
        return [f"{name}{prime} = {text(e, DIGITS)}" for name, e in zip(names, expressions, strict=True)]

    facts = {
        "equations": written(found),
        "canonical": written(moved),
        "canonical_terms": int(np.count_nonzero(moved)),
        "right": structure.right,
        "residual": structure.residual,
        "parameters": structure.parameters,
    }
    return _Reading(moved, facts)


def _structure(
    spec: AutoencodersSpec,
    cell: AutoencoderCell,
    estimator: SINDyAutoencoder,
    states: np.ndarray,
    alignment: Alignment,
    change: Affine,
    moved: np.ndarray,
    found: np.ndarray,
) -> Structure:
    library = estimator.library_
    if spec.data.system == "lifted-lorenz":
        if cell.model.order != 1:
            return structures.WRONG
        # With all its terms, also those too small to be shown.
        return structures.lorenz(library, found, states, [alignment.change, change], int(np.count_nonzero(moved)))
    if spec.data.system == "reaction-diffusion":
        return structures.rotation(found, library) if cell.model.order == 1 else structures.WRONG
    return (
        structures.swing(found, library, float(alignment.matrix[0, 0])) if cell.model.order == 2 else structures.WRONG
    )


def forecast_errors(
    estimator: SINDyAutoencoder, data: Snapshots, members: range
) -> tuple[Float[np.ndarray, "member time"], Float[np.ndarray, "member trajectory"]]:
    """Return the relative error of forecasts from the first rows, median over trajectories, and their valid times.

    The error of a snapshot is relative to the root mean square deviation of snapshots from their mean.
    """
    rows, dimension = data.x.shape[1:]
    count = int(np.clip(MOST_VALUES // (rows * dimension), 1, min(FORECASTS, len(data.x))))
    x = data.x[:count].astype(np.float64)
    size = np.full(dimension, np.sqrt(np.mean(np.var(x.reshape(-1, dimension), axis=0))))
    velocity = None if data.x_dot is None else data.x_dot[:count, 0]
    curves, times = [], []
    for m in members:
        start = estimator.latent_state(x[:, 0], velocity, m)
        path = estimator.latent_path(start, data.dt, rows, m)
        error = deviation(estimator.decode(path[..., : estimator.latent], m)[None], x, size)
        times.append(valid_time(error, data.dt)[0])
        with np.errstate(invalid="ignore", over="ignore"):
            curves.append(np.median(np.sqrt(np.mean(np.square(error[0]), axis=-1)), axis=0))
    return np.stack(curves), np.stack(times)


def _attractors(
    estimator: SINDyAutoencoder,
    states: list[np.ndarray],
    alignments: list[Alignment],
    truth: Float[np.ndarray, "sample 3"],
    table: list[dict[str, Any]],
    facts: dict[str, Any],
) -> dict[str, np.ndarray]:
    """Follow all members' equations and the true one for long, write statistics into the facts, return paths."""
    library = estimator.library_
    exact = structures.lorenz_coefficients(library)
    starts = np.stack([z[-1] for z in states])
    found = structures.attractor(library, estimator.coefficients_, starts)
    real = structures.attractor(library, exact[None], truth[-1:])
    facts["attractor"] = _statistics(real.path[0], float(real.lyapunov[0]))
    for row, path, exponent, alignment in zip(table, found.path, found.lyapunov, alignments, strict=True):
        row["attractor"] = _statistics(alignment(path), float(exponent))
    best = estimator.best
    return {
        "attractor_truth": real.path[0, :DRAWN].astype(np.float32),
        "attractor_model": alignments[best](found.path[best, :DRAWN]).astype(np.float32),
    }


def _statistics(path: Float[np.ndarray, "time coordinate"], lyapunov: float) -> dict[str, Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        return {"mean": path.mean(axis=0).tolist(), "std": path.std(axis=0).tolist(), "lyapunov": lyapunov}


def _shown(
    spec: AutoencodersSpec,
    estimator: SINDyAutoencoder,
    test: Snapshots,
    states: Float[np.ndarray, "sample state"],
    truth: Float[np.ndarray, "sample coordinate"],
    alignment: Alignment,
) -> dict[str, np.ndarray]:
    """Return what pictures of the best member need."""
    best, latent = estimator.best, estimator.latent
    step = max(1, len(states) // DRAWN)
    found = {
        "truth": truth[::step],
        "latent": states[::step, :latent],
        "aligned": alignment(states[::step, :latent]),
    }
    x = test.x[:PATHS]
    velocity = None if test.x_dot is None else test.x_dot[:PATHS]
    encoded = estimator.latent_state(x, velocity, best)
    path = estimator.latent_path(encoded[:, 0], test.dt, x.shape[1], best)
    assert test.truth is not None
    found["path_truth"] = _coordinates(spec, test.truth[:PATHS])
    found["path_encoded"] = alignment(encoded[..., :latent])
    found["path_simulated"] = alignment(path[..., :latent])
    if len(test.frame) == 2:
        rows = np.linspace(0, x.shape[1] - 1, SHOWN).astype(int)
        found["frame_rows"] = rows
        found["frames_true"] = x[0, rows].reshape(SHOWN, *test.frame)
        found["frames_decoded"] = estimator.decode(encoded[0, rows, :latent], best).reshape(SHOWN, *test.frame)
        found["frames_simulated"] = estimator.decode(path[0, rows, :latent], best).reshape(SHOWN, *test.frame)
    with np.errstate(over="ignore"):
        return {name: values if name == "frame_rows" else values.astype(np.float32) for name, values in found.items()}


def _true_coefficients(
    spec: AutoencodersSpec, cell: AutoencoderCell, estimator: SINDyAutoencoder, facts: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Return the true equations in the library, where it holds them."""
    library, order = estimator.library_, cell.model.order
    if cell.model.latent != LATENT_OF[spec.data.system]:
        return {}
    if spec.data.system == "lifted-lorenz" and order == 1 and library.degree >= 2:
        return {"true_coefficients": structures.lorenz_coefficients(library)}
    if spec.data.system == "reaction-diffusion" and order == 1 and library.degree >= 1:
        return {"true_coefficients": structures.rotation_coefficients(library, facts["true_omega"])}
    if spec.data.system == "pendulum-video" and order == 2 and library.functions:
        return {"true_coefficients": structures.swing_coefficients(library)}
    return {}


def _histories(estimator: SINDyAutoencoder) -> dict[str, np.ndarray]:
    """Return the losses and numbers of terms over all phases, steps counted through."""
    terms = estimator.latent * estimator.library_.size
    records = [(phase, record) for phase, records in enumerate(estimator.histories_) for record in records]
    ends = np.cumsum([0, *(records[-1]["step"] if records else 0 for records in estimator.histories_)])
    return {
        "phase": np.array([phase for phase, _ in records]),
        "step": np.array([ends[phase] + record["step"] for phase, record in records]),
        "loss": np.array([record["loss"] for _, record in records]),
        "left": np.array([[(1 - s) * terms for s in record["sparsity"]] for _, record in records]),
    }


def _facts_of_cell(
    spec: AutoencodersSpec, cell: AutoencoderCell, estimator: SINDyAutoencoder, data: Split
) -> dict[str, Any]:
    library = estimator.library_
    facts: dict[str, Any] = {
        "system": spec.data.system,
        "noise": cell.noise,
        "seed": cell.seed,
        "recipe": cell.training.recipe,
        "values": dict(cell.values),
        "widths": list(cell.model.widths),
        "latent": cell.model.latent,
        "order": cell.model.order,
        "terms": library.names(estimator.variable_names_),
        "names": estimator.latent_names_,
        "trajectories": len(data.train.x),
        "rows": data.train.x.shape[1],
        "dimension": data.train.x.shape[2],
        "modes": estimator.coordinates_.basis.shape[1],
        "truncation": estimator.coordinates_.truncation,
        "dt": data.test.dt,
        "mean_square": float(np.mean(np.square(data.test.x, dtype=np.float64))),
        "best": estimator.best,
    }
    if spec.data.system == "reaction-diffusion":
        assert data.test.truth is not None
        facts["true_omega"] = structures.angular_velocity(data.test.truth[0], data.test.dt)
    return facts


def _summary(facts: dict[str, Any]) -> str:
    members = facts["members"]
    best = members[facts["best"]]
    right = sum(row["right"] for row in members)
    first = "right" if best["right"] else "wrong"
    errors = best["errors"]["test"]
    return (
        f"structure right for {right} of {len(members)}, first of the ranking {first}, {best['canonical_terms']} "
        f"terms, decoder error {errors['decoder']:.2g}, derivative {errors['derivative']:.2g}"
    )
