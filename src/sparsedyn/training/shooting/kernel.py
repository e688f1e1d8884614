"""Multiple shooting of `products`, compiled: integration with sensitivities, and Levenberg-Marquardt as a whole.

The same arithmetic as `motion` and `fitting`, one candidate after the other: candidates here have few parameters each,
of which all are free, and nearly all time would go into calls. Functions have no annotations: Numba reads types from
their arguments.
"""

import math

import numpy as np
from numba import njit

from sparsedyn._native import INNER, kept

from .products import (
    ABS,
    COS,
    COS_DIFFERENCE,
    COS_OF_MULTIPLE,
    EXP,
    FREE_POWER,
    HILL,
    LOG,
    MOST_FACTORS,
    RATIO,
    SIGMOID,
    SIGMOID_OF_TWO,
    SIN,
    SIN_DIFFERENCE,
    SQRT,
    TANH,
)


@njit(**INNER)
def _power(base, exponent):
    value = 1.0
    for _ in range(abs(exponent)):
        value *= base
    return value if exponent >= 0 else 1.0 / value


@njit(**INNER)
def _factor(row, p, values, part):
    """Fill in a factor without its power, and its derivatives by two variables and three constants."""
    code, j, place = row[0], row[2], row[4]
    v = values[row[1]]
    value, first, second, by_a, by_b, by_c = v, 1.0, 0.0, 0.0, 0.0, 0.0
    if code == SIN:
        value, first = math.sin(v), math.cos(v)
    elif code == COS:
        value, first = math.cos(v), -math.sin(v)
    elif code in (SIN_DIFFERENCE, COS_DIFFERENCE):
        difference = v - values[j]
        value, first = math.sin(difference), math.cos(difference)
        if code == COS_DIFFERENCE:
            value, first = first, -value
        second = -first
    elif code == LOG:
        value, first = math.log(abs(v)) if v != 0.0 else -np.inf, 1.0 / v
    elif code == ABS:
        value, first = abs(v), 1.0 if v > 0 else -1.0
    elif code == SQRT:
        value = math.sqrt(abs(v))
        first = (0.5 if v > 0 else -0.5) / value
    elif code >= EXP:
        a = p[place]
        if code == EXP:
            lower = _power(v, j - 1)
            value = math.exp(a * lower * v)
            first, by_a = a * j * lower * value, lower * v * value
        elif code in (SIGMOID, SIGMOID_OF_TWO):
            c, w = (p[place + 2], values[j]) if code == SIGMOID_OF_TWO else (0.0, 0.0)
            value = 1.0 / (1.0 + math.exp(p[place + 1] + a * v + c * w))
            by_b = -value * (1.0 - value)
            first, second, by_a, by_c = by_b * a, by_b * c, by_b * v, by_b * w
        elif code == HILL:
            lower = _power(v, j - 1)
            value = 1.0 / (a + lower * v)
            by_a = -value * value
            first = j * lower * by_a
        elif code == RATIO:
            b, w = p[place + 1], values[j]
            value = 1.0 / (a + v + b * w)
            by_a = first = -value * value
            second, by_b = by_a * b, by_a * w
        elif code == FREE_POWER:
            value, first = 0.0, 0.0
            if v != 0.0:
                size = math.log(abs(v))
                value = math.exp(a * size)
                first, by_a = a * value / v, value * size
        else:
            if code == TANH:
                value = math.tanh(a * v)
                slope = 1.0 - value * value
            else:
                value, slope = math.sin(a * v), math.cos(a * v)
                if code == COS_OF_MULTIPLE:
                    value, slope = slope, -value
            first, by_a = a * slope, v * slope
    part[0], part[1], part[2], part[3], part[4], part[5] = value, first, second, by_a, by_b, by_c


@kept()
def evaluated(program, p, points):
    """The terms, without their coefficients, at points (point, variable)."""
    begins, factors = program[0], program[1]
    found = np.empty((len(points), len(begins) - 1))
    part = np.empty(6)
    for k in range(len(points)):
        for t in range(len(begins) - 1):
            value = 1.0
            for f in range(begins[t], begins[t + 1]):
                _factor(factors[f], p, points[k], part)
                value *= _power(part[0], factors[f, 3])
            found[k, t] = value
    return found


