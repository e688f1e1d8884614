"""Equation learners as parts of composite networks: experiments whose cells are seeds of data."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn_papers.equations.spec import EquationsSpec
from sparsedyn_papers.kim2019.digits import EIGHT_BY_EIGHT, MNIST, DigitsResult, digits_experiment
from sparsedyn_papers.kim2019.images import load_idx, small_digits
from sparsedyn_papers.kim2019.propagation import PropagationResult, propagation_experiment
from sparsedyn_papers.kim2019.propagation_data import KINEMATICS_SETTING, OSCILLATOR_SETTING

SETTINGS = {"kinematics": KINEMATICS_SETTING, "oscillator": OSCILLATOR_SETTING}
HEADS = {"eql": "equations (EQL)", "relu": "ReLU network", "euler": "Euler scheme, true equations"}
PARTS = ("train", "test")

# Kim et al. 2019, table II: per cent right on sums below 15 and from 15 on, of test digits.
PUBLISHED_DIGITS = {"eql": (0.91, 0.83), "relu": (0.92, 0.006)}


@dataclass(frozen=True)
class SeedCell(Cell):
    """All trials with the data of a seed."""

    seed: int


def cells(spec: EquationsSpec) -> list[SeedCell]:
    """Return a cell for every seed."""
    table = spec.digits or spec.propagation
    assert table is not None
    what = "digits" if spec.digits is not None else spec.propagation.system  # type: ignore[union-attr]
    return [SeedCell(f"{what}-seed-{seed}", f"{what}, seed {seed}", seed) for seed in table.seeds]


def compute_digits(spec: EquationsSpec, cell: SeedCell, on_progress: OnProgress) -> Outcome:
    """Train both heads on sums below 15 and measure them on all sums."""
    table = spec.digits
    assert table is not None
    full = table.mnist is not None
    seed = _seed(spec, cell)
    images = load_idx(str(table.mnist), seed=seed) if full else small_digits(seed=seed)
    found = digits_experiment(images, MNIST if full else EIGHT_BY_EIGHT, trials=table.trials, seed=seed)
    arrays = {
        f"{name}_{part}": np.asarray(values, np.float32)
        for name in ("latent", "digit", "predicted", "wanted")
        for part, values in zip(PARTS, getattr(found, name), strict=True)
    }
    images_used = "MNIST, 28 x 28" if full else "scikit-learn, 8 x 8"
    return Outcome({"seed": cell.seed, "images": images_used, **_told(found)}, arrays, _digits_in_words(found))


def compute_propagation(spec: EquationsSpec, cell: SeedCell, on_progress: OnProgress) -> Outcome:
    """Train both transitions and measure them beyond the steps that they were trained on."""
    table = spec.propagation
    assert table is not None
    setting = SETTINGS[table.system]
    found = propagation_experiment(setting, trials=table.trials, seed=_seed(spec, cell))
    curves = {f"curve_{name}": np.asarray(values, np.float32) for name, values in found.curves.items()}
    errors = {f"error_{name}": values for name, values in found.errors.items()}
    pairs = {
        f"{name}_{part}": values
        for name in ("latent", "parameter")
        for part, values in zip(PARTS, getattr(found, name), strict=True)
    }
    facts = {"seed": cell.seed, "system": table.system, "span": found.span, "beyond": setting.beyond}
    return Outcome(
        facts | _told(found), {**curves, **errors, **pairs, "time": found.time}, _propagation_in_words(found)
    )


def rows_digits(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return a row for the chosen trial of either head."""
    return [
        {
            "cell": facts["label"],
            "head": HEADS[head],
            "seed": facts["seed"],
            "images": facts["images"],
            "trials": sum(other["head"] == head for other in facts["trials"]),
            "below_train": trial["below"][0],
            "below_test": trial["below"][1],
            "above_train": trial["above"][0],
            "above_test": trial["above"][1],
            "published_below": PUBLISHED_DIGITS[head][0],
            "published_above": PUBLISHED_DIGITS[head][1],
            "mean_error_test": trial["mean_error"][1],
            "correlation": _number(trial["correlation"]),
            "weights": trial["weights"],
            "equation": f"y = {trial['equation']}" if trial["equation"] else "",
        }
        for head, trial in facts["chosen"].items()
    ]


def rows_propagation(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return a row for the chosen trial of either cell, and one for the Euler scheme where there is one."""
    span, beyond = facts["span"], facts["beyond"]
    found = []
    for name in HEADS:
        if f"error_{name}" not in arrays:
            continue
        trial, error = facts["chosen"].get(name, {}), arrays[f"error_{name}"]
        found.append(
            {
                "cell": facts["label"],
                "model": HEADS[name],
                "seed": facts["seed"],
                "system": facts["system"],
                "trials": sum(other["cell"] == name for other in facts["trials"]),
                "error_span": float(error[span]),
                "error_twice": float(error[2 * span]),
                "error_beyond": float(error[beyond * span]),
                "steps_span": span,
                "steps_beyond": beyond * span,
                "correlation": _number(trial.get("correlation")),
                "weights": int(trial.get("weights", 0)),
                "equation": in_words(trial.get("equations", ())),
            }
        )
    return found


def in_words(equations: Sequence[str]) -> str:
    """Write the equations of the next position and velocity in one line."""
    return "; ".join(f"{name}' = {equation}" for name, equation in zip(("u", "v"), equations, strict=False))


def _digits_in_words(found: DigitsResult) -> str:
    shares = [
        f"{head} {100 * t.below[1]:.3g} % below 15, {100 * t.above[1]:.3g} % above" for head, t in found.chosen.items()
    ]
    return "; ".join(shares)


def _propagation_in_words(found: PropagationResult) -> str:
    return "; ".join(f"{name} errs by {error[-1]:.3g} at the end" for name, error in found.errors.items())


def _told(found: Any) -> dict[str, Any]:
    """All trials and the chosen ones, as plain tables."""
    trials = [dataclasses.asdict(trial) for trial in found.trials]
    return {"trials": trials, "chosen": {name: dataclasses.asdict(trial) for name, trial in found.chosen.items()}}


def _seed(spec: EquationsSpec, cell: SeedCell) -> int:
    # The experiments multiply seeds to keep training, validation and test data apart.
    return spec.seed + cell.seed


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)
