"""Derivatives of sampled states: methods by name, and the choice between them where none is named."""

from .choice import AUTO, Differentiated, Differentiator, differentiator, resolved
from .methods import DERIVATIVES, FOLLOWING, Derivative, choose
from .smoothing import Smoothed, smoothed
from .splines import Splined, splined

__all__ = [
    "AUTO",
    "DERIVATIVES",
    "FOLLOWING",
    "Derivative",
    "Differentiated",
    "Differentiator",
    "Smoothed",
    "Splined",
    "choose",
    "differentiator",
    "resolved",
    "smoothed",
    "splined",
]
