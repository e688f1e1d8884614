"""Derivatives of sampled states: methods by name, and the choice between them where none is named."""

from .choice import AUTO, Differentiated, Differentiator, differentiator, resolved
from .methods import DERIVATIVES, Derivative, choose
from .splines import Splined, splined

__all__ = [
    "AUTO",
    "DERIVATIVES",
    "Derivative",
    "Differentiated",
    "Differentiator",
    "Splined",
    "choose",
    "differentiator",
    "resolved",
    "splined",
]
