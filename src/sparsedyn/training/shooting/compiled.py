"""The integration of `motion`, compiled: the same arithmetic, one segment after the other.

Segments are small, and with NumPy nearly all time goes into calls. Importing this module imports Numba; what is
compiled is kept beside the module, or in the user's cache where that cannot be written. Functions have no annotations:
Numba reads types from their arguments.
"""

import numpy as np
from numba import njit

from sparsedyn._native import INNER, kept

from .program import COS, EXP, LOG, MONOMIAL, SIGMOID, SIN, TANH


@njit(**INNER)
def _applied(code, g):
    """A function and its derivative."""
    if code == SIN:
        return np.sin(g), np.cos(g)
    if code == COS:
        return np.cos(g), -np.sin(g)
    if code == EXP:
        value = np.exp(g)
        return value, value
    if code == SIGMOID:
        value = 1.0 / (1.0 + np.exp(-g))
        return value, value * (1.0 - value)
    if code == TANH:
        value = np.tanh(g)
        return value, 1.0 - value * value
    if code == LOG:
        return np.log(np.abs(g)), 1.0 / g if g != 0.0 else np.inf
    value = np.sqrt(np.abs(g))
    return value, np.sign(g) / (2.0 * value) if g != 0.0 else np.inf


@njit(**INNER)
def _terms(codes, factors, values, width, theta, by):
    """Terms at the values of all variables, and their derivatives by states."""
    most = factors.shape[1]
    for t in range(len(codes)):
        for i in range(width):
            by[t, i] = 0.0
        if codes[t] != MONOMIAL:
            i = factors[t, 0]
            theta[t], slope = _applied(codes[t], values[i])
            if i < width:
                by[t, i] = slope
            continue
        theta[t] = 1.0
        for place in range(most):
            i = factors[t, place]
            if i < 0:
                break
            theta[t] *= values[i]
            if i < width:
                rest = 1.0
                for other in range(most):
                    if factors[t, other] >= 0 and other != place:
                        rest *= values[factors[t, other]]
                by[t, i] += rest


@njit(**INNER)
def _slopes(program, parameters, values, y, theta, by, jacobian, x_dot, y_dot):
    """Derivatives in time of states and, where `y` has columns, of their derivatives by starts and parameters."""
    codes, factors, terms, equations, units, first = program
    width, unknowns = y.shape
    _terms(codes, factors, values, width, theta, by)
    for e in range(width):
        x_dot[e] = values[first + e] if e < first else 0.0
        for i in range(width):
            jacobian[e, i] = 0.0
        for q in range(unknowns):
            y_dot[e, q] = y[first + e, q] if e < first else 0.0
    for p in range(len(terms)):
        e, t = first + equations[p], terms[p]
        coefficient = parameters[p] * units[p]
        x_dot[e] += coefficient * theta[t]
        if unknowns:
            y_dot[e, width + p] = units[p] * theta[t]
            for i in range(width):
                jacobian[e, i] += coefficient * by[t, i]
    if unknowns:
        for e in range(first, width):
            for i in range(width):
                if jacobian[e, i] != 0.0:
                    for q in range(unknowns):
                        y_dot[e, q] += jacobian[e, i] * y[i, q]


@kept()
def integrated(program, starts, parameters, inputs, steps, substeps, limit, states, carried):
    """Fill in the states after every step and, unless it is empty, `carried` with their derivatives; see `motion`."""
    candidates, count, width = starts.shape
    size, unknowns = len(program[0]), carried.shape[4]
    powers, driven = inputs.shape[2:]
    values = np.empty(width + driven)
    theta, by, jacobian = np.empty(size), np.empty((size, width)), np.empty((width, width))
    x, y, moved = np.empty(width), np.empty((width, unknowns)), np.empty((width, unknowns))
    x_dot, y_dot = np.empty((4, width)), np.empty((4, width, unknowns))
    for c in range(candidates):
        for s in range(count):
            for i in range(width):
                x[i] = starts[c, s, i]
                for q in range(unknowns):
                    y[i, q] = 1.0 if q == i else 0.0
            for k in range(steps.shape[1]):
                h = steps[s, k] / substeps
                for part in range(substeps):
                    for stage in range(4):
                        ahead = 0.0 if stage == 0 else 0.5 if stage < 3 else 1.0
                        share = (part + ahead) / substeps
                        for i in range(driven):
                            value, power = inputs[s, k, 0, i], 1.0
                            for p in range(1, powers):
                                power *= share
                                value += power * inputs[s, k, p, i]
                            values[width + i] = value
                        before = max(stage - 1, 0)
                        for i in range(width):
                            values[i] = x[i] + ahead * h * x_dot[before, i] if stage else x[i]
                            for q in range(unknowns):
                                moved[i, q] = y[i, q] + ahead * h * y_dot[before, i, q] if stage else y[i, q]
                        _slopes(program, parameters[c], values, moved, theta, by, jacobian, x_dot[stage], y_dot[stage])
                    for i in range(width):
                        x[i] += h / 6 * (x_dot[0, i] + 2 * (x_dot[1, i] + x_dot[2, i]) + x_dot[3, i])
                        for q in range(unknowns):
                            slope = y_dot[0, i, q] + 2 * (y_dot[1, i, q] + y_dot[2, i, q]) + y_dot[3, i, q]
                            y[i, q] += h / 6 * slope
                for i in range(width):
                    if not np.abs(x[i]) <= limit[i]:
                        x[i] = np.nan
                    states[c, s, k, i] = x[i]
                    for q in range(unknowns):
                        carried[c, s, k, i, q] = y[i, q]
