"""Gradient steps of multilayer perceptrons, member after member: the arithmetic of `engine.one_step`, compiled.

Everything of a member lies in one row of single-precision numbers, laid out by `models.native.layout`: matrices with
rows padded to whole vectors, whose padding is zero and stays zero. Functions have no annotations, since Numba reads
types from their arguments. Loops take slices and index from zero, or they would not be vectorized.

Numba keeps what it compiled for as long as this file is the same: touch it after changes of what it imports.
"""

import math

import numpy as np
from numba import njit

from sparsedyn._native import CALLED
from sparsedyn.models.native.perceptron import FAST, compiled, forward, sigmoid, zeros
from sparsedyn.models.native.tiles import BYTES, LANES, NEXT, multiply

from .tables import ADAM, ADAMW, FREEZE, L1, L2, MASK, MOMENTUM, SOFT_THRESHOLD

BLOCK = 32
"""Batches that are gathered at a time, for all members of a thread."""


@compiled
def _transposed(matrix, width, rows, columns, into, into_width):
    """Write the transposed first `rows` rows of a matrix."""
    for j in range(columns):
        row = into[j * into_width : j * into_width + rows]
        for i in range(rows):
            row[i] = matrix[i * width + j]


@compiled
def _stage(raw, stages, number):
    """Return the weights after so many techniques that change them."""
    return raw if number == 0 else stages[number - 1]


@compiled
def _effective(raw, stages, operations, chain, member):
    """Take the weights of a member through the techniques, and return those that the network sees.

    The first stage is `raw` itself, and has no place in `stages`.
    """
    codes, reads, writes, applies, auxiliary = operations
    masks = chain[2]
    for k in range(codes.size):
        if codes[k] != MASK and codes[k] != SOFT_THRESHOLD:
            continue
        source, target = _stage(raw, stages, reads[k]), stages[writes[k] - 1]
        for part in range(applies.shape[1]):
            begin, end, used = applies[k, part]
            w, seen = source[begin:end], target[begin:end]
            if used == 0:
                for i in range(w.size):
                    seen[i] = w[i]
            elif codes[k] == MASK:
                mask = masks[k, member, begin:end]
                for i in range(w.size):
                    seen[i] = w[i] if mask[i] else np.float32(0.0)
            else:
                limit = sigmoid(raw[auxiliary[k, part]])
                for i in range(w.size):
                    size = max(abs(w[i]) - limit, np.float32(0.0))
                    seen[i] = size if w[i] > 0 else -size
    return _stage(raw, stages, stages.shape[0])


@compiled
def _penalized(raw, gradient, stages, operations, chain, member, place):
    """Take the gradient by effective weights back through the techniques; return the penalty."""
    codes, reads, _, applies, auxiliary = operations
    amounts, factors, masks, frozen = chain
    penalty = np.float32(0.0)
    for k in range(codes.size - 1, -1, -1):
        amount = amounts[k, member] * factors[k, place]
        for part in range(applies.shape[1]):
            begin, end, used = applies[k, part]
            if used == 0:
                continue
            w, g = _stage(raw, stages, reads[k])[begin:end], gradient[begin:end]
            if codes[k] == L1:
                total = np.float32(0.0)
                for i in range(w.size):
                    total += abs(w[i])
                    sign = np.float32(1.0) if w[i] > 0 else (np.float32(-1.0) if w[i] < 0 else np.float32(0.0))
                    g[i] += amount * sign
                penalty += amount * total
            elif codes[k] == L2:
                total = np.float32(0.0)
                for i in range(w.size):
                    total += w[i] * w[i]
                    g[i] += np.float32(2.0) * amount * w[i]
                penalty += amount * total
            elif codes[k] == MASK:
                mask = masks[k, member, begin:end]
                for i in range(w.size):
                    g[i] = g[i] if mask[i] else np.float32(0.0)
            elif codes[k] == SOFT_THRESHOLD:
                limit = sigmoid(raw[auxiliary[k, part]])
                total = np.float32(0.0)
                for i in range(w.size):
                    kept = g[i] if abs(w[i]) > limit else np.float32(0.0)
                    total += kept if w[i] > 0 else -kept
                    g[i] = kept
                gradient[auxiliary[k, part]] = -total * limit * (np.float32(1.0) - limit)
            elif codes[k] == FREEZE and frozen[k, member]:
                for i in range(w.size):
                    g[i] = np.float32(0.0)
    return penalty


