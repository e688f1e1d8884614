"""Checks of numbers and shapes: clean values come back, or a `DataError` says what to change."""

import json
import mmap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from .errors import DataError, in_all, trajectory_place
from .names import text_tuple

ROWS = 65_536
"""Rows that are checked at a time."""


def number_array(values: object, place: str) -> Float64[np.ndarray, "..."]:
    """Return `values` as a float64 array, a copy unless they are one that nothing can write to, or a file mapped so.

    **Raises:** `DataError` for text, complex numbers and ragged nesting.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{place} is ragged: its rows have different numbers of entries. Give every row the same entries."
        ) from error
    if array.dtype == np.float64 and array.flags.c_contiguous and _unchanging(array):
        return array
    if array.dtype.kind in "biuf":
        return np.array(array, dtype=np.float64, order="C")
    if array.dtype.kind == "O":
        return _numbers_from_objects(array, place)
    if array.dtype.kind in "UST":
        # NumPy turns a list with a single text into texts throughout: look for the one that is no number.
        position = next((i for i, text in np.ndenumerate(array) if not _reads_as_number(text)), (0,) * array.ndim)
        kind = f"text, {str(array[position])!r} at position {tuple(int(i) for i in position)}" if array.size else "text"
    else:
        kind = f"{array.dtype.name} values"
    raise DataError(f"{place} holds {kind}; real numbers are expected. Convert the values to numbers first.")


def _unchanging(array: np.ndarray) -> bool:
    """Whether nothing can write to an array: neither it nor what it is a part of, be it a mapped file, is writable."""
    part: object = array
    while isinstance(part, np.ndarray) and not part.flags.writeable:
        part = part.base
    return part is None or isinstance(part, mmap.mmap)


def _reads_as_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers_from_objects(array: np.ndarray, place: str) -> Float64[np.ndarray, "..."]:
    numbers = np.empty(array.shape, dtype=np.float64)
    for index, value in np.ndenumerate(array):
        try:
            if isinstance(value, str | bytes):
                raise TypeError
            numbers[index] = float(value)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{place} holds {value!r} at position {index}; a real number is expected. Convert the "
                "values to numbers first."
            ) from error
    return numbers


def trajectory_arrays(values: Any, role: str) -> list[Float64[np.ndarray, "_time _variable"]]:
    """Bring states or inputs into one float64 array (time, variable) per trajectory.

    `values` is an array (trajectory, time, variable), an array (time, variable), which is one trajectory, or
    a sequence of arrays (time, variable), whose lengths may differ; arrays (time,) in it are trajectories of one
    variable. `role` ("states", "inputs") names it in messages.
    """
    if isinstance(values, list | tuple) and values and all(_is_run(item) for item in values):
        pieces = [number_array(item, f"{role} of trajectory {i}")[:, None] for i, item in enumerate(values)]
    elif isinstance(values, list | tuple):
        ranks = {np.ndim(_first_entries(item)) for item in values}
        if ranks and ranks <= {0, 1}:
            pieces = [number_array([_plain(item) for item in values], role)]
        else:
            pieces = [number_array(item, f"{role} of trajectory {i}") for i, item in enumerate(values)]
    else:
        array = number_array(values, role)
        pieces = list(array) if array.ndim == 3 else [array]
    if not pieces:
        raise DataError(f"{role} hold no trajectory; at least one is needed.")
    for i, piece in enumerate(pieces):
        if piece.ndim != 2:
            place = role if len(pieces) == 1 else f"{role} of trajectory {i}"
            raise DataError(f"{place} have shape {piece.shape}; {_shape_advice(piece, role)}")
    return pieces


def _is_run(item: Any) -> bool:
    # Nested lists are rows, as they are to NumPy; an array or a series of its own is a record.
    return not isinstance(item, list | tuple) and np.ndim(item) == 1


def _first_entries(item: Any) -> Any:
    # np.ndim of a nested list would copy all of it, and fail where it is ragged; first entries suffice.
    if isinstance(item, list | tuple) and item:
        return [_first_entries(item[0])]
    return item


def _plain(item: Any) -> Any:
    return item if isinstance(item, list | tuple) else np.asarray(item)


def _shape_advice(piece: np.ndarray, role: str) -> str:
    expected = "expected is (trajectory, time, variable), (time, variable), or a list of (time, variable) arrays."
    if piece.ndim == 1:
        return f"{expected} For a single variable, pass {role}[:, None]."
    return expected


def check_shapes(
    states: Sequence[np.ndarray], inputs: Sequence[np.ndarray], labels: Sequence[str], minimum: int = 2
) -> None:
    """Check that trajectories agree in their variables, that states and inputs agree in rows, and lengths."""
    if len(inputs) != len(states):
        raise DataError(
            f"{len(inputs)} trajectories have inputs, {len(states)} have states; expected is one input "
            "array per trajectory."
        )
    for role, arrays in (("states", states), ("inputs", inputs)):
        for i, array in enumerate(arrays):
            if array.shape[1] != arrays[0].shape[1]:
                raise DataError(
                    f"{role} of {trajectory_place(labels, i)} have {array.shape[1]} variables, those of "
                    f"{trajectory_place(labels, 0)} {arrays[0].shape[1]}; all trajectories need the same "
                    "variables."
                )
    if states[0].shape[1] == 0:
        raise DataError("states have no variable (no column); at least one state is needed.")
    for i, (state, input_) in enumerate(zip(states, inputs, strict=True)):
        place = trajectory_place(labels, i)
        if len(state) < minimum:
            raise DataError(
                f"{place} has {len(state)} row(s); at least {minimum} are needed, since a step has a start "
                "and an end. Leave this trajectory out or record more rows."
            )
        if len(input_) != len(state):
            turned = " They look transposed: give the transpose, .T." if input_.shape[1] == len(state) else ""
            raise DataError(
                f"inputs of {place} have {len(input_)} rows, its states {len(state)}; the input of row i "
                "acts from row i to row i + 1, so every row needs one (the last may repeat the one before). Expected "
                f"is the shape ({len(state)}, inputs); got {input_.shape}.{turned}"
            )


def check_finite(arrays: Sequence[np.ndarray], role: str, names: Sequence[str], labels: Sequence[str]) -> None:
    """Check that every value is finite; the first that is not is named by trajectory, row and column."""
    for i, array in enumerate(arrays):
        # Some rows at a time: of a mapped file, what is looked at is all that there is in memory.
        if all(np.isfinite(array[first : first + ROWS]).all() for first in range(0, len(array), ROWS)):
            continue
        bad = ~np.isfinite(array)
        row, column = divmod(int(bad.argmax()), array.shape[1])
        raise DataError(
            f"{role} of {trajectory_place(labels, i)}, row {row}, column {names[column]!r}: "
            f"{not_finite(array[row, column], int(bad.sum()))}"
        )


def not_finite(value: float, count: int) -> str:
    """Write what a NaN or an infinity means and how to repair it."""
    what = "a missing value (NaN)" if np.isnan(value) else f"an infinite value ({value})"
    return (
        f"{what}{in_all(count)}; every value must be a finite number. Fill the gap (by "
        "interpolation), read a file with gaps='cut' (--gaps cut), which cuts the trajectory there, or leave rows out."
    )


def json_attributes(attrs: object) -> dict[str, Any]:
    """Copy `attrs` as files will keep it: text keys, JSON values; NumPy values become plain, tuples lists."""
    if attrs is None:
        return {}
    if not isinstance(attrs, Mapping):
        raise DataError(f"attrs is {attrs!r}; a dictionary is expected.")
    clean: dict[str, Any] = {}
    for key, value in attrs.items():
        text_tuple([str(key)], 1, "attrs", "key")
        try:
            clean[str(key)] = json.loads(json.dumps(value, default=_plain_json))
        except (TypeError, ValueError) as error:
            raise DataError(
                f"attrs[{key!r}] is of type {type(value).__name__}, which files cannot keep; use numbers, "
                "texts, lists and dictionaries."
            ) from error
    return clean


def _plain_json(value: object) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(type(value).__name__)
