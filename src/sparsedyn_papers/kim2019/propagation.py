"""Equations that propagate a system whose parameter is read off a series of observations: kinematics, oscillator."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from sparsedyn.models import EQL, MLP, PerState, Primitive
from sparsedyn.sparsify import L05, Chain, Phases, SequentialThresholding, Support
from sparsedyn_papers.kim2019.elimination import simplest
from sparsedyn_papers.kim2019.encoder import Encoder
from sparsedyn_papers.kim2019.propagator import Propagator, Series, propagation
from sparsedyn_papers.kim2019.reading import chosen, transition_equations, weights_left
from sparsedyn_papers.kim2019.series import KINEMATICS, OSCILLATOR, Physics, Simulated, euler
from sparsedyn_papers.kim2019.stages import Stage, encoded, settled, trained

NAMES = ("u", "v", "z")
COPIES = 50
"""How often a small set of series is repeated, so that an epoch is not a single step."""


@dataclass(frozen=True)
class Growth:
    """So many training steps on so many propagated steps, with a learning rate and a weight of the penalty."""

    propagated: int
    steps: int
    rate: float
    penalty: float


@dataclass(frozen=True)
class PropagationSetting:
    """An experiment: the system, its data, the two networks and their training.

    `growth` are the stages of training; weights below `threshold` are then removed, equations are reduced to what the
    forecasts need (`elimination.simplest`), and what is left is trained for `polish` steps without a penalty.
    Deviations of the initial weights are small, so that no primitive of the second layer begins far from zero. Series
    are encoded in units of their size over training, or each in units of its `own_size`, for systems whose parameter
    has nothing to do with the amplitude: small swings would else be encoded badly.
    """

    physics: Physics
    series: int
    seen: int
    span: int
    units: str | Mapping[str | Primitive, int]
    relu: tuple[int, ...]
    growth: tuple[Growth, ...]
    threshold: float
    polish: tuple[int, float]
    batch: int
    beyond: int = 4
    stride: int = 2
    deviations: tuple[float, float, float] = (0.1, 0.1, 0.3)
    own_size: bool = False


KINEMATICS_SETTING = PropagationSetting(
    physics=KINEMATICS,
    series=100,
    seen=100,
    span=5,
    units="kim2019",
    relu=(50, 50),
    growth=(Growth(1, 1500, 1e-2, 4e-3), Growth(2, 700, 5e-3, 8e-3), Growth(5, 2000, 5e-3, 2e-2)),
    threshold=0.05,
    polish=(1500, 2.5e-3),
    batch=50,
)
OSCILLATOR_SETTING = PropagationSetting(
    physics=OSCILLATOR,
    series=1000,
    seen=500,
    span=25,
    units="kim2019-oscillator",
    relu=(50, 50, 50, 50),
    growth=(
        Growth(1, 300, 5e-3, 2e-5),
        Growth(3, 300, 5e-3, 4e-5),
        Growth(5, 300, 5e-3, 1e-4),
        Growth(7, 300, 5e-3, 1e-4),
        Growth(25, 2000, 5e-3, 5e-3),
    ),
    threshold=0.01,
    polish=(1500, 3e-3),
    batch=64,
    stride=4,
    own_size=True,
)


@dataclass(frozen=True)
class Data:
    """Training, validation and test series of an experiment; the test series go beyond the training span."""

    train: Simulated
    validation: Simulated
    test: Simulated
    scale: Float[np.ndarray, " state"]
    own_size: bool

    def series(self, simulated: Simulated) -> Series:
        """Return the arrays that a network sees: the observed series in units of their size, and the states."""
        seen = simulated.seen / self.scale
        if self.own_size:
            seen = seen / np.sqrt(np.mean(np.square(seen), axis=(1, 2), keepdims=True))
        return Series(seen.astype(np.float32), simulated.propagated.astype(np.float32))


def data_of(setting: PropagationSetting, *, tests: int = 200, seed: int = 0) -> Data:
    """Draw the data of an experiment."""
    far = setting.span * setting.beyond
    draw = setting.physics.draw
    train = draw(setting.series, seen=setting.seen, steps=setting.span, seed=3 * seed)
    validation = draw(tests, seen=setting.seen, steps=setting.span, seed=3 * seed + 1)
    test = draw(tests, seen=setting.seen, steps=far, seed=3 * seed + 2)
    scale = np.sqrt(np.mean(np.square(train.seen), axis=(0, 1)))
    return Data(train, validation, test, scale, setting.own_size)


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
