"""Where the numbers of a multilayer perceptron lie in memory, and what techniques do to them, as tables of numbers.

Rows of matrices and biases are padded to whole vectors by zeros. What the optimizer moves is kept in one row per
member, and so are its moments, in the order of the leaves of `Trainable`: matrices, thresholds of techniques, biases.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64, Shaped

ACTIVATIONS = {"relu": 0, "tanh": 1, "sigmoid": 2, "silu": 3, "identity": 4}
ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_SILU, _ = ACTIVATIONS.values()


class Leaf(NamedTuple):
    """A matrix of `rows` rows of `columns` numbers, `width` apart, from `at` on; vectors and scalars have one row."""

    at: int
    rows: int
    columns: int
    width: int

    def within(self, flat: Shaped[np.ndarray, "member size"]) -> Shaped[np.ndarray, "member rows columns"]:
        """Return the view of this leaf in the rows of all members."""
        whole = flat[:, self.at : self.at + self.rows * self.width]
        return whole.reshape(-1, self.rows, self.width)[:, :, : self.columns]


class Layout(NamedTuple):
    """The places of all leaves, the table of layers that `step` reads, and the sizes of its work space."""

    matrices: tuple[Leaf, ...]
    thresholds: tuple[Leaf, ...]
    biases: tuple[Leaf, ...]
    layers: Int64[np.ndarray, "layer 14"]
    size: int
    work: tuple[int, int, int, int]

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """All leaves, in the order of those of `Trainable`."""
        return self.matrices + self.thresholds + self.biases

    def packed(
        self, arrays: Sequence[Float32[np.ndarray, "member ..."]], members: int
    ) -> Float32[np.ndarray, "member size"]:
        """Return a row for every member, padded by zeros; without arrays, zeros."""
        flat = aligned((members, self.size))
        for leaf, array in zip(self.leaves, arrays, strict=False):
            leaf.within(flat)[:] = array.reshape(members, leaf.rows, leaf.columns)
        return flat


def layout(
    shapes: Sequence[tuple[int, int]], biases: Sequence[bool], thresholds: int, batch: int, lanes: int
) -> Layout:
    """Return the layout of a network with matrices of these shapes (fan-in, fan-out), for batches of `batch` rows."""

    def padded(count: int) -> int:
        return -(-count // lanes) * lanes

    at = 0

    def placed(rows: int, columns: int) -> Leaf:
        nonlocal at
        leaf = Leaf(at, rows, columns, padded(columns))
        at += rows * leaf.width
        return leaf

    matrices = tuple(placed(*shape) for shape in shapes)
    scalars = tuple(placed(1, 1) for _ in range(thresholds))
    # Layers without a bias add one that is zero and has no gradient.
    vectors = [placed(1, columns) for _, columns in shapes]
    features = shapes[0][0]
    layers, hidden, sloped, deep, turned = [], padded(batch * features), 0, 0, 0
    h_at, h_width = 0, features
    for number, ((inner, columns), matrix, vector) in enumerate(zip(shapes, matrices, vectors, strict=True)):
        extra = inner - shapes[number - 1][1] if number else 0
        following = shapes[number + 1][0] if number + 1 < len(shapes) else columns
        out_width = padded(max(matrix.width, following))
        layers.append(
            (inner, matrix.width, matrix.at, vector.at, h_at, h_width, sloped, hidden, out_width, extra, deep,
             biases[number], columns, turned)
        )  # fmt: skip
        h_at, h_width = hidden, out_width
        hidden += batch * out_width
        sloped += batch * matrix.width
        deep += batch * matrix.width
        turned += columns * padded(inner - extra)
    own = tuple(vector for vector, has in zip(vectors, biases, strict=True) if has)
    return Layout(matrices, scalars, own, np.array(layers, np.int64), at, (hidden, sloped, deep, turned))


def aligned(shape: tuple[int, ...]) -> Any:
    """Return zeros in single precision that begin at a multiple of 64 bytes."""
    count = math.prod(shape)
    memory = np.zeros(count + 16, np.float32)
    start = (-memory.ctypes.data // 4) % 16
    return memory[start : start + count].reshape(shape)
