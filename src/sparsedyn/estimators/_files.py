"""A fitted time-stepper as one safetensors file: arrays, and a JSON header that says everything else."""

import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from sparsedyn.data import Scaling
from sparsedyn.estimators._checks import Variables
from sparsedyn.estimators.autoencoder import _saving as autoencoder_saving
from sparsedyn.estimators.equation import _saving as equation_saving
from sparsedyn.estimators.sindy import _saving as sindy_saving
from sparsedyn.models import MLP
from sparsedyn.sparsify import from_spec, resolve, to_spec
from sparsedyn.training import AVERAGES, AbstractAverage, CheckpointError, load_arrays, save_arrays

if TYPE_CHECKING:
    from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper

FORMAT = "sparsedyn.SparseTimeStepper/1"


def save(stepper: "SparseTimeStepper", path: str | Path) -> None:
    """Write a fitted stepper; raises `ValueError` for techniques that are not built in."""
    parameters = stepper.get_params(deep=False)
    parameters["technique"] = [to_spec(link) for link in resolve(stepper.technique).links]
    parameters["average"] = average_spec(stepper.resolved_average())
    if callable(parameters["schedule"]):
        parameters["schedule"] = "custom"
    header = {
        "format": FORMAT,
        "parameters": parameters,
        "scaling": stepper.scaling_.to_dict(),
        "variables": stepper.variables_._asdict(),
        "alive": stepper.alive_.tolist(),
        "steps": stepper.steps_,
        "history": stepper.history_.to_dict(orient="list"),
        "versions": {name: importlib.metadata.version(name) for name in ("sparsedyn", "jax", "equinox", "optax")},
    }
    arrays = {f"model.{i:03d}": a for i, a in enumerate(jax.tree.leaves(stepper.models_))}
    arrays |= {f"active.{i:03d}": a for i, a in enumerate(jax.tree.leaves(stepper.active_))}
    save_arrays(path, arrays, header)


def load(path: str | Path) -> Any:
    """Read a fitted estimator of any kind that its `save` wrote; forecasts are those of the saved one, bit for bit.

    Raises `CheckpointError` for a file that is missing, cut short or something else.
    """
    arrays, header = load_arrays(path)
    restore = RESTORERS.get(str(header.get("format")))
    if restore is None:
        raise CheckpointError(
            f"{path}: expected a model saved by this version ({', '.join(RESTORERS)}); got "
            f"{header.get('format', 'another file')!r}. Give the file that `save` or `sparsedyn fit` wrote."
        )
    try:
        return restore(arrays, header)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: expected a whole model saved by sparsedyn; something in it is missing or does not fit ({error}). "
            "It was damaged or changed: save the model again."
        ) from error


def _restore(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> "SparseTimeStepper":
    from sparsedyn.estimators.stepper.time_stepper import SparseTimeStepper

    parameters = dict(header["parameters"])
    parameters["technique"] = [from_spec(spec) for spec in parameters["technique"]]
    parameters["average"] = average_from_spec(parameters["average"])
    parameters["hidden"] = tuple(parameters["hidden"])
    if "drops" in parameters:
        parameters["drops"] = tuple(parameters["drops"])
    stepper = SparseTimeStepper(**parameters)
    variables: dict[str, Any] = {k: v if k == "dt" else tuple(v) for k, v in header["variables"].items()}
    stepper.variables_ = Variables(**variables)
    skeleton = eqx.filter_eval_shape(
        lambda key: MLP(
            len(stepper.variables_.state_names),
            len(stepper.variables_.input_names),
            stepper.hidden,
            activation=stepper.activation,
            skip=stepper.skip,
            bias=stepper.bias,
            key=key,
        ),
        jax.random.key(0),
    )
    matrices = jax.tree.map(lambda a: a if len(a.shape) == 2 else None, skeleton)
    stepper.models_ = _filled(skeleton, _named(arrays, "model."), stepper.members)
    stepper.active_ = _filled(matrices, _named(arrays, "active."), stepper.members)
    stepper.scaling_ = Scaling.from_dict(header["scaling"])
    stepper.alive_ = np.asarray(header["alive"], bool)
    stepper.steps_ = header["steps"]
    stepper.history_ = pd.DataFrame(header["history"])
    return stepper


RESTORERS: dict[str, Callable[[dict[str, np.ndarray], dict[str, Any]], Any]] = {
    FORMAT: _restore,
    equation_saving.REGRESSOR: equation_saving.restored_regressor,
    equation_saving.LEARNER: equation_saving.restored_learner,
    sindy_saving.FORMAT: sindy_saving.restored,
    autoencoder_saving.FORMAT: autoencoder_saving.restored,
}
"""How the estimators are put together again, by the format that their files name."""


def average_spec(average: AbstractAverage | None) -> dict[str, Any] | None:
    """Return an average as a plain dictionary."""
    if average is None:
        return None
    names = {cls: name for name, cls in AVERAGES.items()}
    fields = {name: getattr(average, name) for name in average.__dataclass_fields__ if name != "active"}
    return {"type": names[type(average)], **fields}


def average_from_spec(spec: dict[str, Any] | str | None) -> AbstractAverage | None:
    """Build an average from its name, a dictionary with a type, or `None`."""
    if spec is None or spec == "none":
        return None
    if not isinstance(spec, str | Mapping):
        raise ValueError(f"average: expected a name such as 'swa', SWA(...) or none; got {spec!r}.")
    spec = {"type": spec} if isinstance(spec, str) else dict(spec)
    name = spec.pop("type", None)
    if name not in AVERAGES:
        raise ValueError(f"average: expected none, {' or '.join(AVERAGES)}; got {name!r}.")
    try:
        return AVERAGES[name](**spec)
    except TypeError as error:
        allowed = [field for field in AVERAGES[name].__dataclass_fields__ if field != "active"]
        raise ValueError(f"average {name}: {error}. It takes: {', '.join(allowed)}.") from error


def _filled(skeleton: Any, arrays: list[np.ndarray], members: int) -> Any:
    """Put arrays into the places of a skeleton, with a leading member axis."""
    leaves, structure = jax.tree.flatten(skeleton)
    expected, got = [(members, *leaf.shape) for leaf in leaves], [array.shape for array in arrays]
    if expected != got:
        raise ValueError(f"arrays of shapes {expected}, but there are {got}")
    return jax.tree.unflatten(structure, arrays)


def _named(arrays: dict[str, np.ndarray], prefix: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(prefix)]
