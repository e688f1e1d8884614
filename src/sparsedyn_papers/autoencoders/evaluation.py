"""Evaluate the trained members of a cell by data that were not trained on, and by the truth."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Snapshots
from sparsedyn.equations import text
from sparsedyn.equations.coordinates import identity
from sparsedyn.estimators.autoencoder import ERRORS, SINDyAutoencoder
from sparsedyn.forecast import deviation, valid_time
from sparsedyn.studies.cells import Outcome
from sparsedyn_papers.autoencoders.cells import AutoencoderCell
from sparsedyn_papers.autoencoders.data import Split
from sparsedyn_papers.autoencoders.drawn import attractors, drawn, histories
from sparsedyn_papers.champion2019.systems import TRUTHS
from sparsedyn_papers.champion2019.truth import WRONG, Alignment, Discovered, Truth, aligned

DIGITS = 4
FORECAST_VALUES = 40_000_000
"""Numbers in forecasts that are in memory at once."""
FORECASTS = 50
"""Test trajectories that are forecast, at most."""
ALIGNED = 20_000
"""Samples that latent variables are aligned on, at most."""


def evaluated(cell: AutoencoderCell, system: str, estimator: SINDyAutoencoder, data: Split) -> Outcome:
    """Return what is stored of a cell."""
    truth, members = TRUTHS[system], range(cell.training.members)
    sample = thinned(data.test)
    velocity = None if sample.x_dot is None else sample.x_dot[0]
    states = [estimator.latent_state(sample.x[0], velocity, m) for m in members]
    assert sample.truth is not None
    coordinates = truth.values(sample.truth[0])
    alignments = [aligned(coordinates, z[:, : cell.model.latent]) for z in states]
    parts = {"test": data.test} | ({"beyond": data.beyond} if data.beyond is not None else {})
    errors = {part: estimator.errors(own) for part, own in parts.items()}
    forecasts = {part: forecast_errors(estimator, own, members) for part, own in parts.items()}
    readings = [_reading(cell, truth, estimator, m, states[m], alignments[m]) for m in members]
    table = [
        _ranked(estimator, m, errors)
        | {"r2": alignments[m].r2.tolist()}
        | {"valid_time": {part: float(found.valid_time[m].mean()) for part, found in forecasts.items()}}
        | readings[m].facts
        for m in members
    ]
    facts = _facts(cell, system, estimator, data)
    arrays = {f"forecast_{part}": found.error for part, found in forecasts.items()}
    if cell.model.latent == truth.latent and cell.model.order == truth.order and truth.holds(estimator.library_):
        parameters = {name.removeprefix("true_"): v for name, v in facts.items() if name.startswith("true_")}
        arrays["true_coefficients"] = truth.coefficients(estimator.library_, parameters)
        if truth.follow:
            arrays |= attractors(estimator, arrays["true_coefficients"], states, alignments, coordinates, table, facts)
    arrays |= drawn(truth, estimator, data.test, states[estimator.best], coordinates, alignments[estimator.best])
    arrays["coefficients"] = estimator.coefficients_
    arrays["canonical"] = np.stack([reading.coefficients for reading in readings])
    facts["members"] = table
    return Outcome(facts, arrays | histories(estimator), _summary(facts))


def thinned(data: Snapshots, most: int = ALIGNED) -> Snapshots:
    """Return at most so many samples, as one trajectory."""
    pooled, step = data.pooled(), -(-(data.x.shape[0] * data.x.shape[1]) // most)

    def some(part: np.ndarray | None) -> np.ndarray | None:
        return None if part is None else part[None, ::step]

    fewer = pooled.x[None, ::step], some(pooled.x_dot), some(pooled.x_ddot)
    return Snapshots(*fewer, data.dt * step, some(pooled.truth), data.frame)


class ForecastErrors(NamedTuple):
    """Errors of forecasts from the first rows: the median over trajectories, and each trajectory's valid time.

    The error of a snapshot is relative to the root mean square deviation of snapshots from their mean.
    """

    error: Float[np.ndarray, "member time"]
    valid_time: Float[np.ndarray, "member trajectory"]


def forecast_errors(estimator: SINDyAutoencoder, data: Snapshots, members: range) -> ForecastErrors:
    """Return the errors of every member's forecasts."""
    rows, dimension = data.x.shape[1:]
    count = int(np.clip(FORECAST_VALUES // (rows * dimension), 1, min(FORECASTS, len(data.x))))
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
    return ForecastErrors(np.stack(curves), np.stack(times))


class _Reading(NamedTuple):
    """A member's equations as facts, and their coefficients in the coordinates of fewest terms."""

    coefficients: Float[np.ndarray, "term latent"]
    facts: dict[str, Any]


def _reading(
    cell: AutoencoderCell,
    truth: Truth,
    estimator: SINDyAutoencoder,
    member: int,
    states: Float[np.ndarray, "sample state"],
    alignment: Alignment,
) -> _Reading:
    found, latent = estimator.coefficients_[member], cell.model.latent
    sound = bool(np.isfinite(found).all())
    change, moved, structure = identity(latent), found, WRONG
    # Coordinates of more variables than the truth has are not worth a search.
    if sound and latent == truth.latent:
        change, moved = estimator.canonical_form(member)
        if cell.model.order == truth.order:
            # With all its terms, also those too small to be shown.
            terms = int(np.count_nonzero(moved))
            structure = truth.structure(Discovered(estimator.library_, found, states, alignment, change, terms))
    prime = "'" * cell.model.order

    def written(coefficients: np.ndarray) -> list[str]:
        expressions = estimator.expressions(coefficients, digits=DIGITS) if sound else ()
        names = estimator.latent_names_
        return [f"{name}{prime} = {text(e, DIGITS)}" for name, e in zip(names, expressions, strict=sound)]

    facts = {
        "equations": written(found),
        "canonical": written(moved),
        "canonical_terms": int(np.count_nonzero(moved)),
        "right": structure.right,
        "residual": structure.residual,
        "parameters": structure.parameters,
    }
    return _Reading(moved, facts)


def _ranked(
    estimator: SINDyAutoencoder, member: int, errors: Mapping[str, Float[np.ndarray, "member error"]]
) -> dict[str, Any]:
    """Return a member's place in the ranking, and its errors on every part of the data."""
    place = int(np.flatnonzero(estimator.ranking_["member"] == member)[0])
    row = estimator.ranking_.iloc[place]
    by_part = {part: dict(zip(ERRORS, own[member], strict=True)) for part, own in errors.items()}
    return {
        "member": member,
        "rank": place + 1,
        "score": row["score"],
        "alive": bool(row["alive"]),
        "bounded": bool(row["bounded"]),
        "terms": int(row["terms"]),
        "errors": {"held_out": {name: row[name] for name in ERRORS}} | by_part,
    }


def _facts(cell: AutoencoderCell, system: str, estimator: SINDyAutoencoder, data: Split) -> dict[str, Any]:
    assert data.test.truth is not None
    measured = TRUTHS[system].measured(data.test.truth[0], data.test.dt)
    return {
        "system": system,
        "noise": cell.noise,
        "seed": cell.seed,
        "recipe": cell.training.recipe,
        "values": dict(cell.values),
        "widths": list(cell.model.widths),
        "latent": cell.model.latent,
        "order": cell.model.order,
        "terms": estimator.library_.names(estimator.variable_names_),
        "names": estimator.latent_names_,
        "trajectories": len(data.train.x),
        "rows": data.train.x.shape[1],
        "dimension": data.train.x.shape[2],
        "modes": estimator.coordinates_.basis.shape[1],
        "truncation": estimator.coordinates_.truncation,
        "dt": data.test.dt,
        "mean_square": float(np.mean(np.square(data.test.x, dtype=np.float64))),
        "best": estimator.best,
    } | {f"true_{name}": value for name, value in measured.items()}


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
