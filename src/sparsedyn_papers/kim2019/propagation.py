"""Equations that propagate a system whose parameter is read off a series of observations: kinematics, oscillator."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.models import EQL, MLP, PerState
from sparsedyn.sparsify import L05, Chain, Phases, SequentialThresholding, Support
from sparsedyn_papers.kim2019.elimination import simplest
from sparsedyn_papers.kim2019.encoder import Encoder
from sparsedyn_papers.kim2019.propagation_data import COPIES, NAMES, Data, PropagationSetting, data_of
from sparsedyn_papers.kim2019.propagator import Propagator, propagation
from sparsedyn_papers.kim2019.reading import chosen, transition_equations, weights_left
from sparsedyn_papers.kim2019.series import OSCILLATOR, Simulated, euler
from sparsedyn_papers.kim2019.stages import Stage, encoded, settled, trained


def propagator(setting: PropagationSetting, kind: str, key: PRNGKeyArray) -> Propagator:
    """Return an untrained network that propagates by one equation learner per state ("eql") or a ReLU net ("relu")."""
    first, second = jax.random.split(key)
    encoder = Encoder((setting.seen, 2), stride=setting.stride, key=first)
    if kind == "relu":
        return Propagator(encoder, MLP(2, 1, setting.relu, key=second))
    return Propagator(encoder, equations(setting, second))


def equations(setting: PropagationSetting, key: PRNGKeyArray) -> PerState:
    """Return an untrained transition of one equation learner per state."""
    keys = jax.random.split(key)
    return PerState(tuple(EQL(2, 1, 1, setting.units, deviations=setting.deviations, key=k) for k in keys))


def train(setting: PropagationSetting, data: Data, kind: str, *, trials: int, seed: int = 0) -> Propagator:
    """Train so many trials of one kind at once, their weights stacked along a leading axis."""
    keys = jax.random.split(jax.random.key(seed), trials)
    models = eqx.filter_vmap(lambda key: propagator(setting, kind, key))(keys)
    series = data.series(data.train)
    copies = -(-COPIES * setting.batch // setting.series)
    many = jax.tree.map(lambda a: np.tile(a, (copies, *(1,) * (a.ndim - 1))), series)
    sparse = kind == "eql"
    stages = []
    weight = 0.0
    for i, growth in enumerate(setting.growth):
        last = i == len(setting.growth) - 1
        # The penalty grows from that of the stage before within the first half.
        penalty = Phases(L05(growth.penalty), (0.1, 0.5), (weight / growth.penalty, 1.0))
        cut = (SequentialThresholding(setting.threshold, at=(1.0,)),) if last else ()
        technique = Chain(penalty, *cut) if sparse else Chain()
        stages.append(Stage(propagation(growth.propagated), technique, growth.steps, growth.rate))
        weight = growth.penalty
    models = trained(models, many, stages, batch=setting.batch, keys=keys, seed=seed)
    models = settled(models, series.seen)
    if sparse:
        known, held_out = (
            (simulated, forecasts(models, data, simulated)[0]) for simulated in (data.train, data.validation)
        )
        models = simplest(models, partial(equations, setting), known, held_out, keys)
    steps, rate = setting.polish
    final = Stage(propagation(setting.span, normalize=False), Support() if sparse else Chain(), steps, rate)
    return trained(models, many, [final], batch=setting.batch, keys=keys, seed=seed + 100)


@eqx.filter_jit
def _propagated(models: Any, start: Array, latent: Array, steps: int) -> Array:
    one = lambda model, z: jax.vmap(lambda s, q: model.propagated(s, q[None], steps))(start, z)  # noqa: E731
    return eqx.filter_vmap(one)(models, latent)


def forecasts(
    models: Propagator, data: Data, simulated: Simulated
) -> tuple[Float[np.ndarray, "trial sample"], Float[np.ndarray, "trial sample step state"]]:
    """Return what every trial encodes and propagates, the initial states first."""
    series = data.series(simulated)
    latent = encoded(models, jnp.asarray(series.seen))
    start = jnp.asarray(series.propagated[:, 0])
    steps = simulated.propagated.shape[1] - 1
    found = np.asarray(_propagated(models, start, latent, steps), np.float64)
    starts = np.broadcast_to(simulated.propagated[:, :1], (*found.shape[:2], 1, 2))
    return np.asarray(latent, np.float64), np.concatenate([starts, found], axis=2)


@dataclass(frozen=True)
class PropagationTrial:
    """What became of one trial. Errors are root mean squares over series and states; `cell` names the transition.

    `validation` is over the training span of the validation series; `span`, `twice` and `beyond` are at the end of the
    span, at twice and at four times as many steps, on test series; `correlation` is that of what test series are
    encoded as with their parameter.
    """

    cell: str
    trial: int
    validation: float
    span: float
    twice: float
    beyond: float
    correlation: float
    weights: int
    equations: tuple[str, ...]


@dataclass(frozen=True)
class PropagationResult:
    """All trials, the chosen ones, and what figures need: latent against parameter, and curves of the test series.

    `curves` holds the series of "true", "eql", "relu" and, for the oscillator, "euler": (sample, step, state), of which
    the first `span` steps were trained on. `errors` are root mean squares over samples and states, a value per step.
    """

    trials: tuple[PropagationTrial, ...]
    chosen: dict[str, PropagationTrial]
    latent: tuple[Float[np.ndarray, " _sample"], Float[np.ndarray, " _sample"]]
    parameter: tuple[Float[np.ndarray, " _sample"], Float[np.ndarray, " _sample"]]
    curves: dict[str, Float[np.ndarray, "sample step state"]]
    errors: dict[str, Float[np.ndarray, " step"]]
    time: Float[np.ndarray, " step"]
    span: int


def propagation_experiment(setting: PropagationSetting, *, trials: int = 5, seed: int = 0) -> PropagationResult:
    """Train both transitions and measure them on unseen series, beyond the steps they were trained on.

    Trials are chosen by the validation series, within the training span.
    """
    data = data_of(setting, seed=seed)
    truth = data.test.propagated
    rows: list[PropagationTrial] = []
    best: dict[str, PropagationTrial] = {}
    curves = {"true": truth}
    for kind in ("eql", "relu"):
        models = train(setting, data, kind, trials=trials, seed=seed)
        held_out = forecasts(models, data, data.validation)[1]
        validation = [float(np.sqrt(np.mean(np.square(own - data.validation.propagated)))) for own in held_out]
        latent, found = forecasts(models, data, data.test)
        weights = weights_left(models.transition)
        own = []
        for i in range(trials):
            error = error_by_step(found[i], truth)
            own.append(
                PropagationTrial(
                    cell=kind,
                    trial=i,
                    validation=validation[i],
                    span=float(error[setting.span]),
                    twice=float(error[2 * setting.span]),
                    beyond=float(error[setting.beyond * setting.span]),
                    correlation=float(np.corrcoef(latent[i], data.test.parameter)[0, 1]),
                    weights=int(weights[i]),
                    equations=transition_equations(models.transition, i, NAMES) if kind == "eql" else (),
                )
            )
        at = chosen(np.asarray(validation), weights)
        rows += own
        best[kind], curves[kind] = own[at], found[at]
        if kind == "eql":
            shown = (forecasts(models, data, data.train)[0][at], latent[at])
    steps = truth.shape[1] - 1
    if setting.physics is OSCILLATOR:
        curves["euler"] = euler(data.test.parameter, truth[:, 0], setting.physics.time_step, steps)
    return PropagationResult(
        trials=tuple(rows),
        chosen=best,
        latent=shown,
        parameter=(data.train.parameter, data.test.parameter),
        curves=curves,
        errors={name: error_by_step(curve, truth) for name, curve in curves.items() if name != "true"},
        time=setting.physics.time_step * np.arange(steps + 1),
        span=setting.span,
    )


def error_by_step(
    found: Float[np.ndarray, "sample step state"], truth: Float[np.ndarray, "sample step state"]
) -> Float[np.ndarray, " step"]:
    """Return the root mean square error over samples and states, a value per step; infinite where it blew up."""
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.sqrt(np.mean(np.square(found - truth), axis=(0, 2)))
    return np.where(np.isfinite(error), error, np.inf)
