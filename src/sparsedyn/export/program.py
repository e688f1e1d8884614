"""What is exported, whatever the model and the target: scalar assignments, in the data's units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import sympy


@dataclass(frozen=True)
class Variable:
    """A state, input or output: its name in the data, the identifier of its value, and what training data were like."""

    name: str
    identifier: str
    unit: str = ""
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def start(self) -> float:
        """Where a run begins of which nothing else is known: at the mean of training."""
        return 0.0 if self.mean is None else self.mean

    def named(self, prefix: str) -> str:
        """Return the identifier of what is of this variable, such as its derivative: `d_level` for `x_level`."""
        return f"{prefix}_{self.identifier.partition('_')[2]}"


@dataclass(frozen=True)
class Sum:
    """A constant, and weights times values of identifiers."""

    constant: float
    terms: tuple[tuple[float, str], ...] = ()


Right: TypeAlias = "Sum | sympy.Expr"
"""A right-hand side: a sum, of which networks are made, or an expression over symbols of identifiers."""


@dataclass(frozen=True)
class Block:
    """Assignments to identifiers, in their order, and the results that follow from them."""

    assignments: tuple[tuple[str, Right], ...]
    results: tuple[Right, ...]

    @property
    def reads(self) -> frozenset[str]:
        """All identifiers that are read."""
        return frozenset().union(*map(read, (*(right for _, right in self.assignments), *self.results)))

    @property
    def operations(self) -> int:
        """How many additions, multiplications and functions there are."""
        return sum(_operations(right) for right in (*(right for _, right in self.assignments), *self.results))


@dataclass(frozen=True)
class Program:
    """A model as blocks: derivatives `rhs`, or states of the next row `following`, and outputs `output`.

    All are functions of `states` and `inputs`. `method` says how a step of `dt` follows from derivatives, `substeps`
    of equal length at a time, with inputs held. `source` and `notes` say where it comes from and what is to be known.
    """

    source: str
    states: tuple[Variable, ...]
    inputs: tuple[Variable, ...] = ()
    outputs: tuple[Variable, ...] = ()
    rhs: Block | None = None
    following: Block | None = None
    output: Block | None = None
    method: str = "euler"
    dt: float = 1.0
    substeps: int = 1
    notes: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[Variable, ...]:
        """States, inputs and outputs."""
        return (*self.states, *self.inputs, *self.outputs)

    @property
    def blocks(self) -> dict[str, tuple[Block, tuple[str, ...]]]:
        """The blocks by the name of the function that computes them, and identifiers of their results."""
        found = {
            "rhs": (self.rhs, [one.named("d") for one in self.states]),
            "step": (self.following, [one.named("n") for one in self.states]),
            "output": (self.output, [one.identifier for one in self.outputs]),
        }
        return {name: (block, tuple(names)) for name, (block, names) in found.items() if block is not None}


def block_of(assignments: Iterable[tuple[str, Right]], results: Sequence[Right]) -> Block:
    """Return the block without assignments that nothing reads."""
    needed = set().union(*map(read, results))
    kept = []
    for name, right in reversed(list(assignments)):
        if name in needed:
            kept.append((name, right))
            needed |= read(right)
    return Block(tuple(reversed(kept)), tuple(results))


def read(right: Right) -> set[str]:
    """Return the identifiers that a right-hand side reads."""
    if isinstance(right, Sum):
        return {name for _, name in right.terms}
    return {symbol.name for symbol in right.free_symbols}


def _operations(right: Right) -> int:
    if isinstance(right, Sum):
        products = sum(abs(weight) != 1 for weight, _ in right.terms)
        return products + max(0, len(right.terms) - (right.constant == 0))
    return int(sympy.count_ops(right))
