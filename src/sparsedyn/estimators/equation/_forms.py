"""Forms of a user's own: texts such as `a*x/(b + x)`, whose constants are fitted from many starts."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sympy
from jaxtyping import Float

from sparsedyn.data.errors import closest, listing
from sparsedyn.equations import parsed, symbol
from sparsedyn.equations.notation import CONSTANTS, FUNCTIONS, in_words
from sparsedyn.equations.symbolic import parametrized, symbols
from sparsedyn.estimators._base import Rule
from sparsedyn.estimators.equation.proposals import fitted

STARTS = 48
MOST_CONSTANTS = 12
UNNAMED = re.compile(r"(?<!\w)_(?!\w)")
"""A constant without a name, another one wherever it stands."""
WORD = re.compile(r"[^\W\d]\w*(?=\s|[\[(]|$)")
"""The first word of a column's name, before its unit."""

NO_LETTERS = re.compile(r"[\W\d_]")
WORDS, ALIKE = 4, 0.75
"""Letters of a name that is a word, and how alike two of them are where one may be the other, mistyped."""


class Form(NamedTuple):
    """A form: its text, what it stands for, its constants, and the equation that it is for, by place and name."""

    text: str
    expression: sympy.Expr
    constants: list[sympy.Symbol]
    equation: int = 0
    name: str = ""


class Fate(NamedTuple):
    """How a form fared: the state, its text, the equation it became, its error, and its score; less is better.

    There is no equation where the form has no value, or runs away.
    """

    name: str
    text: str
    equation: sympy.Expr | None
    error: float
    score: float


def fates_table(fates: Sequence[Fate], best: float, what: str) -> pd.DataFrame:
    """Return how forms fared beside the best score, the best first; `what` the column of names is called."""
    rows = [
        (one.name, one.text, one.equation, one.error, float(np.exp(np.clip((one.score - best) / 2, -700, 700))))
        for one in sorted(fates, key=lambda one: one.score)
    ]
    return pd.DataFrame(rows, columns=[what, "candidate", "equation", "error", "odds"])


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, Sequence) and all(isinstance(one, str) for one in value))


RULE = Rule(
    lambda value: (
        value is None
        or _is_texts(value)
        or (isinstance(value, Mapping) and all(isinstance(key, str) and _is_texts(one) for key, one in value.items()))
    ),
    "texts such as 'a*x/(b + x)', or texts by state such as {'x': 'a*x/(b + x)'}",
)
"""What candidates for equations of trajectories may be."""


def forms_of(texts: Sequence[str] | str | None, names: Sequence[str]) -> list[Form]:
    """Return the expressions that texts stand for, and their constants: the names that are no columns, and every `_`.

    Nothing in a text is executed. **Raises:** `ValueError` for a text that is not understood.
    """
    return [_form(text, names) for text in ([texts] if isinstance(texts, str) else texts or ())]


def forms_by_state(
    given: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None, states: Sequence[str], names: Sequence[str]
) -> list[Form]:
    """Return the forms for equations of states; those that are given without a state are for every one of them.

    **Raises:** `ValueError` for a state that is not there, and as `forms_of`.
    """
    by_state = given if isinstance(given, Mapping) else dict.fromkeys(states, given or ())
    for name in by_state:
        if name not in states:
            raise ValueError(
                f"candidates: there is no equation of {name!r}.{closest(name, list(states))} Equations are those of: "
                f"{listing(states)}."
            )
    return [
        form._replace(equation=place, name=name)
        for place, name in enumerate(states)
        for form in forms_of(by_state.get(name), names)
    ]


