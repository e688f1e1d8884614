"""Open-loop excitations of one channel: random levels, random impulses, chirp, sine, constant."""

import math
from typing import SupportsFloat

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from sparsedyn.systems.excitation import AbstractSignal


def _optional_float(value: SupportsFloat | None) -> float | None:
    return None if value is None else float(value)


def _optional_pair(value: tuple[SupportsFloat, SupportsFloat] | None) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))


class Constant(AbstractSignal):
    """The same `value` at every sample."""

    value: float = eqx.field(converter=float, default=0.0)

    @property
    def random(self) -> bool:
        """No."""
        return False

    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """Draws nothing from the key."""
        return jnp.full(steps, self.value)


class Sine(AbstractSignal):
    """`amplitude * sin(2 pi frequency t + phase)`; the phase in radians, drawn at random where it is None.

    The frequency is in cycles per unit of the plant's time.
    """

    amplitude: float = eqx.field(converter=float)
    frequency: float = eqx.field(converter=float)
    phase: float | None = eqx.field(converter=_optional_float, default=None)

    @property
    def random(self) -> bool:
        """Where the phase is drawn."""
        return self.phase is None

    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """Uses the key for the phase only."""
        return self.amplitude * jnp.sin(2 * math.pi * self.frequency * _times(steps, dt) + _phase(self.phase, key))


class Chirp(AbstractSignal):
    """A sine whose frequency rises (or falls) linearly from `start` to `end` in `duration`, then stays.

    `amplitude * sin(2 pi (start t + (end - start) t^2 / (2 duration)) + phase)` for t up to `duration`.
    Frequencies in cycles per unit of the plant's time; `duration` None is the whole simulation; the phase in
    radians, drawn at random where it is None.
    """

    amplitude: float = eqx.field(converter=float)
    start: float = eqx.field(converter=float)
    end: float = eqx.field(converter=float)
    duration: float | None = eqx.field(converter=_optional_float, default=None)
    phase: float | None = eqx.field(converter=_optional_float, default=None)

    def __check_init__(self) -> None:
        if self.duration is not None and not self.duration > 0:
            raise ValueError(f"Chirp: duration must be positive or None (the whole simulation), got {self.duration}.")

    @property
    def random(self) -> bool:
        """Where the phase is drawn."""
        return self.phase is None

    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """Uses the key for the phase only."""
        times = _times(steps, dt)
        duration = steps * dt if self.duration is None else self.duration
        swept = jnp.minimum(times, duration)
        cycles = self.start * swept + (self.end - self.start) * swept**2 / (2 * duration)
        cycles = cycles + self.end * (times - swept)
        return self.amplitude * jnp.sin(2 * math.pi * cycles + _phase(self.phase, key))


class APRBS(AbstractSignal):
    """Amplitude-modulated pseudo-random binary signal: random levels, each held for a random time.

    Levels are uniform between `low` and `high`; holds are uniform between `shortest` and `longest`, in the
    plant's time, rounded to whole samples (at least one). The signal is `rest` for the first hold, or a
    random level from the start where `rest` is None. `first` is the range of the first hold where it differs
    from the others. Raises ValueError for ranges that are empty or not positive.
    """

    low: float = eqx.field(converter=float)
    high: float = eqx.field(converter=float)
    shortest: float = eqx.field(converter=float)
    longest: float = eqx.field(converter=float)
    rest: float | None = eqx.field(converter=_optional_float, default=None)
    first: tuple[float, float] | None = eqx.field(converter=_optional_pair, default=None)

    def __check_init__(self) -> None:
        _check_ranges(self)

    @property
    def random(self) -> bool:
        """Yes."""
        return True

    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """Piecewise constant; a longer signal from the same key starts with the shorter one."""
        changes, levels = _events(self, key, steps, dt)
        # Level i stands until change i, so the level before the first change is one of its own.
        if self.rest is not None:
            levels = levels.at[0].set(self.rest)
        return levels[jnp.searchsorted(changes, jnp.arange(steps), side="right")]


class Impulses(AbstractSignal):
    """Impulses of one sample, zero in between.

    Heights are uniform between `low` and `high`; the gaps from one impulse to the next are uniform between
    `shortest` and `longest`, in the plant's time, rounded to whole samples (at least one). `first` is the
    range of the time of the first impulse where it differs from the gaps. Raises ValueError for ranges that
    are empty or not positive.
    """

    low: float = eqx.field(converter=float)
    high: float = eqx.field(converter=float)
    shortest: float = eqx.field(converter=float)
    longest: float = eqx.field(converter=float)
    first: tuple[float, float] | None = eqx.field(converter=_optional_pair, default=None)

    def __check_init__(self) -> None:
        _check_ranges(self)

    @property
    def random(self) -> bool:
        """Yes."""
        return True

    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """A longer signal from the same key starts with the shorter one."""
        instants, heights = _events(self, key, steps, dt)
        return jnp.zeros(steps).at[instants].set(heights[:-1], mode="drop")


def _events(
    spec: APRBS | Impulses, key: PRNGKeyArray, steps: int, dt: float
) -> tuple[Int[Array, " event"], Float[Array, " event+1"]]:
    """Sample numbers of random events, increasing, the last beyond the end; and random levels, one more."""
    fewest, most = _samples(spec.shortest, dt), _samples(spec.longest, dt)
    first_fewest, first_most = (_samples(time, dt) for time in spec.first or (spec.shortest, spec.longest))
    # Enough events even if every gap were the shortest.
    count = math.ceil(max(steps - first_fewest, 0) / fewest) + 1
    # One flat call of the generator draws both: calls, and their axes, are what takes long to compile.
    shares = jnp.reshape(jax.random.uniform(key, (2 * (count + 1),)), (count + 1, 2))
    least = jnp.full(count, fewest).at[0].set(first_fewest)
    choices = jnp.full(count, most - fewest + 1).at[0].set(first_most - first_fewest + 1)
    gaps = least + jnp.floor(shares[:-1, 0] * choices).astype(least.dtype)
    return jnp.cumsum(gaps), spec.low + (spec.high - spec.low) * shares[:, 1]


def _samples(time: float, dt: float) -> int:
    return max(1, round(time / dt))


def _times(steps: int, dt: float) -> Float[Array, " steps"]:
    return jnp.arange(steps) * jnp.asarray(dt, jnp.result_type(float))


def _phase(phase: float | None, key: PRNGKeyArray) -> Float[Array, ""]:
    if phase is None:
        return jax.random.uniform(key, maxval=2 * math.pi)
    return jnp.asarray(phase, jnp.result_type(float))


def _check_ranges(spec: APRBS | Impulses) -> None:
    name = type(spec).__name__
    if not spec.low <= spec.high:
        raise ValueError(f"{name}: low must not exceed high, got low={spec.low}, high={spec.high}.")
    for what, (least, most) in (
        ("shortest and longest", (spec.shortest, spec.longest)),
        ("first", spec.first or (spec.shortest, spec.longest)),
    ):
        if not 0 < least <= most < math.inf:
            raise ValueError(f"{name}: {what} must be times with 0 < shortest <= longest, got {(least, most)}.")
