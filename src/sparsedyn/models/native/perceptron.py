"""Multilayer perceptrons on whole batches, compiled by Numba: what training steps and forecasts share.

Loops take slices and index from zero, or they would not be vectorized. Functions have no annotations, since Numba
reads types from their arguments.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from sparsedyn._native import INNER

from .layout import ACTIVATION_RELU, ACTIVATION_SIGMOID, ACTIVATION_SILU, ACTIVATION_TANH
from .tiles import BYTES, LANES, NEXT, multiply

# Not `nnan` and `ninf`, which would remove the test whether numbers are finite.
FAST = {"reassoc", "contract", "nsz", "arcp"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function as part of those that call it."""
    return njit(fastmath=FAST, **INNER)(function)


@compiled
def zeros(size):
    """Zeros that begin where a vector does."""
    memory = np.zeros(size + LANES, np.float32)
    start = (-memory.ctypes.data // BYTES) % LANES
    return memory[start : start + size]


@compiled
def _tanh(x):
    """The hyperbolic tangent by the quotient of polynomials that Eigen and XLA have, which is vectorized."""
    given = x
    x = min(max(x, np.float32(-7.90531110763549805)), np.float32(7.90531110763549805))
    y = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * y + np.float32(2.00018790482477e-13)
    p = p * y + np.float32(-8.60467152213735e-11)
    p = p * y + np.float32(5.12229709037114e-08)
    p = p * y + np.float32(1.48572235717979e-05)
    p = p * y + np.float32(6.37261928875436e-04)
    p = p * y + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * y + np.float32(1.18534705686654e-04)
    q = q * y + np.float32(2.26843463243900e-03)
    q = q * y + np.float32(4.89352518554385e-03)
    # What is no number stays so.
    return x * p / q if given == given else given


@compiled
def sigmoid(x):
    return np.float32(0.5) + np.float32(0.5) * _tanh(np.float32(0.5) * x)


@compiled
def _activate(h, slopes, bias, rows, width, kind):
    """Add the bias to the rows of `h`, and put them through the activation; `slopes` becomes its derivative."""
    size = bias.size
    for i in range(rows):
        row, slope = h[i * width : i * width + size], slopes[i * size : (i + 1) * size]
        if kind == ACTIVATION_RELU:
            for j in range(size):
                z = row[j] + bias[j]
                # What is no number stays so.
                row[j] = np.float32(0.0) if z <= 0 else z
                slope[j] = np.float32(1.0) if z > 0 else np.float32(0.0)
        elif kind == ACTIVATION_TANH:
            for j in range(size):
                value = _tanh(row[j] + bias[j])
                row[j] = value
                slope[j] = np.float32(1.0) - value * value
        elif kind == ACTIVATION_SIGMOID:
            for j in range(size):
                value = sigmoid(row[j] + bias[j])
                row[j] = value
                slope[j] = value * (np.float32(1.0) - value)
        elif kind == ACTIVATION_SILU:
            for j in range(size):
                z = row[j] + bias[j]
                share = sigmoid(z)
                row[j] = z * share
                slope[j] = share + z * share * (np.float32(1.0) - share)


@compiled
def forward(weights, raw, layers, activation, batch, h, slopes):
    """Write the outputs of a batch behind the activations of the last layer, and the slopes of all others."""
    last = layers.shape[0] - 1
    for l in range(last + 1):  # noqa: E741
        inner, width, w_at, b_at, h_at, h_width, s_at = layers[l, :7]
        out_at, out_width = layers[l, 7], layers[l, 8]
        multiply(
            h.ctypes.data + h_at * BYTES, h_width * BYTES, NEXT, weights.ctypes.data + w_at * BYTES, width * BYTES,
            h.ctypes.data + out_at * BYTES, out_width * BYTES, batch, width // LANES, inner,
        )  # fmt: skip
        bias = raw[b_at : b_at + width]
        if l < last:
            _activate(h[out_at:], slopes[s_at:], bias, batch, out_width, activation)
            # Skips: the network's own inputs follow the activations of every layer.
            extra, hidden = layers[l + 1, 9], layers[l + 1, 0] - layers[l + 1, 9]
            if extra:
                features = layers[0, 5]
                for i in range(batch):
                    row, own = h[out_at + i * out_width + hidden :], h[i * features :]
                    for j in range(extra):
                        row[j] = own[j]
        else:
            for i in range(batch):
                row = h[out_at + i * out_width : out_at + i * out_width + width]
                for j in range(width):
                    row[j] += bias[j]
