"""The fields of trajectories as xarray datasets, and as the rectangular arrays that NetCDF and npz files hold."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr
from jaxtyping import Float64

from .budget import parsed_json
from .description import FORMAT
from .errors import DataError, listing

Parts: TypeAlias = list[np.ndarray]
"""One array per trajectory."""

DIMENSIONS = {
    "states": ("trajectory", "row", "state"),
    "inputs": ("trajectory", "row", "input"),
    "time": ("trajectory", "row"),
    "length": ("trajectory",),
    "state": ("state",),
    "input": ("input",),
    "state_units": ("state",),
    "input_units": ("input",),
    "trajectory": ("trajectory",),
}


def pad(arrays: Sequence[np.ndarray]) -> Float64[np.ndarray, "trajectory row ..."]:
    """Stack arrays of different lengths, filling up with NaN."""
    longest = max(len(array) for array in arrays)
    padded = np.full((len(arrays), longest, *arrays[0].shape[1:]), np.nan)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return padded


def unpad(padded: np.ndarray, lengths: np.ndarray) -> list[np.ndarray]:
    """Undo `pad`; lengths that do not fit raise `DataError`."""
    whole = lengths.dtype.kind in "iu" and padded.ndim > 1 and lengths.shape == padded.shape[:1]
    if not whole or (lengths < 0).any() or (lengths > padded.shape[1]).any():
        raise DataError(
            f"lengths {lengths.tolist()} do not fit an array of shape {padded.shape}; the file is damaged, "
            "write it again."
        )
    return [array[:length] for array, length in zip(padded, lengths, strict=True)]


def to_dataset(fields: Mapping[str, Any], description: Mapping[str, Any]) -> xr.Dataset:
    """Return the dataset that `Trajectories.to_xarray` documents, of the fields of trajectories."""
    values = {
        "states": pad(fields["states"]),
        "inputs": pad(fields["inputs"]),
        "time": pad(fields["time"]),
        "length": np.array([len(states) for states in fields["states"]], dtype=np.int64),
        "state": _texts(fields["state_names"]),
        "input": _texts(fields["input_names"]),
        "state_units": _texts(fields["state_units"]),
        "input_units": _texts(fields["input_units"]),
        "trajectory": _texts(fields["labels"]),
    }
    variables = {name: (DIMENSIONS[name], value) for name, value in values.items()}
    numbers = {name: variables.pop(name) for name in ("states", "inputs")}
    attrs = {name: description[name] for name in ("format", "version", "dt")}
    # NetCDF attributes hold no nested values; JSON keeps them exactly.
    return xr.Dataset(numbers, variables, {**attrs, "attrs": json.dumps(description["attrs"])})


def _texts(texts: Sequence[str]) -> np.ndarray:
    return np.array(texts, dtype=np.dtypes.StrDType(max((len(text) for text in texts), default=0) or 1))


def from_dataset(dataset: xr.Dataset) -> tuple[dict[str, Any], Parts, Parts, Parts]:
    """Return the description, and the states, inputs and times, of what `to_dataset` made, in memory or in a file.

    **Raises:** `DataError` for another layout.
    """
    if dataset.attrs.get("format") != FORMAT:
        raise DataError(
            f"the dataset was not made by to_xarray (its attribute 'format' is not {FORMAT!r}); build "
            "Trajectories from its arrays instead."
        )
    for name, expected in DIMENSIONS.items():
        if name not in dataset.variables or dataset[name].dims != expected:
            came = f"has the dimensions {dataset[name].dims}" if name in dataset.variables else "is missing"
            raise DataError(
                f"variable {name!r} {came}; expected are the dimensions {expected}, as to_xarray makes "
                f"them. The variables are: {listing(dataset.variables)}."
            )
    try:
        attrs = parsed_json(dataset.attrs.get("attrs", "{}"))
    except (ValueError, TypeError) as error:
        raise DataError("the attribute 'attrs' of the dataset is no JSON; write it again with to_xarray.") from error
    description = {
        "version": dataset.attrs.get("version"),
        "dt": dataset.attrs.get("dt"),
        "state_names": dataset["state"].values.astype(str).tolist(),
        "input_names": dataset["input"].values.astype(str).tolist(),
        "state_units": dataset["state_units"].values.astype(str).tolist(),
        "input_units": dataset["input_units"].values.astype(str).tolist(),
        "labels": dataset["trajectory"].values.astype(str).tolist(),
        "attrs": attrs,
    }
    lengths = dataset["length"].values
    states, inputs, time = (unpad(dataset[name].values, lengths) for name in ("states", "inputs", "time"))
    return description, states, inputs, time
