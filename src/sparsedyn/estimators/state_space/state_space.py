"""Sparse state-space models from inputs and outputs, as a scikit-learn-compatible estimator."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd
import sympy
import xarray as xr
from jaxtyping import Bool, Float, Int

from sparsedyn._warnings import Finding, Report
from sparsedyn.data import DataError, Samples, Scaling, Trajectories
from sparsedyn.equations import Statement, rounded, statements
from sparsedyn.estimators._checks import Variables, check_alike, check_plausible, check_regular, variables_of
from sparsedyn.estimators._files import Stored
from sparsedyn.estimators._forecaster import AbstractForecaster
from sparsedyn.estimators._inputs import parted, trajectories_like, trajectories_of
from sparsedyn.estimators._progress import stage_bar
from sparsedyn.estimators._states import driven, rows_of
from sparsedyn.estimators._warmup import endless, warm_up
from sparsedyn.estimators.state_space._equations import expressions, in_units, state_names, table
from sparsedyn.estimators.state_space._initial import most_probable
from sparsedyn.estimators.state_space._report import report_of
from sparsedyn.estimators.state_space._search import searched
from sparsedyn.estimators.state_space._settings import RULES, settings_of
from sparsedyn.estimators.state_space._windows import warm_rows
from sparsedyn.forecast import Forecast
from sparsedyn.models import StateSpace
from sparsedyn.models.state_space import UNITS, WEIGHTS, free_run, weight_shapes
from sparsedyn.sparsify import from_spec, resolve, to_spec


class SparseStateSpace(AbstractForecaster):
    """Finds a sparse state-space model of a plant of which inputs and outputs are measured, but not the states.

    `z+ = A z + B u + c + F s(G z + H u + b)`, `y = C z + D u + d` from row to row, with few latent states `z`, few
    units `s`, and few weights. It is fitted to free runs: given inputs alone, its outputs are to follow the record.

    Parameters
    ----------
    states : how many latent states; `"auto"`: as few as forecast rows that were left out nearly as well as any.
    units : what the units compute: `"polynomial"` (a square and cubes), `"quadratic"` (squares), `"tanh"`, `"none"` (a
        linear model), or `"auto"`: all of these are tried, and judged by rows that were left out. Or `"network"`: many
        tanh units on a linear model, trained by gradient on the same free runs, and made sparse by a `technique`.
    nonlinear_units : how many units there are before elimination; by default 3, of a network 32.
    max_weights : the most weights that a model may have, or `None`.
    technique : of a network: a sparsification technique or a list of them, as for `SparseTimeStepper`. They act on the
        matrices of the units, `F`, `G` and `H`.
    steps, learning_rate : of a network's training, by Adam; four networks are trained, and rows left out judge them.
    seed : of the directions in which units start.

    Attributes after `fit`: `model_` (a `StateSpace` of standardized variables), `statistics_` (means and standard
    deviations of the data, in which errors are counted), `mean_` and `covariance_` (of the latent states in training),
    `error_` (mean squared error of free runs in training, standardized), `held_out_` (root mean squared error of rows
    that were left out, in standard deviations), `kept_` (which weights there are), `path_` (a table of all models from
    many weights to few), `report_` (what is to be known about the fit), `variables_`.

    Source: Paduart et al. 2010 (polynomial state-space models); Ljung 1999 (output-error methods).
    """

    _rules = RULES
    _fitted = "model_"

    model_: StateSpace
    statistics_: Scaling
    mean_: Float[np.ndarray, " state"]
    covariance_: Float[np.ndarray, "state state"]
    kept_: Bool[np.ndarray, " weight"]
    error_: float
    held_out_: float
    path_: pd.DataFrame

    def __init__(
        self,
        states: int | str = "auto",
        *,
        units: str = "auto",
        nonlinear_units: int | None = None,
        max_weights: int | None = None,
        technique: object = (),
        steps: int = 2000,
        learning_rate: float = 0.01,
        seed: int = 0,
    ):
        self.states = states
        self.units = units
        self.nonlinear_units = nonlinear_units
        self.max_weights = max_weights
        self.technique = technique
        self.steps = steps
        self.learning_rate = learning_rate
        self.seed = seed

    def fit(
        self,
        x: Any,
        t: Any = None,
        u: Any = None,
        *,
        validation: Any = None,
        trajectory: str | None = None,
        names: Sequence[str] | None = None,
        input_names: Sequence[str] | None = None,
        progress: bool | None = None,
        check_units: bool = True,
    ) -> "SparseStateSpace":
        """Find a model of the measured outputs `x` at times `t` under inputs `u`, or of `Trajectories` alone.

        `x` is an array (time, output), (time,) or (record, time, output), a list of records, a table (rows of one
        record have the same value in its column `trajectory`), or an xarray object; `t` the sample time or the times of
        all rows; `u` laid out as `x`. Models are judged by `validation` records, also as the second argument, or by
        rows of `x` that copies of the model are fitted without.

        `progress` draws a bar (default: on a terminal). What the checks at the end find is in `report_` and is warned
        of. Raises `DataError` for data that cannot be used, `ValueError` for parameters out of range.
        """
        self.check_parameters()
        settings = settings_of(self.get_params(deep=False))
        t, validation = parted(t, validation)
        data = trajectories_of(x, t, u, trajectory=trajectory, names=names, input_names=input_names)
        check_regular(data, "x")
        variables = variables_of(data)
        scaling = statistics_of(data)
        others = None
        if validation is not None:
            others = trajectories_like(variables, validation, place="validation")
            check_regular(others, "validation")
            check_alike(variables, others, "validation")
            if check_units:
                check_plausible(scaling, others)
        with stage_bar("state space", progress) as on_progress:
            found = searched(data, scaling, settings, validation=others, on_progress=on_progress)
        self.model_, self.statistics_, self.variables_ = found.model, scaling, variables
        self.mean_, self.covariance_, self.kept_ = found.mean, found.covariance, found.kept
        self.error_, self.held_out_ = found.error, found.chosen.judged
        self.path_ = pd.DataFrame(
            [
                (family, point.model.sizes[0], point.weights, np.sqrt(point.error), point.judged, point is found.chosen)
                for family, path in found.paths.items()
                for point in path
            ],
            columns=["units", "states", "weights", "error", "held_out", "chosen"],
        )
        self.report_ = report_of(found, variables, data)
        self.report_.warn()
        return self

    def predict(self, x: Any, u: Any = None) -> Any:
        """Return the outputs ([sample], output) that the model gives for records of outputs `x` and inputs `u`.

        The first rows of `x` show the initial latent state; all other rows follow from the inputs. There is no model of
        the noise, so the prediction one step ahead is the free run. For `Trajectories`, or several records, a list.
        """
        self._check_fitted()
        data = trajectories_like(self.variables_, x, None, u)
        made = self.forecast(data, check_units=False)
        found = [self._labelled(made.predicted[:, i, :rows], ("sample",), {}) for i, rows in enumerate(data.lengths)]
        several = isinstance(x, Trajectories | list | tuple) or np.ndim(x) == 3
        return found if several else found[0]

    def simulate(self, x0: Any, t: Any, u: Any = None, *, latent: bool = False) -> xr.DataArray:
        """Return outputs ([trajectory], time, output) under the inputs `u`, in the data's units.

        `x0` are the outputs of the first rows: (output,) for one, (row, output), or (trajectory, row, output) for
        several trajectories; the simulation begins with the first of them. With `latent`, `x0` is the latent state,
        (state,) or (trajectory, state). `t` and `u` as for the other models: times, or a number of rows; an array, a
        table or a function `u(t)`.
        """
        self._check_fitted()
        if u is None and not callable(t) and np.ndim(t) >= 2:
            t, u = np.shape(t)[-2], t
        names = self.latent_names_ if latent else self.state_names_
        given = rows_of(x0 if np.ndim(x0) else np.atleast_1d(x0), names, "x0").astype(np.float64)
        axes = 2 if latent else 3
        if given.ndim > axes:
            raise DataError(f"x0: expected at most {axes} axes; got the shape {given.shape}.")
        start = given.reshape((1,) * (axes - given.ndim) + given.shape)
        forcing, rows, stamps = driven(t, u, self.dt_, self.input_names_, len(start))
        if not latent:
            if start.shape[1] > forcing.shape[1]:
                raise DataError(f"x0: expected at most {forcing.shape[1]} rows, as t has; got {start.shape[1]}.")
            start = self._initial(start, forcing[:, : start.shape[1]])
        found = self._outputs(start, forcing)[0][None, :, rows]
        result = self._labelled(found, ("trajectory", "time"), {"time": stamps})
        return result if given.ndim == axes else result.isel(trajectory=0)

    def forecast(self, data: Any, *, warmup: int | None = None, check_units: bool = True) -> Forecast:
        """Return free runs over every trajectory under its recorded inputs.

        The latent state at the first row is the most probable one given the outputs of the first `warmup` rows: by
        default 50, or a tenth of a short record, or as many as in calibration. These rows are part of the forecast, but
        are not scored. Values that look like another unit raise `DataError` unless `check_units` is off. Where inputs
        or states go beyond those of training, the forecast's `report` says so.
        """
        known = self._known(data, check_units=check_units)
        check_regular(known, "data")
        warm = warm_up(warmup, self.usual_warm_up(known.lengths), known.lengths)
        inputs = endless(known, self.statistics_)
        first = np.stack([outputs[:warm] for outputs in known.states])
        predicted, states = self._outputs(self._initial(first, inputs[:, :warm]), inputs)
        report = Report(self._outside(states, inputs, known.lengths))
        report.warn()
        std = np.asarray(self.statistics_.x_std)
        made = Forecast(predicted[None], known, std, warmup=warm, report=report)
        return self._with_bands(made)

    def usual_warm_up(self, lengths: Sequence[int]) -> int:
        """Return how many first rows of trajectories of these lengths show the latent state, as in `forecast`."""
        shortest = min(lengths)
        if self.calibration_ is not None and (calibrated := int(self.calibration_.edges[0])) < shortest:
            return calibrated
        return warm_rows(shortest)

    def equations(self, digits: int | None = None) -> tuple[sympy.Expr, ...]:
        """Return the latent states of the next row, then the outputs, in the data's units, exactly or rounded.

        Their variables are `sparsedyn.equations.symbol(name)` of `latent_names_` and `input_names_`. Bounds on the
        arguments of units, which act only outside the range of training, are left out.
        """
        self._check_fitted()
        parts = expressions(in_units(self.model_, self.statistics_), self.latent_names_, self.input_names_)
        found = (*parts[0], *parts[1])
        return found if digits is None else tuple(rounded(expression, digits) for expression in found)

    def statements(self) -> list[Statement]:
        """Return the equations with their left sides: latent states of the next row, then outputs, `y[k]`."""
        rights, latent = self.equations(), len(self.latent_names_)
        following = statements("next", self.latent_names_, rights[:latent])
        return [*following, *statements("now", self.state_names_, rights[latent:])]

    def coefficients(self) -> pd.DataFrame:
        """Return the weights in the data's units: a row per next state, argument and output, a column per term."""
        self._check_fitted()
        model = in_units(self.model_, self.statistics_)
        return table(model, self.latent_names_, self.input_names_, self.state_names_)

    @property
    def latent_names_(self) -> tuple[str, ...]:
        """The names of the latent states: z1, z2, ..."""
        self._check_fitted()
        return state_names(self.model_.sizes[0], (*self.state_names_, *self.input_names_))

    @property
    def nonzeros_(self) -> Int[np.ndarray, " member"]:
        """How many weights there are."""
        self._check_fitted()
        return np.asarray([int(self.kept_.sum())])

    @property
    def weights_(self) -> int:
        """How many weights a model of this size has before elimination."""
        self._check_fitted()
        return int(self.kept_.size)

    @property
    def _measured(self) -> Scaling:
        return self.statistics_

    def _initial(
        self, y: Float[np.ndarray, "run row output"], u: Float[np.ndarray, "run row input"]
    ) -> Float[np.ndarray, "run state"]:
        """Return the latent states at the first of these rows."""
        scaling = self.statistics_
        scaled = ((u - scaling.u_mean) / scaling.u_std, (y - scaling.x_mean) / scaling.x_std)
        return most_probable(self.model_, self.mean_, self.covariance_, self.error_, *scaled)

    def _outputs(
        self, start: Float[np.ndarray, "run state"], u: Float[np.ndarray, "run row input"]
    ) -> tuple[Float[np.ndarray, "run row output"], Float[np.ndarray, "run row state"]]:
        """Return outputs in the data's units, and latent states."""
        scaling = self.statistics_
        with jax.enable_x64(True):
            found = free_run(self.model_, start, (u - scaling.u_mean) / scaling.u_std)
        states, outputs = map(np.asarray, found)
        return outputs * scaling.x_std + scaling.x_mean, states

    def _outside(
        self,
        states: Float[np.ndarray, "run row state"],
        u: Float[np.ndarray, "run row input"],
        lengths: tuple[int, ...],
    ) -> list[Finding]:
        """Return a finding where arguments of units are clipped, being far from those of training."""
        model, scaling = self.model_, self.statistics_
        with np.errstate(over="ignore", invalid="ignore"):
            arguments = states @ model.G.T + ((u - scaling.u_mean) / scaling.u_std) @ model.H.T + model.b
        clipped = np.any(~((arguments >= model.low) & (arguments <= model.high)), axis=-1)
        rows = sum(int(own[:length].sum()) for own, length in zip(clipped, lengths, strict=True))
        if not rows:
            return []
        return [
            Finding(
                "outside-training",
                f"{rows:,} of {sum(lengths):,} rows of the forecast are more than 25 % beyond the range of training, "
                "where the model was not tried: its units are held at the end of the range there.",
            )
        ]

    def _summary(self, digits: int) -> list[str]:
        return [statement.text(digits) for statement in self.statements()]

    def _to_file(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        model = self.model_
        bounds = {name: getattr(model, name) for name in ("low", "high", "floor", "ceiling")}
        arrays = {name: np.asarray(getattr(model, name)) for name in WEIGHTS} | bounds
        arrays |= {"mean": self.mean_, "covariance": self.covariance_, "kept": self.kept_}
        return arrays, {
            "parameters": self.get_params(deep=False)
            | {"technique": [to_spec(link) for link in resolve(self.technique).links]},
            "units": list(model.units),
            "error": self.error_,
            "held_out": self.held_out_,
            "path": self.path_.to_dict(orient="list"),
            "variables": self.variables_._asdict(),
            "statistics": self.statistics_.to_dict(),
        }

    @classmethod
    def _from_file(cls, stored: Stored) -> "SparseStateSpace":
        header, arrays = stored.header, stored.arrays
        parameters = header["parameters"]
        made = cls(**parameters | {"technique": [from_spec(spec) for spec in parameters.get("technique", ())] or ()})
        made.variables_ = Variables.restored(header["variables"])
        outputs, inputs = len(made.variables_.state_names), len(made.variables_.input_names)
        states, units = len(stored.array("A", None, None)), tuple(header["units"])
        shapes = weight_shapes(states, inputs, outputs, len(units))
        shapes |= {"low": (len(units),), "high": (len(units),), "floor": (outputs,), "ceiling": (outputs,)}
        fields = {name: stored.array(name, *shape) for name, shape in shapes.items()}
        if unknown := set(units) - set(UNITS):
            raise ValueError(f"units: expected some of {', '.join(UNITS)}; got {sorted(map(str, unknown))}")
        made.model_ = StateSpace(**fields, units=units)
        made.mean_, made.covariance_ = stored.array("mean", states), stored.array("covariance", states, states)
        made.kept_ = arrays["kept"]
        if made.kept_.dtype != bool or made.kept_.shape != made.model_.ravel().shape:
            raise ValueError(f"kept: a truth value per weight expected; got {made.kept_.dtype} {made.kept_.shape}")
        made.error_, made.held_out_ = float(header["error"]), float(header["held_out"])
        made.path_ = pd.DataFrame(header["path"])
        made.statistics_ = Scaling.from_dict(header["statistics"])
        made.statistics_.check_sizes(outputs, inputs)
        return made


def statistics_of(data: Trajectories) -> Scaling:
    """Return means and standard deviations of outputs and inputs; raises `DataError` for one that never changes."""
    y, u = np.concatenate(data.states), np.concatenate(data.inputs)
    return Scaling.fit(Samples(y, u, y), state_names=data.state_names, input_names=data.input_names)
