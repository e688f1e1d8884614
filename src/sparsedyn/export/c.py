"""C99: one header, no allocation, no library but math.h."""

from typing import Any

from sparsedyn.export import c_derivatives, c_steps
from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import C, wrapped
from sparsedyn.export.program import Block, Program, Variable
from sparsedyn.export.vectors import Vectors

RESULTS = {"rhs": "dx", "step": "x_next", "output": "y"}


def written(program: Program, vectors: Vectors | None, *, double: bool, name: str, jacobian: bool = False) -> str:
    """Return a program as a header of C99, with a self-test where there are vectors, with Jacobians where asked."""
    printer, big = C(double), name.upper()
    real = "double" if double else "float"
    api = f"{big}_API"
    lines = ["/*", *(f" * {comment(line)}" for line in facts(program, "double" if double else "single")), " *"]
    lines += [
        f" * Define {api} as 'static inline' to include this in several files. Compiled with",
        f" * -D{big}_SELF_TEST, it is a program that compares itself with simulations of the model.",
        " */",
        f"#ifndef {big}_H",
        f"#define {big}_H",
        "",
        "#include <math.h>",
        "",
        f"#ifndef {api}",
        f"#define {api}",
        "#endif",
        "",
        f"#define {big}_STATES {len(program.states)}",
        f"#define {big}_INPUTS {len(program.inputs)}",
        f"#define {big}_OUTPUTS {len(program.outputs)}",
    ]
    if program.rhs or program.following:
        lines.append(f"#define {big}_DT {printer.literal(program.dt)}")
    for part in (program.states, program.inputs, program.outputs):
        lines += _indices(part, big, printer)
    lines += ["", "#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
    functions = list(program.blocks) + ["step"] * (program.rhs is not None)
    lines += [f"{api} void {name}_{function}({_arguments(real, RESULTS[function])});" for function in functions]
    if ranges := _ranges(program):
        lines.append(f"{api} int {name}_inside(const {real} *x, const {real} *u);")
    if jacobian:
        lines += c_derivatives.declarations(program, name, real, api)
    for function, (block, _) in program.blocks.items():
        lines += _function(program, block, f"{api} void {name}_{function}", real, printer)
    text = "\n".join(lines) + "\n"
    if program.rhs is not None:
        text += c_steps.written(program, printer, name, real, api)
    if ranges:
        text += _inside(ranges, name, real, api)
    if jacobian:
        text += c_derivatives.written(program, printer, name, real, api)
    text += "\n#ifdef __cplusplus\n}\n#endif\n"
    if vectors is not None:
        text += f"\n#ifdef {big}_SELF_TEST\n{_self_test(program, vectors, printer, real, name)}#endif\n"
    return text + f"\n#endif /* {big}_H */\n"


def _arguments(real: str, result: str) -> str:
    return f"const {real} *x, const {real} *u, {real} *{result}"


def _indices(part: tuple[Variable, ...], big: str, printer: C) -> list[str]:
    """The places of variables in arrays, and what the training data were like."""
    lines = []
    for i, one in enumerate(part):
        index = one.identifier.upper()
        unit = f", in {one.unit}" if one.unit else ""
        lines.append(f"#define {big}_{index} {i} /* {comment(one.name + unit)} */")
        for what, value in (("MEAN", one.mean), ("STD", one.std), ("MIN", one.low), ("MAX", one.high)):
            if value is not None:
                lines.append(f"#define {big}_{what}_{index} {printer.literal(value)}")
    return lines


def _ranges(program: Program) -> list[tuple[str, int, str]]:
    """The array, the place there and the index of every state and input whose range is known."""
    return [
        (array, i, one.identifier.upper())
        for array, part in (("x", program.states), ("u", program.inputs))
        for i, one in enumerate(part)
        if one.low is not None and one.high is not None
    ]


def _inside(ranges: list[tuple[str, int, str]], name: str, real: str, api: str) -> str:
    """Whether states and inputs are within the ranges of the training data."""
    big = name.upper()
    tests = [f"{a}[{i}] >= {big}_MIN_{index} && {a}[{i}] <= {big}_MAX_{index}" for a, i, index in ranges]
    lines = ["", f"{api} int {name}_inside(const {real} *x, const {real} *u)", "{"]
    lines += [f"    (void){array};" for array in ("x", "u") if array not in {a for a, _, _ in ranges}]
    lines += [f"    return {tests[0]}", *(f"        && {one}" for one in tests[1:])]
    return "\n".join([*lines[:-1], lines[-1] + ";", "}"]) + "\n"


def _function(program: Program, block: Block, declared: str, real: str, printer: C) -> list[str]:
    # A state may be called next: its identifier is x_next.
    lines = ["", f"{declared}({_arguments(real, 'r')})", "{"]
    reads = block.reads
    for array, part in (("x", program.states), ("u", program.inputs)):
        used = [(i, one.identifier) for i, one in enumerate(part) if one.identifier in reads]
        lines += [f"    const {real} {name} = {array}[{i}];" for i, name in used]
    for array, part in (("x", program.states), ("u", program.inputs)):
        if not any(one.identifier in reads for one in part):
            lines.append(f"    (void){array};")
    lines += [wrapped(f"const {real} {name} = {printer.right(right)};") for name, right in block.assignments]
    lines += [wrapped(f"r[{i}] = {printer.right(right)};") for i, right in enumerate(block.results)]
    return [*lines, "}"]


def _self_test(program: Program, vectors: Vectors, printer: C, real: str, name: str) -> str:
    """A program that compares with what `simulate` gave, and says how far it is off."""
    rows, columns = vectors.expected.shape
    is_function = not program.blocks.keys() & {"rhs", "step"}
    has_output = program.output is not None
    compared = "y" if has_output else "x"
    before = [f"        {name}_output(x, u[k], y);"] if has_output else []
    after = [] if is_function else [f"        {name}_step(x, u[k], x);"]
    size = "fabs" if real == "double" else "fabsf"
    limit = printer.literal(1e-6 if real == "double" else 1e-4)
    start = "x[i] = points[k][i];" if is_function else "x[i] = points[0][i];"
    reset = [f"        for (i = 0; i < {vectors.points.shape[1]}; ++i) {{", f"            {start}", "        }"]
    shifted = reset if is_function else []
    lines = [
        "#include <stdio.h>",
        "",
        "int main(void)",
        "{",
        _table("points", vectors.points, printer, real),
        _table("u", vectors.inputs, printer, real),
        _table("expected", vectors.expected, printer, real),
        _table("scale", vectors.scale[None], printer, real),
        f"    {real} x[{len(program.states)}], worst = {printer.literal(0.0)};",
        *([f"    {real} y[{columns}];"] if has_output else []),
        "    int i, k, failed = 0;",
        *([] if is_function else [line[4:] for line in reset]),
        f"    for (k = 0; k < {rows}; ++k) {{",
        *shifted,
        *before,
        f"        for (i = 0; i < {columns}; ++i) {{",
        f"            const {real} off = {size}({compared}[i] - expected[k][i]) / scale[0][i];",
        f"            failed |= !(off <= {limit});",
        "            worst = off > worst ? off : worst;",
        "        }",
        *after,
        "    }",
        f'    printf("{name}: {rows} rows, largest relative difference %.2e\\n", (double)worst);',
        "    return failed;",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _table(name: str, values: Any, printer: C, real: str) -> str:
    rows = [list(row) or [0.0] for row in values]
    body = ", ".join("{" + ", ".join(printer.literal(float(v)) for v in row) + "}" for row in rows)
    return wrapped(f"static const {real} {name}[{len(rows)}][{len(rows[0])}] = {{{body}}};")
