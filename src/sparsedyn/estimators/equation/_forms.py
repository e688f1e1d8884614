"""Forms of a user's own: texts such as `a*x/(b + x)`, whose constants are fitted from many starts."""

import ast
from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.equations import parsed, symbol
from sparsedyn.equations.notation import CONSTANTS, FUNCTIONS
from sparsedyn.equations.symbolic import parametrized, symbols
from sparsedyn.estimators.equation.proposals import fitted

STARTS = 48
MOST_CONSTANTS = 12


def forms_of(texts: Sequence[str] | str | None, names: Sequence[str]) -> list[tuple[sympy.Expr, list[sympy.Symbol]]]:
    """Return the expressions that texts stand for, and their constants: the names that are no columns.

    Nothing in a text is executed. **Raises:** `ValueError` for a text that is not understood.
    """
    found = []
    for text in [texts] if isinstance(texts, str) else texts or ():
        if not isinstance(text, str):
            raise ValueError(f"candidates: expected texts such as 'a*x/(b + x)'; got {text!r}.")
        try:
            used = {node.id for node in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(node, ast.Name)}
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            raise ValueError(f"candidates: expected a form such as 'a*x/(b + x)'; got {text!r}.") from error
        own = sorted(used - set(names) - set(FUNCTIONS) - set(CONSTANTS))
        if len(own) > MOST_CONSTANTS:
            raise ValueError(
                f"candidates: expected at most {MOST_CONSTANTS} constants; {text!r} has {len(own)}: {', '.join(own)}. "
                f"Columns are {', '.join(names)}."
            )
        try:
            found.append((parsed(text, [*names, *own]), symbols(own)))
        except ValueError as error:
            raise ValueError(f"candidates: {error}") from error
    return found


def started(
    form: sympy.Expr,
    constants: Sequence[sympy.Symbol],
    names: Sequence[str],
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
    seed: int,
) -> sympy.Expr:
    """Return a form with the constants of least error that Levenberg-Marquardt reaches from many starts."""
    if not constants:
        return form
    rng = np.random.default_rng([seed, len(constants)])
    size = np.sqrt(np.mean(y**2))
    sizes = np.sqrt(np.mean(x**2, axis=0))
    scales = np.concatenate([[1.0, 1.0, size], sizes, 1 / sizes, size / sizes])
    # Numbers that differ stand for the constants: they are told apart by their values.
    marks = {one: sympy.Float(1.5 + 0.0078125 * place) for place, one in enumerate(constants)}
    function, floats = parametrized([form.xreplace(marks)], [*map(symbol, names)])
    free = np.asarray([number in marks.values() for number in floats])
    best: tuple[float, np.ndarray | None] = (np.inf, None)
    for place in range(STARTS):
        start = np.asarray([float(number) for number in floats])
        drawn = rng.choice(scales, free.sum()) * 10 ** rng.uniform(-1, 1, free.sum())
        start[free] = 1.0 if place == 0 else drawn * np.where(rng.random(free.sum()) < 0.2, -1, 1)
        values = fitted(function, start, x, y)
        off = function(x, list(values))[:, 0] - y
        error = float(off @ off)
        if error < best[0]:
            best = (error, values)
    if best[1] is None:
        return form.xreplace(marks)
    return form.xreplace(marks).xreplace({old: sympy.Float(new) for old, new in zip(floats, best[1], strict=True)})
