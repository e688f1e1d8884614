"""Claims in words: what a comparison came to, and how many came out how."""

from collections.abc import Sequence
from typing import NamedTuple

from sparsedyn.forecast import DIVERGED_ABOVE, Comparison
from sparsedyn_papers.tables import ComparisonSpec

COUNTED = {
    "holds": ("holds", "hold"),
    "reversed": ("is reversed", "are reversed"),
    "open": ("is open", "are open"),
    "unknown": ("is not yet known", "are not yet known"),
}


class Sentence(NamedTuple):
    """How a metric is told: what it is measured on, words with the values `a` and `b` of the sides, their format."""

    subject: str
    template: str
    places: int
    factor: float = 1.0
    unit: str = ""


SENTENCES = {
    "diverged": Sentence(
        "forecasts",
        "{lower} diverged in {a} % of forecasts at {horizon} steps against {b} % for {higher}",
        places=1,
        factor=100.0,
        unit=" points",
    ),
    "error": Sentence(
        "forecasts",
        "{lower} had a mean error of {a} at {horizon} steps against {b} for {higher}, diverged forecasts counted as "
        f"{DIVERGED_ABOVE:g}",
        places=3,
    ),
    "active": Sentence(
        "counts of active weights", "{lower} had {a} active weights a network against {b} for {higher}", places=0
    ),
    "disagreement": Sentence(
        "maps of what depends on what",
        "Networks of {lower} disagreed by {a} (one minus the mean kappa of their maps) against {b} for {higher}",
        places=3,
    ),
    "spread": Sentence(
        "forecasts",
        "Mean errors of single networks of {lower} at {horizon} steps lay {a} from their median against {b} for "
        "{higher}",
        places=3,
    ),
}


def sentence(asked: ComparisonSpec, horizon: int, result: Comparison, p: float, outcome: str) -> str:
    """Return what came of a comparison, with its numbers and the adjusted p-value."""
    told = SENTENCES[asked.metric]
    # Adding zero turns minus zero into zero.
    a, b, difference, low, high = (
        f"{round(told.factor * value, told.places) + 0.0:,.{told.places}f}"
        for value in (result.lower, result.higher, result.difference, result.low, result.high)
    )
    text = told.template.format(lower=asked.lower, higher=asked.higher, a=a, b=b, horizon=f"{horizon:,}")
    interval = f"difference {difference}{told.unit}, 95 % {low} to {high}"
    return f"{text} ({interval}; adjusted p {_p(p)}): {outcome}."


def not_finished(labels: Sequence[str]) -> str:
    """Return that cells of a study have no results yet."""
    return f"Not yet known: no results of {' and '.join(labels)} yet."


def not_stored(asked: ComparisonSpec) -> str:
    """Return that the finished cells do not tell what a comparison asks for."""
    return (
        f"Not known: {SENTENCES[asked.metric].subject} of {asked.lower} or {asked.higher} are not stored, or too few "
        "of its networks came through training."
    )


def tally(outcomes: Sequence[str]) -> str:
    """Return how many comparisons came out how: "Of 3 comparisons 2 hold and 1 is open"."""
    parts = [f"{outcomes.count(name)} {words[outcomes.count(name) > 1]}" for name, words in COUNTED.items()]
    parts = [part for name, part in zip(COUNTED, parts, strict=True) if name in outcomes]
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"Of {len(outcomes)} comparison{'s' * (len(outcomes) > 1)} {listed}"


def size(members: int, trajectories: int) -> str:
    """Return on how much a verdict rests: "10 networks a side, 40 test trajectories"; empty without networks."""
    if not members:
        return ""
    forecast = f", {trajectories} test trajector{'y' if trajectories == 1 else 'ies'}" if trajectories else ""
    return f"{members} network{'s' * (members > 1)} a side{forecast}"


def _p(p: float) -> str:
    return f"{p:.3g}" if p >= 0.001 else "below 0.001"
