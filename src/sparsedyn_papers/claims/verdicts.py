"""Claims of a study put to the test: every comparison by itself, all corrected together, a verdict on each claim."""

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparsedyn.forecast import Comparison, compare, holm
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import Misfit, near_miss
from sparsedyn_papers.claims import words
from sparsedyn_papers.claims.measures import BY_MEMBER, WHOLE, measure
from sparsedyn_papers.tables import ClaimSpec, ComparisonSpec, claims_of, panels_of, published_of

ALPHA = 0.05
"""The family-wise error that is allowed over all comparisons of a study."""

PERMUTATIONS = 10_000
"""Divisions of the networks that a comparison tries at most."""

MOST_LABELS = 20
"""Labels that a message lists."""

HOW_TESTED = (
    "Each comparison is a permutation test: were the two techniques alike, any network could have come from "
    "either, so the difference is set against those after networks changed sides at random. The p-values of all "
    "comparisons of the study are adjusted together (Holm), and a comparison counts where its adjusted p-value is "
    "below 0.05. Intervals (95 %, not adjusted) are bootstrapped over networks and test trajectories, which both "
    "sides share. Networks of one shape share their initial weights across techniques, of which the test makes no "
    "use: it is cautious where two sides differ in little, as with and without averaging."
)


TOO_FEW = (
    "With as few networks as here no comparison can come out, however clear it is: adjusted, even the smallest "
    "possible p-value is 0.05 or more. It takes more members to tell."
)
"""What must be said where not `attainable`."""


@dataclass(frozen=True)
class Compared:
    """One comparison of a claim and its outcome: "holds", "reversed", "open", or "unknown" while data are missing.

    `members` are those of the two sides that are known, `trajectories` those in common (0 for measures of whole
    networks), `p` is adjusted for all comparisons of the study.
    """

    asked: ComparisonSpec
    horizon: int | None
    members: tuple[int, int]
    trajectories: int
    result: Comparison | None
    p: float
    outcome: str
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What became of a claim: `verdict` is one of `VERDICTS`."""

    source: str
    claim: str
    verdict: str
    compared: tuple[Compared, ...]

    @property
    def members(self) -> int:
        """The members of the smallest side of all comparisons."""
        return min((n for one in self.compared if one.result for n in one.members), default=0)

    @property
    def trajectories(self) -> int:
        """The fewest test trajectories of the comparisons of forecasts, 0 without any."""
        return min((one.trajectories for one in self.compared if one.trajectories), default=0)

    @property
    def sentence(self) -> str:
        """The outcome with its numbers; of several comparisons each, after a count of how they came out."""
        if len(self.compared) == 1:
            return self.compared[0].sentence
        return f"{self.tally}: {'; '.join(one.sentence.rstrip('.') for one in self.compared)}."

    @property
    def tally(self) -> str:
        """How many comparisons came out how."""
        return words.tally([one.outcome for one in self.compared])

    @property
    def size(self) -> str:
        """On how many networks and trajectories the verdict rests; empty while nothing is known."""
        return words.size(self.members, self.trajectories)


VERDICTS = (
    "confirmed",
    "partly confirmed",
    "mixed",
    "partly reversed",
    "reversed",
    "not supported at this n",
    "not yet known",
)
"""What can become of a claim.

