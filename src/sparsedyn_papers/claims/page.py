"""The claims of all published studies on one page: a table of verdicts, then every claim with its numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sparsedyn.studies.comparison.contents import contents_of
from sparsedyn.studies.document import Column, Document, Entry, Section, Table, Text, plain
from sparsedyn.studies.files import read_json
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.claims.findings import Finding, Findings, findings_from, findings_of
from sparsedyn_papers.claims.section import badge
from sparsedyn_papers.claims.verdicts import HOW_TESTED, TOO_FEW, VERDICTS, verdicts

FILE = "claims.json"
"""What is kept of the claims of a study whose results are not kept."""
TITLE = "Claims and verdicts"
LEAD = (
    "What papers say about sparse networks as models of dynamics, put to the test with the studies of this package: "
    "one verdict for each claim and study."
)


def claims_page(found: Mapping[str, Findings]) -> Document:
    """Return the page of the findings of each study, by name; claims are grouped by their source."""
    pairs = [(name, claim) for name, findings in found.items() for claim in findings.claims]
    if not pairs:
        return Document(TITLE, ["None of the published studies states a claim."], [])
    columns = [Column(name, text=True) for name in ("claim", "verdict", "study")]
    rows: list[list[Entry | str]] = [[plain(one.claim), badge(one), _link(name)] for name, one in pairs]
    counts = [(sum(one.verdict == verdict for _, one in pairs), verdict) for verdict in VERDICTS]
    tally = ", ".join(f"{count} {verdict}" for count, verdict in counts if count)
    sources = dict.fromkeys(one.source for _, one in pairs)
    few = [Text(f"{_link(name)}: {TOO_FEW}") for name, findings in found.items() if not findings.attainable]
    sections = [
        Section("verdicts", "Verdicts", [Table(columns, rows), Text(f"In all: {tally}.")]),
        *(
            Section(f"source-{i}", plain(source), _claims([pair for pair in pairs if pair[1].source == source]))
            for i, source in enumerate(sources, 1)
        ),
        Section("how", "How it was tested", [Text(HOW_TESTED), *few]),
    ]
    return Document(TITLE, [LEAD], sections)


def _claims(pairs: Sequence[tuple[str, Finding]]) -> list[Text]:
    return [Text(claim.paragraph(f"Study: {_link(name)}")) for name, claim in pairs]


def _link(name: str) -> str:
    return f"[{plain(name)}]({name}.md)"


def overview(studies: Mapping[str, StoredStudy[Any] | Path]) -> Document:
    """Return the page of the claims of all `studies`; those of a folder are in its file claims.json, if it has one."""
    return claims_page({name: _findings(study) for name, study in studies.items()})


def _findings(study: StoredStudy[Any] | Path) -> Findings:
    if isinstance(study, Path):
        file = study / FILE
        return findings_from(read_json(file)) if file.is_file() else Findings()
    if study.spec.kind != "comparison":
        return Findings()
    return findings_of(verdicts(study.spec, contents_of(study).cells))
