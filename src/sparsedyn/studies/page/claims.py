"""What the results say about the claims of a study: for each a verdict and the comparisons that it rests on."""

from collections.abc import Sequence
from html import escape

from sparsedyn.studies.page.contents import Contents
from sparsedyn_papers.claims.verdicts import Compared, Verdict, how_tested, verdicts

# A sign and a word besides the colour, which not everybody sees.
BADGES = {
    "confirmed": ("good", "✓"),
    "partly confirmed": ("fair", "✓"),
    "mixed": ("fair", "±"),
    "reversed": ("bad", "✗"),
    "partly reversed": ("bad", "✗"),
    "not supported at this n": ("open", "?"),
    "not yet known": ("open", "…"),
}
OUTCOMES = {"holds": "✓", "reversed": "✗", "open": "?", "unknown": "…"}


def claims_section(contents: Contents) -> str:
    """Return a table per claim of the study (HTML); empty without claims. Raises `StudyError` for a damaged spec."""
    if contents.study is None or not contents.study.claims:
        return ""
    found = verdicts(contents.study, contents.cells)
    return "".join(f"<p>{escape(text)}</p>" for text in how_tested(found)) + _tables(found)


def _tables(found: Sequence[Verdict]) -> str:
    return "".join(f'<div class="wide">{_table(one)}</div>' for one in found)


def _table(one: Verdict) -> str:
    kind, sign = BADGES[one.verdict]
    badge = f'<span class="badge {kind}"><span aria-hidden="true">{sign}</span> {escape(one.verdict)}</span>'
    details = "; ".join(filter(None, (one.source, one.size)))
    claim = f"{escape(one.claim)}<small>{escape(details)}</small>"
    head = f'<thead><tr><th scope="col">{badge}</th><th scope="col">{claim}</th></tr></thead>'
    rows = "".join(_row(compared) for compared in one.compared)
    return f'<table class="claim">{head}<tbody>{rows}</tbody></table>'


def _row(one: Compared) -> str:
    outcome = f'<span aria-hidden="true">{OUTCOMES[one.outcome]}</span> {escape(one.outcome)}'
    return f'<tr><th scope="row">{outcome}</th><td>{escape(one.sentence)}</td></tr>'
