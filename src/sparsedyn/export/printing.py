"""Right-hand sides in the languages of the targets, by SymPy's printers with numbers written in full."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import sympy
from sympy.codegen.ast import float32, real
from sympy.printing.c import C99CodePrinter
from sympy.printing.codeprinter import CodePrinter, PrintMethodNotImplementedError
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.numpy import NumPyPrinter

from sparsedyn.export.formulas import is_product
from sparsedyn.export.program import Right, Sum

WIDTH = 110
GROUP = 16
"""Terms of a sum that stand together: groups are summed at once by processors that can, and nest less deeply."""


class Spelled:
    """What the printers of all languages have in common; `double` says which numbers there are."""

    names: ClassVar[Mapping[str, str]] = {"pow": "pow", "sqrt": "sqrt", "Max": "fmax", "Min": "fmin"}
    language: str
    ending = ""

    def __init__(self, double: bool = True, settings: dict[str, Any] | None = None):
        self.double = double
        super().__init__({"strict": True, **(settings or {})})  # type: ignore[call-arg]

    def literal(self, value: float) -> str:
        """Return a number so that reading it gives the same bits."""
        if not np.isfinite(value):
            raise ValueError(f"export: expected finite numbers; got {value}.")
        if self.double:
            return repr(float(value))
        if abs(value) > float(np.finfo(np.float32).max):
            raise ValueError(f"double: {value:g} is beyond single precision. Export with double=True (--double).")
        return str(np.float32(value))

    def right(self, right: Right) -> str:
        """Return a right-hand side as text in one line."""
        if isinstance(right, Sum):
            return self.sum(right)
        try:
            return " ".join(self.doprint(right).split())  # type: ignore[attr-defined]
        except PrintMethodNotImplementedError as error:
            raise ValueError(f"export: {self.language} has no way to write {right}. Choose another target.") from error

    def sum(self, right: Sum) -> str:
        """Return a constant and weights times identifiers."""
        parts = [] if right.constant == 0 and right.terms else [("", right.constant, "")]
        parts += [("*", weight, name) for weight, name in right.terms]
        groups = [parts[i : i + GROUP] for i in range(0, len(parts), GROUP)]
        texts = [self._group(group) for group in groups]
        return texts[0] if len(texts) == 1 else " + ".join(f"({text})" for text in texts)

    def _group(self, parts: list[tuple[str, float, str]]) -> str:
        found = ""
        for times, weight, name in parts:
            size = name if times and abs(weight) == 1 else self.literal(abs(weight)) + times + name
            sign = "-" if weight < 0 else "+"
            found += f" {sign} {size}" if found else size if weight >= 0 else f"-{size}"
        return found

    def name(self, function: str) -> str:
        """Return the language's name of a function."""
        return self.names[function] + self.ending

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        """Return one of two values."""
        return f"({condition} ? {then} : {otherwise})"

    def power(self, base: str, exponent: sympy.Expr) -> str:
        """Return a power that is no product."""
        return f"{self.name('pow')}({base}, {self._print(exponent)})"

    def _print(self, expr: Any, **options: Any) -> str:
        return str(super()._print(expr, **options))  # type: ignore[misc]

    def _print_Float(self, expr: sympy.Expr) -> str:
        return self.literal(float(expr))

    _print_Integer = _print_Rational = _print_Half = _print_Zero = _print_One = _print_NegativeOne = _print_Float
    _print_NumberSymbol = _print_Pi = _print_Exp1 = _print_Float

    def _print_Symbol(self, expr: sympy.Symbol) -> str:
        return str(expr.name)

    def _print_Pow(self, expr: sympy.Pow) -> str:
        base, exponent = self._print(expr.base), expr.exp
        if is_product(exponent) and expr.base.is_Symbol:
            product = "*".join([base] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"({self.literal(1.0)}/({product}))"
        if exponent == -1:
            return f"({self.literal(1.0)}/({base}))"
        if abs(exponent) == sympy.Rational(1, 2):
            root = f"{self.name('sqrt')}({base})"
            return root if exponent > 0 else f"({self.literal(1.0)}/{root})"
        return self.power(base, exponent)

    def _print_Max(self, expr: sympy.Expr) -> str:
        *first, found = map(self._print, expr.args)
        for one in reversed(first):
            found = f"{self.name(type(expr).__name__)}({one}, {found})"
        return found

    _print_Min = _print_Max

    def _print_Piecewise(self, expr: sympy.Piecewise) -> str:
        *pieces, (last, always) = expr.args
        if always != True:  # noqa: E712
            raise ValueError(f"export: expected a value of {expr} everywhere.")
        found = self._print(last)
        for value, condition in reversed(pieces):
            found = self.choice(self._print(condition), self._print(value), found)
        return found

    def _print_Relational(self, expr: sympy.Expr) -> str:
        return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"


class C(Spelled, C99CodePrinter):
    """C99."""

    language = "C99"

    def __init__(self, double: bool = True):
        super().__init__(double, {} if double else {"type_aliases": {real: float32}})
        self.ending = "" if double else "f"

    def literal(self, value: float) -> str:
        """Return a constant of C."""
        return super().literal(value) + ("" if self.double else "F")

    def _print_Relational(self, expr: sympy.Expr) -> str:
        return Spelled._print_Relational(self, expr)


class JavaScript(Spelled, JavascriptCodePrinter):
    """JavaScript."""

    language = "JavaScript"
    names: ClassVar[Mapping[str, str]] = {"pow": "Math.pow", "sqrt": "Math.sqrt", "Max": "Math.max", "Min": "Math.min"}


class Python(Spelled, NumPyPrinter):
    """Python, of arrays of NumPy."""

    language = "NumPy"
    names: ClassVar[Mapping[str, str]] = {
        "pow": "numpy.power",
        "sqrt": "numpy.sqrt",
        "Max": "numpy.maximum",
        "Min": "numpy.minimum",
    }

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        """Return one of two values, element by element."""
        return f"numpy.where({condition}, {then}, {otherwise})"


PLAIN = {**CodePrinter._default_settings, "precision": 17, "user_functions": {}, "contract": True}
"""Settings of printers of languages that SymPy does not know."""


class Casadi(Spelled, CodePrinter):
    """Python, of expressions of CasADi."""

    language = "CasADi"
    printmethod = "_casadi"
    names: ClassVar[Mapping[str, str]] = {
        "pow": "casadi.power",
        "sqrt": "casadi.sqrt",
        "Max": "casadi.fmax",
        "Min": "casadi.fmin",
    }
    _default_settings: ClassVar[dict[str, Any]] = PLAIN
    same = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "sign", "erf")

    def __init__(self) -> None:
        super().__init__()
        self.known_functions = {name: f"casadi.{name}" for name in self.same} | {"Abs": "casadi.fabs"}

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        """Return one of two values; that of the other branch does not count, even where it is NaN."""
        return f"casadi.if_else({condition}, {then}, {otherwise})"

    def _format_code(self, lines: list[str]) -> list[str]:
        return lines


