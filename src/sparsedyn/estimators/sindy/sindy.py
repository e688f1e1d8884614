"""Sparse identification of nonlinear dynamics (SINDy), as a scikit-learn-compatible estimator."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float, Int
from sklearn.metrics import r2_score

from sparsedyn._blas import one_blas_thread
from sparsedyn._warnings import Report
from sparsedyn.data import DataError, Scaling, Trajectories
from sparsedyn.equations import Statement, combined, compiled, rounded, statements, symbol
from sparsedyn.estimators._checks import (
    Variables,
    check_alike,
    check_regular,
    variables_of,
)
from sparsedyn.estimators._dead_times import delays_of
from sparsedyn.estimators._delays import NO_DELAYS, Delays
from sparsedyn.estimators._dynamics import AbstractDynamics
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._inputs import parted, trajectories_like, trajectories_of, untimed
from sparsedyn.estimators._known import Known
from sparsedyn.estimators._states import steps_at
from sparsedyn.estimators._warmup import check_no_warm_up
from sparsedyn.estimators.sindy._constraints import Constraints
from sparsedyn.estimators.sindy._fitting import Identified
from sparsedyn.estimators.sindy._identification import identified
from sparsedyn.estimators.sindy._measured import (
    Measured,
    Recorded,
    check_weak,
    measured_of,
    statistics_of,
)
from sparsedyn.estimators.sindy._regression import check_rows, check_size, joined, strong_form
from sparsedyn.estimators.sindy._settings import INPUTS, RULES, Settings, check_combination, functions_of, settings_of
from sparsedyn.estimators.sindy._simulation import Forcing, Signal, function, held, integrated, interpolated
from sparsedyn.estimators.sindy._states import full_names, states_of
from sparsedyn.estimators.sindy._steady import (
    finding,
    steady_inputs,
    widened,
    widened_delays,
    widened_statistics,
    without,
)
from sparsedyn.estimators.sindy._weak import rows_along
from sparsedyn.forecast import Forecast
from sparsedyn.models import PRIMITIVES, Library, Primitive, SINDyModel
from sparsedyn.models.library import check_terms


class SINDy(AbstractDynamics):
    """Finds `dx/dt = theta(x, u) Xi` with few terms of a library, by thresholded least squares.

    Parameters
    ----------
    degree : of the polynomials of states and inputs.
    threshold : `"auto"`: as many terms as the measured states call for, those of validation trajectories where they are
        given, by an information criterion; units have no influence. Or coefficients smaller than this are zero: a
        number, or one per equation, on the scale of `scale`.
    functions : further terms, of every variable: names of `PRIMITIVES` such as `"sin"`, or primitives of one's own.
    constant : whether there is a constant term.
    order : 1, or 2 for positions whose accelerations are looked for; the state is then positions and velocities.
    optimizer : how terms are chosen: `"stlsq"`, or by gradient descent under a penalty, `"l0"` or `"l1"`, and then
        sequential thresholds on what it left. Values are those of least squares on the terms chosen.
    penalty : the weight of `"l0"` and `"l1"`.
    ensemble : `None`, or a number of fits to bootstrap samples, each with one term left out; coefficients are medians.
    weak : whether equations are integrated against test functions, which needs no derivatives and is more robust to
        noise; `auto`: for equations of first order where no derivatives are given, if trajectories are long enough.
    derivative : how derivatives are estimated: one of `DERIVATIVES`, or `auto`: `spline` where the states are smooth,
        and where they look noisy local polynomials over windows that suit the noise.
    inputs : what inputs do between rows: `held` at the value of the row until the next, or `interpolated` by a spline,
        as values that were sampled from a smooth function; `auto`: held, unless the data speak for the other.
    time : `continuous`, or `discrete` for maps, `x[k + 1] = theta(x[k], u[k]) Xi`: what is said of derivatives here
        holds for the states of the next row then, and `simulate` iterates the map, a row at a time.
    lags : with `time="discrete"`, how many earlier rows of states and inputs equations may have, `x[k-1]`, ...: delay
        coordinates, for plants of which some states are not measured. `"auto"`: as many as the error of the next row
        calls for, and a dead time for every input; see the guide.
    constraints : `sparsedyn.Constraints`: coefficients that are fixed, bounded, left out or tied to each other.
    known : the known part of the right-hand side, to which the rest is found: texts or SymPy expressions by state, such
        as `{"w": "-2*sin(theta)"}`, or a function of states (row, state) and inputs (row, input) that gives derivatives
        (row, state), for order 2 accelerations. A function cannot be saved.
    ridge : relative to the mean squares of terms; steadies the choice, does not change the values.
    seed : of bootstrap samples and gradient descent.
    scale : what numbers as `threshold` are compared with: `"coefficients"`, in the data's units, or `"contributions"`,
        the root mean square of what a term adds as a share of the derivative's, whatever the units.
    refine : whether terms are chosen by fits to the measured states (multiple shooting), and coefficients refined by
        such fits: noise and coarse rows then do little harm. `"auto"`: where regression leaves something unexplained
        and it is affordable, up to some thousand rows. Not for measured derivatives and ensembles.

    Attributes after `fit`: `model_`, `library_`, `coefficients_` (term, equation), `thresholds_` (per equation;
    with `"auto"`, the least coefficient that was kept), `members_` (member, term, equation; `None` without an
    ensemble), `report_` (what the checks at the end of the fit found; each finding is also a `SparsedynWarning`),
    `statistics_` (means and standard deviations of the data, in which errors of forecasts are counted), `inputs_`
    (`held` or `interpolated`), `time_`, `delays_` (lags and dead times), `known_` (the known part, or `None`), `dt_`,
    `state_names_`, `input_names_`.

    Source: Brunton, Proctor & Kutz 2016; Messenger & Bortz 2021 (weak form); Fasel et al. 2022 (ensembles); Bock 1983
    (multiple shooting); Chen & Chen 2008 (criterion).
    """

    _rules = RULES
    _fitted = "model_"
    statistics_: Scaling | None

    def __init__(
        self,
        degree: int = 2,
        threshold: float | Sequence[float] | Float[np.ndarray, " equation"] | str = "auto",
        *,
        functions: Sequence[str | Primitive] = (),
        constant: bool = True,
        order: int = 1,
        optimizer: str = "stlsq",
        penalty: float = 1e-3,
        ensemble: int | None = None,
        weak: bool | str = "auto",
        derivative: str = "auto",
        inputs: str = "auto",
        time: str = "continuous",
        lags: int | str = 0,
        constraints: Constraints | None = None,
        known: Any = None,
        ridge: float = 0.0,
        seed: int = 0,
        scale: str = "coefficients",
        refine: bool | str = "auto",
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
        self.inputs = inputs
        self.time = time
        self.lags = lags
        self.constraints = constraints
        self.known = known
        self.ridge = ridge
        self.seed = seed
        self.scale = scale
        self.refine = refine

    @one_blas_thread()
    def fit(
        self,
        x: Any,
        t: Any = None,
        u: Any = None,
        x_dot: Any = None,
        x_ddot: Any = None,
        *,
        validation: Any = None,
        trajectory: str | None = None,
        names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
    ) -> "SINDy":
        """Find the equations of states `x` at times `t` under inputs `u`, or of `Trajectories` alone.

        `x` is an array (time, state) or (trajectory, time, state), a list of trajectories, a table (rows of one
        trajectory have the same value in its column `trajectory`), or an xarray object; `t` the sample time or the
        times of all rows; `u` laid out as `x`. `x_dot` are measured derivatives, else they are estimated. For order 2,
        `x` are positions, `x_dot` velocities and `x_ddot` accelerations. Columns of their tables are found by the names
        of the states. By `validation` trajectories, also as the second argument, `threshold="auto"` chooses terms.

        Raises `DataError` for data that cannot be used, `ValueError` for parameters out of range.
        """
        self.check_parameters()
        settings = self.settings()
        t, validation = parted(t, validation)
        t = 1.0 if settings.time == "discrete" and untimed(x, t) else t
        data = trajectories_of(x, t, u, trajectory=trajectory, names=names, input_names=input_names, irregular=True)
        steady = steady_inputs(data)
        if steady and settings.known is not None:
            raise DataError(
                f"u: expected inputs that change along with known=; {', '.join(steady)} never does. Write its value in "
                "known, and leave it out."
            )
        if settings.time == "discrete" or (settings.weak and settings.order == 2):
            check_regular(data, "x")
        if settings.time == "discrete" and x_dot is not None:
            raise DataError("x_dot: expected none with time='discrete': states are followed by those of the next row.")
        variables = variables_of(data)
        moving = without(data, steady)
        delays = delays_of(settings.lags, moving)
        delayed = delays.augmented(moving)
        library = settings.library(len(data.state_names), len(delayed.input_names))
        check_size(library.size, sum(delayed.lengths))
        measured = measured_of(delayed, x_dot, x_ddot, settings.order, trajectory)
        check_weak(settings, measured)
        others = None
        if validation is not None:
            validation = trajectories_like(variables, validation, place="validation", irregular=True)
            check_alike(variables, validation, "validation")
            validation = without(validation, steady)
            others = Measured(delays.augmented(validation))
        if settings.time == "discrete":
            measured, others = measured.mapped(), others and others.mapped()
        found, report = identified(measured, others, library, settings, recorded=Recorded(moving, validation, delays))
        if steady:
            names = full_names(data.state_names, settings.order)
            terms = library.names([*names, *delays.names(data.state_names, moving.input_names)])
            delays = widened_delays(delays, data, steady)
            columns = delays.names(data.state_names, data.input_names)
            library = settings.library(len(data.state_names), len(columns))
            found = widened(found, terms, library, library.names([*names, *columns]))
            report = Report((finding(data, steady), *report))
        self._adopt(found, library, variables, widened_statistics(data, steady), report, delays)
        report.warn(stacklevel=4)  # past the decorator
        return self

    def settings(self) -> Settings:
        """Return the parameters in one form each; raises `ValueError` for unknown functions."""
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
        """Return the right-hand sides, one per state, exactly or rounded; for order 2 velocities come first.

        Their variables are `sparsedyn.equations.symbol(name)`, which are real; to SymPy, `sympy.Symbol(name)` is
        another. A known part is there as it was given; a function stands as `known_x`.
        """
        self._check_fitted()
        symbols = [symbol(name) for name in (*self._integrated_names, *self._column_names)]
        found = combined(self.library_.expressions(symbols), self.coefficients_)
        if self.known_ is not None:
            found = [whole + part for whole, part in zip(found, self.known_.symbolic(), strict=True)]
        if self.model_.order == 2:
            found = [*symbols[len(self.state_names_) : 2 * len(self.state_names_)], *found]
        return tuple(found if digits is None else (rounded(expression, digits) for expression in found))

    def statements(self) -> list[Statement]:
        """Return the equations with their left sides, `dx/dt` or `x[k+1]`."""
        return statements(
            "next" if self.time_ == "discrete" else "derivative", self._integrated_names, self.equations()
        )

    def forecast(self, data: Any, *, warmup: int | None = None, check_units: bool = True) -> Forecast:
        """Return forecasts of every trajectory, from its first row under its recorded inputs, at any sample time.

        With lags, forecasts begin after the first `warmup` rows, by default as few as the lags need, which are part of
        the forecast but not scored.

        For order 2, `data` are positions, and first velocities are estimated from them. Values that look like another
        unit raise `DataError` unless `check_units` is off. Errors are counted in standard deviations of the training
        data, or of `data` for a model that came without these, from PySINDy or an old file.
        """
        known = self._known(data, check_units=check_units)
        if self.delays_.rows:
            return self._after(known, warmup)
        check_no_warm_up(warmup)
        start = states_of(Measured(known), self.model_.order, self.derivative).first()
        predicted = self._along(known, start)[..., : len(self.state_names_)]
        measured = self.statistics_ or statistics_of(known)
        return self._with_bands(Forecast(predicted, known, np.asarray(measured.x_std)))

    def score(self, x: Any, t: Any = None, u: Any = None, x_dot: Any = None, x_ddot: Any = None) -> float:
        """Return R^2 of the derivatives, the mean over states; data as for `fit`.

        For order 2 they are those of velocities, and for discrete time the states of the next row.

        Under held inputs that are new at most rows they are mean derivatives over rows.

        1 is perfect. Of derivatives rather than of forecasts, as other implementations do: it is finite for every
        model, and cheap. `evaluate` judges forecasts.
        """
        self._check_fitted()
        data = trajectories_like(self.variables_, x, t, u, irregular=True)
        check_alike(self.variables_._replace(dt=data.dt), data, "x")
        measured = measured_of(data, x_dot, x_ddot, self.model_.order)
        if self.time_ == "discrete":
            check_alike(self.variables_, data, "x")
            measured = Measured(self.delays_.augmented(data)).mapped()
        model, states = self.model_, states_of(measured, self.model_.order, self.derivative, self.inputs_)
        # The hat over two rows, which second derivatives are integrated against, needs rows of one length.
        rows = data.regular or model.order == 1 or x_dot is not None
        if states.given is None and states.jumping and rows:
            # No curve through the states has these derivatives: rows are compared as wholes.
            form = partial(rows_along, states.whole, model.library, self.coefficients_, model.order)
        else:
            form = partial(strong_form, states.samples(), model.library)
        ways = [form(part) for part in (None, self.known_)]
        check_rows(ways[0], 2, "the samples that R^2 needs")
        (_, target), (theta, rest) = (joined(blocks) for blocks in ways)
        return float(r2_score(target, theta @ self.coefficients_ + target - rest))

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
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """How many terms the equations have, all states together."""
        return np.asarray([np.count_nonzero(self.coefficients_)])

    @property
    def _integrated_names(self) -> tuple[str, ...]:
        return tuple(full_names(self.state_names_, self.model_.order))

    @property
    def _column_names(self) -> tuple[str, ...]:
        """What the library has beside the states: inputs, or delayed columns."""
        return self.delays_.names(self.state_names_, self.input_names_)

    @property
    def _measured(self) -> Scaling:
        if self.statistics_ is None:
            raise DataError("SINDy: the model came without statistics of its data. Fit it with this version.")
        return self.statistics_

    def _derivatives(
        self, x: Float[np.ndarray, "sample state"], u: Float[np.ndarray, "sample input"]
    ) -> Float[np.ndarray, "1 sample state"]:
        found = self.library_.evaluate(np.concatenate([x, u], axis=-1)) @ self.coefficients_
        if self.known_ is not None:
            found = found + self.known_.values(x, u)
        if self.model_.order == 2:
            found = np.concatenate([x[..., x.shape[-1] // 2 :], found], axis=-1)
        return found[None]

    def _integrate(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        inputs: Float[np.ndarray, "trajectory time input"],
    ) -> Float[np.ndarray, "1 trajectory time state"]:
        if self.time_ == "discrete":
            return self.delays_.rolled(self._derivatives, start[:, None], inputs)
        between = held if self.inputs_ == "held" else partial(interpolated, times=times)
        return self._solved(start, times, [between(u) for u in inputs])

    def _integrate_under(
        self, start: Float[np.ndarray, "trajectory state"], times: Float[np.ndarray, " time"], u: Signal
    ) -> Float[np.ndarray, "1 trajectory time state"]:
        if self.time_ == "discrete":
            return super()._integrate_under(start, times, u)
        return self._solved(start, times, [function(u, times)] * len(start))

    def _clock(self, times: Float[np.ndarray, " time"]) -> tuple[Float[np.ndarray, " step"], np.ndarray]:
        return steps_at(times, self.dt_) if self.time_ == "discrete" else super()._clock(times)

    def _solved(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        inputs: Sequence[Forcing],
    ) -> Float[np.ndarray, "1 trajectory time state"]:
        names, known = [*self._integrated_names, *self.input_names_], self.known_
        if known is None or known.function is None:
            return integrated(compiled(self.equations(), names), start, times, inputs)[None]
        width = len(self._integrated_names)
        return integrated(
            lambda columns: self._derivatives(columns[:, :width], columns[:, width:])[0], start, times, inputs
        )[None]

    @property
    def _any_times(self) -> bool:
        return self.time_ == "continuous"

    def _known(self, data: Any, *, check_units: bool) -> Trajectories:
        return super()._known(data, check_units=check_units and self.statistics_ is not None)

    def _summary(self, digits: int) -> list[str]:
        return [statement.text(digits) for statement in self.statements()]

    def _check_combination(self) -> None:
        check_combination(self.settings())

    def _adopt(
        self,
        found: Identified,
        library: Library,
        variables: Variables,
        statistics: Scaling | None = None,
        report: Report | None = None,
        delays: Delays = NO_DELAYS,
    ) -> "SINDy":
        """Take over what was found."""
        self.model_ = SINDyModel(found.coefficients, library, self.order)
        self.thresholds_, self.members_ = found.thresholds, found.members
        self.inputs_, self.time_, self.known_ = found.inputs, found.time, found.known
        self.variables_, self.statistics_ = variables, statistics
        self.report_ = report or Report()
        self._delays = delays
        return self

    def _table(self, values: Float[np.ndarray, "term equation"]) -> pd.DataFrame:
        names = self._integrated_names
        terms = self.library_.names((*names, *self._column_names))
        return pd.DataFrame(values, index=list(terms), columns=list(names[-len(self.state_names_) :]))

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        library = self.library_
        if own := [f.name for f in library.functions if PRIMITIVES.get(f.name) is not f]:
            raise ValueError(
                f"functions: {', '.join(own)} cannot be saved, being of your own. Keep the equations: their text says "
                "everything."
            )
        # What was fitted, whatever has been set since: coefficients have the shape of this order.
        parameters = self.get_params(deep=False) | {
            "order": self.model_.order,
            "time": self.time_,
            "constraints": None if self.constraints is None else self.constraints.to_dict(),
            "known": None,
            "functions": [f.name for f in functions_of(self.functions)],
            "threshold": self.threshold if isinstance(self.threshold, str) else np.asarray(self.threshold).tolist(),
        }
        functions = [f.name for f in library.functions]
        header = {
            "parameters": parameters,
            "library": {"degree": library.degree, "constant": library.constant, "functions": functions},
            "variables": self.variables_._asdict(),
            "statistics": None if self.statistics_ is None else self.statistics_.to_dict(),
            "inputs": self.inputs_,
            "delays": self.delays_.to_dict(),
            "known": None if self.known_ is None else self.known_.to_dict(),
        }
        arrays = {"coefficients": self.coefficients_, "thresholds": self.thresholds_}
        return arrays | ({} if self.members_ is None else {"members": self.members_}), header

    @classmethod
    def _from_file(cls, stored: Stored) -> "SINDy":
        header, arrays = stored.header, stored.arrays
        parameters: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in header["parameters"].items()
        }
        if parameters.get("constraints") is not None:
            parameters["constraints"] = Constraints.from_dict(parameters["constraints"])
        estimator, variables, made = cls(**parameters), Variables.restored(header["variables"]), header["library"]
        estimator._check_rules("order", "time", "derivative")
        delays = Delays.from_dict(header.get("delays"))
        columns = delays.names(variables.state_names, variables.input_names)
        count = estimator.order * len(variables.state_names) + len(columns)
        equations = len(variables.state_names)
        check_terms(count, made["degree"], len(stored.array("coefficients", None, equations)))
        library = Library(count, made["degree"], functions_of(made["functions"]), made["constant"])
        stored.array("coefficients", library.size, equations)
        stored.array("thresholds", equations)
        if "members" in arrays:
            stored.array("members", None, library.size, equations)
        statistics, names = header.get("statistics"), full_names(variables.state_names, estimator.order)
        known = Known.from_dict(header.get("known"), [*names, *columns])
        estimator.known = known and known.parameter
        scaling = None if statistics is None else Scaling.from_dict(statistics)
        if scaling is not None:
            scaling.check_sizes(equations, len(variables.input_names), derivatives=False)
        inputs = header.get("inputs", "held")
        if inputs not in INPUTS:
            raise ValueError(f"inputs: expected one of {', '.join(INPUTS)}; got {inputs!r}")
        found = arrays["coefficients"], arrays["thresholds"], arrays.get("members"), inputs, estimator.time, known
        return estimator._adopt(Identified(*found), library, variables, scaling, delays=delays)
