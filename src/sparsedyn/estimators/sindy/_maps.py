"""Free runs of maps, beside the rows that follow: what a fit in discrete time is judged by."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sparsedyn._warnings import Finding
from sparsedyn.data import Trajectories
from sparsedyn.estimators._delays import Delays
from sparsedyn.estimators._known import Known
from sparsedyn.estimators._runs import judged, stretches
from sparsedyn.models import Library
from sparsedyn.training.least_squares import Coefficients


def iterated(
    data: Trajectories,
    library: Library,
    coefficients: Sequence[Coefficients],
    delays: Delays,
    known: Known | None,
    source: str,
) -> list[Finding]:
    """Return what is to be said of maps iterated from rows of the data, by each of the coefficients."""
    rows, given = stretches(data), delays.rows + 1

    def rolled(values: Coefficients) -> Float[np.ndarray, "1 run row state"]:
        def step(x: Float[np.ndarray, "run state"], u: Float[np.ndarray, "run column"]) -> np.ndarray:
            found = library.evaluate(np.concatenate([x, u], axis=-1)) @ values
            return (found if known is None else found + known.values(x, u))[None]

        return delays.rolled(step, rows.states[:, :given], rows.inputs)

    found = np.concatenate([rolled(values) for values in coefficients])[:, :, given:]
    measured = rows.states[:, given:]
    there = np.broadcast_to(rows.there[:, given:, None], measured.shape)
    return judged(data.state_names, found, measured, there, source)


def without_effect(
    data: Trajectories, library: Library, coefficients: Coefficients, delays: Delays, *, sought: bool
) -> Finding | None:
    """Say which inputs are in no equation, at no lag; whether dead times were `sought` already."""
    states = len(data.state_names)
    kept = (coefficients != 0).any(axis=1)
    supports = [*library.monomials, *(chosen for _, chosen in library.applications)]
    used = {i for term, here in zip(supports, kept, strict=True) if here for i in term}
    if delays.rows:
        acting = {i for k, (of, i, _) in enumerate(delays.places(states)) if not of and states + k in used}
    else:
        acting = {i - states for i in used if i >= states}
    idle = [name for i, name in enumerate(data.input_names) if i not in acting]
    if not idle or not kept.any():
        return None
    late = "" if delays.rows or sought else " If it acts late, give lags='auto' (--lags auto)."
    texts = [f"input {name} appears in no equation." for name in idle]
    return Finding(
        "input-without-effect",
        f"fit: {' '.join(texts)}{late} Otherwise leave it out, or give data in which it moves more.",
    )
