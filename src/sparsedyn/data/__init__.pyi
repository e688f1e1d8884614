from .derivatives import DERIVATIVES
from .errors import DataError
from .io import read, write
from .pieces import pieces
from .reduction import POD, pod
from .samples import Samples, samples
from .scaling import Scaling
from .snapshots import PooledSnapshots, Snapshots
from .trajectories import Trajectories

__all__ = [
    "DERIVATIVES",
    "POD",
    "DataError",
    "PooledSnapshots",
    "Samples",
    "Scaling",
    "Snapshots",
    "Trajectories",
    "pieces",
    "pod",
    "read",
    "samples",
    "write",
]
