"""Samples of a function: to train on, to judge by, and, for the verdict alone, beyond the domain."""

import zlib
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sparsedyn.data import Samples
from sparsedyn_papers.benchmarks.functions import Function, Range
from sparsedyn_papers.equations.spec import FunctionsSpec

BEYOND_POINTS = 1000


class Sampled(NamedTuple):
    """Noisy samples in two parts, and columns beyond the domain, where the truth is asked for without noise."""

    train: Samples
    held_out: Samples
    beyond: dict[str, Float[np.ndarray, " sample"]]


def sampled(function: Function, settings: FunctionsSpec, *, seed: int, data_seed: int) -> Sampled:
    """Draw the samples of a function; they do not depend on which other functions a study has."""
    rng = np.random.default_rng(entropy(function, seed, data_seed))
    x = _places(function, settings, rng)
    clean = function.values(x)
    size = np.sqrt(np.mean(np.square(clean)))
    y = clean + settings.noise * size * rng.normal(size=len(x))
    ends = [settings.points, settings.points + settings.held_out]
    if function.system is not None:
        ends = [min(ends[0], 2 * len(x) // 3), len(x)]
    train, held_out = (
        Samples(x[rows], np.zeros((len(x[rows]), 0)), y[rows, None]) for rows in (slice(ends[0]), slice(*ends))
    )
    beyond = _uniform(_boxes(function, settings.extrapolation, function.beyond), BEYOND_POINTS, rng)
    return Sampled(train, held_out, dict(zip(function.inputs, beyond.T, strict=True)))


def entropy(function: Function, *numbers: int) -> list[int]:
    """Return numbers that seed everything random about a function."""
    return [*numbers, zlib.crc32(f"{function.name}: {function.text}".encode())]


def _places(function: Function, settings: FunctionsSpec, rng: np.random.Generator) -> Float[np.ndarray, "sample input"]:
    if function.system is not None:
        states = function.system.trajectories()
        return rng.permutation(states.reshape(-1, states.shape[-1]))
    boxes = _boxes(function, settings.domain, function.domain)
    return _uniform(boxes, settings.points + settings.held_out, rng)


def _boxes(function: Function, given: Range | None, own: tuple[Range, ...]) -> tuple[Range, ...]:
    return own if given is None else (given,) * len(function.inputs)


def _uniform(boxes: tuple[Range, ...], count: int, rng: np.random.Generator) -> Float[np.ndarray, "sample input"]:
    low, high = np.transpose(boxes)
    return rng.uniform(low, high, (count, len(boxes)))
