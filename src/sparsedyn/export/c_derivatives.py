"""Jacobians in C99: of derivatives, outputs and maps by their formulas, of steps by the chain rule."""

import re
from string import Template

from sparsedyn.export.c_steps import STAGES, arrays_of, words_of
from sparsedyn.export.jacobian import jacobian
from sparsedyn.export.printing import C, wrapped
from sparsedyn.export.program import Block, Program

CHAIN = """
static void ${name}_chain(const $real *x, const $real *u, const $real *d, $real *slope)
{
    $real by_x[${big}_STATES * ${big}_STATES], by_u[${big}_STATES * ${big}_INPUTS + 1];
    int i, j, k;
    ${name}_rhs_jacobian(x, u, by_x, by_u);
    for (i = 0; i < ${big}_STATES; ++i) {
        for (j = 0; j < ${big}_COLUMNS; ++j) {
            $real sum = j < ${big}_STATES ? $zero : by_u[i * ${big}_INPUTS + j - ${big}_STATES];
            for (k = 0; k < ${big}_STATES; ++k) {
                sum += by_x[i * ${big}_STATES + k] * d[k * ${big}_COLUMNS + j];
            }
            slope[i * ${big}_COLUMNS + j] = sum;
        }
    }
}
"""
STEP = """
$api void ${name}_step_jacobian(const $real *x, const $real *u, $real *by_x, $real *by_u)
{
    const $real h = $h;
    $real $locals;
    $real $slopes;
    int i, j;
    for (i = 0; i < ${big}_STATES; ++i) {
        s[i] = x[i];
        for (j = 0; j < ${big}_COLUMNS; ++j) {
            ds[i * ${big}_COLUMNS + j] = i == j ? $one : $zero;
        }
    }
    for (j = 0; j < $substeps; ++j) {$body
    }
    for (i = 0; i < ${big}_STATES; ++i) {
        for (j = 0; j < ${big}_COLUMNS; ++j) {
            if (j < ${big}_STATES) {
                by_x[i * ${big}_STATES + j] = ds[i * ${big}_COLUMNS + j];
            } else {
                by_u[i * ${big}_INPUTS + j - ${big}_STATES] = ds[i * ${big}_COLUMNS + j];
            }
        }
    }
    (void)by_u;
}
"""
STAGE = """
        ${name}_rhs($at, u, $slope);
        ${name}_chain($at, u, d$at, d$slope);
        for (i = 0; i < ${big}_STATES; ++i) {
            $what
        }
        for (i = 0; i < ${big}_STATES * ${big}_COLUMNS; ++i) {
            $dwhat
        }"""


def declarations(program: Program, name: str, real: str, api: str) -> list[str]:
    """Return what the functions are called, and how they are called."""
    of = [*program.blocks, *(["step"] if program.rhs is not None else [])]
    arguments = f"const {real} *x, const {real} *u, {real} *by_x, {real} *by_u"
    return [f"{api} void {name}_{function}_jacobian({arguments});" for function in of]


def written(program: Program, printer: C, name: str, real: str, api: str) -> str:
    """Return the functions. Rows are results; columns are states in one array, inputs in the other."""
    declared = declarations(program, name, real, api)
    parts = [
        _function(program, block, one.removesuffix(";"), real, printer)
        for one, (block, _) in zip(declared, program.blocks.values(), strict=False)
    ]
    if program.rhs is None:
        return "".join(parts)
    words = words_of(program, printer, name, real, api)
    words |= {word: printer.literal(value) for word, value in (("zero", 0.0), ("one", 1.0))}
    sizes = f"{words['big']}_STATES * {words['big']}_COLUMNS"
    words["slopes"] = ", ".join(f"d{array}[{sizes}]" for array in arrays_of(program))
    body = "".join(
        STAGE.replace("$at", at)
        .replace("d$at", f"d{at}")
        .replace("$slope", slope)
        .replace("$dwhat", re.sub(r"\b(s|y|k\d)\[", r"d\1[", what))
        .replace("$what", what)
        for at, slope, what in STAGES[program.method]
    )
    columns = f"#define {words['big']}_COLUMNS ({words['big']}_STATES + {words['big']}_INPUTS)\n"
    texts = (Template(one.replace("$body", body)).substitute(words) for one in (CHAIN, STEP))
    return "".join([*parts, "\n", columns, *texts])


def _function(program: Program, block: Block, declared: str, real: str, printer: C) -> str:
    states, inputs = [one.identifier for one in program.states], [one.identifier for one in program.inputs]
    slopes = jacobian(block, [*states, *inputs])
    reads = slopes.reads
    lines = ["", declared, "{"]
    for array, part in (("x", states), ("u", inputs)):
        used = [(i, one) for i, one in enumerate(part) if one in reads]
        lines += [f"    const {real} {one} = {array}[{i}];" for i, one in used]
        lines += [] if used else [f"    (void){array};"]
    lines += [wrapped(f"const {real} {one} = {printer.right(right)};") for one, right in slopes.assignments]
    width = len(states) + len(inputs)
    for i, right in enumerate(slopes.results):
        row, column = divmod(i, width)
        own = column < len(states)
        array, place = (
            ("by_x", row * len(states) + column) if own else ("by_u", row * len(inputs) + column - len(states))
        )
        lines.append(wrapped(f"{array}[{place}] = {printer.right(right)};"))
    if not inputs:
        lines.append("    (void)by_u;")
    return "\n".join([*lines, "}"]) + "\n"
