"""Governing equations from trajectories, by equation learners, with the face of a scikit-learn estimator."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float, Int

from sparsedyn.data import DataError, Samples, Scaling, Trajectories, pieces, samples
from sparsedyn.data.derivatives import NOISY, white_noise
from sparsedyn.equations import rounded
from sparsedyn.estimators._checks import Variables, check_alike, check_plausible, check_trajectories, variables_of
from sparsedyn.estimators._dynamics import AbstractStepper
from sparsedyn.estimators._progress import search_bar
from sparsedyn.estimators.equation import _saving as equation_saving
from sparsedyn.estimators.equation._checks import at_rest, check_rates, check_search, check_sizes
from sparsedyn.estimators.equation._expressions import (
    Law,
    constant_law,
    discover,
    holds_constants,
    scaling_of,
    search_of,
    split,
    table,
)
from sparsedyn.estimators.equation._search import Found, Search
from sparsedyn.models import PerState, Primitive

FITTED = 0.5
"""Share of the trials whose terms are fitted: right-hand sides are more often sums of plain terms than ratios."""


class EquationLearner(AbstractStepper):
    """Finds the right-hand side `dx/dt = f(x, u)` as equations, one per state, and integrates them.

    Derivatives are estimated from the trajectories; each state's equation is searched for by itself.

    Parameters
    ----------
    trials, seed, primitives, hidden, regularizer, networks, generations, steps, share : of the search, as in
        `EquationRegressor`. Estimated derivatives are never exact, so a search goes on to its end: it is shorter.
    derivative : how derivatives are estimated: one of `DERIVATIVES`, or `auto`: `spline` where the states are smooth,
        `smoothing-spline` where they look noisy.
    method : the integrator of forecasts, `rk4` or `euler`.

    Attributes after `fit`: `models_` (one member), `scaling_` (the powers of two that its variables are divided by),
    `statistics_` (means and standard deviations of the training data, in which errors are counted), `alive_`, `laws_`
    (per state, all candidates, the chosen first), `found_` (the searches, `None` for a
    derivative that never changes; not kept in files), `dt_`, `state_names_`, `input_names_`.

    Source: Sahoo et al. 2018; Kim et al. 2019.
    """

    # Nothing is subtracted from the variables, and float32 loses the small steps of a large temperature in kelvin.
    precision = "float64"

    def __init__(
        self,
        trials: int = 8,
        seed: int = 0,
        *,
        primitives: str | Mapping[str | Primitive, int] = "general",
        hidden: int = 2,
        regularizer: str = "l05",
        networks: int = 4,
        generations: int = 4,
        steps: int = 200,
        share: float = 1 / 3,
        derivative: str = "auto",
        method: str = "rk4",
    ):
        self.trials = trials
        self.seed = seed
        self.primitives = primitives
        self.hidden = hidden
        self.regularizer = regularizer
        self.networks = networks
        self.generations = generations
        self.steps = steps
        self.share = share
        self.derivative = derivative
        self.method = method

    def fit(
        self,
        data: Trajectories,
        validation: Trajectories | None = None,
        *,
        progress: bool | None = None,
        check_units: bool = True,
    ) -> "EquationLearner":
        """Find the equations of `data`; equations are judged on `validation` trajectories, or on samples held out.

        `progress` draws a bar (default: on a terminal). Raises `DataError` for data that cannot be used, `ValueError`
        for parameters out of range.
        """
        check_search(self)
        check_trajectories(data, "data")
        check_sizes(data)
        # Derivatives of states are those of smooth curves, which a jump of the input breaks.
        pieced = pieces(data)
        method = self.derivative if self.derivative != "auto" else _suited(pieced)
        pooled = samples(pieced, method)
        scaling = scaling_of(pooled)
        check_rates(pooled, data)
        statistics = Scaling.fit(pooled, state_names=data.state_names, input_names=data.input_names)
        inside, outside = split(len(pooled.x), self.share if validation is None else 0.0, self.seed)
        held_out = pooled
        if validation is not None:
            check_trajectories(validation, "validation")
            check_alike(variables_of(data), validation, "validation")
            if check_units:
                check_plausible(statistics, validation)
            held_out = samples(pieces(validation), method)
            outside = split(len(held_out.x), 0.0, self.seed)[0]
        names = [*data.state_names, *data.input_names]
        laws: list[list[Law]] = []
        found: list[Found | None] = []
        settings = replace(search_of(self), fitted=FITTED)
        for state, name in enumerate(data.state_names):
            if at_rest(pooled.x[:, state], pooled.dx[:, state], data.dt):
                laws.append([_steady(settings, pooled, state, names, scaling, data.dt)])
                found.append(None)
                continue
            known, unknown = _target(pooled, inside, state), _target(held_out, outside, state)
            with search_bar(f"d{name}/dt", progress) as on_progress:
                candidates, searched = discover(
                    settings,
                    known,
                    unknown,
                    names,
                    _of_target(scaling, state),
                    on_progress=on_progress,
                )
            laws.append(candidates)
            found.append(searched)
        self.found_ = found
        return self._adopt(laws, scaling, statistics, variables_of(data))

    def equations(self, digits: int | None = None) -> tuple[sympy.Expr, ...]:
        """Return the right-hand sides, one per state, in the data's names and units, exactly or rounded.

        Their variables are `sparsedyn.equations.symbol(name)`, which are real; to SymPy, `sympy.Symbol(name)` is
        another.
        """
        self._check_fitted()
        found = tuple(law[0].expression for law in self.laws_)
        return found if digits is None else tuple(rounded(expression, digits) for expression in found)

    def pareto(self, state: str | int = 0) -> pd.DataFrame:
        """Return the candidates for a state's derivative as a table, simplest first; see `EquationRegressor.pareto`."""
        self._check_fitted()
        known = dict(enumerate(self.state_names_))
        if state not in (*known, *known.values()):
            raise ValueError(
                f"state: expected one of {', '.join(known.values())} or a number from 0 to {len(known) - 1}; got "
                f"{state!r}."
            )
        return table(self.laws_[self.state_names_.index(state) if isinstance(state, str) else state])

    @property
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """Weights of the networks that the equations are read off, all states together."""
        self._check_fitted()
        return np.asarray([sum(law[0].weights for law in self.laws_)])

    def save(self, path: str | Path) -> None:
        """Write the fitted equations to one file, atomically; see `sparsedyn.load`."""
        self._check_fitted()
        equation_saving.save_learner(self, path)

    def dependence(self, data: Trajectories) -> Float[np.ndarray, "member output feature"]:
        """Return how strongly every derivative depends on every state and input; see `AbstractStepper.dependence`."""
        in_sizes = super().dependence(data)
        return in_sizes * (self.scaling_.dx_std / self.statistics_.dx_std)[:, None]

    @property
    def _measured(self) -> Scaling:
        return self.statistics_

    def _adopt(
        self, laws: list[list[Law]], scaling: Scaling, statistics: Scaling, variables: Variables
    ) -> "EquationLearner":
        """Take over what was found."""
        self.laws_ = laws
        self.scaling_ = scaling
        self.statistics_ = statistics
        model = PerState(tuple(law[0].model for law in laws))
        self.models_ = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64)[None], model)
        self.alive_ = np.ones(1, bool)
        self.variables_ = variables
        return self


