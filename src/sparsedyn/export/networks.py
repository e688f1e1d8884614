"""Networks as assignments: scaling folded into weights, weights that are zero left out, idle units too."""

from collections.abc import Sequence

import numpy as np
import sympy

from sparsedyn.data import Scaling
from sparsedyn.export.formulas import identifier
from sparsedyn.export.program import Block, Right, Sum, block_of
from sparsedyn.models import MLP

S = sympy.Symbol("s", real=True)
SIGMOID = (1 + sympy.tanh(S / 2)) / 2
GELU = S / 2 * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi).evalf(17) * (S + sympy.Float("0.044715", 17) * S * S * S)))
ACTIVATIONS: dict[str, sympy.Expr] = {
    # Comparisons keep NaN, which maxima of most languages lose.
    "relu": sympy.Piecewise((0, S < 0), (S, True)),
    "tanh": sympy.tanh(S),
    # By tanh, which overflows nowhere.
    "sigmoid": SIGMOID,
    "silu": S * SIGMOID,
    "gelu": GELU,
    "softplus": sympy.log(1 + sympy.exp(-sympy.Abs(S))) + sympy.Piecewise((0, S < 0), (S, True)),
    "identity": S,
}
"""The activations of `sparsedyn.models.MLP`."""

Value = float | str
"""Of a unit: a constant, or an identifier."""


def networks(members: Sequence[MLP], features: Sequence[str], scaling: Scaling) -> Block:
    """Return the mean of the derivatives of networks, in the data's units, as a block.

    `features` are identifiers of states, then of inputs. Means are subtracted rather than folded into biases: where a
    mean is large beside a deviation, as that of a temperature in kelvin, the difference is what keeps digits.
    """
    means = np.concatenate([scaling.x_mean, scaling.u_mean])
    centered = [f"c{i + 1}" for i in range(len(features))]
    assignments: list[tuple[str, Right]] = [
        (name, Sum(-float(mean), ((1.0, feature),)))
        for name, mean, feature in zip(centered, means, features, strict=True)
    ]
    parts = []
    for number, member in enumerate(members):
        prefix = f"m{number}_" if len(members) > 1 else ""
        own, results = _network(member, centered, scaling, prefix)
        assignments += own
        parts.append(results)
    share = 1.0 / len(members)
    mean_results = [
        Sum(share * sum(one.constant for one in column), tuple((share * w, n) for one in column for w, n in one.terms))
        for column in zip(*parts, strict=True)
    ]
    return block_of(assignments, mean_results)


def layers(model: MLP, scaling: Scaling) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return weights and biases of every layer, in double precision, standard deviations folded in.

    Features are what they are in the data's units, less their mean; results are derivatives in these units.

    **Raises:** `ValueError` for weights that are not finite.
    """
    sizes = 1.0 / np.concatenate([scaling.x_std, scaling.u_std])
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for matrix, bias in zip(model.weights, model.biases, strict=True):
        weights = np.array(matrix, np.float64)
        if model.skip or not found:
            # Features come last.
            weights[-len(sizes) :] *= sizes[:, None]
        found.append((weights, np.zeros(weights.shape[1]) if bias is None else np.array(bias, np.float64)))
    weights, constants = found[-1]
    found[-1] = weights * scaling.dx_std, constants * scaling.dx_std + scaling.dx_mean
    if not all(np.isfinite(part).all() for pair in found for part in pair):
        raise ValueError("model: expected finite weights; some are NaN or infinite. Export another member.")
    return found


def _network(
    model: MLP, centered: list[str], scaling: Scaling, prefix: str
) -> tuple[list[tuple[str, Right]], list[Sum]]:
    features: list[Value] = list(centered)
    hidden: list[Value] = []
    assignments: list[tuple[str, Right]] = []
    last = len(model.weights) - 1
    for layer, (weights, constants) in enumerate(layers(model, scaling)):
        values = [*hidden, *features] if model.skip or layer == 0 else hidden
        sums = [_sum(values, column, constant) for column, constant in zip(weights.T, constants, strict=True)]
        if layer == last:
            return assignments, sums
        hidden = []
        for unit, taken in enumerate(sums, 1):
            name = f"{layer + 1}_{unit}"
            if not taken.terms:
                hidden.append(float(ACTIVATIONS[model.activation].subs(S, taken.constant)))
                continue
            hidden.append(f"{prefix}h{name}")
            if model.activation == "identity":
                assignments.append((f"{prefix}h{name}", taken))
                continue
            argument = f"{prefix}a{name}"
            activated = ACTIVATIONS[model.activation].xreplace({S: identifier(argument)})
            assignments += [(argument, taken), (f"{prefix}h{name}", activated)]
    raise ValueError("model: expected a network of at least one layer.")


def _sum(values: Sequence[Value], weights: np.ndarray, constant: float) -> Sum:
    """`constant + values @ weights`, constants gathered."""
    known, terms = float(constant), []
    for i in np.flatnonzero(weights).tolist():
        value, weight = values[i], float(weights[i])
        if isinstance(value, str):
            terms.append((weight, value))
        else:
            known += weight * value
    return Sum(known, tuple(terms))
