"""Cheap proposals for equations of tables, made before any network is trained, and their judge."""

from sparsedyn.estimators.equation.proposals._judge import Fitted, Judge, explained, fitted, price_of_numbers, uncertain
from sparsedyn.estimators.equation.proposals._ladder import climbed

__all__ = ["Fitted", "Judge", "climbed", "explained", "fitted", "price_of_numbers", "uncertain"]
