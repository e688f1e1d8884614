"""Inputs that were logged less often than states: they hold their value until the next one is logged."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from sparsedyn._warnings import SparsedynWarning


def held(
    values: Float[np.ndarray, "row column"],
    states: int,
    labels: pd.Series | None,
    names: Sequence[str],
    *,
    thin: bool = False,
) -> tuple[Float[np.ndarray, "row column"], Bool[np.ndarray, " row"]]:
    """Return a table whose inputs, the columns after `states` ones, hold their last value, and which rows to keep.

    Missing cells of inputs get the value of the row before, within a trajectory if there are `labels`. Rows in which no
    state was measured are left out, with `thin` those in which any was not, and so are those before the first value of
    an input; a warning says how many.
    """
    inputs = pd.DataFrame(values[:, states:])
    filled = inputs.ffill() if labels is None else inputs.groupby(labels.to_numpy(), dropna=False).ffill()
    cells = int(inputs.isna().to_numpy().sum() - filled.isna().to_numpy().sum())
    values = np.concatenate([values[:, :states], filled.to_numpy()], axis=1)
    gone = np.isnan(values[:, :states])
    measured = ~(gone.any(axis=1) if thin else gone.all(axis=1))
    begun = ~np.isnan(values[:, states:]).any(axis=1)
    kept = measured & begun
    if cells or not kept.all():
        warnings.warn(
            f"{cells} missing cells of {', '.join(names[states:]) or 'inputs'} hold the value before; left out are "
            f"{int((~measured).sum())} rows in which {'a state was not' if thin else 'no state was'} measured and "
            f"{int((measured & ~begun).sum())} before the first value of an input.",
            SparsedynWarning,
            stacklevel=6,
        )
    return values, kept
