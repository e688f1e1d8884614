"""Nonlinear MPC with exported models: one controller, closed loops on a simulated plant, a table and a picture.

The plant is a simulator; what the controller predicts with is the plant's own equations, a dense network, or a sparse
one. Multiple shooting with CasADi's Opti and IPOPT; limits of states are soft, with a price that is higher than what
breaking them earns. Needs the extra `casadi`.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import casadi
import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator

import sparsedyn

PRICE = 100.0
"""Of a limit that is exceeded by its size, over one interval."""
TOLERANCE = 1e-2
"""Of a limit's size: an excess below does not count as a row outside."""
IPOPT = {"print_level": 0, "sb": "yes", "tol": 1e-6, "acceptable_tol": 1e-4, "acceptable_iter": 5, "max_iter": 150}
Step = Callable[[Any, Any], Any]
STYLES: tuple[dict[str, Any], ...] = (
    {"color": "black", "lw": 2.6, "alpha": 0.45},
    {"color": "#0072b2", "lw": 1.4, "ls": "--"},
    {"color": "#d55e00", "lw": 1.4},
)
Column = tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]
"""A label and what it stands for, of states and inputs of all rows."""


class Limit(NamedTuple):
    """A quantity of state and inputs that has to stay within bounds; `size` is what an excess is measured by."""

    label: str
    value: Callable[[Any, Any], Any]
    low: float
    high: float
    size: float


@dataclass(frozen=True)
class Problem:
    """A plant and what is wanted of it.

    `decided` are bounds of what the controller chooses, which `inputs` turns into all inputs of the plant; `cost` is a
    function of state, decision, the decision before, and the time at which the interval begins. An interval has `rows`
    of the plant.
    """

    plant: Any
    start: np.ndarray
    rows: int
    horizon: int
    intervals: int
    decided: tuple[tuple[str, float, float], ...]
    first: tuple[float, ...]
    cost: Callable[[Any, Any, Any, float], Any]
    limits: tuple[Limit, ...]
    inputs: Callable[[Any], Any] = lambda v: v

    @property
    def interval(self) -> float:
        """Seconds between decisions."""
        return float(self.rows * self.plant.dt)


class Run(NamedTuple):
    """A closed loop: states (row, state) and inputs (row, input), one state more; seconds of one core per solution."""

    states: np.ndarray
    inputs: np.ndarray
    cost: float
    outside: float
    worst: float
    solved: np.ndarray
    failed: int


