"""Runs of a thousand steps of every kind of model, which exports are compared with."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sparsedyn import export
from sparsedyn._steps import STEPS
from sparsedyn.export.lowering import member_of
from sparsedyn.export.program import Program

from .made import MODELS, exact

ROWS = 1000
Functions = dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]


@cache
def case(name: str) -> tuple[Any, Program, Any]:
    """A model, its program, and where a run begins: states, inputs of all rows, and what the model says follows."""
    model = MODELS[name]()
    member = "mean" if name == "mean" else None
    program = export.program(model, member)
    return model, program, _expected(name, exact(model), program)


def _expected(name: str, model: Any, program: Program) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mean, std = (
        np.asarray([0.5 if getattr(one, what) is None else getattr(one, what) for one in program.inputs])
        for what in ("mean", "std")
    )
    u = mean + std * np.repeat(rng.uniform(-1, 1, (ROWS // 20, len(program.inputs))), 20, axis=0)
    x = np.asarray([1.0 if one.mean is None else one.mean + 0.5 * one.std for one in program.states])
    if name == "regressor":
        points = rng.uniform(0.5, 2.0, (ROWS, len(x)))
        return points, np.zeros((ROWS, 0)), model.predict(points)[:, None]
    if name == "state space":
        return x, u, np.asarray(model.simulate(x, ROWS, u, latent=True))
    if name == "mean":
        found = [x]
        for k in range(ROWS - 1):
            slope = lambda _, z, k=k: np.asarray(model.predict(z, u[k])).mean(axis=0)  # noqa: E731
            found.append(STEPS[model.method](slope, found[-1], model.dt_))
        return x, u, np.asarray(found)
    if earlier := model.delays_.rows:
        count = len(model.state_names_)
        first = np.repeat(x[None, :count], earlier + 1, axis=0)
        found = np.asarray(
            model.simulate(first, ROWS + earlier, np.concatenate([np.repeat(u[:1], earlier, axis=0), u]))
        )
        known = dict(zip([one.name for one in program.states[:count]], x[:count], strict=True))
        known |= dict(zip(model.input_names_, u[0], strict=True))
        return np.asarray([known[one.name.partition("[")[0]] for one in program.states]), u, found[earlier:]
    found = model.simulate(x, ROWS, u if program.inputs else None)
    return x, u, np.asarray(found.isel(member=member_of(model, None)) if "member" in found.dims else found)


def run(functions: Functions, x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """What exported functions give for the rows of inputs."""
    if "step" not in functions:
        return np.stack([functions["output"](point, row) for point, row in zip(x, u, strict=True)])
    found = []
    for row in u:
        found.append(functions["output"](x, row) if "output" in functions else x)
        x = functions["step"](x, row)
    return np.stack(found)


def largest(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of a column, relative to its largest value; NaN where anything is."""
    return float(np.max(np.abs(found[:, : expected.shape[1]] - expected) / np.abs(expected).max(axis=0)))