def _suited(data: Trajectories) -> str:
    """The derivative for smooth or for noisy states, told apart by their third differences."""
    spread = np.concatenate(data.states).std(axis=0)
    return "smoothing-spline" if np.any(white_noise(data.states, 3) > NOISY * spread) else "spline"


def _steady(settings: Search, pooled: Samples, state: int, names: Sequence[str], scaling: Scaling, dt: float) -> Law:
    """The law of a state whose derivative never changes: zero, or how fast a clock runs."""
    rate = float(pooled.dx[:, state].mean())
    if at_rest(pooled.x[:, state], np.asarray([0.0, rate]), dt):
        rate = 0.0
    elif not holds_constants(settings.hidden):
        raise DataError(
            f"the derivative of state {names[state]!r} is {rate:.6g} everywhere; expected 'constant' among the "
            "primitives, of which its equation consists. Add it, or leave the state out."
        )
    own = _of_target(scaling, state)
    return constant_law(settings, rate / float(own.dx_std[0]), names, own, _target(pooled, slice(None), state))


def _target(part: Samples, rows: np.ndarray | slice, state: int) -> Samples:
    """Some samples, with the derivative of one state."""
    return Samples(part.x[rows], part.u[rows], part.dx[rows, state : state + 1])


def _of_target(scaling: Scaling, state: int) -> Scaling:
    """The scaling of one state's derivative."""
    one = slice(state, state + 1)
    return eqx.tree_at(lambda s: (s.dx_mean, s.dx_std), scaling, (scaling.dx_mean[one], scaling.dx_std[one]))