@njit(**INNER)
def _slopes(program, p, values, at, y, jacobian, direct, parts, x_dot, y_dot):
    """Derivatives in time of states and, where `y` has columns, of their derivatives by starts and parameters."""
    begins, factors, coefficients, equations, owners = program[:5]
    width, unknowns = y.shape
    for e in range(width):
        x_dot[e] = 0.0
        for i in range(width):
            jacobian[e, i] = 0.0
    for t in range(len(coefficients)):
        coefficient, e = p[coefficients[t]], equations[t]
        value = 1.0
        for f in range(begins[t], begins[t + 1]):
            part = parts[f - begins[t]]
            _factor(factors[f], p, values, part)
            part[6] = _power(part[0], factors[f, 3])
            value *= part[6]
        x_dot[e] += coefficient * value
        if not unknowns:
            continue
        if coefficients[t] < len(direct):
            direct[coefficients[t]] = value
        for f in range(begins[t], begins[t + 1]):
            code, place = factors[f, 0], factors[f, 4]
            inside = code >= EXP and place < len(direct)
            if coefficient == 0.0 and not inside:
                continue
            part, rest = parts[f - begins[t]], coefficient
            for g in range(begins[t], begins[t + 1]):
                if g != f:
                    rest *= parts[g - begins[t], 6]
            if factors[f, 3] != 1:
                rest *= factors[f, 3] * _power(part[0], factors[f, 3] - 1)
            i, j = at[factors[f, 1]], -1
            if code in (SIN_DIFFERENCE, COS_DIFFERENCE, SIGMOID_OF_TWO, RATIO):
                j = at[factors[f, 2]]
            if i >= 0:
                jacobian[e, i] += rest * part[1]
            if j >= 0:
                jacobian[e, j] += rest * part[2]
            if inside:
                direct[place] = rest * part[3]
                if code in (SIGMOID, SIGMOID_OF_TWO, RATIO):
                    direct[place + 1] = rest * part[4]
                if code == SIGMOID_OF_TWO:
                    direct[place + 2] = rest * part[5]
    if unknowns:
        for e in range(width):
            for q in range(unknowns):
                y_dot[e, q] = 0.0
            for i in range(width):
                if jacobian[e, i] != 0.0:
                    for q in range(unknowns):
                        y_dot[e, q] += jacobian[e, i] * y[i, q]
        for q in range(len(owners)):
            y_dot[owners[q], width + q] += direct[q]


@njit(**INNER)
def _along(program, p, start, inputs, steps, substeps, limit, states, carried):
    """Fill in the states of a segment after every step, and `carried` with their derivatives unless it is empty."""
    where, driven = program[5], program[6]
    width, unknowns, powers = len(where), carried.shape[2], inputs.shape[1]
    count = width + len(driven)
    values, at = np.empty(count), np.full(count, -1)
    for i in range(width):
        at[where[i]] = i
    jacobian, direct, parts = np.empty((width, width)), np.zeros(len(program[4])), np.empty((MOST_FACTORS, 7))
    x, y, moved = start.copy(), np.zeros((width, unknowns)), np.zeros((width, unknowns))
    x_dot, y_dot = np.empty((4, width)), np.empty((4, width, unknowns))
    if unknowns:
        for i in range(width):
            y[i, i] = 1.0
    for k in range(len(steps)):
        h = steps[k] / substeps
        for part in range(substeps):
            for stage in range(4):
                ahead = 0.0 if stage == 0 else 0.5 if stage < 3 else 1.0
                share = (part + ahead) / substeps
                for i in range(len(driven)):
                    value, power = inputs[k, 0, i], 1.0
                    for n in range(1, powers):
                        power *= share
                        value += power * inputs[k, n, i]
                    values[driven[i]] = value
                before = max(stage - 1, 0)
                for i in range(width):
                    values[where[i]] = x[i] + ahead * h * x_dot[before, i] if stage else x[i]
                    for q in range(unknowns):
                        moved[i, q] = y[i, q] + ahead * h * y_dot[before, i, q] if stage else y[i, q]
                _slopes(program, p, values, at, moved, jacobian, direct, parts, x_dot[stage], y_dot[stage])
            for i in range(width):
                x[i] += h / 6 * (x_dot[0, i] + 2 * (x_dot[1, i] + x_dot[2, i]) + x_dot[3, i])
                for q in range(unknowns):
                    slope = y_dot[0, i, q] + 2 * (y_dot[1, i, q] + y_dot[2, i, q]) + y_dot[3, i, q]
                    y[i, q] += h / 6 * slope
        for i in range(width):
            if not abs(x[i]) <= limit[i]:
                return False
            states[k, i] = x[i]
            for q in range(unknowns):
                carried[k, i, q] = y[i, q]
    return True


