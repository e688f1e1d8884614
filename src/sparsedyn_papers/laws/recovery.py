"""Whether `EquationRegressor` finds a law from points, with and without units, clean and noisy."""

import time
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import sympy

from sparsedyn import EquationRegressor
from sparsedyn.equations import compiled
from sparsedyn_papers.equations.criterion import assessed, relative_error
from sparsedyn_papers.laws.table import Law

EXACT = 1e-6
"""Error on fresh points, as a share of their spread, below which a law is found without noise."""


class Recovered(NamedTuple):
    """The equation, whether it is the law, its error on fresh points, CPU seconds, and whether it took networks."""

    equation: sympy.Expr
    found: bool
    error: float
    seconds: float
    networks: bool


def recovered(
    law: Law, *, points: int = 1000, noise: float = 0.0, units: bool = False, seed: int = 0, trials: int = 8
) -> Recovered:
    """Fit a law's table: uniform points, normal noise that is a share of the target's root mean square.

    Without noise an equation is the law when its error on fresh points is below 1e-6 of their spread, with noise when
    its constants alone separate it from the law.
    """
    rng = np.random.default_rng(seed)
    x, clean = law.sampled(points, rng)
    fresh, truth = law.sampled(points, rng)
    noisy = clean + noise * np.sqrt(np.mean(clean**2)) * rng.normal(size=len(clean))
    regressor = EquationRegressor(seed=seed, trials=trials, units=law.units if units else None)
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        regressor.fit(pd.DataFrame(x, columns=list(law.names)), pd.Series(noisy, name=law.target), progress=False)
    seconds = time.process_time() - begin
    equation = regressor.equation()
    error = relative_error(compiled([equation], law.names)(fresh)[:, 0], truth)
    found = error < EXACT
    if noise:
        found = assessed(equation, law.truth, dict(zip(law.names, fresh.T, strict=True))).form
    return Recovered(equation, bool(found), float(error), seconds, regressor.found_ is not None)
