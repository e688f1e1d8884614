"""Claims in words: what a comparison came to, how many came out how, and text that Markdown leaves as it is."""

import re
from collections.abc import Callable, Sequence

from sparsedyn.forecast import DIVERGED_ABOVE, Comparison
from sparsedyn.studies.spec import ComparisonSpec

COUNTED = {
    "holds": ("holds", "hold"),
    "reversed": ("is reversed", "are reversed"),
    "open": ("is open", "are open"),
    "unknown": ("is not yet known", "are not yet known"),
}
SUBJECTS = {
    "diverged": "forecasts",
    "error": "forecasts",
    "active": "counts of active weights",
    "spread": "forecasts",
    "disagreement": "maps of what depends on what",
}


def sentence(asked: ComparisonSpec, horizon: int, result: Comparison, p: float, outcome: str) -> str:
    """Return what came of a comparison, with its numbers and the adjusted p-value."""
    return f"{SENTENCES[asked.metric](asked, horizon, result)}; adjusted p {_p(p)}): {outcome}."


def not_finished(labels: Sequence[str]) -> str:
    """Return that cells of a study have no results yet."""
    return f"Not yet known: no results of {' and '.join(labels)} yet."


def not_stored(asked: ComparisonSpec) -> str:
    """Return that the finished cells do not tell what a comparison asks for."""
    return (
        f"Not known: {SUBJECTS[asked.metric]} of {asked.lower} or {asked.higher} are not stored, or too few of its "
        "networks came through training."
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


def markdown_text(text: str) -> str:
    """Return `text` on one line such that Markdown shows it as it is."""
    escaped = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _diverged(asked: ComparisonSpec, horizon: int, result: Comparison) -> str:
    return (
        f"{asked.lower} diverged in {100 * result.lower:.1f} % of forecasts at {horizon:,} steps against "
        f"{100 * result.higher:.1f} % for {asked.higher} ({_ends(result, 1, 100.0, ' points')}"
    )


def _error(asked: ComparisonSpec, horizon: int, result: Comparison) -> str:
    return (
        f"{asked.lower} had a mean error of {result.lower:.3f} at {horizon:,} steps against {result.higher:.3f} for "
        f"{asked.higher}, diverged forecasts counted as {DIVERGED_ABOVE:g} ({_ends(result, 3)}"
    )


def _active(asked: ComparisonSpec, _: int, result: Comparison) -> str:
    return (
        f"{asked.lower} had {result.lower:,.0f} active weights a network against {result.higher:,.0f} for "
        f"{asked.higher} ({_ends(result, 0)}"
    )


def _disagreement(asked: ComparisonSpec, _: int, result: Comparison) -> str:
    return (
        f"Networks of {asked.lower} disagreed by {result.lower:.3f} (one minus the mean kappa of their maps) against "
        f"{result.higher:.3f} for {asked.higher} ({_ends(result, 3)}"
    )


def _spread(asked: ComparisonSpec, horizon: int, result: Comparison) -> str:
    return (
        f"Mean errors of single networks of {asked.lower} at {horizon:,} steps lay {result.lower:.3f} from their "
        f"median against {result.higher:.3f} for {asked.higher} ({_ends(result, 3)}"
    )


SENTENCES: dict[str, Callable[[ComparisonSpec, int, Comparison], str]] = {
    "diverged": _diverged,
    "error": _error,
    "active": _active,
    "disagreement": _disagreement,
    "spread": _spread,
}


def _ends(result: Comparison, places: int, factor: float = 1.0, unit: str = "") -> str:
    values = (result.difference, result.low, result.high)
    # Adding zero turns minus zero into zero.
    difference, low, high = (f"{round(factor * value, places) + 0.0:,.{places}f}" for value in values)
    return f"difference {difference}{unit}, 95 % {low} to {high}"


def _p(p: float) -> str:
    return f"{p:.3g}" if p >= 0.001 else "below 0.001"