class Controller:
    """NMPC over `horizon` intervals; starts from the solution before, one interval later."""

    def __init__(self, problem: Problem, step: Step, mean: np.ndarray, std: np.ndarray):
        self.problem, self.mean, self.std = problem, mean, std
        n, m, count = len(mean), len(problem.decided), problem.horizon
        low, high = (np.asarray([one[i] for one in problem.decided]) for i in (1, 2))
        self.low, self.range = low, high - low
        x, v = casadi.SX.sym("x", n), casadi.SX.sym("v", m)
        u = problem.inputs(v)
        follow = casadi.Function("follow", [x, v], [step(x, u)])
        limits = casadi.Function("limits", [x, v], [casadi.vertcat(*(one.value(x, u) for one in problem.limits))])
        bounds = [np.asarray([getattr(one, what) for one in problem.limits]) for what in ("low", "high", "size")]
        self.opti = casadi.Opti()
        self.z = self.opti.variable(n, count + 1)
        self.w = self.opti.variable(m, count)
        self.slack = self.opti.variable(len(problem.limits), count)
        self.x0, self.v0, self.now = self.opti.parameter(n), self.opti.parameter(m), self.opti.parameter()
        states, decisions = mean + std * self.z, low + self.range * self.w
        self.opti.subject_to(self.z[:, 0] == (self.x0 - mean) / std)
        self.opti.subject_to(self.opti.bounded(0, casadi.vec(self.w), 1))
        self.opti.subject_to(casadi.vec(self.slack) >= 0)
        total, before = 0, self.v0
        for k in range(count):
            now = decisions[:, k]
            self.opti.subject_to(self.z[:, k + 1] == (follow(states[:, k], now) - mean) / std)
            reached = limits(states[:, k + 1], now)
            room = self.slack[:, k] * bounds[2]
            self.opti.subject_to((reached - bounds[1] - room) / bounds[2] <= 0)
            self.opti.subject_to((bounds[0] - reached - room) / bounds[2] <= 0)
            total += problem.cost(states[:, k + 1], now, before, self.now + k * problem.interval)
            total += PRICE * casadi.sum1(self.slack[:, k] + self.slack[:, k] ** 2)
            before = now
        self.opti.minimize(total)
        self.opti.solver("ipopt", {"print_time": False, "expand": False}, IPOPT)
        self.guess = {self.z: np.zeros((n, count + 1)), self.w: np.full((m, count), 0.5), self.slack: 0.0}

    def __call__(self, x: np.ndarray, before: np.ndarray, now: float) -> tuple[np.ndarray, bool]:
        """Return the decision, and whether the solver found a solution."""
        self.opti.set_value(self.x0, x)
        self.opti.set_value(self.v0, before)
        self.opti.set_value(self.now, now)
        for variable, value in self.guess.items():
            self.opti.set_initial(variable, value)
        try:
            self.opti.solve()
            solved = True
        except RuntimeError:
            solved = False
        found = {one: np.atleast_2d(self.opti.debug.value(one)).reshape(one.shape) for one in self.guess}
        self.guess = {one: np.concatenate([value[:, 1:], value[:, -1:]], axis=1) for one, value in found.items()}
        return self.low + self.range * np.clip(found[self.w][:, 0], 0, 1), solved


def closed_loop(problem: Problem, step: Step, mean: np.ndarray, std: np.ndarray) -> Run:
    """Return what the plant does under control, every row judged by the plant's own states."""
    control = Controller(problem, step, mean, std)
    x, v = problem.start, np.asarray(problem.first)
    states, inputs, seconds, failed, cost = [x], [], [], 0, 0.0
    excesses = []
    for k in range(problem.intervals):
        before, now = v, k * problem.interval
        began = time.process_time()
        v, solved = control(x, before, now)
        seconds.append(time.process_time() - began)
        failed += not solved
        u = np.asarray(problem.inputs(casadi.DM(v))).ravel()
        for _ in range(problem.rows):
            with jax.enable_x64(True):
                x = np.asarray(problem.plant.step(x, u))
            states.append(x)
            inputs.append(u)
            excesses.append([excess(one, x, u) for one in problem.limits])
        cost += float(problem.cost(casadi.DM(x), casadi.DM(v), casadi.DM(before), now))
    worst = np.asarray(excesses).max(axis=1)
    outside, largest = float((worst > TOLERANCE).mean()), float(worst.max())
    return Run(np.asarray(states), np.asarray(inputs), cost, outside, largest, np.asarray(seconds), failed)


def excess(limit: Limit, x: np.ndarray, u: np.ndarray) -> float:
    """How far a quantity is beyond its bounds, in the limit's size."""
    value = float(limit.value(x, u))
    return max(value - limit.high, limit.low - value, 0.0) / limit.size


def repeated(step: Step, times: int) -> Step:
    """The step, so many times, inputs held."""

    def many(x: Any, u: Any) -> Any:
        for _ in range(times):
            x = step(x, u)
        return x

    return many


def runge_kutta(field: Step, h: float) -> Step:
    """One classical Runge-Kutta step of `h`."""

    def step(x: Any, u: Any) -> Any:
        k1 = field(x, u)
        k2 = field(x + h / 2 * k1, u)
        k3 = field(x + h / 2 * k2, u)
        k4 = field(x + h * k3, u)
        return x + h / 6 * (k1 + 2 * (k2 + k3) + k4)

    return step


COLUMNS = ("model", "weights", "rows outside %", "worst excess", "cost", "not solved", "median ms", "worst ms")


