"""What is known of coefficients before data are seen: values, signs, bounds, absent terms, and sums between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparsedyn.data.errors import closest, listing
from sparsedyn.training.restricted import Restrictions


@dataclass(frozen=True)
class Constraints:
    """Restrictions on the coefficients of `SINDy`, by pairs (term, state) as in `coefficients().loc[term, state]`.

    - `fixed`: values, such as `{("v", "x"): 1.0}`;
    - `bounds`: pairs of a least and a greatest value, `None` where there is none, `{("u", "v"): (0, None)}`;
    - `exclude`: terms that an equation does not have, `[("u", "x")]`;
    - `only`: the terms that an equation may have, by state, `{"x": ["v"]}`;
    - `equalities`: sums of weighted coefficients that are zero, `[{("S I", "S"): 1, ("S I", "I"): 1}]`, or pairs of
      such a table and another value.
    """

    fixed: Mapping[Any, Any] = field(default_factory=dict)
    bounds: Mapping[Any, Any] = field(default_factory=dict)
    exclude: Sequence[Any] = ()
    only: Mapping[str, Any] = field(default_factory=dict)
    equalities: Sequence[Any] = ()

    def restrictions(self, terms: Sequence[str], states: Sequence[str]) -> Restrictions:
        """Return the restrictions for a library of these terms; `ValueError` for names that are not there."""
        shape = len(terms), len(states)
        allowed, fixed = np.ones(shape, bool), np.full(shape, np.nan)
        lower, upper = np.full(shape, -np.inf), np.full(shape, np.inf)

        def place(entry: Any, what: str) -> tuple[int, int]:
            if not (isinstance(entry, tuple) and len(entry) == 2):
                raise ValueError(f"constraints: {what}: expected a pair of a term and a state; got {entry!r}.")
            return _found(entry[0], terms, "term", what), _found(entry[1], states, "state", what)

        for state, names in self.only.items():
            column = _found(state, states, "state", "only")
            allowed[:, column] = False
            allowed[[_found(name, terms, "term", "only") for name in names], column] = True
        for entry in self.exclude:
            allowed[place(entry, "exclude")] = False
        for entry, (least, most) in self.bounds.items():
            where = place(entry, "bounds")
            lower[where], upper[where] = -np.inf if least is None else least, np.inf if most is None else most
            if not lower[where] < upper[where]:
                raise ValueError(f"constraints: bounds: expected a range for {entry}; got {(least, most)}. See fixed.")
            if not (allowed[where] or lower[where] <= 0 <= upper[where]):
                raise ValueError(
                    f"constraints: bounds: {entry} is not zero within {(least, most)}, but exclude or only leaves this "
                    "term out. Take it from one of them."
                )
        for entry, value in self.fixed.items():
            where = place(entry, "fixed")
            fixed[where] = _finite(value, f"fixed: expected a number for {entry}")
            if fixed[where] != 0 and not allowed[where]:
                raise ValueError(
                    f"constraints: fixed: {entry} is {value!r}, but exclude or only leaves this term out. Take it from "
                    "one of them."
                )
            if not lower[where] <= fixed[where] <= upper[where]:
                raise ValueError(
                    f"constraints: fixed: expected {entry} within its bounds, {self.bounds[entry]}; got {value!r}."
                )
        rows, values = [], []
        for table, value in self._sums():
            row = np.zeros(shape)
            for entry, weight in table.items():
                row[place(entry, "equalities")] = _finite(weight, f"equalities: expected a weight for {entry}")
            rows.append(row.ravel())
            values.append(_finite(value, "equalities: expected a number as the sum"))
        matrix = np.stack(rows) if rows else np.zeros((0, int(np.prod(shape))))
        return Restrictions(allowed, fixed, lower, upper, matrix, np.asarray(values))

    def to_dict(self) -> dict[str, Any]:
        """Return the restrictions as JSON values; see `from_dict`."""
        return {
            "fixed": [[*entry, value] for entry, value in self.fixed.items()],
            "bounds": [[*entry, *pair] for entry, pair in self.bounds.items()],
            "exclude": [list(entry) for entry in self.exclude],
            "only": {state: list(names) for state, names in self.only.items()},
            "equalities": [
                [[[*entry, weight] for entry, weight in table.items()], value] for table, value in self._sums()
            ],
        }

    def _sums(self) -> list[tuple[Any, Any]]:
        """The equalities as pairs of weights and a value."""
        return [tuple(one) if isinstance(one, tuple | list) else (one, 0.0) for one in self.equalities]

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Constraints":
        """Undo `to_dict`."""
        return cls(
            {(term, state): value for term, state, value in stored["fixed"]},
            {(term, state): (least, most) for term, state, least, most in stored["bounds"]},
            [(term, state) for term, state in stored["exclude"]],
            stored["only"],
            [({(t, s): weight for t, s, weight in table}, value) for table, value in stored["equalities"]],
        )


def _finite(value: Any, expected: str) -> float:
    """The number that is given; `ValueError`, with what is expected, for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise ValueError(f"constraints: {expected}; got {value!r}.")
    return number


def _found(name: str, known: Sequence[str], kind: str, what: str) -> int:
    if name not in known:
        raise ValueError(
            f"constraints: {what}: there is no {kind} {name!r}.{closest(str(name), list(known))} The {kind}s are: "
            f"{listing(list(known))}."
        )
    return list(known).index(name)
