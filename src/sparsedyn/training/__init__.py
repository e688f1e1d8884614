"""Training: one loop, objectives, averages, schedules, checkpoints."""

from sparsedyn.training.averaging import AVERAGES, EMA, SWA, AbstractAverage
from sparsedyn.training.checkpoint import Checkpoint, CheckpointError, load_arrays, save_arrays
from sparsedyn.training.fit import Fit, fit
from sparsedyn.training.latent import FOLLOWED, LatentDynamics
from sparsedyn.training.least_squares import stlsq
from sparsedyn.training.objectives import Objective, derivative_matching
from sparsedyn.training.optimizers import OPTIMIZERS, optimizer
from sparsedyn.training.refine import Path, points_of, polished, refine
from sparsedyn.training.run import Progress
from sparsedyn.training.schedules import SCHEDULES, learning_rates, raised

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
    "derivative_matching",
    "fit",
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
