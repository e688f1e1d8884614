"""What data leave open of equations of trajectories: intervals, alternatives, rival forms, and how to find out."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.data import Trajectories
from sparsedyn.estimators._forecaster import AbstractForecaster
from sparsedyn.estimators.equation._experiments import experiments
from sparsedyn.estimators.equation._expressions import Equation, table
from sparsedyn.estimators.equation._forms import Fate, fates_table
from sparsedyn.estimators.equation.trajectories._outcome import Constant
from sparsedyn.estimators.equation.trajectories._way import Alternative, alternatives_table, constants_table


class AbstractLeftOpen(AbstractForecaster):
    """A model of dynamics that is equations, with what else could be."""

    seed: int
    candidates_: list[list[Equation]]
    constants_: list[Constant]
    alternatives_: list[Alternative]
    fates_: list[Fate]
    noise_: Float[np.ndarray, " state"] | None

    def pareto(self, state: str | int = 0) -> pd.DataFrame:
        """Return the candidates for a state's derivative as a table, simplest first; see `EquationRegressor.pareto`.

        They are those of the rest where a part is known.
        """
        self._check_fitted()
        known = dict(enumerate(self.state_names_))
        if state not in (*known, *known.values()):
            raise ValueError(
                f"state: expected one of {', '.join(known.values())} or a number from 0 to {len(known) - 1}; got "
                f"{state!r}."
            )
        return table(self.candidates_[self.state_names_.index(state) if isinstance(state, str) else state])

    def constants(self, level: float = 0.95) -> pd.DataFrame:
        """Return the constants of all equations with intervals of this level: `state`, `value`, `low`, `high`, ...

        By Laplace's approximation on the states, first states being free; values are those before rounding. `unit` is
        there where `units` were given, and `name` is what a constant is called in a form of `candidates`. Empty where
        networks were the search.
        """
        self._check_fitted()
        return constants_table(self.constants_, level)

    def alternatives(self, odds: float = 20.0) -> pd.DataFrame:
        """Return the equations that the data can hardly tell apart, best first: `equations` of all states, and `odds`.

        `odds` says by how much the best are more probable, `exp(difference of the criterion / 2)`; up to which, is
        asked. Empty where networks were the search.
        """
        self._check_fitted()
        return alternatives_table(self.alternatives_, odds)

    def compare_candidates(self) -> pd.DataFrame:
        """Return how every form in `candidates` fared, best first: `state`, `candidate`, `equation`, `error`, `odds`.

        `odds` says by how much what was chosen is more probable than the best model with the form for that state, all
        constants fitted together: 1 where it was chosen. Errors are those of the state, as shares of its standard
        deviation (where networks were the search: of the derivative). There is no equation where a form has no values,
        or runs away.
        """
        self._check_fitted()
        return pd.concat(
            [
                fates_table([one for one in self.fates_ if one.name == name], self._least(place), "state")
                for place, name in enumerate(self.state_names_)
            ],
            ignore_index=True,
        )

    def next_experiments(
        self, data: Any, odds: float = 20.0, *, margin: float = 0.25, rows: int | None = None, count: int = 5
    ) -> pd.DataFrame:
        """Return which experiments would tell the `alternatives` apart: initial states and inputs, the best first.

        They are looked for in the ranges of `data`, those of the training, widened by the share `margin` on both sides;
        inputs are held. A row has the values of states and inputs, and what `rows` rows (default: as the longest
        trajectory has) would show: `difference`, the root mean square difference between forecasts of the chosen
        equations and of the alternative that is nearest to them, in standard deviations of the noise, and the `state`
        and `time` at which it is largest. Below 1 or so an experiment says little. Rows count as long as the forecast
        of the chosen equations stays in these ranges. Empty, with a warning, where there is no alternative up to these
        odds, or none that an experiment in these ranges tells apart.
        """
        self._check_fitted()
        known: Trajectories = self._known(data, check_units=False)
        for name, value, least in (("margin", margin, 0.0), ("count", count, 1), ("rows", rows, 2)):
            if value is not None and not value >= least:
                raise ValueError(f"{name}: expected at least {least}; got {value!r}.")
        models: list[tuple[sympy.Expr, ...]] = [tuple(one) for one in self.alternatives(odds)["equations"]]
        found = experiments(
            models,
            known,
            self._measured.x_std if self.noise_ is None else self.noise_,
            rows=max(known.lengths) if rows is None else rows,
            margin=margin,
            count=count,
            seed=self.seed,
        )
        if found.empty:
            said = "no alternative is within these odds" if len(models) < 2 else "no experiment here tells them apart"
            warnings.warn(
                f"next_experiments: nothing to suggest, since {said}. Give greater odds, such as "
                f"odds={100 * odds:g}, or a wider margin.",
                SparsedynWarning,
                stacklevel=2,
            )
        return found

    def _least(self, state: int) -> float:
        """The criterion that others are compared with: that of whole models, or that of a state."""
        return min(score for _, score in self.alternatives_) if self.alternatives_ else self.candidates_[state][0].score
