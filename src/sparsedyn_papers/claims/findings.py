"""What became of the claims of a study, in the form that pages are made from and that is kept in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sparsedyn.studies.document.text import plain
from sparsedyn_papers.claims.verdicts import HOW_TESTED, TOO_FEW, Verdict, attainable


@dataclass(frozen=True)
class Finding:
    """A claim, its verdict, how much that rests on, and a sentence for each of its comparisons (plain text)."""

    source: str
    claim: str
    verdict: str
    size: str
    sentences: tuple[str, ...]

    def paragraph(self, origin: str) -> str:
        """Return a paragraph and a list of the comparisons (Markdown); `origin` (Markdown) says where it stands."""
        size = f" {self.size[0].upper()}{self.size[1:]}." if self.size else ""
        head = f"**{self.verdict.capitalize()}.** {plain(self.claim)} {origin}.{size}"
        return "\n\n".join([head, "\n".join(f"- {plain(sentence)}" for sentence in self.sentences)])


@dataclass(frozen=True)
class Findings:
    """All claims of a study; `attainable` says whether its networks suffice for any comparison to come out."""

    claims: tuple[Finding, ...] = ()
    attainable: bool = True

    @property
    def how_tested(self) -> list[str]:
        """Paragraphs that explain how verdicts were reached, and that no other was possible if so."""
        return [HOW_TESTED] if self.attainable else [HOW_TESTED, TOO_FEW]

    def as_table(self) -> dict[str, Any]:
        """Return what `findings_from` reads."""
        return asdict(self)


def findings_of(verdicts: Sequence[Verdict]) -> Findings:
    """Return the findings of a study."""
    found = [Finding(v.source, v.claim, v.verdict, v.size, tuple(one.sentence for one in v.compared)) for v in verdicts]
    return Findings(tuple(found), attainable(verdicts))


def findings_from(table: Mapping[str, Any]) -> Findings:
    """Return findings from a table as `as_table` makes it."""
    claims = (Finding(**{**claim, "sentences": tuple(claim["sentences"])}) for claim in table["claims"])
    return Findings(tuple(claims), bool(table["attainable"]))
