"""Derivatives within rows, under held inputs that jump so often that no curve through the states has them."""

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Samples, Trajectories
from sparsedyn.estimators.sindy._forms import ROWS, smoother
from sparsedyn.estimators.sindy._paths import Paths, chords
from sparsedyn.estimators.sindy._settings import INPUTS
from sparsedyn.estimators.sindy._weak import FEW, slopes, weak_form
from sparsedyn.models import Library

DEGREE, TERMS = 2, 60
"""Degree of the equations that bend paths, and the most terms that they may have; of more variables they are linear."""


def held_samples(data: Trajectories) -> Samples | None:
    """Return states, inputs and derivatives in the middle of all rows, or `None` where inputs seem to run smoothly.

    Paths within rows are those of quadratic equations, straightened so that they end where the next row was measured:
    only what these equations do not explain is taken as constant within a row.
    """
    sizes = [np.abs(np.concatenate(arrays)).max(axis=0) for arrays in (data.states, data.inputs)]
    x_size, u_size = (np.where(size > 0, size, 1.0) for size in sizes)
    scaled = data.with_rows([x / x_size for x in data.states], [u / u_size for u in data.inputs], data.time)
    states, rows = len(x_size), sum(data.lengths) - len(data)
    library = Library(states + len(u_size), DEGREE)
    if library.size > min(TERMS, rows // ROWS):
        library = Library(states + len(u_size), 1)
    paths = chords(scaled, 1, states, "held", FEW)
    bent = np.zeros_like(paths.states)
    if library.size <= rows // ROWS:
        held, other = (weak_form(scaled, library, states, inputs=way, windows=False) for way in INPUTS)
        if smoother(scaled, held.left, other.left):
            return None
        if held.settled:
            paths, bent = held.paths, slopes(held.paths, library, held.coefficients, None)
    x, u, dx = _middle(paths, bent)
    return Samples(x * x_size, u * u_size, dx * x_size)


def _middle(paths: Paths, bent: Float[np.ndarray, "node row state"]) -> Samples:
    """States, inputs and derivatives at the node nearest to the middle of rows."""
    node = len(bent) // 2
    missed = paths.rises / paths.dt - np.tensordot(paths.rule.weights, bent, 1)
    return Samples(paths.following(bent).states[node], paths.inputs[node], bent[node] + missed)
