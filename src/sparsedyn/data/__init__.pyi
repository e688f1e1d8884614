from .derivatives import DERIVATIVES
from .errors import DataError
from .io import look, read, write
from .options import ReadOptions
from .overview import Overview, overview
from .pieces import pieces
from .reduction import POD, pod
from .samples import Samples, samples
from .scaling import Scaling
from .snapshots import PooledSnapshots, Snapshots
from .trajectories import Trajectories
from .windows import Window, windows

__all__ = [
    "DERIVATIVES",
    "POD",
    "DataError",
    "Overview",
    "PooledSnapshots",
    "ReadOptions",
    "Samples",
    "Scaling",
    "Snapshots",
    "Trajectories",
    "Window",
    "look",
    "overview",
    "pieces",
    "pod",
    "read",
    "samples",
    "windows",
    "write",
]
