"""Equations with their left sides: what a model says of a derivative, of the next row, or of a variable itself."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sympy

from sparsedyn.equations.mathml import mathml, mathml_name
from sparsedyn.equations.notation import DIGITS, latex, latex_name, text
from sparsedyn.equations.symbolic import symbol

LEFT = {"derivative": "d{}/dt", "prime": "{}'", "second": "{}''", "next": "{}[k+1]", "now": "{}[k]", "value": "{}"}
"""Left sides as text, by what an equation is of."""
LEFT_MATHML = {
    "derivative": "<mfrac><mrow><mi>d</mi>{}</mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac>",
    "prime": "{}<mo>&#x2032;</mo>",
    "second": "{}<mo>&#x2033;</mo>",
    "next": "{}<mtext>[k+1]</mtext>",
    "now": "{}<mtext>[k]</mtext>",
    "value": "{}",
}
LEFT_LATEX = LEFT | {"derivative": r"\frac{{d {}}}{{dt}}"}


class Statement(NamedTuple):
    """An equation of a variable: `of` is one of `LEFT`; columns of `next` and `now` say their row, `x[k]`."""

    name: str
    of: str
    right: sympy.Expr

    @property
    def left(self) -> str:
        """The left side as text."""
        return LEFT[self.of].format(self.name)

    def text(self, digits: int = DIGITS) -> str:
        """Return the equation as text."""
        return f"{self.left} = {text(self.right, digits)}"

    def latex(self, digits: int = DIGITS) -> str:
        """Return the equation in LaTeX, without dollar signs."""
        return f"{LEFT_LATEX[self.of].format(latex_name(self.name))} = {latex(self.right, digits)}"

    def mathml(self, digits: int = DIGITS) -> str:
        """Return the equation as an element of MathML, for a page; names in it are text, whatever is in them."""
        left = LEFT_MATHML[self.of].format(mathml_name(self.name))
        return f'<math display="block"><mrow>{left}<mo>=</mo>{mathml(self.right, digits)}</mrow></math>'


def statements(of: str, names: Sequence[str], rights: Iterable[sympy.Expr]) -> list[Statement]:
    """Return an equation per name; those of rows have their variables renamed, `x` to `x[k]`."""
    found = [Statement(name, of, right) for name, right in zip(names, rights, strict=True)]
    return [one._replace(right=_at_rows(one.right)) for one in found] if of in ("next", "now") else found


def _at_rows(right: sympy.Expr) -> sympy.Expr:
    return right.xreplace({old: symbol(f"{old.name}[k]") for old in right.free_symbols if not old.name.endswith("]")})
