"""Studies: comparisons described in TOML, run whole, resumed after any stop, reported in figures."""

from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.errors import StudyError, StudyInterrupted
from sparsedyn.studies.events import (
    CellFinished,
    CellProgress,
    CellStarted,
    CellStored,
    DataReady,
    Event,
    GroupProgress,
    GroupStarted,
    ReportStarted,
    StudyFinished,
)
from sparsedyn.studies.kinds import report, resume, run
from sparsedyn.studies.reading import AnyStudySpec, list_studies, load, with_mnist
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec
from sparsedyn_papers.claims.verdicts import Compared, Verdict, verdicts, verdicts_markdown
from sparsedyn_papers.equations.spec import EquationsSpec

__all__ = [
    "AnyStudySpec",
    "AutoencodersSpec",
    "CellFinished",
    "CellProgress",
    "CellStarted",
    "CellStored",
    "Compared",
    "DataReady",
    "EquationsSpec",
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
    "with_mnist",
]
