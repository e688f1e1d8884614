"""The base class of the package's warnings, and the report that a fit ends with."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sparsedyn._spelling import spelt


class SparsedynWarning(UserWarning):
    """A result is there, but something about it needs attention; the message says what, and what to do."""

    def __init__(self, message: object = "", *more: object):
        super().__init__(spelt(message) if isinstance(message, str) else message, *more)


class Finding(NamedTuple):
    """One thing that a check of a fit found."""

    check: str
    """Short name of the check, for example `empty-equation`."""
    message: str
    """What was found, with the figures, and what to do about it."""


class Report(tuple[Finding, ...]):
    """What the checks at the end of a fit found; empty, and false, where everything is well."""

    __slots__ = ()

    def __new__(cls, findings: Iterable[Finding] = ()) -> "Report":
        """Return findings, their options spelt for whoever called."""
        return super().__new__(cls, (one._replace(message=spelt(one.message)) for one in findings))

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> "Report":
        """Return the report in the header of a file; an empty one where there is none."""
        return cls(Finding(*finding) for finding in header.get("report", ()))

    def to_header(self) -> dict[str, Any]:
        """Return the report as the header of a file has it."""
        return {"report": [list(finding) for finding in self]}

    def __str__(self) -> str:
        """Return a line per finding."""
        return "\n".join(f"{finding.check}: {finding.message}" for finding in self) or "nothing found"

    def warn(self, *, stacklevel: int = 3) -> None:
        """Issue a `SparsedynWarning` for every finding."""
        for finding in self:
            warnings.warn(finding.message, SparsedynWarning, stacklevel=stacklevel)