class StructuredText(Spelled, CodePrinter):
    """IEC 61131-3 structured text."""

    language = "structured text"
    printmethod = "_structured_text"
    names: ClassVar[Mapping[str, str]] = {"pow": "EXPT", "sqrt": "SQRT", "Max": "MAX", "Min": "MIN"}
    _default_settings: ClassVar[dict[str, Any]] = PLAIN

    def __init__(self, double: bool = True):
        super().__init__(double)
        names = {name: name.upper() for name in ("sin", "cos", "tan", "asin", "acos", "atan", "exp")}
        self.known_functions = names | {"log": "LN", "Abs": "ABS"}

    def literal(self, value: float) -> str:
        """Return a real literal, which has a point."""
        mantissa, _, exponent = super().literal(value).partition("e")
        point = mantissa if "." in mantissa else f"{mantissa}.0"
        return f"{point}E{int(exponent):+d}" if exponent else point

    def choice(self, condition: str, then: str, otherwise: str) -> str:
        """Return one of two values; the standard's order is that of FALSE and TRUE."""
        return f"SEL({condition}, {otherwise}, {then})"

    def power(self, base: str, exponent: sympy.Expr) -> str:
        """Return a power, a whole exponent as an integer, since bases may be negative."""
        return f"EXPT({base}, {int(exponent) if exponent.is_Integer else self._print(exponent)})"

    def _print_tanh(self, expr: sympy.Expr) -> str:
        # The standard has no hyperbolic functions; limits keep the exponential within single precision.
        one, two, limit = self.literal(1.0), self.literal(2.0), self.literal(80.0)
        twice = f"{two}*({self._print(expr.args[0])})"
        return f"({one} - {two}/(EXP(LIMIT(-{limit}, {twice}, {limit})) + {one}))"

    def _print_sinh(self, expr: sympy.Expr) -> str:
        return f"({self._print(expr.rewrite(sympy.exp))})"

    _print_cosh = _print_sinh

    def _print_sign(self, expr: sympy.Expr) -> str:
        argument, zero, one = self._print(expr.args[0]), self.literal(0.0), self.literal(1.0)
        below = self.choice(f"({argument} < {zero})", f"-{one}", zero)
        return self.choice(f"({argument} > {zero})", one, below)

    def _print_Relational(self, expr: sympy.Expr) -> str:
        operation = {"==": "=", "!=": "<>"}.get(expr.rel_op, expr.rel_op)
        return f"({self._print(expr.lhs)} {operation} {self._print(expr.rhs)})"

    def _format_code(self, lines: list[str]) -> list[str]:
        return lines


def wrapped(text: str, indent: int = 4) -> str:
    """Return a statement in lines of limited width; it has no texts in quotes."""
    first, rest = " " * indent, " " * (indent + 4)
    text = re.sub(r"\s+", " ", text)
    if len(text) <= WIDTH - indent:
        return first + text
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
