"""Inputs that excite a plant, and their combinations."""

import abc
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


class AbstractExcitation(eqx.Module):
    """One or more input channels: an open-loop signal drawn beforehand, plus feedback of the current state.

    The input of sample i is `signal(...)[i] + feedback(x_i, dt)`, held until sample i + 1. Excitations add up
    with `+` and are laid side by side with `Channels`.
    """

    @property
    @abc.abstractmethod
    def channels(self) -> int:
        """Number of input channels."""

    @property
    @abc.abstractmethod
    def random(self) -> bool:
        """Whether the signal depends on the key."""

    @abc.abstractmethod
    def signal(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, "steps channel"]:
        """The open-loop part at the `steps` samples, `dt` apart."""

    @abc.abstractmethod
    def feedback(self, x: Float[Array, " state"], dt: float) -> Float[Array, " channel"]:
        """The part that answers the current state `x`, held for one sample of `dt`."""

    def __add__(self, other: "AbstractExcitation") -> "Sum":
        return Sum(self, other)


class AbstractSignal(AbstractExcitation):
    """A single open-loop channel."""

    @property
    def channels(self) -> int:
        """One."""
        return 1

    @abc.abstractmethod
    def wave(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, " steps"]:
        """Values at the `steps` samples, `dt` apart."""

    def signal(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, "steps 1"]:
        """The wave as a column."""
        return self.wave(key, steps, dt)[:, None]

    def feedback(self, x: Float[Array, " state"], dt: float) -> Float[Array, "1"]:
        """Zero: the state is not used."""
        return jnp.zeros(1, x.dtype)


class Feedback(AbstractExcitation):
    """One channel computed from the current state by `law(x, dt)`, a scalar; open loop it is zero."""

    law: Callable[[Float[Array, " state"], float], Float[Array, ""]]

    @property
    def channels(self) -> int:
        """One."""
        return 1

    @property
    def random(self) -> bool:
        """No."""
        return False

    def signal(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, "steps 1"]:
        """Zero: nothing is determined in advance."""
        return jnp.zeros((steps, 1))

    def feedback(self, x: Float[Array, " state"], dt: float) -> Float[Array, "1"]:
        """The law at the current state."""
        return jnp.reshape(self.law(x, dt), (1,))


class Sum(AbstractExcitation):
    """Several excitations of the same channels, added; each part draws from its own key."""

    parts: tuple[AbstractExcitation, ...]

    def __init__(self, *parts: AbstractExcitation) -> None:
        """Raises ValueError for no parts, or parts that differ in their number of channels."""
        counts = [part.channels for part in parts]
        if not counts or len(set(counts)) > 1:
            raise ValueError(
                "Excitations that are added need the same number of channels, "
                f"got {counts or 'no excitation'}; lay excitations of different inputs side by side with "
                "Channels(...)."
            )
        self.parts = parts

    @property
    def channels(self) -> int:
        """That of every part."""
        return self.parts[0].channels

    @property
    def random(self) -> bool:
        """Whether any part is."""
        return any(part.random for part in self.parts)

    def signal(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, "steps channel"]:
        """Sum of the parts' signals."""
        return jnp.sum(jnp.stack(_signals(self.parts, key, steps, dt)), axis=0)

    def feedback(self, x: Float[Array, " state"], dt: float) -> Float[Array, " channel"]:
        """Sum of the parts' feedbacks."""
        return jnp.sum(jnp.stack([part.feedback(x, dt) for part in self.parts]), axis=0)


class Channels(AbstractExcitation):
    """Excitations side by side, one after the other in the order of the plant's inputs."""

    parts: tuple[AbstractExcitation, ...]

    def __init__(self, *parts: AbstractExcitation) -> None:
        """No parts is right for a plant without inputs."""
        self.parts = parts

    @property
    def channels(self) -> int:
        """Those of all parts together."""
        return sum(part.channels for part in self.parts)

    @property
    def random(self) -> bool:
        """Whether any part is."""
        return any(part.random for part in self.parts)

    def signal(self, key: PRNGKeyArray, steps: int, dt: float) -> Float[Array, "steps channel"]:
        """The parts' signals, side by side; each part draws from its own key."""
        return jnp.concatenate([jnp.zeros((steps, 0)), *_signals(self.parts, key, steps, dt)], axis=1)

    def feedback(self, x: Float[Array, " state"], dt: float) -> Float[Array, " channel"]:
        """The parts' feedbacks, side by side."""
        return jnp.concatenate([jnp.zeros(0, x.dtype), *(part.feedback(x, dt) for part in self.parts)])


def _signals(
    parts: tuple[AbstractExcitation, ...], key: PRNGKeyArray, steps: int, dt: float
) -> list[Float[Array, "steps _channel"]]:
    """Signals of the parts, each random one drawn from a key of its own."""
    count = sum(part.random for part in parts)
    # Splitting keys takes long to compile, so only where two parts would share one.
    keys = iter(jax.random.split(key, count) if count > 1 else [key])
    return [part.signal(next(keys) if part.random else key, steps, dt) for part in parts]
