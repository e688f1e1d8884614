"""The events that a running study reports to its observer. Studies never print."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparsedyn import training


@dataclass(frozen=True)
class DataReady:
    """The trajectories are ready; `redrawn` counts those that diverged in simulation and were drawn again."""

    train: int
    validation: int
    test: int
    redrawn: int
    seconds: float


@dataclass(frozen=True)
class MemoryPlanned:
    """A study needs about so many bytes of memory; so many `members` of a group fit into what it may use."""

    bytes: int
    members: int


@dataclass(frozen=True)
class GroupStarted:
    """Group `number` of `groups` begins: these cells are trained as one computation of `members` networks.

    `resumed` says that it continues from a checkpoint.
    """

    number: int
    groups: int
    labels: tuple[str, ...]
    members: int
    resumed: bool


@dataclass(frozen=True)
class GroupProgress:
    """Training of a group; of the whole study, `done` of `total` units of work are done (for an ETA)."""

    number: int
    groups: int
    training: training.Progress
    done: int
    total: int


@dataclass(frozen=True)
class CellFinished:
    """A cell is trained, measured and stored: cell `number` of `cells`, its figures at the longest horizon.

    `nonzeros` is the mean over members; `diverged` a share; `rfmse` is NaN when every forecast diverged.
    """

    label: str
    number: int
    cells: int
    nonzeros: float
    weights: int
    horizon: int
    diverged: float
    rfmse: float


@dataclass(frozen=True)
class CellStarted:
    """Cell `number` of `cells` begins, in a study whose cells are computed one after the other."""

    label: str
    number: int
    cells: int


@dataclass(frozen=True)
class CellProgress:
    """A `share` of that cell is done; a `remark` says where it stands. Of all cells together, so many are `done`."""

    label: str
    number: int
    cells: int
    share: float
    remark: str
    done: float


@dataclass(frozen=True)
class CellStored:
    """That cell is computed and stored; `summary` is its result in a few words."""

    label: str
    number: int
    cells: int
    summary: str
    seconds: float


@dataclass(frozen=True)
class CellFailed:
    """A cell could not be computed, for the reason in `why`; the others go on."""

    label: str
    why: str


@dataclass(frozen=True)
class WorkerLost:
    """The worker that computed these cells is gone, for the `times`-th time; another one begins them anew."""

    labels: tuple[str, ...]
    times: int


@dataclass(frozen=True)
class ReportStarted:
    """All cells are finished; results are collected and the report is drawn."""

    cells: int


@dataclass(frozen=True)
class StudyFinished:
    """Everything is written; `seconds` counts this run only, not the ones that it resumed."""

    directory: Path
    report: Path
    seconds: float


Event = (
    DataReady
    | MemoryPlanned
    | GroupStarted
    | GroupProgress
    | CellFinished
    | CellStarted
    | CellProgress
    | CellStored
    | CellFailed
    | WorkerLost
    | ReportStarted
    | StudyFinished
)
OnEvent = Callable[[Event], None]