def _form(text: str, names: Sequence[str]) -> Form:
    if not isinstance(text, str):
        raise ValueError(f"candidates: expected texts such as 'a*x/(b + x)'; got {text!r}.")
    free = (f"_{place}" for place in count(1) if f"_{place}" not in text)
    written = UNNAMED.sub(lambda _: next(free), text.strip()) if "_" not in names else text.strip()
    spelled, words = in_words(written, names)
    try:
        used = {node.id for node in ast.walk(ast.parse(spelled, mode="eval")) if isinstance(node, ast.Name)}
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise ValueError(f"candidates: expected a form such as 'a*x/(b + x)'; got {text!r}.") from error
    own = sorted(used - set(names) - set(words) - set(FUNCTIONS) - set(CONSTANTS))
    for name in names:
        # As constants, columns would be in no form, without a word.
        if (stem := WORD.match(name)) and stem[0] != name and stem[0] in own:
            raise ValueError(
                f"candidates: {stem[0]!r} in {text!r} would be a constant, but a column is called {name!r}. Write it "
                "so, with its unit, or call the constant otherwise."
            )
    for constant in own:
        for name in names:
            if name not in used and _alike(constant, name):
                raise ValueError(
                    f"candidates: {constant!r} in {text!r} would be a constant, and a column is called {name!r}. Write "
                    "it so, or, if a constant is meant, call it otherwise."
                )
    if len(own) > MOST_CONSTANTS:
        raise ValueError(
            f"candidates: expected at most {MOST_CONSTANTS} constants; {text!r} has {len(own)}: {', '.join(own)}. "
            f"Columns are {', '.join(names)}."
        )
    try:
        return Form(text, parsed(written, [*names, *own]), symbols(own))
    except ValueError as error:
        raise ValueError(f"candidates: {error}") from error


def _alike(constant: str, column: str) -> bool:
    """Whether a constant may be a column that was mistyped: in words, not in letters such as those of formulas."""
    one, other = (NO_LETTERS.sub("", word) for word in (constant, column))
    if min(len(one), len(other)) < WORDS:
        return False
    return one.lower() == other.lower() or SequenceMatcher(None, one, other).ratio() >= ALIKE


def started(
    form: Form,
    names: Sequence[str],
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
    seed: int,
) -> sympy.Expr:
    """Return a form with the constants of least error that Levenberg-Marquardt reaches from many starts."""
    values = starts(form, names, x, y, seed)[0]
    return form.expression.xreplace(dict(zip(form.constants, map(sympy.Float, values), strict=True)))


def starts(
    form: Form,
    names: Sequence[str],
    x: Float[np.ndarray, "sample feature"],
    y: Float[np.ndarray, " sample"],
    seed: int,
) -> list[Float[np.ndarray, " constant"]]:
    """Return values of a form's constants that Levenberg-Marquardt reaches from many starts, the best first."""
    constants = form.constants
    if not constants:
        return [np.zeros(0)]
    rng = np.random.default_rng([seed, len(constants)])
    size = np.sqrt(np.mean(y**2))
    sizes = np.sqrt(np.mean(x**2, axis=0))
    scales = np.concatenate([[1.0, 1.0, size], sizes, 1 / sizes, size / sizes])
    function, floats = parametrized([form.expression], [*map(symbol, names), *constants])
    fixed = [float(number) for number in floats]

    def of(rows: np.ndarray, values: Sequence[float]) -> np.ndarray:
        return function(np.column_stack([rows, np.broadcast_to(values, (len(rows), len(values)))]), fixed)

    found: list[tuple[float, np.ndarray]] = []
    for start in _drawn(rng, scales, len(constants)):
        values = fitted(of, start, x, y)
        off = of(x, list(values))[:, 0] - y
        error = float(off @ off)
        if np.isfinite(error) and not any(np.allclose(values, other, rtol=1e-3) for _, other in found):
            found.append((error, values))
    return [values for _, values in sorted(found, key=lambda one: one[0])] or [np.ones(len(constants))]


def _drawn(rng: np.random.Generator, scales: np.ndarray, constants: int) -> Iterator[np.ndarray]:
    """First values: ones, then sizes of the data, some of them negative."""
    yield np.ones(constants)
    for _ in range(STARTS - 1):
        drawn = rng.choice(scales, constants) * 10 ** rng.uniform(-1, 1, constants)
        yield drawn * np.where(rng.random(constants) < 0.2, -1, 1)
