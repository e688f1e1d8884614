"""The primitives that have a name on the command line and in saved models, and sets of them.

Importing this needs no JAX.
"""

from typing import Any

from sparsedyn._registry import Registry

# Their class is not named: its file imports this one.
PRIMITIVES: Registry[Any] = Registry(
    "sparsedyn.models",
    {
        "constant": "primitives:CONSTANT",
        "identity": "primitives:IDENTITY",
        "square": "primitives:SQUARE",
        "cube": "primitives:CUBE",
        "sin": "primitives:SIN",
        "cos": "primitives:COS",
        "exp": "primitives:EXP",
        "sigmoid": "primitives:SIGMOID",
        "tanh": "primitives:TANH",
        "log": "primitives:LOG",
        "sqrt": "primitives:SQRT",
        "product": "primitives:PRODUCT",
        "division": "primitives:DIVISION",
        "sin_4pi": "primitives:SIN_4PI",
        "sin_2pi": "primitives:SIN_2PI",
        "sigmoid_20": "primitives:SIGMOID_20",
        "exp_shifted": "primitives:EXP_SHIFTED",
        "product_10": "primitives:PRODUCT_10",
    },
)

SETS: dict[str, dict[str, int]] = {
    "general": {
        "constant": 1, "identity": 3, "square": 2, "sin": 2, "cos": 2, "exp": 2, "log": 1, "sqrt": 1, "product": 3,
        "division": 2,
    },
    "kim2019": {
        "constant": 2, "identity": 4, "square": 4, "sin_4pi": 2, "exp_shifted": 2, "sigmoid_20": 2, "product_10": 2,
    },
    "kim2019-oscillator": {
        "constant": 2, "identity": 2, "square": 1, "sin_2pi": 1, "exp": 1, "product_10": 2,
    },
}  # fmt: skip
"""Layers of units by name. The two of 2019 have the scalings of the code that was released with Kim et al. 2019."""
