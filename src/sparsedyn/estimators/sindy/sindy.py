"""Sparse identification of nonlinear dynamics (SINDy), with the face of a scikit-learn estimator."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sympy
import xarray as xr
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score

from sparsedyn.data import DataError, Trajectories
from sparsedyn.equations import combined, rounded, symbol
from sparsedyn.estimators._checks import Variables, check_alike, variables_of
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators.sindy import _saving as sindy_saving
from sparsedyn.estimators.sindy._data import check_spread, columns, like, trajectories_like, trajectories_of
from sparsedyn.estimators.sindy._fitting import Found
from sparsedyn.estimators.sindy._identification import identified
from sparsedyn.estimators.sindy._regression import check_rows, joined, strong_form
from sparsedyn.estimators.sindy._settings import Settings, settings_of
from sparsedyn.estimators.sindy._simulation import integrated
from sparsedyn.estimators.sindy._states import Measured, full_names, states_of
from sparsedyn.models import Library, Primitive, SINDyModel


class SINDy(BaseEstimator):
    """Finds `dx/dt = theta(x, u) Xi` with few terms of a library, by thresholded least squares.

    Parameters
    ----------
    degree : of the polynomials of states and inputs.
    threshold : coefficients smaller than this are zero: a number, one per equation, or `"auto"`: as many terms as
        forecasts of held-out data call for (the last fifth of the trajectories, or of a single one).
    functions : further terms, of every variable: names of `PRIMITIVES` such as `"sin"`, or primitives of one's own.
    constant : whether there is a constant term.
    order : 1, or 2 for positions whose accelerations are looked for; the state is then positions and velocities.
    optimizer : how terms are chosen: `"stlsq"`, or by gradient descent under a penalty, `"l0"` or `"l1"`, and then
        sequential thresholds on what it left. Values are those of least squares on the terms chosen.
    penalty : the weight of `"l0"` and `"l1"`.
    ensemble : `None`, or a number of fits to bootstrap samples, each with one term left out; coefficients are medians.
    weak : whether equations are integrated against test functions, which needs no derivatives and stands more noise;
        `auto`: for equations of first order where no derivatives are given, if trajectories are long enough.
    derivative : how derivatives are estimated: one of `DERIVATIVES`, or `auto`: `spline` where the states are smooth,
        and where they look noisy local polynomials over windows that suit the noise.
    ridge : relative to the mean squares of terms; steadies the choice, has no say in the values.
    seed : of bootstrap samples and gradient descent.

    Attributes after `fit`: `model_`, `library_`, `coefficients_` (term, equation), `thresholds_` (per equation; with
    `"auto"`, the least coefficient that was kept), `members_` (member, term, equation; `None` without an ensemble),
    `dt_`, `state_names_`, `input_names_`.

    Source: Brunton, Proctor & Kutz 2016; Messenger & Bortz 2021 (weak form); Fasel et al. 2022 (ensembles).
    """

    def __init__(
        self,
        degree: int = 2,
        threshold: float | Sequence[float] | Float[np.ndarray, " equation"] | str = 0.1,
        *,
        functions: Sequence[str | Primitive] = (),
        constant: bool = True,
        order: int = 1,
        optimizer: str = "stlsq",
        penalty: float = 1e-3,
        ensemble: int | None = None,
        weak: bool | str = "auto",
        derivative: str = "auto",
        ridge: float = 0.0,
        seed: int = 0,
    ):
        self.degree = degree
        self.threshold = threshold
        self.functions = functions
        self.constant = constant
        self.order = order
        self.optimizer = optimizer
        self.penalty = penalty
        self.ensemble = ensemble
        self.weak = weak
        self.derivative = derivative
        self.ridge = ridge
        self.seed = seed

    def fit(
        self,
        x: Any,
        t: Any = None,
        u: Any = None,
        x_dot: Any = None,
        x_ddot: Any = None,
        *,
        names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
    ) -> "SINDy":
        """Find the equations of states `x` at times `t` under inputs `u`.

        `x` is an array (time, state) or (trajectory, time, state), a list of (time, state) arrays or tables, an xarray
        object, or `Trajectories` (which need no `t` and `u`). `t` is the sample time or the times of all rows, `u` is
        laid out as `x`. `x_dot` are measured derivatives, else they are estimated. For order 2, `x` are positions,
        `x_dot` velocities and `x_ddot` accelerations. Columns of their tables are found by the names of the states.

        Raises `DataError` for data that cannot be used, `ValueError` for parameters out of range.
        """
        settings = self.settings()
        data = trajectories_of(x, t, u, names=names, input_names=input_names)
        check_spread(data)
        library = settings.library(len(data.state_names), len(data.input_names))
        measured = self._measured(data, x_dot, x_ddot, self.order)
        self._check_weak(measured)
        return self._adopt(identified(measured, None, library, settings), library, variables_of(data))

    def settings(self) -> Settings:
        """Return the parameters in one form each; raises `ValueError` for the first that is out of range."""
        return settings_of(self.get_params(deep=False))

    def coefficients(self) -> pd.DataFrame:
        """Return the coefficients in the data's units: a row per term, a column per state whose derivative it is."""
        self._check_fitted()
        return self._table(self.coefficients_)

    def inclusion(self) -> pd.DataFrame:
        """Return in which share of the ensemble each term was kept, among the fits that could keep it."""
        self._check_fitted()
        if self.members_ is None:
            raise ValueError("inclusion: expected an ensemble; got ensemble=None. Fit with ensemble=100, say.")
        offered = np.isfinite(self.members_)
        kept = np.sum(offered & (np.nan_to_num(self.members_) != 0), axis=0)
        return self._table(kept / np.maximum(offered.sum(axis=0), 1))

    def equations(self, digits: int | None = None) -> tuple[sympy.Expr, ...]:
        """Return the right-hand sides, one per state, exactly or rounded; for order 2 velocities come first."""
        self._check_fitted()
        symbols = [symbol(name) for name in (*self._full_names(), *self.input_names_)]
        terms = self.library_.expressions(symbols)
        found = combined(terms, self.coefficients_)
        if self.model_.order == 2:
            found = [*symbols[len(self.state_names_) : 2 * len(self.state_names_)], *found]
        return tuple(found if digits is None else (rounded(expression, digits) for expression in found))

    def predict(self, x: Any, u: Any = None) -> Any:
        """Return the derivatives at states `x` (sample, state) under inputs `u`; a list for a list of arrays.

        For order 2 states are positions and velocities. Columns of tables are found by their names.
        """
        self._check_fitted()
        if isinstance(x, xr.Dataset) and "states" in x:
            x = Trajectories.from_xarray(x)
        if isinstance(x, Trajectories):
            check_alike(self._variables()._replace(dt=x.dt), x, "x")
            x, u = list(x.states), list(x.inputs)
        if isinstance(x, list | tuple) and x and np.ndim(x[0]) == 2:
            inputs = [None] * len(x) if u is None else u
            if len(inputs) != len(x):
                raise DataError(f"u: expected inputs for each of {len(x)} trajectories, as x has; got {len(inputs)}.")
            return [self.predict(states, forcing) for states, forcing in zip(x, inputs, strict=True)]
        states = columns("x", x, self._full_names())
        forcing = columns("u", np.zeros((*states.shape[:-1], 0)) if u is None else u, self.input_names_)
        if forcing.shape[:-1] != states.shape[:-1]:
            raise DataError(f"u: expected {states.shape[:-1]} rows, as x has; got {forcing.shape[:-1]}.")
        found = self.library_.evaluate(np.concatenate([states, forcing], axis=-1)) @ self.coefficients_
        if self.model_.order == 1:
            return found
        return np.concatenate([states[..., states.shape[-1] // 2 :], found], axis=-1)

    def simulate(self, x0: Any, t: Any, u: Any = None) -> Float[np.ndarray, "*trajectory time state"]:
        """Return states (time, state) at times `t` from `x0` (state,), or (trajectory, time, state) for several.

        The input of a row is held until the next. Integrated to a tolerance of 1e-9; rows after a state has run off to
        infinity are NaN. For order 2 states are positions and velocities. Names that come with `x0` and `u` are heeded.
        """
        self._check_fitted()
        return integrated(self.equations(), self._full_names(), self.input_names_, x0, t, u)

    def score(self, x: Any, t: Any = None, u: Any = None, x_dot: Any = None, x_ddot: Any = None) -> float:
        """Return R^2 of the derivatives (of accelerations for order 2), the mean over states; data as for `fit`."""
        self._check_fitted()
        data = trajectories_like(self.state_names_, self.input_names_, x, t, u)
        check_alike(self._variables()._replace(dt=data.dt), data, "x")
        measured = self._measured(data, x_dot, x_ddot, self.model_.order)
        states = states_of(measured, self.model_.order, self.derivative)
        blocks = strong_form(states.samples(), self.library_)
        check_rows(blocks, 2, "the samples that R^2 needs")
        theta, target = joined(blocks)
        return float(r2_score(target, theta @ self.coefficients_))

    def save(self, path: str | Path) -> None:
        """Write the fitted equations to one file, atomically; see `sparsedyn.load`."""
        self._check_fitted()
        sindy_saving.save(self, path)

    @property
    def coefficients_(self) -> Float[np.ndarray, "term equation"]:
        """The coefficients in the data's units."""
        self._check_fitted()
        return np.asarray(self.model_.coefficients)

    @property
    def library_(self) -> Library:
        """The terms."""
        self._check_fitted()
        return self.model_.library

    @property
    def dt_(self) -> float:
        """The sample time of the data."""
        return self._variables().dt

    @property
    def state_names_(self) -> tuple[str, ...]:
        """The names of the states; of the positions for order 2."""
        return self._variables().state_names

    @property
    def input_names_(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return self._variables().input_names

    _versions = (1,)

    @classmethod
    def _from_file(cls, stored: Stored) -> "SINDy":
        return sindy_saving.restored(stored.arrays, stored.header)

    def _adopt(self, found: Found, library: Library, variables: Variables) -> "SINDy":
        """Take over what was found."""
        self.model_ = SINDyModel(found.coefficients, library, self.order)
        self.thresholds_, self.members_ = found.thresholds, found.members
        self.variables_ = variables
        return self

    def _check_weak(self, measured: Measured) -> None:
        name = "x_dot" if self.order == 1 else "x_ddot"
        if self.weak is True and getattr(measured, name) is not None:
            raise DataError(f"{name}: expected none with weak=True, which needs no derivatives. Leave one of them out.")

    def _measured(self, data: Trajectories, x_dot: Any, x_ddot: Any, order: int) -> Measured:
        if x_ddot is not None and (order == 1 or x_dot is None):
            raise DataError("x_ddot: expected accelerations for order=2 along with velocities, x_dot; got them alone.")
        given = {"x_dot": x_dot, "x_ddot": x_ddot}
        return Measured(data, **{name: None if v is None else like(v, data, name) for name, v in given.items()})

    def _full_names(self) -> tuple[str, ...]:
        return tuple(full_names(self.state_names_, self.model_.order))

    def _table(self, values: Float[np.ndarray, "term equation"]) -> pd.DataFrame:
        names = self._full_names()
        equations = names[-len(self.state_names_) :]
        return pd.DataFrame(
            values, index=list(self.library_.names((*names, *self.input_names_))), columns=list(equations)
        )

    def _variables(self) -> Variables:
        self._check_fitted()
        return self.variables_

    def _check_fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise NotFittedError("SINDy: not fitted yet. Call fit(x, t) first, or sparsedyn.load(path).")