def table(runs: dict[str, Run], weights: dict[str, str]) -> str:
    """The closed loops in Markdown."""
    rows = [COLUMNS, ("---",) * len(COLUMNS)]
    for name, run in runs.items():
        judged = f"{100 * run.outside:.1f}", f"{run.worst:.3f}", f"{run.cost:.4g}", str(run.failed)
        times = f"{1e3 * np.median(run.solved):.0f}", f"{1e3 * run.solved.max():.0f}"
        rows.append((name, weights[name], *judged, *times))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def picture(
    problem: Problem, runs: dict[str, Run], path: Path, columns: Sequence[Column], unit: str, per: float
) -> None:
    """Draw quantities of all runs over time, in `unit` of `per` seconds, and the times of solutions."""
    count = len(columns) + 1
    figure, axes = plt.subplots(count, 1, figsize=(7.5, 1.6 * count), layout="constrained")
    styles = dict(zip(runs, STYLES, strict=True))
    limits = {one.label: one for one in problem.limits}
    for axis, (label, of) in zip(axes, columns, strict=False):
        for name, run in runs.items():
            x, u = run.states[1:], run.inputs
            times = np.arange(1, len(x) + 1) * problem.plant.dt / per
            axis.plot(times, of(x, u), label=name, **styles[name])
        if label in limits:
            for bound in (limits[label].low, limits[label].high):
                if np.isfinite(bound):
                    axis.axhline(bound, color="grey", ls=":", lw=1)
        axis.set_ylabel(label)
        axis.sharex(axes[0])
    axes[count - 2].set_xlabel(f"time, {unit}")
    axes[0].legend(loc="upper center", bbox_to_anchor=(0.5, 1.3), ncols=3, frameon=False)
    axes[-1].boxplot([1e3 * run.solved for run in runs.values()], orientation="horizontal", tick_labels=list(runs))
    axes[-1].set_xscale("log")
    axes[-1].xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[-1].xaxis.set_major_formatter("{x:g}")
    axes[-1].xaxis.set_minor_formatter("")
    axes[-1].invert_yaxis()
    axes[-1].set_xlabel("time of a solution on one core, ms")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def trained(plant: Any) -> dict[str, sparsedyn.SparseTimeStepper]:
    """Return a dense and a sparse model of a small plant, from the same simulated data."""
    data = sparsedyn.simulate(plant, trajectories=20, steps=500, seed=0)
    options: dict[str, Any] = {
        "hidden": (24, 24),
        "activation": "tanh",
        "learning_rate": 2e-3,
        "epochs": 60,
        "members": 4,
        "seed": 0,
    }
    technique = [sparsedyn.L1(1e-5), sparsedyn.MagnitudePruning(0.8)]
    return {
        "dense": sparsedyn.SparseTimeStepper(**options).fit(data),
        "sparse": sparsedyn.SparseTimeStepper(technique=technique, **options).fit(data),
    }


def compared(
    problem: Problem, true: Step, models: dict[str, Any], interval: Callable[[Any], Step]
) -> tuple[dict[str, Run], dict[str, str]]:
    """Return a closed loop per model, and how many weights each has; `interval` makes a model's step of an interval."""
    scaling = next(iter(models.values())).scaling_
    runs, weights = {"true model": closed_loop(problem, true, scaling.x_mean, scaling.x_std)}, {"true model": "–"}
    for name, model in models.items():
        runs[name] = closed_loop(problem, interval(sparsedyn.export.casadi(model)), scaling.x_mean, scaling.x_std)
        weights[name] = f"{model.nonzeros_[0]:,} of {model.weights_:,}"
    return runs, weights


def reported(
    name: str,
    problem: Problem,
    found: tuple[dict[str, Run], dict[str, str]],
    columns: Sequence[Column],
    unit: str,
    per: float,
) -> None:
    """Print the table, and write the picture to the folder given on the command line, by default this one."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    runs, weights = found
    print(table(runs, weights))
    picture(problem, runs, folder / f"mpc-{name}.png", columns, unit, per)
