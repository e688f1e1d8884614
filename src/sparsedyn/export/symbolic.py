"""SymPy and LaTeX: for reading and for calculating on."""

import re
from collections.abc import Callable

import sympy

from sparsedyn.equations import latex, symbol, text
from sparsedyn.equations.notation import ALL_DIGITS, FUNCTIONS, latex_name
from sparsedyn.equations.statements import LEFT_LATEX
from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import wrapped
from sparsedyn.export.program import Program, Right, Sum, Variable

NAMES = ("E", "Piecewise", "pi", *FUNCTIONS)
OF = {"rhs": "derivative", "step": "next", "output": "value"}


def sympy_source(program: Program) -> str:
    """Return Python source that makes SymPy expressions: lists `rhs`, `step`, `output`, `states` and `inputs`."""
    lines: list[str] = []
    for one in program.variables[: len(program.states) + len(program.inputs)]:
        lines.append(f"{one.identifier} = Symbol({one.name!a}, real=True)")
    for name, part in (("states", program.states), ("inputs", program.inputs)):
        lines.append(wrapped(f"{name} = [{', '.join(one.identifier for one in part)}]", 0))
    for function, (block, _) in program.blocks.items():
        lines += [_assigned(name, _written(right)) for name, right in block.assignments]
        lines += [_assigned(f"{function}_{i + 1}", _written(right)) for i, right in enumerate(block.results)]
        lines.append(
            wrapped(f"{function} = [{', '.join(f'{function}_{i + 1}' for i in range(len(block.results)))}]", 0)
        )
    used = [name for name in NAMES if any(re.search(rf"\b{name}\b", line) for line in lines)]
    head = [*(f"# {comment(line)}" for line in facts(program)), "", f"from sympy import {', '.join(['Symbol', *used])}"]
    return "\n".join([*head, "", *lines]) + "\n"


def latex_source(program: Program, digits: int) -> str:
    """Return aligned equations for LaTeX with amsmath."""
    lines = [f"% {comment(line)}" for line in facts(program)]
    for function, (block, _) in program.blocks.items():
        of = program.outputs if function == "output" else program.states
        rows = [(latex_name(name), right) for name, right in block.assignments]
        rows += [
            (LEFT_LATEX[OF[function]].format(latex_name(one.name)), right)
            for one, right in zip(of, block.results, strict=False)
        ]
        body = " \\\\\n".join(f"  {left} &= {_set(right, program.variables, digits)}" for left, right in rows)
        lines += [r"\begin{align}", body, r"\end{align}"]
    return "\n".join(lines) + "\n"


def _assigned(name: str, right: str) -> str:
    line = wrapped(f"{name} = {right}", 0)
    return line if "\n" not in line else wrapped(f"{name} = ({right})", 0)


def _written(right: Right) -> str:
    if not isinstance(right, Sum):
        return text(right, ALL_DIGITS)
    return _joined(
        right,
        repr,
        lambda weight, name: name if weight == 1 else f"{weight!r}*{name}",
    )


def _set(right: Right, variables: tuple[Variable, ...], digits: int) -> str:
    names = {one.identifier: one.name for one in variables}
    if not isinstance(right, Sum):
        renaming = {s: symbol(names.get(s.name, s.name)) for s in right.free_symbols}
        return latex(right.xreplace(renaming), digits)
    return _joined(
        right,
        lambda value: latex(sympy.Float(value), digits),
        lambda weight, name: (
            ("" if weight == 1 else latex(sympy.Float(weight), digits) + r" \, ") + latex_name(names.get(name, name))
        ),
    )


def _joined(right: Sum, number: Callable[[float], str], term: Callable[[float, str], str]) -> str:
    parts = [(right.constant, number(abs(right.constant)))] if right.constant or not right.terms else []
    parts += [(weight, term(abs(weight), name)) for weight, name in right.terms]
    found = ""
    for value, part in parts:
        sign = "-" if value < 0 else "+"
        found += f" {sign} {part}" if found else part if value >= 0 else f"-{part}"
    return found
