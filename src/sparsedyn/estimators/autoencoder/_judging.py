"""How members are judged: by errors, by the stability of what they simulate, and in which order to believe them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Bool, Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.estimators import _report as checks
from sparsedyn.estimators.autoencoder._jets import pooled, thinned
from sparsedyn.estimators.autoencoder._members import encoded
from sparsedyn.estimators.autoencoder._selection import PRICE
from sparsedyn.estimators.autoencoder._simulation import simulated
from sparsedyn.models import Autoencoder, Jet, pushforward
from sparsedyn.training.parsimony import penalized

BOUND = 10.0
"""A simulation is bounded that stays within so many times the largest latent state of the data."""
POOR = 10.0
"""Members whose derivative error is this many times the least are set aside."""
JUDGED = 50_000
"""Samples that members are judged on, at most."""
KEPT = 2000
"""Latent states of every member that are kept, for changing coordinates."""

ERRORS = ("decoder", "derivative", "latent")

OnErrors = Callable[[float, Callable[[], pd.DataFrame]], None]
"""Called with the share of training that is done, and a function that returns the held-out errors of that moment."""


class Judged(NamedTuple):
    """The members in the order in which to believe them, and latent states of each on held-out data."""

    ranking: pd.DataFrame
    states: Float[np.ndarray, "member sample state"]


def judged(
    models: Autoencoder, alive: Bool[np.ndarray, " member"], held_out: Jet, importance: tuple[float, ...], dt: float
) -> Judged:
    """Return the ranking of members by held-out data (trajectory, time, mode)."""
    table = table_of_errors(models, held_out, importance)
    starts = encoded(models, pooled(held_out.map(lambda part: part[:, :1])))
    states = np.asarray(encoded(models, thinned(held_out, KEPT)).state)
    size = np.abs(states).max(axis=(1, 2))
    paths = simulated(models, np.asarray(starts.state), dt, held_out.value.shape[1])
    with np.errstate(invalid="ignore", over="ignore"):
        bounded = np.nanmax(np.where(np.isfinite(paths), np.abs(paths), np.inf), axis=(1, 2, 3)) <= BOUND * size
    table.insert(0, "member", np.arange(len(table)))
    return Judged(ranking(table.assign(bounded=bounded, alive=alive)).reset_index(drop=True), states)


def checked(
    ranking: pd.DataFrame,
    alive: Bool[np.ndarray, " member"],
    coefficients: Float[np.ndarray, "member term latent"],
    names: Sequence[str],
) -> Report:
    """Return what is doubtful about an ensemble: members that are lost, and the best one by held-out data."""
    best = ranking.iloc[0]
    if not best["alive"]:
        return checks.report_of([checks.died(alive)])
    kept = (coefficients[int(best["member"])] != 0).any(axis=0)
    lost = [name for name, some in zip(names, kept, strict=True) if not some]
    explained = {"x": 1 - best["decoder"], "the derivative of x": 1 - best["derivative"]}
    poor = [f"{name} ({share:.0%})" for name, share in explained.items() if not share >= checks.EXPLAINED]
    found: list[Finding | None] = [checks.died(alive)]
    if lost:
        found.append(
            Finding(
                "empty-equation",
                f"fit: no term is left for {', '.join(lost)} of the best member: it is zero. Give fewer latent "
                "variables, other terms (degree, sine), or more members.",
            )
        )
    if poor:
        found.append(
            Finding(
                "poorly-explained",
                f"fit: of held-out data, the best member explains little of the mean square of {', '.join(poor)}. Give "
                "other terms (degree, sine), latent variables that are missing, more members or more effort.",
            )
        )
    if not best["bounded"]:
        found.append(
            Finding(
                "leaves-the-data",
                "fit: simulations of the best member from held-out data leave the region of the data. Do not rely on "
                "long simulations; give other terms, more members or more data.",
            )
        )
    return checks.report_of(found)


def table_of_errors(models: Autoencoder, held_out: Jet, importance: tuple[float, ...]) -> pd.DataFrame:
    """Return the errors of members, in their order, and how many terms they have."""
    found = errors(models, thinned(held_out, JUDGED), importance)
    terms = np.count_nonzero(np.asarray(models.coefficients), axis=(1, 2))
    return pd.DataFrame(found, columns=list(ERRORS)).assign(terms=terms)


def errors(models: Autoencoder, data: Jet, importance: tuple[float, ...]) -> Float[np.ndarray, "member error"]:
    """Return the relative squared errors of every member: of `x`, of its highest derivative, and of the latent one.

    Each is a sum of squares over all samples, divided by that of what it is an error of; errors of `x` and of its
    derivative are weighted by `importance`.
    """
    lost, total = np.zeros(()), np.zeros(())
    for part in data.blocks():
        squares = np.asarray(_squares(models, part, importance), np.float64)
        lost, total = lost + squares[:, 0], total + squares[:, 1]
    return np.asarray(lost / total)


@eqx.filter_jit
def _squares(models: Autoencoder, data: Jet, importance: tuple[float, ...]) -> Float[Array, "member 2 error"]:
    weights = jnp.asarray(importance)

    def one(model: Autoencoder) -> Float[Array, "2 error"]:
        moved = pushforward(model.encoder, data)
        predicted = model.library(moved.state) @ model.coefficients
        path = moved._replace(first=predicted) if data.second is None else moved._replace(second=predicted)
        restored = pushforward(model.decoder, path)
        lost = [
            jnp.sum(weights * jnp.square(restored.value - data.value)),
            jnp.sum(weights * jnp.square(restored.highest - data.highest)),
            jnp.sum(jnp.square(predicted - moved.highest)),
        ]
        total = [
            jnp.sum(weights * jnp.square(data.value)),
            jnp.sum(weights * jnp.square(data.highest)),
            jnp.sum(jnp.square(moved.highest)),
        ]
        return jnp.stack([jnp.stack(lost), jnp.stack(total)])

    found: Array = eqx.filter_vmap(one)(models)
    return found


def ranking(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of members, the one to believe first, with a `score` of each, least best.

    The score is `ln(latent error) + terms ln 4`: a term pays for itself that makes the error of the latent equation
    four times smaller. Members that diverged in training, whose simulations leave the region of the data, or whose
    derivative error is ten times the least, come last. The true equation has no part in it.
    """
    score = penalized(table["latent"], table["terms"], price=PRICE)
    near = table["derivative"] <= POOR * table.loc[table["alive"], "derivative"].min()
    sound = table["alive"] & table["bounded"] & near
    ordered = table.assign(score=score, _unsound=~sound, _far=~near)
    ordered = ordered.sort_values(["_unsound", "_far", "score"], kind="stable")
    return ordered.drop(columns=["_unsound", "_far"])
