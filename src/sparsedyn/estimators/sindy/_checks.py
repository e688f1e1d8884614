"""What a fit of SINDy is checked for, so that no equation is wrong without a word."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding, Report
from sparsedyn.data.derivatives import AUTO
from sparsedyn.estimators import _report as checks
from sparsedyn.estimators._runs import FAR, RUNS, judged
from sparsedyn.estimators._sensors import has_outliers, sensors
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.estimators.sindy._maps import iterated, without_effect
from sparsedyn.estimators.sindy._measured import Measured, Recorded
from sparsedyn.estimators.sindy._proposals import ACCURATE, EXACT
from sparsedyn.estimators.sindy._regression import Block, dependent_terms, joined
from sparsedyn.estimators.sindy._settings import Settings
from sparsedyn.estimators.sindy._shooting import Judge
from sparsedyn.estimators.sindy._states import States, full_names
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients, Factor, factor, merged, solve, unexplained

FOLDS, FREEDOM, PLENTY = 4, 2, 10
"""Parts of the rows that are left out in turn, rows per term that have to be left, and so many that it is no matter."""
EVERYWHERE = 0.5
"""Typical residual of smoothing, in shares of its root mean square, below which it is that of few rows."""
MUCH = 10.0
"""A contribution, in shares of what is explained, beyond which a number says nothing."""
MENDED = (
    "Disturbances seem to drive the states: terms were chosen by what they foretell of the next row, not of whole "
    "trajectories. Forecasts drift away as the plant itself does."
)
MISSED = (
    "The equations miss something: give inputs or states that are missing, a richer library (degree, functions), or "
    "inputs='interpolated' where inputs run smoothly between rows."
)
"""What is said of residuals that are no noise of sensors."""
TOLERATED = 0.01
"""Noise, in shares of a standard deviation, that interpolating derivatives tolerate."""


def checked(
    states: States,
    validation: Measured | None,
    library: Library,
    settings: Settings,
    blocks: Sequence[Block],
    reduced: Factor,
    found: Identified,
    recorded: Recorded,
) -> Report:
    """Return what is doubtful about coefficients, and about the data that they come from."""
    data = states.measured.data
    names = full_names(data.state_names, settings.order)
    terms = library.names([*names, *data.input_names])
    left = unexplained(reduced, found.coefficients)
    # Where equations explain everything to rounding, no row stands out, and inputs stand in the rows where they act.
    explained = found.known is None and bool(np.all(left <= EXACT))
    odd = [] if explained else sensors(recorded.data)
    findings = [
        *odd,
        dependent_terms(reduced, terms) or checks.dependent([*data.state_names, *data.input_names], _columns(states)),
        # Positions alone do not foretell the next row: earlier inputs tell of velocities.
        *checks.of_inputs(
            recorded.data,
            mapped=settings.time == "discrete",
            delayed=explained or bool(recorded.delays.rows) or settings.order > 1,
        ),
        checks.in_degrees(recorded.data, [function.name for function in library.functions]),
        *_empty(terms, names[-len(data.state_names) :], settings, reduced, found, has_outliers(odd)),
    ]
    if states.given is None:
        # What is explained to rounding is neither noise nor too coarse, as states under inputs that jump may look.
        if settings.weak is False and settings.derivative != AUTO and states.jumping:
            findings.append(checks.across(settings.derivative, "Take derivative='auto', or weak='auto'."))
        exact = bool(np.all(left <= ACCURATE))
        if not exact and not states.jumping and not has_outliers(odd):
            few = checks.coarse(data.state_names, data.states)
            findings += [few, *_noisy(states, settings, coarse=few is not None)]
        if found.related is not None:
            rows = sum(data.lengths)
            findings.append(checks.drifts(data.state_names, found.related, rows, MENDED if found.by_rows else MISSED))
        # Simulations know nothing of a given part of the right-hand side, and do not leave what is left no error.
        if found.coefficients.any() and found.known is None:
            if validation is not None:
                others = Judge(replace(states, measured=validation), library, reduced, clean=exact)
                findings += _simulated(others, data.state_names, [found.coefficients], "rows of the validation data")
            elif not explained:
                judge = Judge(states, library, reduced, clean=exact)
                without = _without(blocks, reduced, found.coefficients, settings)
                findings += _simulated(judge, data.state_names, *without)
    elif settings.time == "discrete":
        sought = settings.lags == AUTO
        findings.append(without_effect(recorded.data, library, found.coefficients, recorded.delays, sought=sought))
        findings += _iterated(library, settings, blocks, reduced, found, recorded)
    return checks.report_of(findings)


def _iterated(
    library: Library,
    settings: Settings,
    blocks: Sequence[Block],
    reduced: Factor,
    found: Identified,
    recorded: Recorded,
) -> list[Finding]:
    """What free runs of a map say, over validation data if there are any; an exact one needs none."""
    if not found.coefficients.any() and found.known is None:
        return []
    data, source, coefficients = recorded.validation, "rows of the validation data", [found.coefficients]
    if data is None:
        if np.all(unexplained(reduced, found.coefficients) <= EXACT):
            return []
        data = recorded.data
        coefficients, source = _without(blocks, reduced, found.coefficients, settings)
    return iterated(data, library, coefficients, recorded.delays, found.known, source)


def _empty(
    terms: tuple[str, ...],
    names: list[str],
    settings: Settings,
    reduced: Factor,
    found: Identified,
    spoiled: bool,
) -> list[Finding]:
    """Equations without terms, each with the largest term that fell; data may be `spoiled` by outliers."""
    empty = np.flatnonzero(~(found.coefficients != 0).any(axis=0))
    if not empty.size:
        return []
    everything = solve(reduced, np.ones(reduced.size, bool))
    sizes = reduced.contributions(everything)
    findings = []
    left = "its value in the next row" if settings.time == "discrete" else "its derivative"
    for j in empty:
        fix = "No term explains more than noise does: give other terms, or the states and inputs that are missing."
        if settings.threshold is not None:
            fix = f"Lower the threshold ({found.thresholds[j]:.3g}), or take threshold='auto'."
        if spoiled:
            fix = "Mend the rows that stand out first."
        k = int(np.argmax(sizes[:, j]))
        findings.append(
            Finding(
                "empty-equation",
                f"fit: no term is left for {names[j]}: {left} is zero. The largest that fell is {terms[k]}, "
                f"with the coefficient {everything[k, j]:.3g}, a contribution of {_percent(sizes[k, j])}. {fix}",
            )
        )
    return findings


def _percent(share: float) -> str:
    """A share of what is to be explained; terms that are alike have far more, with opposite signs."""
    return f"{share:.0%}" if share <= MUCH else f"over {MUCH:.0%}, as terms that are alike have"


def _columns(states: States) -> Float[np.ndarray, "row variable"]:
    data = states.measured.data
    return np.concatenate([np.concatenate(data.states), np.concatenate(data.inputs)], axis=1)


def _noisy(states: States, settings: Settings, *, coarse: bool) -> list[Finding | None]:
    """Say which states are noisy, and which only look so because they jump within single rows."""
    data = states.measured.data
    spread = np.concatenate(data.states).std(axis=0)
    shares = states.noise / np.where(spread > 0, spread, np.inf)
    # Noise is everywhere; what smoothing takes from a jump is not.
    left = [np.abs(x - one.states) for x, one in zip(data.states, states.smoothed, strict=True)]
    typical = 1.4826 * np.median(np.concatenate(left), axis=0) / np.where(spread > 0, spread, np.inf)
    jumps = (shares > checks.NOISY) & (typical < EVERYWHERE * shares)
    noise = np.where(jumps, 0.0, shares)
    few = None if coarse else checks.quick(data.state_names, jumps)
    if settings.refine is False and settings.derivative in ("forward", "central", "spline"):
        return [few, checks.noisy(data.state_names, noise, TOLERATED, "Take derivative='auto' and refine='auto'.")]
    return [few, checks.noisy(data.state_names, noise, checks.NOISY, "Average measurements, or give more of them.")]


def _without(
    blocks: Sequence[Block], reduced: Factor, coefficients: Coefficients, settings: Settings
) -> tuple[list[Coefficients], str]:
    """Coefficients without every fourth row, by how much those of regression move, and what is judged by them.

    Not without whole stretches: one that shows what no other does would be missed. Of many rows a quarter changes
    nothing, of too few nothing is left, and constraints hold what regression would move: there, those of all rows.
    """
    support = coefficients != 0
    left = (1 - 1 / FOLDS) * reduced.samples / support.sum(axis=0).max()
    if settings.constraints is not None or not FREEDOM <= left <= PLENTY:
        return [coefficients], "rows of the training data"
    theta, target = joined(blocks)
    parts = [factor(theta[i::FOLDS], target[i::FOLDS]) for i in range(FOLDS)]
    rest = [merged(parts[:i] + parts[i + 1 :]) for i in range(FOLDS)]
    whole = solve(reduced, support)
    moved = [coefficients + solve(part, support) - whole for part in rest]
    return moved, "rows of the training data, by coefficients without a quarter of these"


def _simulated(
    judge: Judge, names: tuple[str, ...], coefficients: Sequence[Coefficients], source: str
) -> list[Finding]:
    """Simulations from rows of the data, by each of the coefficients in turn, beside the rows that follow."""
    found, measured, there = (part[..., : len(names)] for part in judge.simulations(coefficients, FAR, RUNS))
    return judged(names, found[None], measured, there, source)
