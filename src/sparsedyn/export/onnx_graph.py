"""Graphs of ONNX, built node by node."""

from typing import Any

import numpy as np
import sympy

from sparsedyn.export.extras import needed
from sparsedyn.export.formulas import is_product
from sparsedyn.export.program import Block, Right, Sum

OPSET, IR = 17, 8
"""Of the operators and of the file format; ONNX Runtime reads both since 1.12, of 2022."""
UNARY = {
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan", "sinh": "Sinh",
    "cosh": "Cosh", "tanh": "Tanh", "exp": "Exp", "log": "Log", "Abs": "Abs", "sign": "Sign", "erf": "Erf",
}  # fmt: skip
COMPARISONS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual", "==": "Equal"}
SINGLE = ("asin", "acos", "atan", "erf")
"""Functions that ONNX Runtime has in single precision alone."""
IN_DOUBLE = {
    sympy.tan: lambda a: sympy.sin(a) / sympy.cos(a),
    sympy.sinh: lambda a: (sympy.exp(a) - sympy.exp(-a)) / 2,
    sympy.cosh: lambda a: (sympy.exp(a) + sympy.exp(-a)) / 2,
}
"""Those that follow from others."""


class Graph:
    """Nodes and constants; what they compute are arrays of (row, column)."""

    def __init__(self, double: bool):
        self.onnx = needed("onnx", "onnx", "sparsedyn.export.to_onnx")
        self.double = double
        self.kind = np.float64 if double else np.float32
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.count = 0

    @property
    def element(self) -> int:
        """The type of numbers."""
        kinds = self.onnx.TensorProto
        return int(kinds.DOUBLE if self.double else kinds.FLOAT)

    def op(self, kind: str, *arguments: str, result: str | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its result."""
        self.count += 1
        name = f"v{self.count}" if result is None else result
        self.nodes.append(self.onnx.helper.make_node(kind, list(arguments), [name], **attributes))
        return name

    def constant(self, values: Any, name: str | None = None, kind: Any = None) -> str:
        """Add a constant unless there is an equal one, and return its name."""
        array = np.asarray(values, np.float64 if kind is None else kind)
        if kind is None and array.size and np.abs(array).max() > np.finfo(self.kind).max:
            raise ValueError(
                f"double: {np.abs(array).max():g} is beyond single precision. Export with double=True (--double)."
            )
        array = array.astype(self.kind if kind is None else kind)
        key = name or f"k_{array.dtype.name}_{'x'.join(map(str, array.shape))}_{array.tobytes().hex()[:32]}"
        if key not in self.constants:
            self.constants[key] = self.onnx.numpy_helper.from_array(array, key)
        return key

    def columns(self, array: str, count: int) -> list[str]:
        """Return the columns of an array, (row, 1) each."""
        return [self.op("Gather", array, self.constant([i], kind=np.int64), axis=1) for i in range(count)]

    def block(self, block: Block, values: dict[str, str], rows: str, result: str | None = None) -> str:
        """Add a block, `values` by identifier; return its results, side by side, as many rows as the array `rows`."""
        known = dict(values)
        for name, right in block.assignments:
            known[name] = self.right(right, known)
        # A result that reads nothing has one row; the others have as many as there are points.
        zero = self.op("Mul", self.op("Gather", rows, self.constant([0], kind=np.int64), axis=1), self.number(0.0))
        found = [self.op("Add", zero, self.right(right, known)) for right in block.results]
        return self.op("Concat", *found, axis=1, result=result)

    def number(self, value: float) -> str:
        """A constant that goes with every row."""
        return self.constant([[float(value)]])

    def right(self, right: Right, values: dict[str, str]) -> str:
        """Add a right-hand side."""
        if isinstance(right, Sum):
            return self._sum(right, values)
        return self._expression(right, values, {})

    def _sum(self, right: Sum, values: dict[str, str]) -> str:
        parts = [self.number(right.constant)] if right.constant or not right.terms else []
        parts += [
            values[name] if weight == 1 else self.op("Mul", values[name], self.number(weight))
            for weight, name in right.terms
        ]
        return parts[0] if len(parts) == 1 else self.op("Sum", *parts)

    def _expression(self, expr: sympy.Expr, values: dict[str, str], known: dict[sympy.Expr, str]) -> str:
        if expr not in known:
            known[expr] = self._made(expr, values, known)
        return known[expr]

    def _made(self, expr: sympy.Expr, values: dict[str, str], known: dict[sympy.Expr, str]) -> str:
        def of(part: sympy.Expr) -> str:
            return self._expression(part, values, known)

        if expr.is_Symbol:
            return values[expr.name]
        if expr.is_number:
            return self.number(float(expr))
        if isinstance(expr, sympy.Add | sympy.Mul | sympy.Max | sympy.Min):
            kind = {sympy.Add: "Add", sympy.Mul: "Mul", sympy.Max: "Max", sympy.Min: "Min"}[expr.func]
            found, *rest = map(of, expr.args)
            for part in rest:
                found = self.op(kind, found, part)
            return found
        if expr.is_Pow:
            return self._power(of(expr.base), expr.exp, of)
        if isinstance(expr, sympy.Piecewise):
            *pieces, (last, _) = expr.args
            found = of(last)
            for value, condition in reversed(pieces):
                found = self.op("Where", self._condition(condition, of), of(value), found)
            return found
        name = type(expr).__name__
        if self.double and type(expr) in IN_DOUBLE:
            return of(IN_DOUBLE[type(expr)](expr.args[0]))
        if name not in UNARY:
            raise ValueError(f"export: ONNX has no way to write {expr}. Choose another target.")
        if self.double and name in SINGLE:
            raise ValueError(
                f"export: ONNX Runtime has {name} in single precision alone. Export without double=True (--double), or "
                "choose another target."
            )
        return self.op(UNARY[name], of(expr.args[0]))

    def _condition(self, condition: Any, of: Any) -> str:
        if condition.rel_op not in COMPARISONS:
            raise ValueError(f"export: ONNX has no way to write {condition}. Choose another target.")
        return self.op(COMPARISONS[condition.rel_op], of(condition.lhs), of(condition.rhs))

    def _power(self, base: str, exponent: sympy.Expr, of: Any) -> str:
        if is_product(exponent) or exponent == -1:
            found = base
            for _ in range(abs(int(exponent)) - 1):
                found = self.op("Mul", found, base)
            return found if exponent > 0 else self.op("Div", self.number(1.0), found)
        if abs(exponent) == sympy.Rational(1, 2):
            root = self.op("Sqrt", base)
            return root if exponent > 0 else self.op("Div", self.number(1.0), root)
        return self.op("Pow", base, of(exponent))
