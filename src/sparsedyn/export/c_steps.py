"""The step of a program in continuous time, in C."""

from string import Template

from sparsedyn.export.printing import C
from sparsedyn.export.program import Program

LOOP = """
        for (i = 0; i < ${big}_STATES; ++i) {
            $what
        }"""
SLOPE = """
        ${name}_rhs($at, u, $slope);"""
STAGES = {
    "euler": [("s", "k1", "s[i] += h * k1[i];")],
    "rk4": [
        ("s", "k1", "y[i] = s[i] + $half * h * k1[i];"),
        ("y", "k2", "y[i] = s[i] + $half * h * k2[i];"),
        ("y", "k3", "y[i] = s[i] + h * k3[i];"),
        ("y", "k4", "s[i] += h / $six * (k1[i] + $two * (k2[i] + k3[i]) + k4[i]);"),
    ],
}
"""Of a step: where derivatives are taken, what they are called, and what follows from them."""
STEP = """
$api void ${name}_step(const $real *x, const $real *u, $real *x_next)
{
    const $real h = $h;
    $real $locals;
    int i, j;
    for (i = 0; i < ${big}_STATES; ++i) {
        s[i] = x[i];
    }
    for (j = 0; j < $substeps; ++j) {$body
    }
    for (i = 0; i < ${big}_STATES; ++i) {
        x_next[i] = s[i];
    }
}
"""


def arrays_of(program: Program) -> list[str]:
    """Return the arrays that a step takes: where it is, its slopes, and where the next slope is taken."""
    stages = STAGES[program.method]
    return ["s", *(slope for _, slope, _ in stages), *(["y"] if len(stages) > 1 else [])]


def words_of(program: Program, printer: C, name: str, real: str, api: str) -> dict[str, str]:
    """Return what the text of a step is filled in with."""
    return {
        "name": name,
        "big": name.upper(),
        "real": real,
        "api": api,
        "h": printer.literal(program.dt / program.substeps),
        "locals": ", ".join(f"{array}[{name.upper()}_STATES]" for array in arrays_of(program)),
        "substeps": str(program.substeps),
        **{word: printer.literal(value) for word, value in (("half", 0.5), ("two", 2.0), ("six", 6.0))},
    }


def written(program: Program, printer: C, name: str, real: str, api: str) -> str:
    """Return the step as a function."""
    body = "".join(
        SLOPE.replace("$at", at).replace("$slope", slope) + LOOP.replace("$what", what)
        for at, slope, what in STAGES[program.method]
    )
    return Template(STEP.replace("$body", body)).substitute(words_of(program, printer, name, real, api))
