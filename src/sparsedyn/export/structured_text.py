"""IEC 61131-3 structured text: a function block for derivatives, one for a step, one for outputs."""

from collections.abc import Sequence
from itertools import chain

from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import StructuredText, wrapped
from sparsedyn.export.program import Program, Variable

STAGES: dict[str, tuple[tuple[str, float], ...]] = {
    "euler": (("", 0.0),),
    "rk4": (("", 0.0), ("k1", 0.5), ("k2", 0.5), ("k3", 1.0)),
}
"""Of a step: which slope the states are moved along before derivatives are taken, and by what share of the step."""


def written(program: Program, *, double: bool, name: str) -> str:
    """Return a program as function blocks `NAME_rhs`, `NAME_step` and `NAME_output`."""
    printer, kind = StructuredText(double), "LREAL" if double else "REAL"
    lines = ["(*", *(f"   {comment(line)}" for line in facts(program, "double" if double else "single")), "*)"]
    given = (*program.states, *program.inputs)
    for function, (block, results) in program.blocks.items():
        names = [assigned for assigned, _ in block.assignments]
        body = [*block.assignments, *zip(results, block.results, strict=True)]
        lines += _block(
            f"{name}_{function}",
            {"VAR_INPUT": _declared(given, kind), "VAR_OUTPUT": _plain(results, kind), "VAR": _plain(names, kind)},
            [wrapped(f"{left} := {printer.right(right)};") for left, right in body],
        )
    if program.rhs is not None:
        lines += _step(program, printer, kind, name)
    lines += _inside([one for one in given if one.low is not None and one.high is not None], printer, kind, name)
    return "\n".join(lines) + "\n"


def _inside(known: Sequence[Variable], printer: StructuredText, kind: str, name: str) -> list[str]:
    """Whether values are within the ranges of the training data, which are constants."""
    if not known:
        return []
    limits = [
        f"{one.named(which)} : {kind} := {printer.literal(value)};"
        for one in known
        for which, value in (("min", one.low), ("max", one.high))
        if value is not None
    ]
    tests = [f"({one.identifier} >= {one.named('min')}) AND ({one.identifier} <= {one.named('max')})" for one in known]
    return _block(
        f"{name}_inside",
        {"VAR_INPUT": _declared(known, kind), "VAR_OUTPUT": ["inside : BOOL;"], "VAR CONSTANT": limits},
        [wrapped(f"inside := {' AND '.join(tests)};")],
    )


def _step(program: Program, printer: StructuredText, kind: str, name: str) -> list[str]:
    """A row's step by the block of derivatives, which is called once a stage."""
    states = program.states
    now, following = [one.named("s") for one in states], [one.named("n") for one in states]
    stages, h = STAGES[program.method], printer.literal(program.dt / program.substeps)
    slopes = [[f"k{stage}_{one.named('k')[2:]}" for one in states] for stage in range(1, len(stages) + 1)]
    body: list[str] = []
    for stage, (along, share) in enumerate(stages):
        moved = [
            f"{value} + {printer.literal(share * program.dt / program.substeps)}*{slopes[stage - 1][i]}"
            if along
            else value
            for i, value in enumerate(now)
        ]
        arguments = [f"{one.identifier} := {value}" for one, value in zip(states, moved, strict=True)]
        arguments += [f"{one.identifier} := {one.identifier}" for one in program.inputs]
        body.append(wrapped(f"f({', '.join(arguments)});", 8))
        body += [f"        {slope} := f.{one.named('d')};" for slope, one in zip(slopes[stage], states, strict=True)]
    two, sixth = printer.literal(2.0), printer.literal(program.dt / program.substeps / 6.0)
    for i, value in enumerate(now):
        k = [column[i] for column in slopes]
        change = f"{h}*{k[0]}" if len(k) == 1 else f"{sixth}*({k[0]} + {two}*({k[1]} + {k[2]}) + {k[3]})"
        body.append(wrapped(f"{value} := {value} + {change};", 8))
    return _block(
        f"{name}_step",
        {
            "VAR_INPUT": _declared((*states, *program.inputs), kind),
            "VAR_OUTPUT": _plain(following, kind),
            "VAR": [f"f : {name}_rhs;", "j : INT;", *_plain([*now, *chain.from_iterable(slopes)], kind)],
        },
        [
            *(f"    {value} := {one.identifier};" for value, one in zip(now, states, strict=True)),
            f"    FOR j := 1 TO {program.substeps} DO",
            *body,
            "    END_FOR;",
            *(f"    {to} := {value};" for to, value in zip(following, now, strict=True)),
        ],
    )


def _block(name: str, sections: dict[str, list[str]], body: Sequence[str]) -> list[str]:
    lines = ["", f"FUNCTION_BLOCK {name}"]
    for section, declared in sections.items():
        if declared:
            lines += [section, *(f"    {one}" for one in declared), "END_VAR"]
    return [*lines, *body, "END_FUNCTION_BLOCK"]


def _declared(part: Sequence[Variable], kind: str) -> list[str]:
    return [
        f"{one.identifier} : {kind}; (* {comment(one.name + (f', in {one.unit}' if one.unit else ''))} *)"
        for one in part
    ]


def _plain(names: Sequence[str], kind: str) -> list[str]:
    return [f"{name} : {kind};" for name in names]
