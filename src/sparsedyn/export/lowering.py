"""Fitted models of every kind as programs."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np
import sympy

from sparsedyn.equations import symbol
from sparsedyn.estimators import EquationLearner, EquationRegressor, SINDy, SparseStateSpace, SparseTimeStepper
from sparsedyn.estimators._delays import Delays
from sparsedyn.export.formulas import formulas, identifier
from sparsedyn.export.latent import latent
from sparsedyn.export.names import variables
from sparsedyn.export.networks import networks
from sparsedyn.export.program import Block, Program, Sum, Variable, block_of
from sparsedyn.export.selection import selected
from sparsedyn.export.substeps import substeps_of
from sparsedyn.models import MLP

MEAN = "mean"
HELD = "Inputs are held over a step; the model was fitted to inputs that are interpolated between rows."


def program(
    model: Any,
    member: int | str | None = None,
    *,
    shared: bool = True,
    substeps: int | None = None,
    only: str | None = None,
) -> Program:
    """Return a fitted model as assignments of numbers, which every target is printed from.

    Of an ensemble, `member` is the number of one (from 0), or `"mean"` for the mean of the derivatives of all that are
    alive; by default it is the one with the least error at the end of training, on validation data where there were
    any. With `shared`, terms that equations have more than once are computed once. Models in continuous time without a
    step of their own (`SINDy`) are stepped by `substeps` Runge-Kutta steps a row, by default so many that a step is
    right to 1e-9 of the states' standard deviations. With `only`, the name of a state or output, there is what this one
    needs: the states that it depends on, directly or through others, and their inputs.

    **Raises:** `TypeError` for models that cannot be exported; `ValueError` for members and names that are not there,
    models whose equations have no finite value, and parts that are Python functions.
    """
    for kind, made in KINDS.items():
        if isinstance(model, kind):
            model._check_fitted()
            whole = made(model, member, shared, substeps)
            return whole if only is None else selected(whole, only)
    raise TypeError(
        f"model: expected one of {', '.join(kind.__name__ for kind in KINDS)}, fitted; got {type(model).__name__}."
    )


def member_of(model: Any, member: int | str | None) -> int | str:
    """Return the number of a member, or `"mean"`; see `program`."""
    alive = np.flatnonzero(model.alive_)
    if not len(alive):
        raise ValueError("model: expected a member that lives; all died in training. Lower the learning rate.")
    if member is None:
        return _best(model, alive)
    if member == MEAN:
        return MEAN if len(alive) > 1 else int(alive[0])
    if isinstance(member, bool) or not isinstance(member, int) or member not in alive:
        raise ValueError(
            f"member: expected {MEAN!r} or the number of a member that lives, {', '.join(map(str, alive))}; got "
            f"{member!r}."
        )
    return member


def _check_alone(member: int | str | None) -> None:
    """Raise `ValueError` for a member of a model that has none."""
    if member not in (None, 0, MEAN):
        raise ValueError(f"member: expected none, 0 or {MEAN!r}, since there is one model; got {member!r}.")


def _best(model: Any, alive: np.ndarray) -> int:
    """The living member with the least error at the end of training."""
    if len(alive) == 1 or not len(model.history_):
        return int(alive[0])
    ends = model.history_.groupby("member").last().loc[alive]
    errors = ends["validation"].where(np.isfinite(ends["validation"].astype(float)), ends["loss"])
    return int(alive[int(np.nanargmin(errors.to_numpy(float)))])


def networks_of(model: SparseTimeStepper, member: int | str | None) -> list[MLP]:
    """Return the network of a member, or those of all that live for their mean, in NumPy."""
    chosen = member_of(model, member)
    numbers = np.flatnonzero(model.alive_) if chosen == MEAN else [chosen]
    return [jax.tree.map(lambda leaf, k=k: np.asarray(leaf)[k], model.models_) for k in numbers]


def known_part(model: SparseTimeStepper, shared: bool = True) -> Block | None:
    """Return what of the derivatives is known, where there is such a part."""
    if model.known_ is None:
        return None
    states, inputs = _columns(model, model.scaling_)
    exprs = [expr / sympy.Float(model.known_.per) for expr in model.known_.symbolic()]
    return formulas(exprs, _renaming(states, inputs), shared=shared, left=[one.name for one in states])


def _stepper(model: SparseTimeStepper, member: int | str | None, shared: bool, substeps: int | None) -> Program:
    chosen, models = member_of(model, member), networks_of(model, member)
    states, inputs = _columns(model, model.scaling_)
    block = networks(models, [one.identifier for one in (*states, *inputs)], model.scaling_)
    if (known := known_part(model, shared)) is not None:
        block = _added(block, known)
    of = f"the mean of {len(models)} members" if chosen == MEAN else f"member {chosen} of {len(model.alive_)}"
    return Program(
        f"SparseTimeStepper, {of}",
        states,
        inputs,
        rhs=block,
        method=model.method,
        dt=model.dt_,
        substeps=_explicit(substeps),
    )


def _added(network: Block, known: Block) -> Block:
    """The sums of what networks and known parts give."""
    parts = [(f"f{i + 1}", right) for i, right in enumerate(network.results)]
    results = [identifier(name) + right for (name, _), right in zip(parts, known.results, strict=True)]
    return block_of([*network.assignments, *parts, *known.assignments], results)


def _equations(model: SINDy | EquationLearner, member: int | str | None, shared: bool, substeps: int | None) -> Program:
    _check_alone(member)
    exprs, kind = model.equations(), type(model).__name__
    states, inputs = _columns(model, model.statistics_)
    if model.delays_.rows:
        return _lagged(model, model.delays_, exprs, states, inputs, shared)
    renaming = _renaming(states, inputs)
    block = formulas(exprs, renaming, shared=shared, left=[one.name for one in states])
    if model.time_ == "discrete":
        return Program(kind, states, inputs, following=block, dt=model.dt_)
    if isinstance(model, EquationLearner):
        return Program(kind, states, inputs, rhs=block, method=model.method, dt=model.dt_, substeps=_explicit(substeps))
    steps = substeps_of(exprs, states, inputs, model.dt_) if substeps is None else _explicit(substeps)
    notes = (HELD,) if model.inputs_ != "held" and inputs else ()
    return Program(kind, states, inputs, rhs=block, method="rk4", dt=model.dt_, substeps=steps, notes=notes)


def _lagged(
    model: SINDy | EquationLearner,
    delays: Delays,
    exprs: Sequence[sympy.Expr],
    states: Sequence[Variable],
    inputs: Sequence[Variable],
    shared: bool,
) -> Program:
    """The map of delay coordinates: earlier rows are states that shift by one at every step."""
    places = places_of(delays, len(states), len(inputs))
    ages = [((states if of_state else inputs)[i], old) for of_state, i, old in places]
    wide = variables(
        "x",
        [_aged(*age) for age in ages],
        [one.unit for one, _ in ages],
        [one.mean for one, _ in ages],
        [one.std for one, _ in ages],
        [(one.low, one.high) for one, _ in ages if one.low is not None and one.high is not None],
    )
    renaming = _renaming(wide, inputs)
    found = formulas(exprs, renaming, shared=shared, left=[one.name for one in states])
    shifted = [Sum(0.0, ((1.0, renaming[symbol(_aged(one, old - 1))].name),)) for one, old in ages[len(states) :]]
    following = Block(found.assignments, (*found.results, *shifted))
    note = "States are those of a row, then those of earlier rows, which step shifts by one."
    return Program(type(model).__name__, wide, tuple(inputs), following=following, dt=model.dt_, notes=(note,))


def places_of(delays: Delays, states: int, inputs: int) -> list[tuple[bool, int, int]]:
    """Return the states of the map of delay coordinates: whether of a state, which one, and how many rows old."""
    dead = delays.dead_times or (0,) * inputs
    found = [(True, i, old) for i in range(states) for old in range(delays.lags + 1)]
    found += [(False, i, old) for i, wait in enumerate(dead) for old in range(1, wait + delays.lags + 1)]
    return sorted(found, key=lambda place: (place[2], not place[0]))


def _aged(one: Variable, old: int) -> str:
    return one.name + (f"[k-{old}]" if old else "")


def _state_space(model: SparseStateSpace, member: int | str | None, shared: bool, substeps: int | None) -> Program:
    del shared, substeps
    _check_alone(member)
    return latent(model)


def _regressor(model: EquationRegressor, member: int | str | None, shared: bool, substeps: int | None) -> Program:
    del substeps
    _check_alone(member)
    features = variables("x", [str(name) for name in model.feature_names_in_])
    block = formulas([model.equation()], _renaming(features), shared=shared, left=["y"])
    return Program("EquationRegressor", features, outputs=variables("y", ["y"]), output=block)


KINDS: dict[type[Any], Callable[[Any, int | str | None, bool, int | None], Program]] = {
    SparseTimeStepper: _stepper,
    EquationLearner: _equations,
    SINDy: _equations,
    SparseStateSpace: _state_space,
    EquationRegressor: _regressor,
}


def _columns(model: Any, scaling: Any) -> tuple[tuple[Variable, ...], tuple[Variable, ...]]:
    """The states and inputs of a model, with what is known of the training data."""
    known, names = model.variables_, model._integrated_names
    velocities = len(names) - len(known.state_names)
    units = [*known.state_units, *[""] * velocities]
    if scaling is None or velocities:
        return variables("x", names, units), variables("u", known.input_names, known.input_units)
    return (
        variables("x", names, units, scaling.x_mean, scaling.x_std, known.state_ranges),
        variables("u", known.input_names, known.input_units, scaling.u_mean, scaling.u_std, known.input_ranges),
    )


def _renaming(*columns: Iterable[Variable]) -> dict[sympy.Symbol, sympy.Symbol]:
    return {symbol(one.name): identifier(one.identifier) for part in columns for one in part}


def _explicit(substeps: int | None) -> int:
    if substeps is None:
        return 1
    if isinstance(substeps, bool) or not isinstance(substeps, int) or substeps < 1:
        raise ValueError(f"substeps: expected a whole number of at least 1; got {substeps!r}.")
    return substeps
