"""The sum of two handwritten digits: an equation at the end of a convolutional network, against a ReLU network."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn.models import EQL, MLP
from sparsedyn.sparsify import L05, Chain, Phases, SequentialThresholding, Support
from sparsedyn_papers.kim2019.digit_sum import Digits, DigitSum, digit_sums
from sparsedyn_papers.kim2019.encoder import Encoder
from sparsedyn_papers.kim2019.images import Images, augmented
from sparsedyn_papers.kim2019.reading import chosen, sum_equation, weights_left
from sparsedyn_papers.kim2019.stages import Stage, encoded, settled, trained

BELOW = 15
"""Training sees sums below this only."""


@dataclass(frozen=True)
class DigitsSetting:
    """The network, and its training: `steps` with a penalty, a threshold, and `polish` steps without a penalty."""

    filters: tuple[int, ...] = (16, 32)
    width: int = 3
    hidden: tuple[int, ...] = (64, 16)
    deviations: tuple[float, float, float] = (0.1, 0.1, 0.3)
    relu: tuple[int, ...] = (50, 50)
    copies: int = 30
    batch: int = 128
    steps: int = 4500
    rate: float = 1e-2
    penalty: float = 0.15
    threshold: float = 0.01
    polish: tuple[int, float] = (1500, 3e-3)
    pairs: int = 20_000


EIGHT_BY_EIGHT = DigitsSetting()
MNIST = DigitsSetting(filters=(32, 64), width=5, hidden=(128, 16), copies=0, steps=6000)


@dataclass(frozen=True)
class DigitsTrial:
    """What became of one trial. Accuracies are shares of sums that are right when rounded, for `(train, test)` images.

    `validation` is the share of wrong sums of validation images, sums below 15 alone; `correlation` is that of the
    encoded test images with their digits.
    """

    head: str
    trial: int
    validation: float
    below: tuple[float, float]
    above: tuple[float, float]
    mean_error: tuple[float, float]
    correlation: float
    weights: int
    equation: str


@dataclass(frozen=True)
class DigitsResult:
    """All trials, the chosen one of each head, and what the figures of the equation's need: `(train, test)` pairs."""

    trials: tuple[DigitsTrial, ...]
    chosen: dict[str, DigitsTrial]
    latent: tuple[Float[np.ndarray, " _sample"], Float[np.ndarray, " _sample"]]
    digit: tuple[Float[np.ndarray, " _sample"], Float[np.ndarray, " _sample"]]
    predicted: tuple[Float[np.ndarray, " pair"], Float[np.ndarray, " pair"]]
    wanted: tuple[Float[np.ndarray, " pair"], Float[np.ndarray, " pair"]]


def digit_sum_network(setting: DigitsSetting, shape: tuple[int, ...], head: str, key: PRNGKeyArray) -> DigitSum:
    """Return an untrained network whose head is an equation learner ("eql") or a ReLU network ("relu")."""
    first, second = jax.random.split(key)
    encoder = Encoder(shape, setting.filters, setting.hidden, width=setting.width, pool=2, key=first)
    if head == "relu":
        return DigitSum(encoder, MLP(1, 1, setting.relu, key=second))
    return DigitSum(encoder, EQL(1, 1, 1, "kim2019", deviations=setting.deviations, key=second))


def train_digits(setting: DigitsSetting, images: Images, head: str, *, trials: int, seed: int = 0) -> DigitSum:
    """Train so many trials with one head at once, their weights stacked along a leading axis."""
    keys = jax.random.split(jax.random.key(seed), trials)
    shape = images.train.image.shape[1:]
    models = eqx.filter_vmap(lambda key: digit_sum_network(setting, shape, head, key))(keys)
    data = augmented(images.train, setting.copies, seed=seed)
    sparse = head == "eql"
    cut = SequentialThresholding(setting.threshold, at=(1.0,))
    penalty = Phases(L05(setting.penalty), at=(0.05, 0.3), levels=(0.1, 1.0))
    first = Stage(digit_sums(BELOW), Chain(penalty, cut) if sparse else Chain(), setting.steps, setting.rate)
    models = trained(models, data, [first], batch=setting.batch, keys=keys, seed=seed)
    models = settled(models, images.train.image)
    steps, rate = setting.polish
    last = Stage(digit_sums(BELOW, normalize=False), Support() if sparse else Chain(), steps, rate)
    return trained(models, data, [last], batch=setting.batch, keys=keys, seed=seed + 1)