@compiled
def _squared_errors(output, width, target, states, batch):
    total = np.float32(0.0)
    for i in range(batch):
        row, wanted = output[i * width :], target[i * states :]
        for j in range(states):
            total += (row[j] - wanted[j]) ** 2
    return total


@compiled
def _loss(output, width, target, slope, states, batch):
    """Return the mean squared error; `slope` becomes its gradient by the outputs."""
    total = np.float32(0.0)
    scale = np.float32(2.0) / np.float32(batch * states)
    for i in range(batch):
        row, wanted, g = output[i * width :], target[i * states :], slope[i * width :]
        for j in range(states):
            error = row[j] - wanted[j]
            total += error * error
            g[j] = scale * error
    return total / np.float32(batch * states)


@compiled
def _backward(weights, gradient, layers, batch, work):
    """Write the gradient by the effective weights and by the biases."""
    h, slopes, d, turned = work
    for l in range(layers.shape[0] - 1, -1, -1):  # noqa: E741
        inner, width, w_at, b_at, h_at, h_width = layers[l, :6]
        d_at = layers[l, 10]
        multiply(
            h.ctypes.data + h_at * BYTES, NEXT, h_width * BYTES, d.ctypes.data + d_at * BYTES, width * BYTES,
            gradient.ctypes.data + w_at * BYTES, width * BYTES, inner, width // LANES, batch,
        )  # fmt: skip
        if layers[l, 11]:
            total = gradient[b_at : b_at + width]
            for j in range(width):
                total[j] = np.float32(0.0)
            for i in range(batch):
                row = d[d_at + i * width : d_at + (i + 1) * width]
                for j in range(width):
                    total[j] += row[j]
        if l == 0:
            return
        hidden, before = inner - layers[l, 9], layers[l - 1, 1]
        columns, across = layers[l, 12], turned[layers[l, 13] :]
        _transposed(weights[w_at:], width, hidden, columns, across, before)
        to = layers[l - 1, 10]
        multiply(
            d.ctypes.data + d_at * BYTES, width * BYTES, NEXT, np.int64(across.ctypes.data), before * BYTES,
            d.ctypes.data + to * BYTES, before * BYTES, batch, before // LANES, columns,
        )  # fmt: skip
        own, slope = d[to : to + batch * before], slopes[layers[l - 1, 6] :]
        for i in range(own.size):
            own[i] *= slope[i]


@compiled
def _moved(raw, gradient, first, second, count, rate, optimizer, clip):
    """Take a step of the optimizer; return whether all of it is finite, in which case it has been taken."""
    size = raw.size
    if clip < np.inf:
        square = np.float32(0.0)
        for i in range(size):
            square += gradient[i] * gradient[i]
        norm = math.sqrt(square)
        if not norm < clip:
            for i in range(size):
                gradient[i] = gradient[i] / norm * clip
    total = np.float32(0.0)
    if optimizer in (ADAM, ADAMW):
        decay = np.float32(1e-4) if optimizer == ADAMW else np.float32(0.0)
        one, b1, b2, small = np.float32(1.0), np.float32(0.9), np.float32(0.999), np.float32(1e-8)
        unbiased1 = one / np.float32(1.0 - 0.9**count)
        unbiased2 = one / np.float32(1.0 - 0.999**count)
        for i in range(size):
            g = gradient[i]
            first[i] = b1 * first[i] + (one - b1) * g
            second[i] = b2 * second[i] + (one - b2) * (g * g)
            update = first[i] * unbiased1 / (np.sqrt(second[i] * unbiased2) + small) + decay * raw[i]
            gradient[i] = update
            total += update
    elif optimizer == MOMENTUM:
        for i in range(size):
            first[i] = gradient[i] + np.float32(0.9) * first[i]
            gradient[i] = first[i]
            total += first[i]
    else:
        for i in range(size):
            total += gradient[i]
    if not math.isfinite(total):
        return False
    for i in range(size):
        raw[i] -= rate * gradient[i]
    return True


