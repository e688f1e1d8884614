"""What is kept of a cell for its pictures."""

from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Snapshots
from sparsedyn.estimators.autoencoder import SINDyAutoencoder
from sparsedyn_papers.champion2019.attractor import attractor
from sparsedyn_papers.champion2019.truth import Alignment, Truth

POINTS = 2000
"""Samples, and points of a long path."""
PATHS = 3
"""Test trajectories."""
FRAMES = 4
"""Frames of a video."""


def attractors(
    estimator: SINDyAutoencoder,
    exact: Float[np.ndarray, "term 3"],
    states: list[np.ndarray],
    alignments: list[Alignment],
    truth: Float[np.ndarray, "sample 3"],
    table: list[dict[str, Any]],
    facts: dict[str, Any],
) -> dict[str, np.ndarray]:
    """Follow all members' equations and the `exact` one for long, write statistics into the facts, return paths."""
    library = estimator.library_
    starts = np.stack([z[-1] for z in states])
    found = attractor(library, estimator.coefficients_, starts)
    real = attractor(library, exact[None], truth[-1:])
    facts["attractor"] = _statistics(real.path[0], float(real.lyapunov[0]))
    for row, path, exponent, alignment in zip(table, found.path, found.lyapunov, alignments, strict=True):
        row["attractor"] = _statistics(alignment(path), float(exponent))
    best = estimator.best
    return {
        "attractor_truth": real.path[0, :POINTS].astype(np.float32),
        "attractor_model": alignments[best](found.path[best, :POINTS]).astype(np.float32),
    }


def _statistics(path: Float[np.ndarray, "time coordinate"], lyapunov: float) -> dict[str, Any]:
    with np.errstate(invalid="ignore", over="ignore"):
        return {"mean": path.mean(axis=0).tolist(), "std": path.std(axis=0).tolist(), "lyapunov": lyapunov}


def drawn(
    system: Truth,
    estimator: SINDyAutoencoder,
    test: Snapshots,
    states: Float[np.ndarray, "sample state"],
    truth: Float[np.ndarray, "sample coordinate"],
    alignment: Alignment,
) -> dict[str, np.ndarray]:
    """Return latent variables of the best member against the truth, its paths, and frames of videos."""
    best, latent = estimator.best, estimator.latent
    step = max(1, len(states) // POINTS)
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
    found["path_truth"] = system.values(test.truth[:PATHS])
    found["path_encoded"] = alignment(encoded[..., :latent])
    found["path_simulated"] = alignment(path[..., :latent])
    if len(test.frame) == 2:
        rows = np.linspace(0, x.shape[1] - 1, FRAMES).astype(int)
        found["frame_rows"] = rows
        found["frames_true"] = x[0, rows].reshape(FRAMES, *test.frame)
        found["frames_decoded"] = estimator.decode(encoded[0, rows, :latent], best).reshape(FRAMES, *test.frame)
        found["frames_simulated"] = estimator.decode(path[0, rows, :latent], best).reshape(FRAMES, *test.frame)
    with np.errstate(over="ignore"):
        return {name: values if name == "frame_rows" else values.astype(np.float32) for name, values in found.items()}


def histories(estimator: SINDyAutoencoder) -> dict[str, np.ndarray]:
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
