from .averaging import AVERAGES, EMA, SWA, AbstractAverage
from .checkpoint import Checkpoint, CheckpointError, has_checksum, load_arrays, save_arrays
from .fit import Fit, fit
from .latent import FOLLOWED, LatentDynamics
from .least_squares import stlsq
from .objectives import Objective, RolloutMatching, derivative_matching
from .optimizers import OPTIMIZERS, optimizer
from .refine import Path, points_of, polished, refine
from .run import Progress
from .schedules import SCHEDULES, learning_rates, raised

__all__ = [
    "AVERAGES",
    "EMA",
    "FOLLOWED",
    "OPTIMIZERS",
    "SCHEDULES",
    "SWA",
    "AbstractAverage",
    "Checkpoint",
    "CheckpointError",
    "Fit",
    "LatentDynamics",
    "Objective",
    "Path",
    "Progress",
    "RolloutMatching",
    "derivative_matching",
    "fit",
    "has_checksum",
    "learning_rates",
    "load_arrays",
    "optimizer",
    "points_of",
    "polished",
    "raised",
    "refine",
    "save_arrays",
    "stlsq",
]
