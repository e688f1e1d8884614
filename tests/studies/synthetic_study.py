"""A made-up study directory: random but plausible, the same for the same arguments, and no network trained for it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.data import Trajectories, write
from sparsedyn.forecast import bootstrap_mean, bootstrap_share
from sparsedyn.studies.cells import Cell
from sparsedyn.studies.comparison.contents import Contents, contents_of
from sparsedyn.studies.comparison.kind import COMPARISON, FILES
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.reading import stored_spec
from sparsedyn.studies.store import Store
from sparsedyn.studies.stored import StoredStudy, read_run
from sparsedyn.studies.toml import to_toml

ALUMINUM = (
    ("side_ledge", "kg", 3250.0, 500.0),
    ("alumina", "kg", 450.0, 80.0),
    ("aluminum_fluoride", "kg", 1700.0, 150.0),
    ("cryolite", "kg", 13500.0, 1300.0),
    ("metal", "kg", 9930.0, 40.0),
    ("bath_temperature", "degC", 968.0, 8.0),
    ("ledge_temperature", "degC", 815.0, 20.0),
    ("wall_temperature", "degC", 585.0, 25.0),
)
INPUTS = ("alumina_feed", "line_current", "fluoride_feed", "metal_tapping", "anode_distance")
# Label, share of weights left, error after the whole time in standard deviations, chance to diverge.
TECHNIQUES = (
    ("Dense", 1.0, 0.3, 0.18),
    ("L1", 1.0, 0.16, 0.02),
    ("Magnitude + L1", 0.25, 0.12, 0.0),
    ("STR", 0.4, 0.6, 0.4),
    ("DSR", 0.5, 0.9, 1.0),
)


@dataclass(frozen=True)
class Made:
    """What a synthetic study is made of."""

    techniques: tuple[tuple[str, float, float, float], ...] = TECHNIQUES
    averages: tuple[str, ...] = ("none", "swa")
    train: tuple[int, ...] = (40,)
    members: int = 4
    trajectories: int = 12
    fans: int = 3
    states: int = 8
    inputs: int = 5
    rows: int = 5000
    points: int = 400
    horizons: tuple[int, ...] = (100, 1000, 2500, 5000)
    dead: tuple[str, ...] = ()
    dt: float = 10.0
    weights: int = 9400


def make_study(directory: Path, made: Made | None = None) -> Path:
    """Write a study directory as the runner would, and return it."""
    made = made or Made()
    rng = np.random.default_rng(7)
    test = _plant(made, rng)
    (directory / "data").mkdir(parents=True)
    write(test, directory / "data" / "test.npz")
    rows = []
    for technique in made.techniques:
        for average in made.averages:
            for count in made.train:
                rows += _cell(directory, made, technique, average, count, test, rng)
    pd.DataFrame(rows).to_parquet(directory / "results.parquet", index=False)
    labels = list(dict.fromkeys(row["cell"] for row in rows))
    _surroundings(directory, made, labels)
    return directory


def stored(directory: Path, **changes: Any) -> StoredStudy[StudySpec]:
    """Return what is stored in the directory of a synthetic study; `changes` are to its spec."""
    results = pd.read_parquet(directory / "results.parquet")
    slugs = {
        json.loads(path.read_text(encoding="utf-8"))["label"]: path.parent.name
        for path in directory.glob("cells/*/cell.json")
    }
    cells = [Cell(slugs[label], label) for label in dict.fromkeys(results["cell"]) if label in slugs]
    store = Store(directory)
    table = {**stored_spec(directory).resolved(), **changes}
    return read_run(store, FILES, COMPARISON.spec.model_validate(table), cells, results)


def contents(directory: Path, **changes: Any) -> Contents:
    """Return the same as reports read it."""
    return contents_of(stored(directory, **changes))


def _plant(made: Made, rng: np.random.Generator) -> Trajectories:
    """Slow random waves around each state's mean."""
    known = [ALUMINUM[i % 8] for i in range(made.states)]
    names = [name if i < 8 else f"{name}_{i // 8 + 1}" for i, (name, *_) in enumerate(known)]
    phase = np.linspace(0, 2 * np.pi, made.rows)
    shape = (made.trajectories, 1, made.states)
    waves = sum(
        rng.normal(size=shape) / f * np.sin(f * phase[None, :, None] + rng.uniform(0, 6, shape)) for f in (0.5, 2, 7)
    )
    mean, std = (np.array([k[i] for k in known]) for i in (2, 3))
    inputs = np.repeat(rng.normal(size=(made.trajectories, made.rows // 50 + 1, made.inputs)), 50, axis=1)
    return Trajectories(
        mean + std * waves,
        inputs[:, : made.rows] if made.inputs else None,
        dt=made.dt,
        state_names=names,
        input_names=[INPUTS[i % 5] + "_2" * (i // 5) for i in range(made.inputs)] or None,
        state_units=[k[1] for k in known],
        attrs={"system": "aluminum-cell", "redrawn": 2},
    )


def _cell(
    directory: Path,
    made: Made,
    technique: tuple[str, float, float, float],
    average: str,
    count: int,
    test: Trajectories,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    name, left, error, risk = technique
    label = name + (f" + {average.upper()}" if average != "none" else "")
    label += f", {count} trajectories" if len(made.train) > 1 else ""
    error, risk = error * (0.9 if average != "none" else 1.0) * (40 / count) ** 0.3, min(risk * (40 / count) ** 0.3, 1)
    slug = "".join(c if c.isalnum() else "-" for c in label.lower()) + f"-{count}"
    folder = directory / "cells" / slug
    folder.mkdir(parents=True)
    alive = [not (name in made.dead and member == 0) for member in range(made.members)]
    forecasts, growth, end = _forecasts(made, error, risk, np.array(alive), rng)
    forecasts.to_parquet(folder / "forecasts.parquet", index=False)
    _history(made, left, error, rng).to_parquet(folder / "history.parquet", index=False)
    np.savez(folder / "curves.npz", **_curves(made, growth, end, left, test, rng))
    nonzeros = [round(left * made.weights) - 3 * m for m in range(made.members)]
    facts = {
        "label": label, "technique": name, "average": average, "members": made.members, "nonzeros": nonzeros,
        "weights": made.weights, "alive": alive, "train_trajectories": count,
    }  # fmt: skip
    (folder / "model.safetensors").touch()
    (folder / "cell.json").write_text(json.dumps(facts), encoding="utf-8")
    return [_result(facts, part, left) for _, part in forecasts.groupby("horizon", sort=False)]


def _forecasts(
    made: Made, error: float, risk: float, alive: np.ndarray, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return scores, the final error of every forecast, and the row at which it diverges (past the end: never)."""
    shape = (made.members, made.trajectories)
    size = error * rng.lognormal(0, 0.35, shape) * rng.lognormal(0, 0.2, (made.members, 1))
    end = np.where(rng.random(shape) < risk, rng.uniform(0.05 if risk < 1 else 0.001, 1, shape) ** 2, 2.0) * made.rows
    end = np.where(alive[:, None], end, 0.0)
    member, trajectory = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    parts = []
    for horizon in made.horizons:
        diverged = end < horizon
        rfmse = np.where(diverged, np.nan, size * (0.2 + 0.8 * (horizon / made.rows) ** 0.6))
        columns = {
            "member": member, "trajectory": trajectory, "horizon": np.full(shape, horizon), "rfmse": rfmse,
            "diverged": diverged, "rfmse_squared": rfmse**2, "diverged_squared": diverged,
        }  # fmt: skip
        parts.append(pd.DataFrame({key: values.ravel() for key, values in columns.items()}))
    return pd.concat(parts, ignore_index=True), size, end


def _curves(
    made: Made, size: np.ndarray, end: np.ndarray, left: float, test: Trajectories, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    index = np.unique(np.linspace(0, made.rows - 1, min(made.points, made.rows)).round().astype(np.int64))
    growth = size[..., None] * (index / made.rows) ** 0.6 * rng.lognormal(0, 0.08, len(index))
    growth = np.where(index > end[..., None], np.inf, growth)
    truth = np.stack([states[index] for states in test.states[: made.fans]])
    wander = rng.normal(size=(made.members, made.fans, 1, made.states))
    waves = np.sin(np.linspace(0, 9, len(index)))[None, None, :, None] + wander
    shift = size[:, : made.fans, None, None] * (index / made.rows)[:, None] ** 0.6 * waves
    with np.errstate(over="ignore"):
        blow_up = np.exp(np.clip((index - end[:, : made.fans, None]) / made.rows * 40, 0, 700))[..., None]
        fan = truth + test.states[0].std(axis=0) * shift * blow_up
        fan = fan.astype(np.float32)
    reach = rng.random((made.members, made.states, made.states + made.inputs)) < 0.3 + 0.7 * left
    return {
        "time_index": index,
        "error_mean": np.nanmean(np.where(np.isfinite(growth), growth, np.nan), axis=(0, 1))
        if np.isfinite(growth[..., -1]).any()
        else np.full(len(index), np.nan),
        "error_quantiles": np.quantile(
            growth.reshape(-1, len(index)), [0.05, 0.5, 0.95], axis=0, method="inverted_cdf"
        ),
        "error_levels": np.array([0.05, 0.5, 0.95]),
        "fan_trajectories": np.arange(made.fans),
        "fan_states": fan,
        "truth": truth,
        "reach": reach,
    }


def _history(made: Made, left: float, error: float, rng: np.random.Generator) -> pd.DataFrame:
    epochs = np.arange(1.0, 41.0)
    rows = []
    for member in range(made.members):
        loss = error * (0.05 + np.exp(-epochs / 6)) * rng.lognormal(0, 0.08, 40)
        sparsity = (1 - left) * np.clip((epochs - 8) / 20, 0, 1) ** 0.5
        for i, epoch in enumerate(epochs):
            rows.append(
                {
                    "step": int(epoch * 100), "epoch": epoch, "member": member, "loss": loss[i],
                    "validation": loss[i] * 1.3, "sparsity": sparsity[i], "alive": True,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _result(facts: dict[str, Any], part: pd.DataFrame, left: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cell": facts["label"], "technique": facts["technique"], "average": facts["average"],
        "train_trajectories": facts["train_trajectories"], "members": facts["members"],
        "horizon": int(part["horizon"].iloc[0]), "forecasts": len(part),
    }  # fmt: skip
    for reading in ("", "_squared"):
        flags = part[f"diverged{reading}"].to_numpy().reshape(facts["members"], -1)
        errors = part[f"rfmse{reading}"].to_numpy().reshape(facts["members"], -1)
        share, mean = bootstrap_share(flags, draws=200), bootstrap_mean(errors, draws=200)
        for column, interval in (("diverged", share), ("rfmse", mean)):
            row |= {
                f"{column}{reading}{end}": value for end, value in zip(("", "_low", "_high"), interval, strict=True)
            }
    return row | {
        "nonzeros": float(np.mean(facts["nonzeros"])), "weights": facts["weights"], "sparsity_exact": 1 - left,
        "sparsity_mask": 1 - left, "sparsity_small": min(1.0, 1.2 - left),
    }  # fmt: skip


def _surroundings(directory: Path, made: Made, labels: list[str]) -> None:
    """The spec and the record of the run."""
    train = made.train[0] if len(made.train) == 1 else list(made.train)
    spec = {
        "name": "synthetic", "title": "Synthetic <study> & co", "seed": 0, "horizons": list(made.horizons),
        "averages": list(made.averages),
        "data": {
            "system": "aluminum-cell", "steps": made.rows, "train": train, "validation": 1, "test": made.trajectories,
        },
        "techniques": [{"label": name} for name, *_ in made.techniques],
    }  # fmt: skip
    (directory / "study.toml").write_text(to_toml(spec), encoding="utf-8")
    half = len(labels) // 2 or 1
    groups = [(f"group-{i + 1:02d}", part) for i, part in enumerate((labels[:half], labels[half:])) if part]
    parts = {p: {"trajectories": 12, "rows": 60000, "dt": made.dt, "redrawn": 1} for p in ("train", "test")}
    run = {
        "name": "synthetic", "seed": 0, "started": "2026-01-01T10:00:00+00:00", "finished": None, "runs": 2,
        "seconds": 130.5, "command": "sparsedyn study run synthetic.toml -o out", "device": "2 x cpu (x86_64, 2 cores)",
        "versions": {"python": "3.11.2", "sparsedyn": "0.1.0", "jax": "0.10.2"},
        "data": {"seconds": 4.5, **parts}, "report": {},
        "groups": {key: {"cells": part, "members": 20, "seconds": 50.0, "steps": 900} for key, part in groups},
        "cells": {label: {"label": label, "group": "group-01", "forecast_seconds": 1.25} for label in labels},
    }  # fmt: skip
    (directory / "run.json").write_text(json.dumps(run), encoding="utf-8")
