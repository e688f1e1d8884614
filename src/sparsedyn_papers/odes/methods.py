"""What finds equations of one trajectory: this package's estimators, and PySINDy where it is installed."""

import importlib
import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float

from sparsedyn import EquationLearner, SINDy, SparsedynWarning
from sparsedyn.models import Library
from sparsedyn_papers.odes.systems import TIMES, Field, field_of

States = Float[np.ndarray, "time state"] | list[Float[np.ndarray, "time state"]]
"""One trajectory, or several."""


class Learned(NamedTuple):
    """The right-hand side, its equations if they are expressions, whether one is empty, warnings, and CPU seconds.

    `constants` are those of the equations with intervals of 95 %, where a method has them.
    """

    field: Field
    equations: Sequence[sympy.Expr] | None
    empty: bool
    warned: bool
    seconds: float
    constants: pd.DataFrame | None = None


def by_learner(x: States, seed: int) -> Learned:
    """Fit `EquationLearner` with its defaults."""
    names = [f"x_{i}" for i in range(np.shape(x)[-1])]
    begin = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = EquationLearner(seed=seed).fit(x, TIMES[1], names=names, progress=False)
    seconds = time.process_time() - begin
    found = model.equations()
    empty = any(not one.free_symbols for one in found)
    return Learned(field_of(found), found, empty, _warned(caught), seconds, model.constants(0.95))


def by_sindy(x: States, seed: int, *, degree: int = 3, functions: Sequence[str] = ("sin", "cos")) -> Learned:
    """Fit `SINDy` with thresholds chosen automatically."""
    names = [f"x_{i}" for i in range(np.shape(x)[-1])]
    begin = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = SINDy(degree, "auto", functions=list(functions)).fit(x, TIMES[1], names=names)
    seconds = time.process_time() - begin
    coefficients, library = model.coefficients_, model.library_
    empty = bool((~coefficients.any(axis=0)).any())
    return Learned(lambda z: library.evaluate(z) @ coefficients, model.equations(), empty, _warned(caught), seconds)


def by_pysindy(x: States, seed: int, *, threshold: float, degree: int = 3) -> Learned:
    """Fit PySINDy, whose fits do not warn of equations."""
    peer = importlib.import_module("pysindy")
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = peer.SINDy(
            optimizer=peer.STLSQ(threshold=threshold), feature_library=peer.PolynomialLibrary(degree=degree)
        )
        made.fit(x, t=TIMES[1])
    seconds = time.process_time() - begin
    coefficients, library = np.asarray(made.coefficients()).T, Library(np.shape(x)[-1], degree)
    # The same terms in the same order, without what a call of its `predict` takes.
    points = x if isinstance(x, np.ndarray) else x[0]
    assert np.allclose(library.evaluate(points) @ coefficients, made.predict(points))
    empty = bool((~coefficients.any(axis=0)).any())
    return Learned(lambda z: library.evaluate(z) @ coefficients, None, empty, False, seconds)


METHODS: dict[str, Callable[[States, int], Learned]] = {
    "EquationLearner": by_learner,
    "SINDy": by_sindy,
    "PySINDy 0.1": partial(by_pysindy, threshold=0.1),
    "PySINDy 0.01": partial(by_pysindy, threshold=0.01),
}
"""Methods by name; numbers are thresholds."""


def available(method: str) -> bool:
    """Whether a method can be used here."""
    return not method.startswith("PySINDy") or importlib.util.find_spec("pysindy") is not None


def _warned(caught: Sequence[warnings.WarningMessage]) -> bool:
    return any(issubclass(one.category, SparsedynWarning) for one in caught)
