"""The suites of functions by their names in studies."""

from sparsedyn_papers.benchmarks.functions import Function
from sparsedyn_papers.benchmarks.strogatz import STROGATZ
from sparsedyn_papers.benchmarks.twenty import TWENTY
from sparsedyn_papers.kim2019.functions import TABLE5, THREE_LAYERS

SUITES: dict[str, tuple[Function, ...]] = {
    "table5": TABLE5,
    "three-layers": THREE_LAYERS,
    "own": TWENTY,
    "strogatz": STROGATZ,
}
