"""Trajectories in and out: files, checks, splits, derivatives, scaling."""

from .derivatives import DERIVATIVES as DERIVATIVES
from .errors import DataError as DataError
from .io import read as read
from .io import write as write
from .pieces import pieces as pieces
from .reduction import POD as POD
from .reduction import pod as pod
from .samples import Samples as Samples
from .samples import samples as samples
from .scaling import Scaling as Scaling
from .snapshots import PooledSnapshots as PooledSnapshots
from .snapshots import Snapshots as Snapshots
from .trajectories import Trajectories as Trajectories
