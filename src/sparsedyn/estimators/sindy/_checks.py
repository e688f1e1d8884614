"""What a fit of SINDy is checked for, so that no equation is wrong without a word."""

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import Trajectories
from sparsedyn.estimators import _report as checks
from sparsedyn.estimators._feedback import feedback
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.estimators.sindy._proposals import ACCURATE, EXACT
from sparsedyn.estimators.sindy._regression import dependent_terms
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._shooting import Judge
from sparsedyn.estimators.sindy._states import States, full_names
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Factor, solve, unexplained

NEAR, FAR = 30, 100
"""Rows over which simulations have to explain the states, and within which they must not leave them."""
RUNS = 20
WIDE = 1.0
"""Ranges of the data beyond its ends that count as its region."""
TOLERATED = 0.01
"""Noise, in shares of a standard deviation, that interpolating derivatives tolerate."""


def checked(
    states: States,
    library: Library,
    settings: Settings,
    reduced: Factor,
    found: Identified,
    recorded: Trajectories,
) -> Report:
    """Return what is doubtful about coefficients, and about the data that they come from."""
    data = states.measured.data
    names = full_names(data.state_names, settings.order)
    terms = library.names([*names, *data.input_names])
    findings = [
        dependent_terms(reduced, terms) or checks.dependent([*data.state_names, *data.input_names], _columns(states)),
        feedback(recorded),
        *_empty(terms, names[-len(data.state_names) :], settings, reduced, found),
    ]
    if states.given is None:
        # What is explained to rounding is neither noise nor too coarse, as states under inputs that jump may look.
        left = unexplained(reduced, found.coefficients)
        exact = bool(np.all(left <= ACCURATE))
        if not exact and not states.jumping:
            findings += [checks.coarse(data.state_names, data.states), _noisy(states, settings)]
        # Simulations know nothing of a given part of the right-hand side, and do not leave what is left no error.
        if found.coefficients.any() and found.known is None and not np.all(left <= EXACT):
            findings += _simulated(Judge(states, library, reduced, clean=exact), data.state_names, found.coefficients)
    return checks.report_of(findings)


def _empty(
    terms: tuple[str, ...], names: list[str], settings: Settings, reduced: Factor, found: Identified
) -> list[Finding]:
    """Equations without terms, each with the largest term that fell."""
    empty = np.flatnonzero(~(found.coefficients != 0).any(axis=0))
    if not empty.size:
        return []
    everything = solve(reduced, np.ones(reduced.size, bool))
    sizes = reduced.contributions(everything)
    findings = []
    for j in empty:
        fix = "No term explains more than noise does: give other terms, or the states and inputs that are missing."
        if settings.threshold is not None:
            fix = f"Lower the threshold ({found.thresholds[j]:.3g}), or take threshold='auto'."
        k = int(np.argmax(sizes[:, j]))
        findings.append(
            Finding(
                "empty-equation",
                f"fit: no term is left for {names[j]}: its derivative is zero. The largest that fell is {terms[k]}, "
                f"with the coefficient {everything[k, j]:.3g}, a contribution of {sizes[k, j]:.0%}. {fix}",
            )
        )
    return findings


def _columns(states: States) -> Float[np.ndarray, "row variable"]:
    data = states.measured.data
    return np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)


def _noisy(states: States, settings: Settings) -> Finding | None:
    data = states.measured.data
    spread = np.concatenate(data.states).std(axis=0)
    shares = states.noise / np.where(spread > 0, spread, np.inf)
    if settings.refine is False and settings.derivative in ("forward", "central", "spline"):
        return checks.noisy(data.state_names, shares, TOLERATED, "Take derivative='auto' and refine='auto'.")
    return checks.noisy(data.state_names, shares, checks.NOISY, "Average measurements, or give more of them.")


def _simulated(judge: Judge, names: tuple[str, ...], coefficients: np.ndarray) -> list[Finding | None]:
    """Simulations from rows of the data, beside the rows that follow."""
    found, measured, there = judge.simulations(coefficients, FAR, RUNS)
    width = len(names)
    found, measured, there = found[..., :width], measured[..., :width], there[..., :width]
    low, high = (np.where(there, measured, np.nan) for _ in range(2))
    least, most = np.nanmin(low, axis=(0, 1)), np.nanmax(high, axis=(0, 1))
    reach = WIDE * (most - least)
    inside = (found >= least - reach) & (found <= most + reach)
    leaving = (~inside & there).any(axis=(1, 2))
    near = there[:, :NEAR]
    with np.errstate(all="ignore"):
        wrong = np.where(near, np.square(found - measured)[:, :NEAR], 0.0).sum(axis=(0, 1))
        middle = np.where(near, measured[:, :NEAR], 0.0).sum(axis=(0, 1)) / near.sum(axis=(0, 1))
        whole = np.where(near, np.square(measured[:, :NEAR] - middle), 0.0).sum(axis=(0, 1))
    explained = np.where(np.isfinite(wrong), 1 - wrong / np.where(whole > 0, whole, np.inf), 0.0)
    return [checks.poor(names, np.maximum(explained, 0.0), NEAR), checks.diverging(leaving, FAR)]
