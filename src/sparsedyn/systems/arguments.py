"""Checks of the arguments of a simulation: return clean values, or raise one message with the fix."""

import math
import operator
from typing import SupportsFloat

import numpy as np

from sparsedyn.data import DataError
from sparsedyn.systems.base import AbstractSystem
from sparsedyn.systems.catalogue import get_system
from sparsedyn.systems.excitation import AbstractExcitation


def plant_of(system: object) -> AbstractSystem:
    """The plant itself, or the registered one of that name."""
    if isinstance(system, str):
        return get_system(system)
    if isinstance(system, AbstractSystem):
        return system
    if isinstance(system, type):
        raise TypeError(
            f"system must be a plant or its name, got the class {system.__name__}; write {system.__name__}()."
        )
    raise TypeError(f"system must be a plant or its name, got {type(system).__name__}.")


def excitation_for(plant: AbstractSystem, excitation: AbstractExcitation | None, inputs: object) -> AbstractExcitation:
    """The given excitation, or the plant's own; one channel per input of the plant."""
    if excitation is None:
        return plant.excitation()
    if inputs is not None:
        raise ValueError("excitation and inputs were both given; the inputs of a row can come from one of them only.")
    if not isinstance(excitation, AbstractExcitation):
        raise TypeError(
            f"excitation must be an excitation such as APRBS or Channels(...), got "
            f"{type(excitation).__name__}; pass arrays as inputs=."
        )
    if excitation.channels != len(plant.input_names):
        raise ValueError(
            f"excitation has {excitation.channels} channels, but {plant.name} has "
            f"{len(plant.input_names)} inputs ({', '.join(plant.input_names) or 'none'}); lay one "
            "excitation per input side by side with Channels(...)."
        )
    return excitation


def given_array(what: str, value: object, names: tuple[str, ...], leading: tuple[int, ...]) -> np.ndarray | None:
    """A given array in float64, repeated over the trajectories where it has no axis for them."""
    if value is None:
        return None
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be an array of numbers: {error}.") from error
    shape = (*leading, len(names))
    if array.shape not in (shape, shape[1:]):
        raise DataError(
            f"{what} must have shape {shape[1:]} (the same for every trajectory) or {shape}, got "
            f"{array.shape}; columns: {', '.join(names) or 'none'}."
        )
    if not np.isfinite(array).all():
        place = ", ".join(str(index) for index in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{what}[{place}] is not finite; give finite numbers.")
    return np.broadcast_to(array, shape)


def sample_time(dt: SupportsFloat) -> float:
    """A positive, finite time."""
    try:
        time = float(dt)
    except (TypeError, ValueError) as error:
        raise TypeError(f"dt must be a positive time, got {dt!r}.") from error
    if not 0 < time < math.inf:
        raise ValueError(f"dt must be a positive time, got {time}.")
    return time


def whole_number(what: str, value: int, least: int, most: int | None = None) -> int:
    """A number of any integer type, from `least` to `most`."""
    try:
        number = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{what} must be a whole number, got {value!r}.") from error
    if number < least:
        raise ValueError(f"{what} must be at least {least}, got {number}.")
    if most is not None and number > most:
        raise ValueError(f"{what} must be at most {most}, got {number}.")
    return number


def not_negative(what: str, value: SupportsFloat) -> float:
    """A finite number from zero upwards."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} must be a number, got {value!r}.") from error
    if not 0 <= number < math.inf:
        raise ValueError(f"{what} must be a finite number of at least 0, got {number}.")
    return number
