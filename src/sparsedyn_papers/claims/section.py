"""What the results of a study say about its claims, as a section of its report."""

from collections.abc import Sequence

from sparsedyn.studies.comparison.contents import Contents
from sparsedyn.studies.document import Block, Column, Entry, Section, Table, Text, plain
from sparsedyn.studies.document.blocks import Mark
from sparsedyn_papers.claims.findings import Finding, findings_of
from sparsedyn_papers.claims.verdicts import verdicts
from sparsedyn_papers.tables import claims_of

BADGES: dict[str, tuple[Mark, str]] = {
    "confirmed": ("good", "✓"),
    "partly confirmed": ("fair", "✓"),
    "mixed": ("fair", "±"),
    "reversed": ("bad", "✗"),
    "partly reversed": ("bad", "✗"),
    "not supported at this n": ("", "?"),
    "not yet known": ("", "…"),
}
"""A colour for each verdict, and a sign, since not everybody sees the colour."""


def claims_sections(contents: Contents) -> Sequence[Section]:
    """Return a table of the verdicts, every claim with its comparisons, and how it was tested."""
    if not claims_of(contents.spec):
        return []
    found = findings_of(verdicts(contents.spec, contents.cells))
    columns = [Column("claim", text=True), Column("verdict", text=True)]
    rows = [[Entry(plain(one.claim), plain(one.source)), badge(one)] for one in found.claims]
    details = [Text(one.paragraph(f"({plain(one.source)})")) for one in found.claims]
    blocks: list[Block] = [Table(columns, rows), *details, *map(Text, found.how_tested)]
    return [Section("claims", "What it says about the claims", blocks)]


def badge(finding: Finding) -> Entry:
    """Return the verdict as an entry of a table."""
    mark, sign = BADGES[finding.verdict]
    return Entry(f"{sign} {finding.verdict}", mark=mark)
