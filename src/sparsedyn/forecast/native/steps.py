"""Euler and Runge-Kutta steps of multilayer perceptrons, for a block of trajectories of one member after the other.

Numba keeps what it compiled for as long as this file is the same: touch it after changes of what it imports.
"""

import numpy as np
from numba import njit

from sparsedyn._native import CALLED
from sparsedyn.models.native.perceptron import FAST, compiled, forward, zeros

BLOCK = 64
"""Trajectories that are stepped together."""

EULER, RK4, MAP = range(3)


@compiled
def _increment(weights, gain, drift, layers, activation, count, h, slopes, into):
    """Write the increments `into` (trajectory, state), flat, of the states and inputs that lie in the first layer."""
    n = gain.size
    forward(weights, weights, layers, activation, count, h, slopes)
    last = layers.shape[0] - 1
    outputs, width = h[layers[last, 7] :], layers[last, 8]
    for i in range(count):
        row, target = outputs[i * width :], into[i * n : (i + 1) * n]
        for j in range(n):
            target[j] = gain[j] * row[j] + drift[j]


@compiled
def _placed(z, h, n, width, count):
    """Copy states (trajectory, state), flat, to where the first layer reads them."""
    for i in range(count):
        row, own = h[i * width : i * width + n], z[i * n : (i + 1) * n]
        for j in range(n):
            row[j] = own[j]


@compiled
def _moved(z, by, share, into):
    for i in range(z.size):
        into[i] = z[i] + share * by[i]


@compiled
def _copied(source, into):
    """Copy number by number: the messages of an assigned slice take seconds to compile."""
    for i in range(source.size):
        into[i] = source[i]


@njit(fastmath=FAST, **CALLED)
def integrate(members, weights, start, forcing, gain, drift, mean, std, layers, sizes, activation, method, found):
    """Write `found` (member, trajectory, time, state) of the members from `members[0]` to `members[1]`.

    `start` (trajectory, state) and `forcing` (time, trajectory, input) are scaled, `found` is in the data's units. The
    input of the last row acts beyond the horizon.
    """
    n, m, rows = gain.size, forcing.shape[2], forcing.shape[0]
    h, slopes, width = zeros(sizes[0]), zeros(sizes[1]), n + m
    space = zeros(4 * BLOCK * n)
    half, two, sixth = np.float32(0.5), np.float32(2.0), np.float32(1.0 / 6.0)
    for member in range(members[0], members[1]):
        own = weights[member]
        for first in range(0, start.shape[0], BLOCK):
            count = min(BLOCK, start.shape[0] - first)
            size = count * n
            z, one, moved, total = space[:size], space[size : 2 * size], space[2 * size : 3 * size], space[3 * size :]
            for i in range(count):
                for j in range(n):
                    z[i * n + j] = start[first + i, j]
            for row in range(rows):
                for i in range(count):
                    values, states = found[member, first + i, row], z[i * n : (i + 1) * n]
                    for j in range(n):
                        values[j] = states[j] * std[j] + mean[j]
                if row == rows - 1:
                    break
                for i in range(count):
                    place, inputs = h[i * width + n : (i + 1) * width], forcing[row, first + i]
                    for j in range(m):
                        place[j] = inputs[j]
                _placed(z, h, n, width, count)
                _increment(own, gain, drift, layers, activation, count, h, slopes, one)
                if method == EULER:
                    _moved(z, one, np.float32(1.0), z)
                elif method == MAP:
                    _copied(one, z)
                else:
                    _copied(one, total)
                    for stage in range(3):
                        _moved(z, one, half if stage < 2 else np.float32(1.0), moved)
                        _placed(moved, h, n, width, count)
                        _increment(own, gain, drift, layers, activation, count, h, slopes, one)
                        _moved(total[:size], one, two if stage < 2 else np.float32(1.0), total[:size])
                    _moved(z, total[:size], sixth, z)
