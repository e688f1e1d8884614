"""Model files of every family as fitted estimators."""

from pathlib import Path
from typing import Any

from sparsedyn.data.budget import short
from sparsedyn.estimators._files import read
from sparsedyn.estimators.autoencoder import SINDyAutoencoder
from sparsedyn.estimators.equation.learner import EquationLearner
from sparsedyn.estimators.equation.regressor import EquationRegressor
from sparsedyn.estimators.sindy import SINDy
from sparsedyn.estimators.state_space.state_space import SparseStateSpace
from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper
from sparsedyn.training import CheckpointError

ESTIMATORS = (EquationLearner, EquationRegressor, SINDy, SINDyAutoencoder, SparseStateSpace, SparseTimeStepper)


def load(path: str | Path) -> Any:
    """Read a fitted estimator of any kind that its `save` wrote; forecasts are those of the saved one, bit for bit.

    Raises `CheckpointError` for a file that is missing, cut short or something else.
    """
    stored = read(path)
    known: dict[str, Any] = {cls.__name__: cls for cls in ESTIMATORS}
    if stored.kind not in known:
        raise CheckpointError(
            f"{path}: expected a model of {', '.join(known)}; got one of {stored.kind}. Update sparsedyn, or give "
            "another file."
        )
    cls = known[stored.kind]
    if stored.version not in cls._versions:
        raise CheckpointError(
            f"{path}: expected a {stored.kind} file of version {' or '.join(map(str, cls._versions))}; got version "
            f"{stored.version}, of sparsedyn {stored.header.get('versions', {}).get('sparsedyn', 'unknown')}. Load it "
            "with the sparsedyn that wrote it, or fit again and save anew."
        )
    try:
        made = cls._from_file(stored)
        made._restore_extras(stored.header)
        return made
    except Warning:
        raise
    # A file that was changed reaches code that foresees only what `save` writes.
    except Exception as error:
        raise CheckpointError(
            f"{path}: expected a whole model saved by sparsedyn; something in it is missing or does not fit "
            f"({short(error)}). It was damaged or changed: save the model again."
        ) from error
