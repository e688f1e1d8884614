"""The known part of equations: what is said of the right-hand side before data are seen, as text or as a function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float

from sparsedyn.data import DataError, Trajectories
from sparsedyn.data.errors import closest, listing
from sparsedyn.equations import Columns, compiled, from_text, parsed, symbol, to_text
from sparsedyn.estimators._base import Rule

RULE = Rule(
    lambda value: value is None or callable(value) or isinstance(value, Mapping),
    "none, a function of states and inputs, or texts by state such as {'w': '-2*sin(theta)'}",
)
"""What a parameter `known` may be."""


@dataclass(frozen=True)
class Known:
    """A part of the derivative of every state that equations are for; `expressions` unless it is a function.

    For maps it is a part of the next state; who learns its increments as derivatives has it divided by `per`.
    """

    names: tuple[str, ...]
    equations: tuple[str, ...]
    expressions: tuple[sympy.Expr, ...] | None = None
    function: Callable[..., Any] | None = None
    per: float = 1.0

    def values(
        self, x: Float[np.ndarray, "row state"], u: Float[np.ndarray, "row input"]
    ) -> Float[np.ndarray, "row equation"]:
        """Return the known part at states and inputs; `ValueError` for a function whose values do not fit."""
        if self.function is None:
            assert self.expressions is not None
            return _evaluated(self.expressions, self.names)(np.concatenate([x, u], axis=-1)) / self.per
        found, shape = np.asarray(self.function(x, u), np.float64), (len(x), len(self.equations))
        if found.shape != shape:
            raise ValueError(
                f"known: expected values (row, state) of the shape {shape} for states of the shape {x.shape}; got "
                f"{found.shape}."
            )
        return found / self.per

    def check(self, data: Trajectories) -> None:
        """Raise `DataError` where the known part has no finite value at a row of the data."""
        for label, x, u in zip(data.labels, data.states, data.inputs, strict=True):
            with np.errstate(all="ignore"):
                bad = ~np.isfinite(self.values(x, u))
            if bad.any():
                row, column = np.argwhere(bad)[0]
                values = zip(self.names, (*x[row], *u[row]), strict=True)
                place = f"row {row} of trajectory {label!r}, where {', '.join(f'{n} is {v:.6g}' for n, v in values)}"
                raise DataError(
                    f"known: expected finite values at all rows; the part of {self.equations[column]!r} has none at "
                    f"{place}. Leave such rows out, or give a part that is defined there."
                )

    def over(self, per: float) -> "Known":
        """Return the same part divided by a number."""
        return replace(self, per=per)

    @property
    def parameter(self) -> dict[str, sympy.Expr]:
        """The known part as the parameter that it may be given as."""
        return dict(zip(self.equations, self.symbolic(), strict=True))

    def symbolic(self) -> tuple[sympy.Expr, ...]:
        """Return the known part as expressions; of a function, its name is all there is."""
        if self.expressions is not None:
            return self.expressions
        arguments = [symbol(name) for name in self.names]
        return tuple(sympy.Function(f"known_{name}")(*arguments) for name in self.equations)

    def to_dict(self) -> dict[str, str]:
        """Return the texts by state; `ValueError` for a function."""
        if self.expressions is None:
            raise ValueError(
                "known: a function cannot be saved. Give the known part as text, such as {'w': '-2*sin(theta)'}."
            )
        return {n: to_text(e, self.names) for n, e in zip(self.equations, self.expressions, strict=True)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, str] | None, names: Sequence[str]) -> "Known | None":
        """Undo `to_dict`; of nothing, nothing."""
        if not stored:
            return None
        return cls(tuple(names), tuple(stored), tuple(from_text(text, names) for text in stored.values()))


@lru_cache(maxsize=64)
def _evaluated(expressions: tuple[sympy.Expr, ...], names: tuple[str, ...]) -> Columns:
    """The function of columns that expressions are, made once: it is asked for at every step of an integration."""
    return compiled(expressions, names)


def known_of(given: Any, names: Sequence[str], equations: Sequence[str]) -> Known | None:
    """Return the known part that was given: a function of states and inputs, or texts or SymPy expressions by state.

    `names` are the full states, then the inputs. **Raises:** `ValueError` for names that are not there.
    """
    if given is None:
        return None
    if callable(given):
        return Known(tuple(names), tuple(equations), function=given)
    parts: dict[str, sympy.Expr] = dict.fromkeys(equations, sympy.Integer(0))
    for name, value in given.items():
        if name not in parts:
            raise ValueError(
                f"known: there is no equation of {name!r}.{closest(str(name), list(parts))} Equations are those of: "
                f"{listing(parts)}."
            )
        parts[name] = parsed(value, names) if isinstance(value, str) else _ours(value, names)
    return Known(tuple(names), tuple(equations), tuple(parts.values()))


def _ours(expression: Any, names: Sequence[str]) -> sympy.Expr:
    """The expression over the symbols of this package, which are real."""
    expr = sympy.sympify(expression)
    unknown = sorted(str(s) for s in expr.free_symbols if str(s) not in names)
    if unknown:
        raise ValueError(f"known: there is no variable {unknown[0]!r}. The variables are: {listing(names)}.")
    return expr.xreplace({s: symbol(str(s)) for s in expr.free_symbols})