@kept()
def moved(program, p, starts, inputs, steps, substeps, limit, states, carried):
    """Fill in the states after all steps of all segments, and their derivatives; `False` where one ran away."""
    for s in range(len(starts)):
        if not _along(program, p, starts[s], inputs[s], steps[s], substeps, limit, states[s], carried[s]):
            return False
    return True


@njit(**INNER)
def _assembled(program, p, starts, data, noise, tight, substeps, limit, hessian, gradient, sums):
    """Fill in the normal equations of a candidate and its sums of squares per state; `False` where it ran away.

    Unknowns are the first states of all segments, one after the other, and the parameters; only the lower triangle of
    the matrix is filled in.
    """
    measured, weights, inputs, steps, entering = data[:5]
    count, width = starts.shape
    length, free = steps.shape[1], len(program[4])
    base = count * width
    for a in range(base + free):
        gradient[a] = 0.0
        for b in range(a + 1):
            hessian[a, b] = 0.0
    for i in range(width):
        sums[i] = 0.0
    states, carried = np.empty((length, width)), np.empty((length, width, width + free))
    for s in range(count):
        if not _along(program, p, starts[s], inputs[s], steps[s], substeps, limit, states, carried):
            return False
        own = s * width
        for i in range(width):
            for k in range(-1, length + 1):
                # The measured first row, all others, and the jump to the next segment.
                row = min(k, length - 1)
                share = entering[s, i] if k == length else weights[s, k + 1, i]
                if share == 0.0:
                    continue
                size = share / noise[i] ** 2
                if k < 0:
                    miss = measured[s, 0, i] - starts[s, i]
                    hessian[own + i, own + i] += size
                    gradient[own + i] += size * miss
                    sums[i] += share * miss * miss
                    continue
                if k == length:
                    miss = starts[s + 1, i] - states[row, i]
                    share, size = share / tight**2, size / tight**2
                    follow = own + width + i
                    hessian[follow, follow] += size
                    gradient[follow] -= size * miss
                    for a in range(width):
                        hessian[follow, own + a] -= size * carried[row, i, a]
                    for q in range(free):
                        hessian[base + q, follow] -= size * carried[row, i, width + q]
                else:
                    miss = measured[s, k + 1, i] - states[row, i]
                sums[i] += share * miss * miss
                for a in range(width + free):
                    value = size * carried[row, i, a]
                    if value != 0.0:
                        place = own + a if a < width else base + a - width
                        gradient[place] += value * miss
                        for b in range(a + 1):
                            hessian[place, own + b if b < width else base + b - width] += value * carried[row, i, b]
    return True


@njit(**INNER)
def _solved(hessian, gradient, damping, band, fixed, factor, step):
    """Fill in the damped step by a Cholesky factorization that knows how first states are coupled.

    Rows of first states reach back by less than `band`; those of parameters are full, and `fixed` ones stay.
    """
    size, base = len(step), len(step) - band[1]
    for i in range(size):
        first = max(0, i - band[0]) if i < base else 0
        for j in range(first, i + 1):
            value = hessian[i, j]
            if i == j:
                value += damping * value + 1e-300
            start = max(first, max(0, j - band[0]) if j < base else 0)
            for k in range(start, j):
                value -= factor[i, k] * factor[j, k]
            if i == j:
                # What nothing determines stays where it is.
                still = i >= base and fixed[i - base]
                if still or value <= 1e-11 * hessian[i, i] or not value > 0.0:
                    factor[i, i] = 1e150
                else:
                    factor[i, i] = math.sqrt(value)
            else:
                factor[i, j] = value / factor[j, j]
        value = gradient[i]
        for k in range(first, i):
            value -= factor[i, k] * step[k]
        step[i] = value / factor[i, i]
    for i in range(size - 1, -1, -1):
        step[i] /= factor[i, i]
        first = max(0, i - band[0]) if i < base else 0
        for k in range(first, i):
            step[k] -= factor[i, k] * step[i]


