"""Where `kernel` is imported: by what fits, so that models are loaded and used where Numba does not work."""

from typing import Any

from sparsedyn._native import needed


def kernel() -> Any:
    """Return the module `kernel`; `NativeError` where Numba cannot be imported."""
    return needed(
        "sparsedyn.training.shooting.kernel",
        "The search for equations by states",
        "take EquationLearner(search='networks')",
    )
