"""Equations as text, as LaTeX, and back from text."""

import ast
import operator
import re
from collections.abc import Sequence
from itertools import count
from typing import Any

import sympy
from sympy.core.alphabets import greeks
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from sparsedyn.equations.simplification import rounded
from sparsedyn.equations.symbolic import POLES, gathered, symbols

DIGITS = 4
ALL_DIGITS = 17

FUNCTIONS = {
    name: getattr(sympy, name)
    for name in (
        *("sin", "cos", "tan", "cot", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log"),
        *("Abs", "sign", "erf", "Max", "Min"),
    )
} | {"sqrt": lambda argument: sympy.sqrt(argument)}
CONSTANTS = {"pi": sympy.pi, "E": sympy.E, "nan": sympy.nan}
OPERATIONS: dict[type[ast.AST], Any] = {
    ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
# Larger numbers have no use, and take too long.
LARGEST_NUMBER = sympy.Integer(10) ** 5000
LARGEST_POWER = 1000
# Fractions of larger integers are no longer exact in floating point, and need not be here.
LARGEST_INTEGER = 2**53
# Longer texts are not written by hand, and those of fitted equations are far shorter.
LONGEST = 100_000

# What SymPy sorts behind all names.
LAST = "\x7f"
# Names that are set as a letter, with an index: x, x1, T_bath, theta_2. All others are set as words.
GREEK = "|".join([*greeks, "lambda", *(letter.capitalize() for letter in (*greeks, "lambda"))])
INDEXED = re.compile(rf"([A-Za-z]|{GREEK})(\d*|_[A-Za-z0-9]+)")
# The row that a variable is of: x[k], u[k-2].
ROW = re.compile(r"(.+)(\[k(?:[+-]\d+)?\])")
# A name with its unit in brackets: T [°C], feed rate (kg/h).
WITH_UNIT = re.compile(r"([^\W\d]\w*)(?: \w+)* ?(?:\[[^\[\]()]*\]|\([^\[\]()]*\))")
ESCAPES = str.maketrans({
    "\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ ",
    **{char: rf"\{char}" for char in "_%$#{}"},
    # TeX would have the first as it is and the last as \&, which Matplotlib does not know.
    '"': "''", "`": "'", "&": r"\ and\ ",
})  # fmt: skip


def text(expr: sympy.Expr, digits: int = DIGITS) -> str:
    """Return the expression in Python syntax, constants to so many significant digits.

    With 17 digits, values are kept exactly, by the shortest number that does. Names are written as they are, whether or
    not they can be parsed; see `to_text`.
    """
    return str(_Text(digits).doprint(shown(expr, digits)))


def latex(expr: sympy.Expr, digits: int = DIGITS) -> str:
    """Return the expression in LaTeX, for TeX and for Matplotlib, without dollar signs."""
    return str(_Latex(digits).doprint(shown(expr, digits)))


def latex_name(name: str) -> str:
    """Return the name of a variable in LaTeX."""
    return str(_Latex(DIGITS).doprint(sympy.Symbol(name)))


def parsed(text: str, names: Sequence[str]) -> sympy.Expr:
    """Return the expression that a text stands for, over variables of these names; nothing in the text is executed.

    It may have numbers, the names, `pi`, `E`, `+ - * / **`, and the functions `text` writes. Names may have a unit in
    brackets, as in `2*T [K]`.

    **Raises:** `ValueError` naming the part of the text that is not understood.
    """
    if len(text) > LONGEST:
        raise ValueError(f"expression: expected at most {LONGEST} characters; got {len(text)}: {_short(text)}.")
    variables = {name: variable for name, variable in zip(names, symbols(names), strict=True)}
    spelled, words = in_words(text.strip(), names)
    try:
        tree = ast.parse(spelled, mode="eval").body
        return _read(tree, variables | {word: variables[name] for word, name in words.items()}, text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"expression: expected one such as '2*x - sin(y)'; got {_short(text)}.") from error


def in_words(text: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return a text in which names with a unit in brackets are words of Python, and the name behind each word."""
    words: dict[str, str] = {}
    free = (word for i in count() if (word := f"v{i}_") not in text and word not in names)
    for name in sorted(names, key=len, reverse=True):
        found = WITH_UNIT.fullmatch(name)
        # What looks like a function of a variable is one.
        if found is None or found[1] in FUNCTIONS or name not in text:
            continue
        word = next(free)
        text, words[word] = re.sub(rf"(?<!\w){re.escape(name)}", word, text), name
    return text, words


def to_text(expr: sympy.Expr, names: Sequence[str]) -> str:
    """Return the expression as a text to keep: all digits, and variables as x0, x1, ... in the order of `names`.

    `from_text` is the inverse, for any names.
    """
    return text(_renamed(expr, names, _placeholders(names)), ALL_DIGITS)


def from_text(text: str, names: Sequence[str]) -> sympy.Expr:
    """Undo `to_text`."""
    places = _placeholders(names)
    return _renamed(parsed(text, places), places, names)


class _Text(StrPrinter):
    def __init__(self, digits: int):
        super().__init__()
        self.digits = digits

    def _print_Float(self, number: sympy.Float) -> str:
        return decimal(number, self.digits)

    def _print_Symbol(self, variable: sympy.Symbol) -> str:
        return str(variable.name.removeprefix(LAST))


class _Latex(LatexPrinter):
    def __init__(self, digits: int):
        # A thin space, or names of several letters run into their neighbours.
        super().__init__({"mul_symbol": r" \, "})
        self.digits = digits

    def _print_Float(self, number: sympy.Float) -> str:
        mantissa, _, exponent = decimal(number, self.digits).partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def _print_Symbol(self, variable: sympy.Symbol, style: str = "plain") -> str:
        if variable.name.startswith(LAST):
            return str(variable.name.removeprefix(LAST))
        if row := ROW.fullmatch(variable.name):
            return f"{self._print_Symbol(sympy.Symbol(row[1]), style)}{row[2]}"
        if INDEXED.fullmatch(variable.name):
            return str(super()._print_Symbol(variable, style))
        return rf"\mathrm{{{variable.name.translate(ESCAPES)}}}"


def shown(expr: sympy.Expr, digits: int) -> sympy.Expr:
    """Return the expression to print: rounded, and with large constants in exponents as symbols named by their digits.

    Such symbols begin with `LAST`.
    """

    def short(part: sympy.Expr) -> sympy.Expr:
        return part if digits >= ALL_DIGITS else rounded(part, digits)

    def numeral(value: float) -> sympy.Expr:
        magnitude = sympy.Symbol(LAST + _Text(digits).doprint(short(sympy.Float(abs(value)))))
        return magnitude if value > 0 else -magnitude

    return gathered(short(expr), numeral)


def decimal(number: sympy.Float, digits: int) -> str:
    """Return a number with so many significant digits."""
    return repr(float(number)) if digits >= ALL_DIGITS else f"{float(number):.{digits}g}"


def _read(node: ast.AST, variables: dict[str, sympy.Symbol], text: str) -> sympy.Expr:
    """The expression of a node of the text's syntax tree."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _checked(sympy.Integer(value) if isinstance(value, int) else sympy.Float(value), text)
        case ast.Name(id=name) if name in variables or name in CONSTANTS:
            return variables.get(name, CONSTANTS.get(name))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_read(operand, variables, text))
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return _checked(sympy.Add(*(_read(part, variables, text) * sign for sign, part in _summands(node))), text)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS or isinstance(op, ast.Pow):
            a, b = _read(left, variables, text), _read(right, variables, text)
            return _checked(_power(a, b, text) if isinstance(op, ast.Pow) else OPERATIONS[type(op)](a, b), text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return _call(name, [_read(argument, variables, text) for argument in args], text)
    known = ", ".join(dict.fromkeys(map(str, variables.values())))
    what = ast.unparse(node)
    raise ValueError(
        f"expression: expected numbers, the variables {known}, + - * / ** and {', '.join(FUNCTIONS)}; got "
        f"{_short(what)} in {_short(text)}."
    )


def _summands(node: ast.AST) -> list[tuple[int, ast.AST]]:
    """The summands of a sum with their signs: a sum of hundreds is nested as deep, and adding one by one takes long."""
    found: list[tuple[int, ast.AST]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        found.append((1 if isinstance(node.op, ast.Add) else -1, node.right))
        node = node.left
    return [(1, node), *reversed(found)]


def _call(name: str, arguments: list[sympy.Expr], text: str) -> sympy.Expr:
    if name != "sqrt":
        # Functions of numbers are numbers: otherwise they could be nested without bound.
        arguments = [argument.evalf(15) if argument.is_number else argument for argument in arguments]
    try:
        return _checked(FUNCTIONS[name](*arguments), text)
    except TypeError as error:
        raise ValueError(f"expression: {name} takes another number of arguments in {_short(text)}.") from error


def _power(base: sympy.Expr, exponent: sympy.Expr, text: str) -> sympy.Expr:
    if base.is_number and exponent.is_number and not (exponent.is_finite and abs(exponent) <= LARGEST_POWER):
        raise ValueError(f"expression: a power is too large in {_short(text)}.")
    return base**exponent


def _checked(expr: sympy.Expr, text: str) -> sympy.Expr:
    """The expression, unless it is or has a number out of range."""
    if expr.has(*POLES) or (expr.is_Number and expr is not sympy.nan and abs(expr) > LARGEST_NUMBER):
        raise ValueError(f"expression: a number is too large, or divided by zero, in {_short(text)}.")
    is_long = expr.is_Rational and max(abs(expr.p), expr.q) > LARGEST_INTEGER
    return sympy.Float(expr) if is_long else expr


def _placeholders(names: Sequence[str]) -> list[str]:
    return [f"x{i}" for i in range(len(names))]


def _renamed(expr: sympy.Expr, names: Sequence[str], others: Sequence[str]) -> sympy.Expr:
    variables = symbols(names)
    unknown = sorted(str(s) for s in expr.free_symbols - set(variables))
    if unknown:
        raise ValueError(f"names: expected all variables of the expression; {', '.join(unknown)} missing.")
    return expr.xreplace(dict(zip(variables, symbols(others), strict=True)))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
