"""The experiments with propagated series: their settings, and data of kinematics and of an oscillator."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from sparsedyn.models import Primitive
from sparsedyn_papers.kim2019.propagator import Series
from sparsedyn_papers.kim2019.series import KINEMATICS, OSCILLATOR, Physics, Simulated

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
