"""Faster to the same accuracy: ways to train a network beside plain Adam, at equal processor time, on validation data.

    python benchmarks/accuracy.py accuracy.jsonl                                  # the aluminum cell, every way
    python benchmarks/accuracy.py accuracy.jsonl --plants duffing --ways adam "rate 0.008"
    python benchmarks/accuracy.py accuracy.jsonl --table

Six networks 25-25-25, dense unless the plant's name says otherwise, are trained and judged on simulated training and
validation trajectories, of which seed 0 of the cell has those of the study `aluminum-quick`; test trajectories are
never made. Plain Adam (rate 2e-3, cosine, clip 1, batches of 128) has 60 epochs. Others have as many steps as take as
long: the cost of a step is measured beside Adam's, in turns. Runs that are in the file are not made again.

The table has factors to plain Adam, members and seeds paired (means of logarithms; intervals of 95 % over seeds by
Student's t): of the loss of one step, and of the error of rolling forecasts, diverged ones counted as 3, over the
validation trajectories; and `speed`, how many times as long plain Adam takes to the same loss, by its losses at a
quarter to four times the time, beyond which it is cut off.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from accuracy_ways import Way, first_weights, gauss_newton, lbfgs, optimizer_of
from scipy.stats import t as student

import sparsedyn  # noqa: F401 - sets up one CPU device per core
from sparsedyn.data import Samples, Scaling, Trajectories, samples
from sparsedyn.forecast import DIVERGED_ABOVE, forecast
from sparsedyn.models import MLP
from sparsedyn.sparsify import STR, Chain
from sparsedyn.studies.comparison.data import seed_of
from sparsedyn.systems import simulate
from sparsedyn.training import EMA, SWA, derivative_matching, learning_rates, outcomes
from sparsedyn.training.fit import _prepare
from sparsedyn.training.timeline import timeline

MEMBERS, EPOCHS, HORIZONS = 6, 60, (100, 1000, 3000)


class Plant(NamedTuple):
    """A plant, how many trajectories there are to train and to validate on, and their rows."""

    system: str
    train: int
    validation: int
    steps: int
    hidden: tuple[int, ...] = (25, 25, 25)
    noise: float = 0.0
    """Standard deviation of what is added to the states to train on, in theirs."""
    technique: Chain = Chain()
    activation: str = "relu"


PLANTS = {
    "aluminum-cell": Plant("aluminum-cell", 20, 5, 5000),
    "duffing": Plant("duffing", 20, 20, 2000),
    "two-tanks": Plant("two-tanks", 20, 5, 3000),
    "aluminum-cell, width 64": Plant("aluminum-cell", 20, 5, 5000, hidden=(64, 64, 64)),
    "aluminum-cell, 2 trajectories": Plant("aluminum-cell", 2, 5, 5000),
    "duffing, noise": Plant("duffing", 20, 20, 2000, noise=0.01),
    "duffing, tanh": Plant("duffing", 20, 20, 2000, activation="tanh"),
    "duffing, width 5": Plant("duffing", 20, 20, 2000, hidden=(5,)),
    "aluminum-cell, STR": Plant("aluminum-cell", 20, 5, 5000, technique=Chain(STR())),
}


def batches(*sizes: int) -> tuple[tuple[int, float], ...]:
    """Return batches of these sizes, one after the other, for as long each."""
    return tuple((size, 1 / len(sizes)) for size in sizes)


FASTER = {
    "orthogonal": {"first": "orthogonal"},
    "batch 32": {"batches": batches(32)},
    "batch 64": {"batches": batches(64)},
    "growth 64, 128, 256": {"batches": batches(64, 128, 256)},
    "trapezoid": {"schedule": "trapezoid"},
    "swa": {"average": SWA()},
}
WAYS = {
    "adam": Way(),
    **{f"adam x {share:g}": Way() for share in (0.25, 0.5, 2, 4)},
    **{f"rate {rate:g}": Way(rate=rate) for rate in (4e-3, 8e-3, 1.6e-2, 3.2e-2)},
    **{f"rate 0.008, {name}": Way(rate=8e-3, **changes) for name, changes in FASTER.items()},
    **{f"batch {size}": Way(batches=batches(size)) for size in (32, 64, 256)},
    "growth 64, 128, 256": Way(batches=batches(64, 128, 256)),
    "growth 32, 128, 512": Way(batches=batches(32, 128, 512)),
    **{f"first {kind}": Way(first=kind) for kind in ("out", "glorot", "orthogonal", "lsuv", "last 0.1", "last 0")},
    **{schedule: Way(schedule=schedule) for schedule in ("to zero", "trapezoid")},
    "clip None": Way(clip=None),
    "ema": Way(average=EMA(raised=False)),
    "swa": Way(average=SWA()),
    "constant, ema": Way(average=EMA(raised=False), schedule="constant"),
    "momentum, rate 0.1": Way(optimizer="momentum", rate=0.1),
    "adam b2=0.99": Way(optimizer="adam b2=0.99", equal="steps"),
    "muon, rate 0.01": Way(optimizer="muon", rate=1e-2, equal="steps"),
    "soap": Way(optimizer="soap", equal="steps"),
    "lbfgs 16384": Way(own=lbfgs(16384)),
    "gauss-newton 32": Way(own=gauss_newton(32)),
}


class Problem:
    """Training and validation samples of a plant, scaled, and its validation trajectories."""

    def __init__(self, plant: str, seed: int):
        it = PLANTS[plant]
        self.seed, self.technique = seed, it.technique
        data = simulate(it.system, it.train, it.steps, seed_of(seed, "train"))
        if it.noise:
            rng = np.random.default_rng(seed)
            states = [x + it.noise * x.std(axis=0) * rng.standard_normal(x.shape) for x in data.states]
            data = Trajectories(
                states,
                data.inputs if data.input_names else None,
                dt=data.dt,
                state_names=data.state_names,
                input_names=data.input_names or None,
            )
        self.validation: Trajectories = simulate(it.system, it.validation, it.steps, seed_of(seed, "validation"))
        rows = samples(data, "forward")
        self.scaling = Scaling.fit(rows, state_names=data.state_names, input_names=data.input_names)
        self.train: Samples = self.scaling.transform(rows)
        self.held_out: Samples = self.scaling.transform(samples(self.validation, "forward"))
        self.keys = jax.random.split(jax.random.key(seed), MEMBERS)
        sizes = len(data.state_names), len(data.input_names)
        make = eqx.filter_jit(eqx.filter_vmap(lambda key: MLP(*sizes, it.hidden, activation=it.activation, key=key)))
        self.models: MLP = make(self.keys)

    def judged(self, models: MLP) -> dict[str, Any]:
        """Return the loss of one step and the errors of rolling forecasts, of every member."""
        loss = eqx.filter_jit(eqx.filter_vmap(lambda m: derivative_matching(m, self.held_out, self.keys[0])))
        made = forecast(models, self.validation, scaling=self.scaling)
        found = {"loss": np.asarray(loss(models)).tolist()}
        for horizon in (h for h in HORIZONS if h <= min(self.validation.lengths)):
            error = np.minimum(made.error[:, :, :horizon], DIVERGED_ABOVE).mean(axis=(1, 2, 3))
            diverged = made.scores(horizon).diverged.mean(axis=1)
            found |= {f"error {horizon}": error.tolist(), f"diverged {horizon}": diverged.tolist()}
        return found


def rates_of(schedule: str, rate: float, steps: int) -> np.ndarray:
    """Return the rates of all steps."""
    done = np.arange(steps) / steps
    own = {
        "to zero": np.minimum(50 * done, 1.0) * 0.5 * (1.0 + np.cos(np.pi * done)),
        "trapezoid": np.clip(np.minimum(50 * done, 4 * (1.0 - done)), 0.0, 1.0),
    }
    return learning_rates(schedule, rate, steps) if schedule not in own else (rate * own[schedule]).astype(np.float32)


def prepared(problem: Problem, way: Way, batch: int, rates: np.ndarray, models: MLP, part: int = 0) -> Any:
    """Return a run of the package and its first state."""
    average = SWA(active=0.0) if way.average is None else way.average
    return _prepare(
        models, problem.train, problem.technique, rates, problem.keys, batch, derivative_matching,
        optimizer_of(way.optimizer, way.clip), average, None, None, None, "shared", 100 * problem.seed + part, None,
    )  # fmt: skip


def cost(problem: Problem, way: Way, batch: int) -> float:
    """Return the processor time of a step as a multiple of plain Adam's, the least of turns with it."""
    pairs = []
    for one, size in ((way, batch), (Way(), 128)):
        run, state = prepared(problem, one, size, np.full(300, 1e-3, np.float32), problem.models)
        jax.block_until_ready(run.advance(state, 0, 2).members.loss)
        pairs.append((run, state))
    least = [np.inf, np.inf]
    for _ in range(7):
        for place, (run, state) in enumerate(pairs):
            end = min(300, run.epoch)
            start = time.process_time()
            jax.block_until_ready(run.advance(state, 0, end).members.loss)
            least[place] = min(least[place], (time.process_time() - start) / end)
    return least[0] / least[1]


