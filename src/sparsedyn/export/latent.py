"""Models of latent states as programs: a map of these, and outputs."""

from collections.abc import Sequence

import numpy as np
import sympy

from sparsedyn.estimators import SparseStateSpace
from sparsedyn.estimators.state_space._equations import in_units
from sparsedyn.export.formulas import identifier
from sparsedyn.export.names import variables
from sparsedyn.export.program import Program, Right, Sum, block_of
from sparsedyn.models.state_space import UNITS


def latent(model: SparseStateSpace) -> Program:
    """Return a fitted model of latent states as assignments, in the data's units."""
    scaling, known = model.statistics_, model.variables_
    states = variables("x", model.latent_names_, None, model.mean_, np.sqrt(np.diag(model.covariance_)))
    inputs = variables("u", known.input_names, known.input_units, scaling.u_mean, scaling.u_std, known.input_ranges)
    outputs = variables("y", known.state_names, known.state_units, scaling.x_mean, scaling.x_std, known.state_ranges)
    z, v = [one.identifier for one in states], [one.identifier for one in inputs]
    whole = in_units(model.model_, scaling)
    assignments: list[tuple[str, Right]] = []
    units = []
    for i, name in enumerate(whole.units):
        argument, unit = f"a{i + 1}", f"h{i + 1}"
        assignments.append((argument, _linear(whole.b[i], (whole.G[i], z), (whole.H[i], v))))
        bounded = _clipped(identifier(argument), whole.low[i], whole.high[i])
        if bounded != identifier(argument):
            assignments.append((f"b{i + 1}", bounded))
            argument = f"b{i + 1}"
        assignments.append((unit, UNITS[name][1](identifier(argument))))
        units.append(unit)
    following = block_of(
        assignments,
        [_linear(whole.c[i], (whole.A[i], z), (whole.B[i], v), (whole.F[i], units)) for i in range(len(z))],
    )
    measured: list[tuple[str, Right]] = []
    results: list[Right] = []
    for i, (floor, ceiling) in enumerate(zip(whole.floor, whole.ceiling, strict=True)):
        linear = _linear(whole.d[i], (whole.C[i], z), (whole.D[i], v))
        bounded = _clipped(identifier(f"a{i + 1}"), floor, ceiling)
        if bounded == identifier(f"a{i + 1}"):
            results.append(linear)
        else:
            measured.append((f"a{i + 1}", linear))
            results.append(bounded)
    return Program(
        "SparseStateSpace",
        states,
        inputs,
        outputs,
        following=following,
        output=block_of(measured, results),
        dt=model.dt_,
        notes=("States are latent. Their means are where a run begins of which nothing is known.",),
    )


def _linear(constant: float, *parts: tuple[np.ndarray, Sequence[str]]) -> Sum:
    terms = [(float(w), name) for weights, names in parts for w, name in zip(weights, names, strict=True) if w != 0]
    return Sum(float(constant), tuple(terms))


def _clipped(value: sympy.Symbol, low: float, high: float) -> sympy.Expr:
    """The value within bounds; comparisons keep NaN, which minima of most languages lose."""
    pieces = [(sympy.Float(low), value < sympy.Float(low))] if np.isfinite(low) else []
    pieces += [(sympy.Float(high), value > sympy.Float(high))] if np.isfinite(high) else []
    return sympy.Piecewise(*pieces, (value, True)) if pieces else value