@compiled
def _gathered(data, order, first, batches, size, x, targets):
    """Gather so many batches: the networks' inputs, and their targets."""
    states, inputs, slopes = data
    n, m = states.shape[1], inputs.shape[1]
    for i in range(batches * size):
        at = order[first + i]
        row, target = x[i * (n + m) : (i + 1) * (n + m)], targets[i * n : (i + 1) * n]
        for j in range(n):
            row[j] = states[at, j]
            target[j] = slopes[at, j]
        for j in range(m):
            row[n + j] = inputs[at, j]


@njit(fastmath=FAST, **CALLED)
def evaluate(places, chosen, raws, data, batch, layers, sizes, activation, operations, chain, found):
    """Write the mean squared errors of the `chosen` members at `places` (first, end) over all rows to `found`."""
    size, hidden, sloped, deep, turned, stages_count = sizes
    work = (zeros(hidden), zeros(sloped), zeros(deep), zeros(turned))
    stages = zeros(stages_count * size).reshape((stages_count, size))
    rows, states = data[0].shape
    last = layers.shape[0] - 1
    outputs, width = work[0][layers[last, 7] :], layers[last, 8]
    order, targets = np.arange(rows), np.zeros(batch * states, np.float32)
    for place in range(places[0], places[1]):
        member = chosen[place]
        weights = _effective(raws[member], stages, operations, chain, member)
        total = 0.0
        for first in range(0, rows, batch):
            count = min(batch, rows - first)
            _gathered(data, order, first, 1, count, work[0], targets)
            forward(weights, raws[member], layers, activation, count, work[0], work[1])
            total += _squared_errors(outputs, width, targets, states, count)
        found[member] = total / (rows * states)


@njit(fastmath=FAST, **CALLED)
def advance(places, chosen, numbers, data, orders, rates, span, batch, layers, sizes, activation, operations, chain,
            optimizer, clip):  # fmt: skip
    """Take the steps `span` (begin, end, where the epoch began) of the `chosen` members at `places` (first, end).

    `numbers` change in place: what the optimizer moves, its moments, their counts, who is alive, the steps taken and
    the sums of losses, each with a leading member axis. `chain` is `tables.Amounts`.
    """
    raws, firsts, seconds, counts, alive, taken, losses = numbers
    begin, end, offset = span
    size, hidden, sloped, deep, turned, stages_count = sizes
    features, states = data[0].shape[1] + data[1].shape[1], data[0].shape[1]
    work = (zeros(hidden), zeros(sloped), zeros(deep), zeros(turned))
    gradient, stages = zeros(size), zeros(stages_count * size).reshape((stages_count, size))
    x, targets = np.zeros(BLOCK * batch * features, np.float32), np.zeros(BLOCK * batch * states, np.float32)
    last = layers.shape[0] - 1
    out_at, out_width, d_at = layers[last, 7], layers[last, 8], layers[last, 10]
    shared = orders.shape[0] == 1
    for start in range(begin, end, BLOCK):
        batches = min(BLOCK, end - start)
        if shared:
            _gathered(data, orders[0], (start - offset) * batch, batches, batch, x, targets)
        for place in range(places[0], places[1]):
            member = chosen[place]
            if not alive[member]:
                continue
            if not shared:
                _gathered(data, orders[member], (start - offset) * batch, batches, batch, x, targets)
            raw, first, second = raws[member], firsts[member], seconds[member]
            for step in range(start, start + batches):
                weights = _effective(raw, stages, operations, chain, member)
                h = work[0]
                rows = x[(step - start) * batch * features : (step - start + 1) * batch * features]
                for i in range(rows.size):
                    h[i] = rows[i]
                forward(weights, raw, layers, activation, batch, h, work[1])
                loss = _loss(
                    h[out_at:], out_width, targets[(step - start) * batch * states :], work[2][d_at:], states, batch
                )
                _backward(weights, gradient, layers, batch, work)
                penalty = _penalized(raw, gradient, stages, operations, chain, member, step - begin)
                fine = math.isfinite(loss + penalty) and _moved(
                    raw, gradient, first, second, counts[member] + 1, rates[step, member], optimizer, clip
                )
                if not fine:
                    alive[member] = False
                    break
                counts[member] += 1
                taken[member] += 1
                losses[member] += loss
