"""Autoencoders with equations between their split, and the recipes that they are trained by."""

from sparsedyn.estimators.autoencoder._judging import ERRORS, OnErrors
from sparsedyn.estimators.autoencoder._recipes import Phase, Recipe, geodesic, projected, published
from sparsedyn.estimators.autoencoder.autoencoder import SINDyAutoencoder

__all__ = ["ERRORS", "OnErrors", "Phase", "Recipe", "SINDyAutoencoder", "geodesic", "projected", "published"]
