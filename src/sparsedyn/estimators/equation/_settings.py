"""How equations are searched for."""

import dataclasses
from typing import Any

from sparsedyn.models import units_of
from sparsedyn.models.primitives import Units

REGULARIZERS = ("l05", "l0")


@dataclasses.dataclass(frozen=True)
class Search:
    """How equations are searched for.

    Every one of `trials` is a search of its own: generation after generation it trains `networks` new equation
    learners, until one is exact or `generations` are over. One in four begins at random; the others begin with terms
    or connections that go with what is not explained yet, on top of something that the trial has found before. All
    networks of a generation, of all trials, are trained and refined as one computation, each with its own weight of the
    regularizer.

    In a share of `fitted` of the trials, terms may be fitted to the target, and there are connections. Equations with
    division are found that way; sums of plain terms are found more often without, since nothing elaborate stands in
    their way.
    """

    hidden: tuple[Units, ...]
    regularizer: str = "l05"
    trials: int = 20
    networks: int = 4
    generations: int = 10
    steps: int = 200
    batch: int = 128
    active: int = 36
    seed: int = 0
    bias: bool = False
    fitted: float = 1.0


def search_of(estimator: Any) -> Search:
    """Return the search that the parameters of an equation estimator ask for."""
    layers = (units_of(estimator.primitives),) * estimator.hidden
    names = ("regularizer", "trials", "networks", "generations", "steps", "seed")
    return Search(hidden=layers, **{name: getattr(estimator, name) for name in names})