@njit(**INNER)
def _moved(p, starts, step):
    """Add a step to first states and parameters."""
    count, width = starts.shape
    for s in range(count):
        for i in range(width):
            starts[s, i] += step[s * width + i]
    for i in range(len(step) - count * width):
        p[i] += step[count * width + i]


@njit(**INNER)
def _copied(p, starts, to_p, to_starts):
    """Copy parameters and first states, number by number: messages of assigned slices take seconds to compile."""
    for i in range(len(p)):
        to_p[i] = p[i]
    for s in range(len(starts)):
        for i in range(starts.shape[1]):
            to_starts[s, i] = starts[s, i]


@kept()
def fitted(program, p, starts, data, noise, floor, counts, tight, substeps, limit, iterations, rounds, enough):
    """Fit parameters and first states in place, and `noise`, which is estimated anew in every round.

    Returns sums of squares per state, infinite where the candidate ran away, the matrix of the normal equations, and
    how often the segments were integrated.
    """
    count, width = starts.shape
    free = len(program[4])
    size = count * width + free
    band = (2 * width - 1, free)
    hessian, other = np.zeros((size, size)), np.zeros((size, size))
    gradient, other_gradient = np.zeros(size), np.zeros(size)
    factor, step = np.zeros((size, size)), np.zeros(size)
    sums, tried_sums = np.full(width, np.inf), np.zeros(width)
    tried, tried_starts = p.copy(), starts.copy()
    nothing, inside = np.zeros(free, np.bool_), np.ones(free, np.bool_)
    for place in program[2]:
        if place < free:
            inside[place] = False
    linear = not inside.any()
    total = 0.0
    for i in range(width):
        total += counts[i]
    cost, damping, turn, done, corrected = np.inf, 1e-3, 0, 0, linear
    passes = 0
    while True:
        passes += 1
        fine = _assembled(
            program, tried, tried_starts, data, noise, tight, substeps, limit, other, other_gradient, tried_sums
        )
        value = 0.0
        for i in range(width):
            value += tried_sums[i] / noise[i] ** 2
        gain = cost - value if fine else -1.0
        if fine and not gain > 0 and not corrected and cost < 1e300:
            # Along a curved valley a step is good but for what is linear, which follows at once.
            corrected = True
            _solved(other, other_gradient, 0.0, band, inside, factor, step)
            _moved(tried, tried_starts, step)
            continue
        corrected = linear
        ended = False
        if gain > 0:
            _copied(tried, tried_starts, p, starts)
            for i in range(width):
                sums[i] = tried_sums[i]
            hessian, other = other, hessian
            gradient, other_gradient = other_gradient, gradient
            cost = value
            damping = max(damping / 10, 1e-12)
            # In nats: what is left may be far more than the noise is taken for.
            ended = gain < enough * max(1.0, value / total)
        elif cost == np.inf:
            break
        else:
            damping = max(damping * 10, 1e-6)
            ended = damping > 1e6
        done += 1
        if ended or done > iterations:
            turn += 1
            if turn >= rounds:
                break
            for i in range(width):
                noise[i] = math.sqrt(sums[i] / max(counts[i], 1.0) + floor[i] ** 2)
            cost, damping, done = 1e300, 1e-3, 0
            _copied(p, starts, tried, tried_starts)
            continue
        _solved(hessian, gradient, damping, band, nothing, factor, step)
        _copied(p, starts, tried, tried_starts)
        _moved(tried, tried_starts, step)
    return sums, hessian, passes
