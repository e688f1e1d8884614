from .catalogue import list_studies
from .comparison.spec import StudySpec
from .errors import StudyError, StudyInterrupted
from .events import (
    CellFailed,
    CellFinished,
    CellProgress,
    CellStarted,
    CellStored,
    DataReady,
    Event,
    GroupProgress,
    GroupStarted,
    MemoryPlanned,
    ReportStarted,
    StudyFinished,
    WorkerLost,
)
from .providers import Provider
from .publish.studies import publish
from .reading import load, with_mnist
from .runner import collect, report, resume, run
from .spec import AbstractStudySpec
from .verify import Verified, verify

__all__ = [
    "AbstractStudySpec",
    "CellFailed",
    "CellFinished",
    "CellProgress",
    "CellStarted",
    "CellStored",
    "DataReady",
    "Event",
    "GroupProgress",
    "GroupStarted",
    "MemoryPlanned",
    "Provider",
    "ReportStarted",
    "StudyError",
    "StudyFinished",
    "StudyInterrupted",
    "StudySpec",
    "Verified",
    "WorkerLost",
    "collect",
    "list_studies",
    "load",
    "publish",
    "report",
    "resume",
    "run",
    "verify",
    "with_mnist",
]
