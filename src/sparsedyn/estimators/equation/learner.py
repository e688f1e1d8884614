"""Governing equations from trajectories: a scikit-learn-compatible estimator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import sympy
from jaxtyping import Float, Int

from sparsedyn._blas import one_blas_thread
from sparsedyn._warnings import Finding
from sparsedyn.data import Scaling, Trajectories, samples
from sparsedyn.data.derivatives import AUTO, FOLLOWING
from sparsedyn.data.pieces import jumping
from sparsedyn.equations import Columns, Statement, rounded, standardized, statements, strength
from sparsedyn.estimators._checks import Variables, check_plausible, variables_of
from sparsedyn.estimators._dead_times import delays_of
from sparsedyn.estimators._delays import Delays, check_lags
from sparsedyn.estimators._ensemble import AbstractEnsemble
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._inputs import recorded
from sparsedyn.estimators._known import Known, known_of
from sparsedyn.estimators._progress import stage_bar
from sparsedyn.estimators._report import across, drifts, report_of
from sparsedyn.estimators._states import CLOCK, is_clocked
from sparsedyn.estimators._warmup import check_no_warm_up
from sparsedyn.estimators.equation._by_networks import by_networks
from sparsedyn.estimators.equation._checks import LEARNER_RULES, check_primitives
from sparsedyn.estimators.equation._expressions import Equation, empty, is_constant
from sparsedyn.estimators.equation._forms import forms_by_state
from sparsedyn.estimators.equation._learner_file import contents, restored
from sparsedyn.estimators.equation._left_open import AbstractLeftOpen
from sparsedyn.estimators.equation._nothing import Nothing, effects, whole_of, with_known
from sparsedyn.estimators.equation._plant_units import check_clock, plant_units
from sparsedyn.estimators.equation._right_hand_sides import task_of
from sparsedyn.estimators.equation._search import Found
from sparsedyn.estimators.equation._settings import search_of
from sparsedyn.estimators.equation._units import Unit
from sparsedyn.estimators.equation.trajectories._doubts import doubts
from sparsedyn.estimators.equation.trajectories._outcome import Constant, outcome
from sparsedyn.estimators.equation.trajectories._smooth import smooth_inputs
from sparsedyn.estimators.equation.trajectories._way import (
    STATES,
    Alternative,
    prior_of,
    way_of,
)
from sparsedyn.estimators.shooting_search._problem import CLEAN, PRECISION
from sparsedyn.estimators.sindy._simulation import held, integrated
from sparsedyn.forecast import MAP, Forecast
from sparsedyn.models import PerState, Primitive

WILD = 100.0
"""Standard deviations from the mean of the data at which steps are suspected to be too long."""
DRIFTING = (
    "The equations miss something, or disturbances drive the states: equations follow these, and forecasts drift away. "
    "Give inputs or states that are missing, or take SINDy, which then chooses terms by what they foretell of the next "
    "row, or SparseStateSpace."
)
FITTED = 0.5
"""Share of the trials whose terms are fitted: right-hand sides are more often sums of plain terms than ratios."""


class EquationLearner(AbstractLeftOpen, AbstractEnsemble):
    """Finds the right-hand side `dx/dt = f(x, u)` as equations, one per state, and integrates them.

    Sums of typed terms (monomials, trigonometric and other functions, saturations) are fitted to the measured states by
    multiple shooting, all equations together; the criterion is `sum over states of N log(RSS/N + floor^2) + 2 price
    of terms + log N per constant`, less being better. Networks that are fitted to estimated derivatives, each state by
    itself, are the other way.

    Parameters
    ----------
    trials, seed, primitives, hidden, regularizer, networks, generations, steps, share : of the search by networks, as
        in `EquationRegressor`. Estimated derivatives are never exact, so a search goes on to its end: it is shorter.
    search : `states`, `networks`, or `auto`: states, unless something is asked for that only networks have:
        `primitives` of one's own, a `derivative` by name, a `known` part that is a function or no sum of products,
        measured derivatives, `time="discrete"`, or where Numba cannot be used (`SPARSEDYN_NATIVE=0`).
    floor : precision of measured states without noise, as a share of a state: errors below it count as rounding.
        Solvers and loggers are no more precise than that.
    derivative : how derivatives are estimated: one of `DERIVATIVES`, or `auto`: `spline` where the states are smooth,
        `smoothing-spline` where they look noisy.
    method : the integrator of forecasts, `rk4` or `euler`.
    known : the known part of the right-hand side, to which the rest is found: texts or SymPy expressions by state, such
        as `{"w": "-2*sin(theta)"}`, or a function of states (row, state) and inputs (row, input) that gives derivatives
        (row, state). A function cannot be saved.
    candidates : right-hand sides of your own, by state, such as `{"x": ["mu*x/(K + x)", "r*x*(1 - x/K)"]}`, or texts
        that are tried for every state. Names that are no states or inputs are constants to be fitted, and so is every
        `_`. They are judged with the rest; see `compare_candidates`.
    units : of every state and input, and of time, which is called `"t"`: texts such as `"mg/L"`, exponents such as
        `{"m": 1, "s": -1}`, or `None` for numbers. Terms that no constant makes homogeneous, such as the sine of a
        length, are left out, and constants have units.
    time : `continuous`, or `discrete` for maps: equations then give the states of the next row instead of derivatives,
        and forecasts iterate them.

    lags : with `time="discrete"`, how many earlier rows of states and inputs equations may have, `x[k-1]`, ..., or
        `"auto"`; as for `SINDy`.

    Attributes after `fit`: `search_` (`states` or `networks`), `constants_` and `alternatives_` (see the methods of
    these names), `models_` (one member; zeros where equations are no network's), `scaling_` (the powers of two that its
    variables are divided by), `statistics_` (means and standard deviations of the training data, in which errors are
    counted), `alive_`, `known_` (the known part, or `None`), `candidates_` (per state, all candidate equations, the
    chosen first), `noise_` (standard deviations of what equations leave of the states, `None` where networks were the
    search), `found_` (the searches by networks, else `None`; not kept in files), `report_` (what the checks at the end
    of the fit found; each finding is also a `SparsedynWarning`), `time_`, `delays_` (lags and dead times), `dt_`,
    `state_names_`, `input_names_`.

    Source: Sahoo et al. 2018; Kim et al. 2019.
    """

    # Nothing is subtracted from the variables, and float32 loses the small steps of a large temperature in kelvin.
    precision = "float64"
    _rules = LEARNER_RULES
    _versions = (2,)

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
        search: str = "auto",
        floor: float = PRECISION,
        time: str = "continuous",
        lags: int | str = 0,
        known: Any = None,
        candidates: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None = None,
        units: Mapping[str, Unit] | None = None,
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
        self.search = search
        self.floor = floor
        self.time = time
        self.lags = lags
        self.known = known
        self.candidates = candidates
        self.units = units

    @one_blas_thread()
    def fit(
        self,
        x: Any,
        t: Any = None,
        u: Any = None,
        *,
        x_dot: Any = None,
        validation: Any = None,
        trajectory: str | None = None,
        names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
        progress: bool | None = None,
        check_units: bool = True,
    ) -> "EquationLearner":
        """Find the equations of states `x` at times `t` under inputs `u`, or of `Trajectories` alone.

        `x` is an array (time, state) or (trajectory, time, state), a list of trajectories, a table (rows of one
        trajectory have the same value in its column `trajectory`), or an xarray object; `t` the sample time or the
        times of all rows; `u` laid out as `x`. `x_dot` are measured derivatives, else they are estimated. Equations are
        judged on `validation` trajectories, also as the second argument, or on samples held out.

        `progress` draws a bar (default: on a terminal). Raises `DataError` for data that cannot be used, `ValueError`
        for parameters out of range.
        """
        self.check_parameters()
        options: dict[str, Any] = {"trajectory": trajectory, "names": names, "input_names": input_names}
        whole = recorded(x, t, u, x_dot=x_dot, validation=validation, time=self.time, **options)
        data, validation, delays = whole.data, whole.validation, delays_of(self.lags, whole.data)
        columns = delays.names(data.state_names, data.input_names)
        known = known_of(self.known, [*data.state_names, *columns], data.state_names)
        units = plant_units(self.units, data.state_names, data.input_names, columns, discrete=self.time == "discrete")
        check_clock(units, x, t, data)
        prior = prior_of(known, units, [*data.state_names, *columns])
        forms = forms_by_state(self.candidates, data.state_names, [*data.state_names, *columns])
        given = whole._replace(known=known)
        if delays.rows:
            held_out = None if validation is None else delays.augmented(validation)
            given = given._replace(data=delays.augmented(data), validation=held_out)
        if known is not None:
            known.check(given.data)
        derivative = FOLLOWING if self.time == "discrete" else self.derivative
        task = task_of(given, derivative=derivative, share=self.share, seed=self.seed)
        measured = samples(data, FOLLOWING) if delays.rows else task.pooled
        statistics = Scaling.fit(measured, state_names=data.state_names, input_names=data.input_names)
        if validation is not None and check_units:
            check_plausible(statistics, validation)
        search = way_of(self, whole, prior)
        constants: list[Constant] = []
        alternatives: list[Alternative] = []
        noise: Float[np.ndarray, " state"] | None = None
        if search == STATES:
            assert prior is not None
            with stage_bar("equations", progress) as on_progress:
                made = outcome(data, validation, self.floor, forms, prior, units, self.seed, on_progress)
            equations, constants, fates = made.equations, made.constants, made.fates
            noise = np.maximum(made.noise, self.floor * made.sizes)
            alternatives = [(with_known(exprs, known), score) for exprs, score in made.models]
            searches: list[Found | None] = [None] * len(equations)
        else:
            titles = [f"{name}[k+1]" if self.time == "discrete" else f"d{name}/dt" for name in data.state_names]
            settings = replace(search_of(self), fitted=FITTED)
            equations, searches, fates = by_networks(settings, task, forms, units, titles, progress)
        # Only now: a search that is interrupted leaves what was fitted before as it was.
        self.search_, self.noise_, self.found_ = search, noise, searches
        self.constants_, self.alternatives_, self.fates_ = constants, alternatives, fates
        self._adopt(equations, task.scaling, statistics, variables_of(data), self.time, delays, known)
        said: list[Finding | None] = [*self._checked(whole)]
        if derivative not in (AUTO, FOLLOWING) and given.x_dot is None and jumping(data):
            said.append(across(derivative, "Take derivative='auto'."))
        if search == STATES:
            said += [drifts(data.state_names, made.related, sum(data.lengths), DRIFTING), *smooth_inputs(data)]
        self.report_ = report_of(said)
        self.report_.warn(stacklevel=4)  # past the decorator
        return self

    def equations(self, digits: int | None = None) -> tuple[sympy.Expr, ...]:
        """Return the right-hand sides, one per state, in the data's names and units, exactly or rounded.

        Their variables are `sparsedyn.equations.symbol(name)`, which are real; to SymPy, `sympy.Symbol(name)` is
        another. A known part is there as it was given; a function stands as `known_x`.
        """
        self._check_fitted()
        found = with_known([candidates[0].expression for candidates in self.candidates_], self.known_)
        return found if digits is None else tuple(rounded(expression, digits) for expression in found)

    def statements(self) -> list[Statement]:
        """Return the equations with their left sides, `dx/dt` or `x[k+1]`."""
        return statements("next" if self.time_ == "discrete" else "derivative", self.state_names_, self.equations())

    @property
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """Weights of the networks that the equations are read off, or constants, all states together."""
        self._check_fitted()
        return np.asarray([sum(candidates[0].weights for candidates in self.candidates_)])

    def dependence(self, data: Trajectories) -> Float[np.ndarray, "member output feature"]:
        """Return how strongly every derivative depends on every state and input; see `AbstractEnsemble.dependence`."""
        if not self._networks:
            known = self._known(data, check_units=False)
            x, u = np.concatenate(known.states), np.concatenate(known.inputs)
            return effects(self._written, self._columns, x, u)[None] / self.statistics_.dx_std[:, None]
        in_sizes = strength(
            self.models_, *standardized(self.delays_.augmented(self._known(data, check_units=False)), self.scaling_)
        )
        return in_sizes * (self.scaling_.dx_std / self.statistics_.dx_std)[:, None]

    def forecast(
        self, data: Any, *, warmup: int | None = None, scaling: Scaling | None = None, check_units: bool = True
    ) -> Forecast:
        """Return forecasts of every trajectory, from its first row under its recorded inputs.

        With lags, they begin after the first `warmup` rows, by default as few as the lags need, which are part of the
        forecast but not scored. `scaling` and `check_units` as for `SparseTimeStepper`. At other times than rows of the
        training's sample time, equations of continuous time are integrated to these times, under held inputs.
        """
        if self.delays_.rows:
            return self._after(self._known(data, check_units=check_units), warmup)
        check_no_warm_up(warmup)
        known = self._known(data, check_units=check_units)
        if self._networks and known.regular and np.isclose(known.dt, self.dt_, rtol=CLOCK):
            return super().forecast(known, scaling=scaling, check_units=False)
        predicted = self._along(known, np.stack([states[0] for states in known.states]))
        std = self._measured.x_std if scaling is None else scaling.x_std
        return self._with_bands(Forecast(predicted, known, np.asarray(std)))

    @property
    def _columns(self) -> list[str]:
        return [*self.state_names_, *self.delays_.names(self.state_names_, self.input_names_)]

    @property
    def _written(self) -> list[sympy.Expr]:
        """The equations without a known part."""
        return [candidates[0].expression for candidates in self.candidates_]

    @property
    def _networks(self) -> bool:
        """Whether equations are read off networks, which are then integrated."""
        return not isinstance(self.models_, Nothing)

    @property
    def _added(self) -> Callable[..., np.ndarray] | None:
        if self._networks:
            return super()._added
        return whole_of(self._written, self.known_, self._columns)

    @property
    def _measured(self) -> Scaling:
        return self.statistics_

    @property
    def _advance(self) -> str:
        return MAP if self.time_ == "discrete" else self.method

    @property
    def _any_times(self) -> bool:
        return self.time_ == "continuous"

    def _clock(self, times: Float[np.ndarray, " time"]) -> tuple[Float[np.ndarray, " step"], np.ndarray]:
        if self._any_times and not is_clocked(times, self.dt_):
            return times - times[0], np.arange(len(times))
        return super()._clock(times)

    def _integrate(
        self,
        start: Float[np.ndarray, "trajectory state"],
        times: Float[np.ndarray, " time"],
        inputs: Float[np.ndarray, "trajectory time input"],
    ) -> Float[np.ndarray, "1 trajectory time state"]:
        """Step from row to row of the training's sample time, and integrate to any other times.

        Runs that leave the data far behind are integrated again: steps of a row may be too long for fast equations.
        """
        if self._any_times and not np.allclose(np.diff(times), self.dt_, rtol=CLOCK, atol=0):
            return integrated(self._field, start, times, [held(u) for u in inputs])[None]
        states = super()._integrate(start, times, inputs)
        if self._any_times and not self._networks and len(times) > 1:
            away = np.abs((states[0] - self.statistics_.x_mean) / self.statistics_.x_std)
            wild = np.flatnonzero(~np.all(away < WILD, axis=(1, 2)))
            if wild.size:
                forcing = [held(inputs[k]) for k in wild]
                states[0, wild] = integrated(self._field, start[wild], times, forcing, method="LSODA")
        return states

    @property
    def _field(self) -> Columns:
        """Derivatives for columns of states, then inputs; equations are called as they are, one row after the other."""
        width, added = len(self.state_names_), self._added
        if self._networks or added is None:
            return lambda columns: self._derivatives(columns[:, :width], columns[:, width:])[0]
        return lambda columns: added(columns[:, :width], columns[:, width:])

    def _check_combination(self) -> None:
        check_primitives(self.primitives)
        check_lags(self.lags, self.time)

    def _idle(self, data: Trajectories) -> list[Finding]:
        if self.noise_ is not None:
            sizes = np.sqrt(np.mean(np.square(np.concatenate(data.states)), axis=0))
            noisy = bool(np.any(self.noise_ > CLEAN * self.floor * sizes))
            return doubts(self.constants_, sum(data.lengths) * len(sizes), noisy=noisy)
        if self.known_ is not None:
            return []
        triples = zip(self.state_names_, self.candidates_, self.found_, strict=True)
        return [empty(name, found, self.time_) for name, found, search in triples if search and is_constant(found[0])]

    def _summary(self, digits: int) -> list[str]:
        lines = [statement.text(digits) for statement in self.statements()]
        for name in self.state_names_:
            own = [f"{one.value:.{digits}g} {one.unit}" for one in self.constants_ if one.state == name and one.unit]
            lines += [f"constants of {name}: {', '.join(own)}"] if own else []
        return lines

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return contents(self)

    @classmethod
    def _from_file(cls, stored: Stored) -> "EquationLearner":
        return restored(cls, stored)

    def _adopt(
        self,
        equations: list[list[Equation]],
        scaling: Scaling,
        statistics: Scaling,
        variables: Variables,
        time: str,
        delays: Delays,
        known: Known | None,
    ) -> "EquationLearner":
        """Take over what was found."""
        self.candidates_ = equations
        self.scaling_ = scaling
        self.statistics_ = statistics
        networks = tuple(candidates[0].model for candidates in equations if candidates[0].model is not None)
        model = PerState(networks) if len(networks) == len(equations) else Nothing(np.zeros(len(equations)))
        self.models_ = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64)[None], model)
        self.alive_ = np.ones(1, bool)
        self.variables_ = variables
        self.time_ = time
        self._delays = delays
        self.known_ = known
        return self
