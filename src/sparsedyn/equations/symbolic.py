"""Equations of trained equation learners: read off exactly, in the user's names and units, and evaluated."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import Scaling
from sparsedyn.models import EQL, AbstractModel, PerState, Primitive
from sparsedyn.models.eql import places

Columns: TypeAlias = Callable[[Float[np.ndarray, "sample feature"]], Float[np.ndarray, "sample output"]]

POLES = (sympy.zoo, sympy.oo, -sympy.oo)
# Factors of exponentials beyond this, or below one over it, are kept in the exponent.
LARGEST_FACTOR = 1e100


def symbol(name: str) -> sympy.Symbol:
    """Return the symbol that stands for a variable in every expression here: real, whatever its name means in SymPy.

    Differentiate by it and substitute for it: `sympy.Symbol(name)`, which might be complex, is another variable.
    """
    return sympy.Symbol(name, real=True)


def symbols(names: Iterable[str]) -> list[sympy.Symbol]:
    """Return the symbols of variables, whose names must differ."""
    names = list(names)
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"names: expected every name once; got {', '.join(map(repr, doubled))} more often.")
    return [symbol(name) for name in names]


def expressions(
    model: AbstractModel, names: Sequence[str], *, scaling: Scaling | None = None
) -> tuple[sympy.Expr, ...]:
    """Return what an `EQL`, or a `PerState` of them, computes with its true primitives: an expression per output.

    `names` are those of the states, then of the inputs. With the `scaling` that the model was trained in, variables and
    outputs are in the data's units. Weights that are zero do not appear, also where the unit before them has no finite
    value anywhere, such as the logarithm of an empty sum. Where such a unit is used, the output is NaN.

    **Raises:** `TypeError` for other models; `ValueError` for a stacked model, weights that are not finite, and names
    or a scaling that do not fit.
    """
    features: list[sympy.Expr] = list(symbols(names))
    if scaling is not None:
        means = np.concatenate([scaling.x_mean, scaling.u_mean])
        deviations = np.concatenate([scaling.x_std, scaling.u_std])
        if len(means) != len(features):
            raise ValueError(f"names: expected {len(means)}, as many as the scaling has columns; got {len(features)}.")
        features = [_line(1 / s, x, -m / s) for x, m, s in zip(features, means, deviations, strict=True)]
    outputs = _outputs(model, features)
    if scaling is None:
        return outputs
    if len(scaling.dx_std) != len(outputs):
        raise ValueError(
            f"scaling: expected {len(outputs)} derivatives, the model's outputs; got {len(scaling.dx_std)}."
        )
    return tuple(_line(s, y, m) for y, m, s in zip(outputs, scaling.dx_mean, scaling.dx_std, strict=True))


def compiled(exprs: Sequence[sympy.Expr], names: Sequence[str]) -> Columns:
    """Return a NumPy function of columns `(sample, feature)`, in the order of `names`, to `(sample, output)`, float64.

    Constants are repeated for every sample. Where an expression has no real, finite value it gives NaN or infinity,
    silently.
    """
    function, floats = parametrized(exprs, symbols(names))
    constants = [float(number) for number in floats]

    def evaluate(columns: Float[np.ndarray, "sample feature"]) -> Float[np.ndarray, "sample output"]:
        columns = np.asarray(columns, np.float64)
        if columns.ndim != 2 or columns.shape[1] != len(names):
            raise ValueError(f"columns: expected (sample, {len(names)}), one for each name; got {columns.shape}.")
        return function(columns, constants)

    return evaluate


def parametrized(
    exprs: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]
) -> tuple[Callable[[np.ndarray, Sequence[float]], np.ndarray], list[sympy.Float]]:
    """Return a function of columns and of the values of the expressions' floating-point constants, and the constants.

    Constants are passed as arguments rather than printed into code, which would lose digits.
    """
    unknown = sorted({str(s) for e in exprs for s in e.free_symbols} - {str(v) for v in variables})
    if unknown:
        raise ValueError(f"names: expected all variables of the expressions; {', '.join(unknown)} missing.")
    shifts: dict[sympy.Dummy, float] = {}

    def shift(value: float) -> sympy.Dummy:
        dummy = sympy.Dummy(real=True)
        shifts[dummy] = value
        return dummy

    tame = [gathered(e, shift) for e in exprs]
    floats = floating(tame)
    dummies = {v: sympy.Dummy(real=True) for v in [*variables, *floats]}
    # A complex infinity, such as 1/0, has no name in NumPy.
    bare = [e.xreplace(dummies).xreplace({sympy.zoo: sympy.nan}) for e in tame]
    arguments = [[dummies[v] for v in variables], [dummies[f] for f in floats], list(shifts)]
    code = sympy.lambdify(arguments, bare, modules=["scipy", "numpy"], cse=True)

    def function(columns: np.ndarray, constants: Sequence[float]) -> np.ndarray:
        # NumPy's scalars divide by zero silently, Python's do not.
        with np.errstate(all="ignore"):
            values = code(list(columns.T), list(map(np.float64, constants)), list(shifts.values()))
        out = np.empty((len(columns), len(bare)))
        for i, value in enumerate(values):
            out[:, i] = np.where(np.imag(value) == 0, np.real(value), np.nan)
        return out

    return function, floats


def gathered(expr: sympy.Expr, stand_in: Callable[[float], sympy.Expr]) -> sympy.Expr:
    """Return the expression with `c exp(g)` as `exp(g + log c)`, `stand_in` giving a symbol for the value of `log c`.

    Only where `c` is extremely large or small: SymPy splits `exp(2 T - 900)` by itself, and the factor is beyond
    floating point, as are the exponentials of temperatures in kelvin.
    """
    if not any(map(_extreme, floating([expr]))):
        return expr

    def rejoined(product: sympy.Expr) -> sympy.Expr:
        exponents = [f.args[0] for f in product.args if isinstance(f, sympy.exp)]
        others = [f for f in product.args if not isinstance(f, sympy.exp) and not _extreme(f)]
        constant = sympy.Mul(*(f for f in product.args if _extreme(f)))
        shift = stand_in(float(sympy.log(abs(constant))))
        return sympy.sign(constant) * sympy.Mul(*others) * sympy.exp(sympy.Add(*exponents, shift))

    return expr.replace(
        lambda e: e.is_Mul and any(map(_extreme, e.args)) and any(isinstance(f, sympy.exp) for f in e.args), rejoined
    )


def _extreme(number: sympy.Expr) -> bool:
    return bool(number.is_Float and number != 0 and not 1 / LARGEST_FACTOR < abs(number) < LARGEST_FACTOR)


def floating(exprs: Iterable[sympy.Expr]) -> list[sympy.Float]:
    """Return the different floating-point constants, in the order in which they appear."""
    return list(dict.fromkeys(n for e in exprs for n in sympy.preorder_traversal(e) if n.is_Float))


def _outputs(model: AbstractModel, features: list[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    if isinstance(model, PerState):
        return tuple(output for part in model.parts for output in _outputs(part, features))
    if not isinstance(model, EQL):
        raise TypeError(f"model: expected an EQL, or a PerState of them; got {type(model).__name__}.")
    weights = [_matrix(weight) for weight in model.weights]
    hidden = [sympy.Integer(1)] * model.bias + features
    if len(weights[0]) != len(hidden):
        raise ValueError(f"names: expected {len(weights[0]) - model.bias}, states and inputs; got {len(features)}.")
    for layer, weight in zip(model.layers, weights[:-1], strict=True):
        taken = combined(hidden, weight)
        hidden = [_value(unit, [taken[i] for i in own]) for unit, own in places(layer)]
    return tuple(combined(hidden, weights[-1]))


def _value(unit: Primitive, arguments: list[sympy.Expr]) -> sympy.Expr:
    value = sympy.sympify(unit.symbol(*arguments))
    # A pole such as log(0), of which SymPy would calculate sets and bounds.
    return sympy.nan if value.has(*POLES) else value


def _matrix(weight: object) -> Float[np.ndarray, "fan_in fan_out"]:
    matrix = np.asarray(weight, np.float64)
    if matrix.ndim != 2:
        raise ValueError(
            f"model: expected one network, with matrices of weights; got an array of shape {matrix.shape}. Take one "
            "member of a stacked model: jax.tree.map(lambda leaf: leaf[0], models)."
        )
    if not np.isfinite(matrix).all():
        raise ValueError("model: expected finite weights; some are NaN or infinite, so there is no equation.")
    return matrix


def combined(values: Sequence[sympy.Expr], weight: Float[np.ndarray, "fan_in fan_out"]) -> list[sympy.Expr]:
    """Return `values @ weight`, a sum for every column of weights, without what has a weight of zero."""
    return [
        sympy.Add(*(sympy.Float(w) * value for value, w in zip(values, column.tolist(), strict=True) if w != 0))
        for column in weight.T
    ]


def _line(slope: float, expr: sympy.Expr, intercept: float) -> sympy.Expr:
    scaled = expr if slope == 1 else sympy.Float(float(slope)) * expr
    return scaled if intercept == 0 else scaled + sympy.Float(float(intercept))
