"""What a run of each trajectory begins from: its first row, its first rows, or a latent state that they show."""

from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Trajectories
from sparsedyn.estimators import SINDy, SparseStateSpace
from sparsedyn.estimators._warmup import warm_up
from sparsedyn.estimators.sindy._measured import Measured
from sparsedyn.estimators.sindy._states import states_of


def starts_of(model: Any, data: Trajectories) -> tuple[list[Float[np.ndarray, "row state"]], int]:
    """Return the rows that each run begins from, in the model's own states, and how many recorded rows were used.

    They are as many as lags need, for most models one. Equations of second order have velocities beside positions,
    estimated from all rows. Of a model with latent states there is one row, most probable given the first recorded
    ones: as many as in `forecast`.
    """
    if isinstance(model, SparseStateSpace):
        warm = warm_up(None, model.usual_warm_up(data.lengths), data.lengths)
        first = np.stack([states[:warm] for states in data.states])
        inputs = np.stack([inputs[:warm] for inputs in data.inputs])
        return list(model._initial(first, inputs)[:, None]), warm
    if isinstance(model, SINDy) and model.model_.order == 2:
        return list(states_of(Measured(data), 2, model.derivative).first()[:, None]), 1
    least = model.delays_.rows + 1
    warm = warm_up(None, least, data.lengths, least=least) if least > 1 else 1
    return [states[:warm] for states in data.states], warm
