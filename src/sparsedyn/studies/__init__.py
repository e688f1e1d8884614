"""Studies: comparisons described in TOML, run whole, resumed after any stop, reported in figures."""

from sparsedyn.studies.claims import Compared, Verdict, verdicts, verdicts_markdown
from sparsedyn.studies.errors import StudyError, StudyInterrupted
from sparsedyn.studies.events import (
    CellFinished,
    DataReady,
    Event,
    GroupProgress,
    GroupStarted,
    ReportStarted,
    StudyFinished,
)
from sparsedyn.studies.reading import list_studies, load
from sparsedyn.studies.runner import report, resume, run
from sparsedyn.studies.spec import StudySpec

__all__ = [
    "CellFinished",
    "Compared",
    "DataReady",
    "Event",
    "GroupProgress",
    "GroupStarted",
    "ReportStarted",
    "StudyError",
    "StudyFinished",
    "StudyInterrupted",
    "StudySpec",
    "Verdict",
    "list_studies",
    "load",
    "report",
    "resume",
    "run",
    "verdicts",
    "verdicts_markdown",
]
