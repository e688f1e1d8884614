"""The claims of all published studies on one page: a table of verdicts, then every claim with its numbers."""

from collections.abc import Mapping, Sequence

from sparsedyn.studies.markdown import plain
from sparsedyn.studies.publish.page import GENERATED
from sparsedyn.studies.publish.words import table
from sparsedyn_papers.claims.verdicts import HOW_TESTED, TOO_FEW, VERDICTS, Verdict, attainable, verdict_markdown

TITLE = "Claims and verdicts"
LEAD = (
    "What papers say about sparse networks as models of dynamics, put to the test with the studies of this package: "
    "one verdict for each claim and study."
)


def claims_page(found: Mapping[str, Sequence[Verdict]]) -> str:
    """Return the page (Markdown) of the verdicts of each study, by name; claims are grouped by their source."""
    pairs = [(name, verdict) for name, verdicts in found.items() for verdict in verdicts]
    if not pairs:
        return f"# {TITLE}\n\n{GENERATED}\n\nNone of the published studies states a claim.\n"
    rows = [[plain(one.claim), f"**{one.verdict}**", _link(name)] for name, one in pairs]
    counts = [(sum(one.verdict == verdict for _, one in pairs), verdict) for verdict in VERDICTS]
    tally = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
    sources = dict.fromkeys(one.source for _, one in pairs)
    parts = [_source(source, [pair for pair in pairs if pair[1].source == source]) for source in sources]
    head = [f"# {TITLE}", GENERATED, LEAD, table(["claim", "verdict", "study"], rows, text=3), f"In all: {tally}."]
    few = [f"{_link(name)}: {TOO_FEW}" for name, verdicts in found.items() if not attainable(verdicts)]
    return "\n\n".join([*head, *parts, "## How it was tested", HOW_TESTED, *few]) + "\n"


def _source(source: str, pairs: Sequence[tuple[str, Verdict]]) -> str:
    claims = [verdict_markdown(verdict, f"Study: {_link(name)}") for name, verdict in pairs]
    return "\n\n".join([f"## {plain(source)}", *claims])


def _link(name: str) -> str:
    return f"[{plain(name)}]({name}.md)"
