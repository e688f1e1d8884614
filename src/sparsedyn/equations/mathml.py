"""Equations as MathML, which browsers set without any script."""

from html import escape
from typing import Any

import sympy
from sympy.printing.mathml import MathMLPresentationPrinter

from sparsedyn.equations.notation import DIGITS, INDEXED, LAST, ROW, decimal, shown


def mathml(expr: sympy.Expr, digits: int = DIGITS) -> str:
    """Return the expression as presentation MathML, without the element `math`, constants to so many digits."""
    return _MathML(digits).doprint(shown(expr, digits))


def mathml_name(name: str) -> str:
    """Return the name of a variable as MathML."""
    return _MathML(DIGITS).doprint(sympy.Symbol(name))


class _MathML(MathMLPresentationPrinter):
    """SymPy's printer writes texts as they are; here everything that comes from data is escaped."""

    def __init__(self, digits: int):
        # A dot, or names of several letters run into their neighbours.
        super().__init__({"mul_symbol": "dot"})
        self.digits = digits

    def doprint(self, expr: sympy.Expr) -> str:
        # A hyphen is no minus sign.
        return str(super().doprint(expr)).replace("<mo>-</mo>", "<mo>&#x2212;</mo>")

    def _print_Float(self, number: sympy.Float) -> Any:
        mantissa, _, exponent = decimal(number, self.digits).partition("e")
        if not exponent:
            return self._text("mn", mantissa)
        power = self._row("msup", self._text("mn", "10"), self._text("mn", str(int(exponent))))
        return self._row("mrow", self._text("mn", mantissa), self._text("mo", "\N{MIDDLE DOT}"), power)

    def _print_Symbol(self, variable: sympy.Symbol, style: str = "plain") -> Any:
        if variable.name.startswith(LAST):
            return self._text("mn", variable.name.removeprefix(LAST))
        if row := ROW.fullmatch(variable.name):
            return self._row("mrow", self._print_Symbol(sympy.Symbol(row[1]), style), self._text("mtext", row[2]))
        if INDEXED.fullmatch(variable.name):
            # A letter, Greek ones spelled out, with an index: markup cannot be made of these.
            return super()._print_Symbol(variable, style)
        return self._text("mtext", variable.name)

    def _text(self, tag: str, text: str) -> Any:
        element = self.dom.createElement(tag)
        element.appendChild(self.dom.createTextNode(escape(text)))
        return element

    def _row(self, tag: str, *children: Any) -> Any:
        element = self.dom.createElement(tag)
        for child in children:
            element.appendChild(child)
        return element