All comparisons hold; some do and the others are open; some hold and some come out the other way round; some come out
the other way round and the others are open; all come out the other way round; all are open; or the results of a cell
are still missing.
"""


def verdicts(spec: StudySpec, cells: Mapping[str, StoredCell]) -> list[Verdict]:
    """Return the verdict on every claim of `spec`, in order; `cells` are the finished ones by label.

    A comparison holds when its p-value is below 0.05 after Holm's correction over all comparisons of all claims, and
    the side that is said to be lower is. The metrics:

    `diverged`: whether a forecast diverged by the horizon. `error`: its RFMSE, a diverged one counted as 3, the bound
    of divergence: left out, the hardest forecasts would flatter the technique that loses them. `active`: weights of a
    network above 0.001 in magnitude. `disagreement`: one minus the mean kappa of what depends on what in a network
    with the other networks of its cell; the Jaccard index would favour fuller maps, which agree by chance. `spread`:
    how far the mean error of a network is from the median of its cell, not known where more than half of the forecasts
    diverged, so that a difference is one of spread over initializations (Brown & Forsythe 1974, as a permutation
    test).

    Networks whose training failed count as diverged in forecasts, and are not known in `active` and `disagreement`.
    Comparisons that cannot be made yet count in the correction, so finishing a study only makes p-values smaller.
    """
    longest = max(spec.horizons)
    tested = [[_tested(one, one.horizon or longest, cells) for one in claim.comparisons] for claim in claims_of(spec)]
    adjusted = iter(holm([one.p for compared in tested for one in compared]))
    judged = [tuple(_judged(one, next(adjusted)) for one in compared) for compared in tested]
    return [_verdict(claim, compared) for claim, compared in zip(claims_of(spec), judged, strict=True)]


def attainable(found: Sequence[Verdict]) -> bool:
    """Whether the networks suffice for any comparison, the clearest one, to come out below 0.05 when adjusted."""
    known = [one for verdict in found for one in verdict.compared if one.result]
    total = sum(len(verdict.compared) for verdict in found)
    # Two-sided: the most extreme division and its mirror image, of all or of those drawn with the observed one.
    tried = [min(math.comb(sum(one.members), one.members[0]), PERMUTATIONS + 1) for one in known]
    smallest = [min(1.0, 2 / count) for count in tried]
    return not known or total * min(smallest) < ALPHA


def check_claims(spec: StudySpec, labels: Collection[str]) -> None:
    """Raise `Misfit` where claims, panels or published figures name cells or horizons that the study does not have."""
    for i, claim in enumerate(claims_of(spec)):
        for j, one in enumerate(claim.comparisons):
            _check_comparison(("claims", i, "comparisons", j), one, spec.horizons, labels)
    for i, panel in enumerate(panels_of(spec)):
        for j, label in enumerate(panel.cells):
            _check_label(("panels", i, "cells", j), label, labels)
    if (published := published_of(spec)) is not None:
        for i, horizon in enumerate(published.horizons):
            _check_horizon(("published", "horizons", i), horizon, spec.horizons)
        for i, row in enumerate(published.rows):
            _check_label(("published", "rows", i, "cell"), row.cell, labels)


def _check_comparison(
    path: tuple[str | int, ...], one: ComparisonSpec, horizons: Collection[int], labels: Collection[str]
) -> None:
    _check_label((*path, "lower"), one.lower, labels)
    _check_label((*path, "higher"), one.higher, labels)
    if one.lower == one.higher:
        raise Misfit((*path, "higher"), f"expected two different cells; got {one.lower!r} on both sides. Change one.")
    if one.horizon is None:
        return
    if one.metric in WHOLE:
        raise Misfit(
            (*path, "horizon"),
            f"{one.metric} is a measure of networks, not of forecasts: it has no horizon. Remove it.",
        )
    _check_horizon((*path, "horizon"), one.horizon, horizons)


def _check_label(path: tuple[str | int, ...], label: str, labels: Collection[str]) -> None:
    if label not in labels:
        close = near_miss(label, labels)
        # A search has hundreds.
        shown = [repr(one) for one in itertools.islice(labels, MOST_LABELS)]
        more = f", ... ({len(labels)} in all)" if len(labels) > MOST_LABELS else ""
        known = "" if close else f" Its cells: {', '.join(shown)}{more}."
        raise Misfit(path, f"expected the label of a cell of this study; got {label!r}.{close}{known}")


def _check_horizon(path: tuple[str | int, ...], horizon: int, horizons: Collection[int]) -> None:
    if horizon not in horizons:
        raise Misfit(
            path,
            f"expected one of the horizons of this study, {', '.join(map(str, horizons))}; got {horizon}. Choose one "
            "of them, or add it to horizons.",
        )


def _tested(asked: ComparisonSpec, horizon: int, cells: Mapping[str, StoredCell]) -> Compared:
    """Make one comparison by itself: its p-value is not adjusted, and what came of it not told yet."""
    at = None if asked.metric in WHOLE else horizon
    blank = Compared(asked, at, (0, 0), 0, None, 1.0, "unknown", words.not_stored(asked))
    missing = [label for label in (asked.lower, asked.higher) if label not in cells]
    if missing:
        return replace(blank, sentence=words.not_finished(missing))
    left, right = (measure(cells[label], asked.metric, horizon) for label in (asked.lower, asked.higher))
    if left is None or right is None:
        return blank
    common = left.columns.intersection(right.columns)
    values = [side[common].to_numpy(np.float64) for side in (left, right)]
    first, second = (int(np.isfinite(side).any(axis=1).sum()) for side in values)
    if not first or not second:
        return blank
    result = compare(values[0], values[1], permutations=PERMUTATIONS)
    trajectories = 0 if asked.metric in BY_MEMBER else len(common)
    return replace(blank, members=(first, second), trajectories=trajectories, result=result, p=result.p)


def _judged(one: Compared, p: float) -> Compared:
    if one.result is None:
        return one
    if p >= ALPHA or one.result.difference == 0:
        outcome = "open"
    else:
        outcome = "holds" if one.result.difference < 0 else "reversed"
    sentence = words.sentence(one.asked, one.horizon or 0, one.result, p, outcome)
    return replace(one, p=p, outcome=outcome, sentence=sentence)


def _verdict(claim: ClaimSpec, compared: tuple[Compared, ...]) -> Verdict:
    outcomes = {one.outcome for one in compared}
    if "unknown" in outcomes:
        verdict = "not yet known"
    elif "holds" in outcomes:
        verdict = "mixed" if "reversed" in outcomes else "partly confirmed" if "open" in outcomes else "confirmed"
    elif "reversed" in outcomes:
        verdict = "partly reversed" if "open" in outcomes else "reversed"
    else:
        verdict = "not supported at this n"
    return Verdict(claim.source, claim.claim, verdict, compared)