def digits_experiment(
    images: Images, setting: DigitsSetting = EIGHT_BY_EIGHT, *, trials: int = 5, seed: int = 0
) -> DigitsResult:
    """Train both heads on sums below 15 and measure them on all sums; choose by validation sums below 15 alone."""
    parts = (images.train, images.test)
    rows: list[DigitsTrial] = []
    best: dict[str, DigitsTrial] = {}
    for head in ("eql", "relu"):
        models = train_digits(setting, images, head, trials=trials, seed=seed)
        held_out = _sums(models, images.validation, setting.pairs, seed + 1)
        few = held_out.wanted < BELOW
        error = np.mean((np.round(held_out.predicted) != held_out.wanted)[:, few], axis=1)
        found = [_sums(models, part, setting.pairs, seed + 2) for part in parts]
        weights = weights_left(models.head)
        own = [_row(models, head, i, error, weights, found, images.test) for i in range(trials)]
        at = chosen(error, weights)
        rows += own
        best[head] = own[at]
        if head == "eql":
            shown = [(sums.latent[at], sums.predicted[at], sums.wanted) for sums in found]
    latent, predicted, wanted = zip(*shown, strict=True)
    digit = (np.asarray(parts[0].digit), np.asarray(parts[1].digit))
    return DigitsResult(tuple(rows), best, latent, digit, predicted, wanted)


@dataclass(frozen=True)
class _Sums:
    latent: Float[np.ndarray, "trial sample"]
    predicted: Float[np.ndarray, "trial pair"]
    wanted: Float[np.ndarray, " pair"]


def _sums(models: DigitSum, digits: Digits, pairs: int, seed: int) -> _Sums:
    """Encode all images and add up random pairs of them."""
    latent = encoded(models, jnp.asarray(digits.image))
    left, right = np.random.default_rng(seed).integers(0, len(digits.digit), (2, pairs))
    predicted = _combined(models, latent, left, right)
    digit = np.asarray(digits.digit, np.float64)
    return _Sums(np.asarray(latent, np.float64), np.asarray(predicted, np.float64), digit[left] + digit[right])


@eqx.filter_jit
def _combined(
    models: DigitSum, latent: Float[Array, "trial sample"], left: Int[Array, " pair"], right: Int[Array, " pair"]
) -> Float[Array, "trial pair"]:
    def one(model: DigitSum, z: Array) -> Array:
        return jax.vmap(model.combined)(z[left][:, None], z[right][:, None])[:, 0]

    found: Array = eqx.filter_vmap(one)(models, latent)
    return found


def _row(
    models: DigitSum, head: str, trial: int, error: np.ndarray, weights: np.ndarray, found: list[_Sums], test: Digits
) -> DigitsTrial:
    right = [np.round(sums.predicted[trial]) == sums.wanted for sums in found]
    few = [sums.wanted < BELOW for sums in found]
    distance = [float(np.mean(np.abs(sums.predicted[trial] - sums.wanted))) for sums in found]
    return DigitsTrial(
        head=head,
        trial=trial,
        validation=float(error[trial]),
        below=(float(np.mean(right[0][few[0]])), float(np.mean(right[1][few[1]]))),
        above=(float(np.mean(right[0][~few[0]])), float(np.mean(right[1][~few[1]]))),
        mean_error=(distance[0], distance[1]),
        correlation=float(np.corrcoef(found[1].latent[trial], np.asarray(test.digit))[0, 1]),
        weights=int(weights[trial]),
        equation=sum_equation(models, trial) if head == "eql" else "",
    )