def trained(problem: Problem, way: Way, steps: list[int]) -> tuple[MLP, float]:
    """Return the networks and the processor time of their steps, compilation aside."""
    rates = rates_of(way.schedule, way.rate, sum(steps))
    models = first_weights(problem.models, problem.train, way.first, problem.keys)
    members, spent, begun = None, 0.0, 0
    for part, ((batch, _), count) in enumerate(zip(way.batches, steps, strict=True)):
        run, state = prepared(problem, way, batch, rates[begun : begun + count], models, part)
        state = state if members is None else state._replace(members=members)
        jax.block_until_ready(run.advance(state, 0, 1).members.loss)
        turns = () if way.average is None else way.average.turns()
        place, started = 0, time.process_time()
        for pause in timeline(
            steps=count, epoch=run.epoch, revisions=problem.technique.turns(), snapshots=turns, validations=0, glances=0
        ):
            if pause.step > place:
                state = run.advance(state, place, pause.step)
            for fraction in pause.revisions:
                state = run.revise(state, place, pause.step, fraction)
            place = pause.step
            if pause.snapshot:
                state = outcomes.snapshot(run.program, run.average, state)
        jax.block_until_ready(state.members.loss)
        spent, members, begun = spent + time.process_time() - started, state.members, begun + count
    found = outcomes.outcome(run.program, state, run.sparsifier, run.average).averaged
    return eqx.combine(jax.tree.map(np.asarray, found), run.program.static), spent


