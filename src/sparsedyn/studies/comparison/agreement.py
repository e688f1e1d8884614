"""What the members of a cell agree on: which features their derivatives depend on, and how large they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from sparsedyn.data import Scaling, Trajectories
from sparsedyn.equations import (
    THRESHOLD,
    THRESHOLDS,
    against_truth,
    depends,
    jaccard,
    local_effect,
    mean_jaccard,
    mean_kappa,
    pooled,
    total_effect,
)
from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.studies.comparison.members import active_weights, bounded_error
from sparsedyn.systems import get_system
from sparsedyn.systems.dependence import Equations, MeanDerivative

MEASURES = ("jaccard", "kappa", "true_precision", "true_recall", "true_jaccard")
"""Measures of a cell's maps, at `THRESHOLD` and at the other thresholds (see `column`)."""
# A strength this small relative to the strongest dependence of its row is rounding.
ROUNDING = 1e-10


def column(measure: str, threshold: float) -> str:
    """Name the column of a measure at a threshold: "jaccard" at the default one, "jaccard_at_0.03" at another."""
    return measure if threshold == THRESHOLD else f"{measure}_at_{threshold:g}"


def agreement_arrays(
    estimator: SparseTimeStepper, test: Trajectories, system: str | None = None
) -> dict[str, np.ndarray]:
    """Return what curves.npz holds on dependence, measured at samples of the test trajectories.

    `strength` (member, output, feature), NaN for dead members; `jaccard` (member, member) of the maps at the default
    threshold, NaN for dead members; for a simulated plant also its own strengths in the same units and its structure
    (see `plant_strengths`).
    """
    alive = np.asarray(estimator.alive_, bool)
    strength = np.where(alive[:, None, None], estimator.dependence(test), np.nan)
    both = alive[:, None] & alive[None, :]
    arrays = {
        "strength": strength.astype(np.float32),
        "jaccard": np.where(both, jaccard(depends(strength)), np.nan),
    }
    return arrays | (plant_strengths(system, test, estimator.scaling_) if system else {})


def plant_strengths(name: str, test: Trajectories, scaling: Scaling) -> dict[str, np.ndarray]:
    """Return how strongly a plant's derivatives depend on its states and inputs, in standard deviations of `scaling`.

    All (output, feature). `strength_true`: in its equations. `strength_sampled`: in the mean derivative over one
    sample, which networks are trained on; an input reaches more states within a sample. `structure_true`: which feature
    stands in which equation, by derivatives, since strengths say nothing about an input that is constant in these data.
    """
    system = get_system(name)
    with jax.enable_x64(True):
        whole = total_effect(Equations(system), *pooled(test))
        sampled = total_effect(MeanDerivative(system, test.dt), *pooled(test))
        slopes = local_effect(Equations(system), *pooled(test))
    return {
        "strength_true": whole / scaling.dx_std[:, None],
        "strength_sampled": sampled / scaling.dx_std[:, None],
        "structure_true": structure(slopes * np.concatenate([scaling.x_std, scaling.u_std])),
    }


def structure(strength: Float[np.ndarray, "output feature"]) -> Bool[np.ndarray, "output feature"]:
    """Return which strengths are more than rounding errors, relative to the strongest of their row."""
    return np.asarray(strength > ROUNDING * np.nan_to_num(strength).max(axis=1, keepdims=True))


def agreement_columns(curves: Mapping[str, np.ndarray], alive: Sequence[bool]) -> dict[str, float]:
    """Return the `MEASURES` of the living members at every threshold, NaN for what is not stored."""
    columns = {column(measure, t): float("nan") for t in (THRESHOLD, *THRESHOLDS) for measure in MEASURES}
    if "strength" not in curves:
        return columns
    strength = np.asarray(curves["strength"])[np.asarray(alive, bool)]
    truth = curves.get("structure_true")
    for threshold in THRESHOLDS:
        found = measures(depends(strength, threshold), truth)
        columns |= {column(measure, threshold): value for measure, value in found.items()}
    return columns


def ceiling(curves: Mapping[str, np.ndarray]) -> float | None:
    """Return the Jaccard index with its equations of the plant's own map, None where the plant is unknown.

    Its weak dependences are below the threshold, so that the map of a perfect model has no more.
    """
    if not {"structure_true", "strength_sampled"} <= curves.keys():
        return None
    own = depends(curves["strength_sampled"])
    return float(against_truth(own[None], curves["structure_true"]).jaccard[0])


def measures(
    maps: Bool[np.ndarray, "member output feature"], truth: Bool[np.ndarray, "output feature"] | None
) -> dict[str, float]:
    """Return the mean similarity of maps over pairs and, where the truth is known, to the truth over members."""
    found = {"jaccard": mean_jaccard(maps).overall, "kappa": mean_kappa(maps)}
    if truth is not None:
        found |= {f"true_{name}": known_mean(values) for name, values in against_truth(maps, truth)._asdict().items()}
    return found


def size_columns(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return `active`, the mean number of weights above 0.001 in magnitude, and `active_std`, over living members."""
    active = active_weights(facts)
    known = np.empty(0) if active is None else active[~np.isnan(active)]
    return {"active": known_mean(known), "active_std": float(known.std()) if known.size else float("nan")}


def spread_over_members(part: pd.DataFrame) -> float:
    """Return the standard deviation over members of their mean RFMSE, diverged forecasts counted as 3.

    `part` holds a row per member and trajectory at one horizon. NaN for a single member.
    """
    means = bounded_error(part).groupby(part["member"]).mean().to_numpy(np.float64)
    return float(means.std()) if len(means) > 1 else float("nan")


def known_mean(values: Float[np.ndarray, " member"]) -> float:
    """Return the mean of the values that are not NaN; NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
