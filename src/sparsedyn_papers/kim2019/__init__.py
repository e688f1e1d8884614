"""Equation learners at the end of larger networks: sums of handwritten digits, propagation of physical systems."""

from sparsedyn_papers.kim2019.digits import (
    EIGHT_BY_EIGHT,
    MNIST,
    DigitsResult,
    DigitsSetting,
    DigitsTrial,
    digits_experiment,
)
from sparsedyn_papers.kim2019.images import Images, load_idx, small_digits
from sparsedyn_papers.kim2019.propagation import (
    KINEMATICS_SETTING,
    OSCILLATOR_SETTING,
    Growth,
    PropagationResult,
    PropagationTrial,
    Setting,
    propagation_experiment,
)

__all__ = [
    "EIGHT_BY_EIGHT",
    "KINEMATICS_SETTING",
    "MNIST",
    "OSCILLATOR_SETTING",
    "DigitsResult",
    "DigitsSetting",
    "DigitsTrial",
    "Growth",
    "Images",
    "PropagationResult",
    "PropagationTrial",
    "Setting",
    "digits_experiment",
    "load_idx",
    "propagation_experiment",
    "small_digits",
]