class Results:
    """The lines of a file, one a run or a cost."""

    def __init__(self, path: Path):
        self.path = path
        self.lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def find(self, **wanted: Any) -> dict[str, Any] | None:
        """Return the line that has these values."""
        return next((one for one in self.lines if all(one.get(key) == value for key, value in wanted.items())), None)

    def add(self, **line: Any) -> dict[str, Any]:
        """Write a line."""
        self.lines.append(line)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return line


def take(models: MLP, member: int) -> MLP:
    """Return one network of a stack."""
    return jax.tree.map(lambda a: a[member] if eqx.is_array(a) else a, models)


def run(results: Results, problem: Problem, plant: str, name: str, factor: float) -> None:
    """Train and judge by one way, and write what came of it."""
    way = WAYS[name]
    if way.own is not None:
        plain = results.find(plant=plant, way="adam", seed=problem.seed)
        assert plain is not None, "plain Adam has to come first"
        networks = [take(problem.models, member) for member in range(MEMBERS)]
        done = [way.own(one, problem.train, plain["seconds"] / MEMBERS, seed) for seed, one in enumerate(networks)]
        models = jax.tree.map(lambda *a: np.stack(a) if eqx.is_array(a[0]) else a[0], *done)
        results.add(plant=plant, way=name, seed=problem.seed, seconds=plain["seconds"], **problem.judged(models))
        return
    whole = factor * EPOCHS * (len(problem.train.x) // 128)
    steps = []
    for batch, share in way.batches:
        key = {"plant": plant, "cost": way.optimizer, "batch": batch}
        ratio = 1.0
        if (way.optimizer, batch) != ("adam", 128):
            ratio = (results.find(**key) or results.add(**key, ratio=cost(problem, way, batch)))["ratio"]
        steps.append(round(whole * share / (ratio if way.equal == "time" else 1.0)))
    models, spent = trained(problem, way, steps)
    results.add(plant=plant, way=name, seed=problem.seed, steps=sum(steps), seconds=spent, **problem.judged(models))


def factor(results: Results, plant: str, name: str, what: str, seeds: list[int]) -> tuple[float, float, float]:
    """Return the mean factor to plain Adam over seeds, and its interval."""
    logs = []
    for seed in seeds:
        one, plain = (results.find(plant=plant, way=way, seed=seed)[what] for way in (name, "adam"))
        logs.append(np.mean(np.log(np.maximum(one, 1e-12)) - np.log(np.maximum(plain, 1e-12))))
    half = student.ppf(0.975, len(logs) - 1) * np.std(logs, ddof=1) / len(logs) ** 0.5 if len(logs) > 1 else np.nan
    return tuple(np.exp([np.mean(logs), np.mean(logs) - half, np.mean(logs) + half]))


def table(results: Results, plant: str) -> None:
    """Print what came of every way."""
    made = {name: [one for one in results.lines if one.get("way") == name and one["plant"] == plant] for name in WAYS}
    made = {name: lines for name, lines in made.items() if lines}

    def ratio(name: str, what: str) -> tuple[float, float, float]:
        return factor(results, plant, name, what, [one["seed"] for one in made[name]])

    times = {"adam" if share == 1.0 else f"adam x {share:g}": share for share in (0.25, 0.5, 1.0, 2.0, 4.0)}
    times = {name: share for name, share in times.items() if name in made}
    curve = [-np.log(ratio(name, "loss")[0]) for name in times]
    plain = {key: np.mean([one[key] for one in made["adam"]]) for key in made["adam"][0] if key[:4] in ("loss", "erro")}
    horizons = [key.split()[1] for key in plain if key != "loss"]
    print(f"\n{plant}; plain Adam:", ", ".join(f"{key} {value:.2e}" for key, value in plain.items()))
    print("| way | seeds | steps | seconds | loss | speed |", *(f"error {h} | diverged |" for h in horizons))
    for name, lines in made.items():
        cells = [name, len(lines), lines[0].get("steps", ""), f"{np.mean([one['seconds'] for one in lines]):.1f}"]
        value = ("{:.2f} ({:.2f} to {:.2f})" if len(lines) > 1 else "{:.2f}").format
        loss = ratio(name, "loss")
        cells += [value(*loss), f"{np.exp(np.interp(-np.log(loss[0]), curve, np.log(list(times.values())))):.2f}"]
        for h in horizons:
            diverged = np.mean([one[f"diverged {h}"] for one in lines])
            cells += [value(*ratio(name, f"error {h}")), f"{100 * diverged:.1f} %"]
        print("|", *(f"{cell} |" for cell in cells))


def main() -> None:
    """Make the runs that are not in the file, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--plants", nargs="+", default=["aluminum-cell"], choices=PLANTS)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    results = Results(arguments.file)
    for plant in arguments.plants:
        if arguments.table:
            table(results, plant)
            continue
        for seed in arguments.seeds:
            missing = [name for name in arguments.ways if not results.find(plant=plant, way=name, seed=seed)]
            problem = Problem(plant, seed) if missing else None
            for name in missing:
                started = time.process_time()
                run(results, problem, plant, name, float(name.split(" x ")[1]) if " x " in name else 1.0)
                print(f"{plant}, seed {seed}, {name}: {time.process_time() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
