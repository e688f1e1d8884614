"""The functions of Kim et al. 2019, and in which share of trials they found them."""

from sparsedyn_papers.benchmarks.functions import Function


def _table5(name: str, inputs: str, text: str, l05: float, l0: float) -> Function:
    count = len(inputs)
    box, beyond = ((-1.0, 1.0),) * count, ((-2.0, 2.0),) * count
    return Function(name, tuple(inputs), text, box, beyond, {"l05": l05, "l0": l0})


TABLE5 = (
    _table5("x", "x", "x", 1.0, 1.0),
    _table5("x^2", "x", "x**2", 0.6, 0.75),
    _table5("x^3", "x", "x**3", 0.3, 0.05),
    _table5("sin(2 pi x)", "x", "sin(2*pi*x)", 0.45, 0.85),
    _table5("x y", "xy", "x*y", 0.8, 1.0),
    _table5("1/(1 + exp(-10 x))", "x", "1/(1 + exp(-10*x))", 0.3, 0.55),
    _table5("x y/2 + z/2", "xyz", "x*y/2 + z/2", 0.05, 0.95),
    _table5("exp(-x^2)", "x", "exp(-x**2)", 0.05, 0.15),
    _table5("x^2 + sin(2 pi y)", "xy", "x**2 + sin(2*pi*y)", 0.2, 0.8),
    _table5("x^2 + y - 2 z", "xyz", "x**2 + y - 2*z", 0.6, 0.9),
)
"""Kim et al. 2019, table V."""

THREE_LAYERS = (
    Function(
        "(x1 + x2 x3)^3",
        ("x1", "x2", "x3"),
        "(x1 + x2*x3)**3",
        ((-1.0, 1.0),) * 3,
        ((-2.0, 2.0),) * 3,
    ),
)
"""Kim et al. 2019, section III-A: a function that takes three layers."""
