"""Derivatives of programs, as programs: reverse differentiation, with what functions share computed once."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count

import sympy

from sparsedyn.export.formulas import identifier
from sparsedyn.export.program import Block, Right, Sum, block_of

Value = float | str
"""Of a derivative: a constant, or an identifier."""
Contributions = list[tuple[float, str | None]]
"""A weight and an identifier; a constant where there is none."""


def jacobian(block: Block, variables: Sequence[str]) -> Block:
    """Return the derivatives of all results with respect to `variables`, result by result.

    At a kink, the derivative is that of one of its sides.

    **Raises:** `ValueError` for functions whose derivative is not known.
    """
    made = _Differentiated(block)
    results: list[Right] = []
    for number in range(1, len(block.results) + 1):
        found = made.backward(number)
        results += [_right(found.get(name, 0.0)) for name in variables]
    return block_of(made.assignments, results)


def _right(value: Value) -> Sum:
    return Sum(value) if isinstance(value, float) else Sum(0.0, ((1.0, value),))


class _Differentiated:
    """The assignments of a block, those of partial derivatives, and those of derivatives of results."""

    def __init__(self, block: Block):
        self.numbers = count(1)
        self.assignments: list[tuple[str, Right]] = []
        self.partials: dict[str, dict[str, Value]] = {}
        results = [(f"r{i}", right) for i, right in enumerate(block.results, 1)]
        self.order = [name for name, _ in (*block.assignments, *results)]
        for name, right in (*block.assignments, *results):
            self._forward(name, right)

    def _fresh(self) -> sympy.Symbol:
        return identifier(f"p{next(self.numbers)}")

    def _forward(self, name: str, right: Right) -> None:
        """Keep an assignment, and what its value's partial derivatives are."""
        if isinstance(right, Sum):
            self.assignments.append((name, right))
            partials: dict[str, Value] = {}
            for weight, of in right.terms:
                partials[of] = weight + float(partials.get(of, 0.0))
            self.partials[name] = partials
            return
        reads = sorted(right.free_symbols, key=str)
        slopes = [_plain(right.diff(one)) for one in reads]
        shared, (value, *slopes) = sympy.cse([right, *slopes], symbols=iter(self._fresh, None))
        self.assignments += [(symbol.name, part) for symbol, part in shared]
        self.assignments.append((name, value))
        self.partials[name] = {
            one.name: self._named(slope) for one, slope in zip(reads, slopes, strict=True) if slope != 0
        }

    def _named(self, value: sympy.Expr) -> Value:
        if value.is_number:
            return float(value)
        if value.is_Symbol:
            return str(value.name)
        name = self._fresh().name
        self.assignments.append((name, value))
        return str(name)

    def backward(self, number: int) -> dict[str, Value]:
        """Return the derivatives of a result with respect to all that it depends on."""
        gathered: dict[str, Contributions] = defaultdict(list, {f"r{number}": [(1.0, None)]})
        found: dict[str, Value] = {}
        for name in reversed(self.order):
            if name not in gathered:
                continue
            value = self._total(number, name, gathered.pop(name))
            for of, partial in self.partials[name].items():
                gathered[of].append(self._product(value, partial))
        for name, contributions in gathered.items():
            found[name] = self._total(number, name, contributions)
        return found

    def _total(self, number: int, name: str, parts: Contributions) -> Value:
        constant = sum(weight for weight, of in parts if of is None)
        terms = tuple((weight, of) for weight, of in parts if of is not None and weight != 0)
        if not terms:
            return float(constant)
        if constant == 0 and len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        made = f"q{number}_{name}"
        self.assignments.append((made, Sum(float(constant), terms)))
        return made

    def _product(self, value: Value, partial: Value) -> tuple[float, str | None]:
        if isinstance(value, float):
            return (value * partial, None) if isinstance(partial, float) else (value, partial)
        if isinstance(partial, float):
            return partial, value
        name = self._fresh().name
        self.assignments.append((name, identifier(value) * identifier(partial)))
        return 1.0, name


def _plain(derivative: sympy.Expr) -> sympy.Expr:
    """The derivative with steps written out, and without the impulses at kinks."""
    made = derivative.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0)).replace(
        sympy.Heaviside, lambda a, *_: sympy.Piecewise((0, a < 0), (1, True))
    )
    if made.has(sympy.Derivative, sympy.Subs):
        raise ValueError(f"jacobian: expected functions whose derivative is known; got {derivative}.")
    return made
