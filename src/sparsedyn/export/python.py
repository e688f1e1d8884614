"""Python source that needs NumPy alone; arrays may have any axes before that of variables."""

from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import Python, wrapped
from sparsedyn.export.program import Block, Program

STEPS = {
    "euler": ["x = x + h * rhs(x, u)"],
    "rk4": [
        "k1 = rhs(x, u)",
        "k2 = rhs(x + 0.5 * h * k1, u)",
        "k3 = rhs(x + 0.5 * h * k2, u)",
        "k4 = rhs(x + h * k3, u)",
        "x = x + h / 6.0 * (k1 + 2.0 * (k2 + k3) + k4)",
    ],
}
WORDS = {
    "rhs": "the derivatives (..., state)",
    "step": "the states of the next row (..., state)",
    "output": "the outputs (..., output)",
}


def written(program: Program) -> str:
    """Return a program as a module with `rhs`, `step`, `output`, and names of variables."""
    printer = Python()
    lines = [*(f"# {comment(line)}" for line in facts(program)), "", "import numpy", ""]
    for name, part in (("STATES", program.states), ("INPUTS", program.inputs), ("OUTPUTS", program.outputs)):
        lines.append(f"{name} = ({''.join(ascii(one.name) + ', ' for one in part)})")
    if program.rhs is not None or program.following is not None:
        lines.append(f"DT = {program.dt!r}")
    for function, (block, _) in program.blocks.items():
        lines += _function(program, function, block, printer)
    if program.rhs is not None:
        lines += ["", "", "def step(x, u=None):", f'    """Return {WORDS["step"]}, at states x under inputs u."""']
        lines += ["    x = numpy.asarray(x, dtype=float)", f"    h = {program.dt / program.substeps!r}"]
        lines += [f"    for _ in range({program.substeps}):", *(f"        {line}" for line in STEPS[program.method])]
        lines.append("    return x")
    return "\n".join(lines) + "\n"


def _function(program: Program, function: str, block: Block, printer: Python) -> list[str]:
    reads = block.reads
    lines = ["", "", f"def {function}(x, u=None):", f'    """Return {WORDS[function]}, at states x under inputs u."""']
    lines.append("    x = numpy.asarray(x, dtype=float)")
    if any(one.identifier in reads for one in program.inputs):
        lines.append("    u = numpy.asarray(u, dtype=float)")
    for array, part in (("x", program.states), ("u", program.inputs)):
        lines += [f"    {one.identifier} = {array}[..., {i}]" for i, one in enumerate(part) if one.identifier in reads]
    lines += [assigned(name, printer.right(right)) for name, right in block.assignments]
    results = [f"r{i + 1}" for i in range(len(block.results))]
    lines += [assigned(name, printer.right(right)) for name, right in zip(results, block.results, strict=True)]
    found = ", ".join(f"numpy.broadcast_to({name}, x.shape[:-1])" for name in results)
    return [*lines, wrapped(f"return numpy.stack([{found}], axis=-1)")]


def assigned(name: str, right: str) -> str:
    """Return an assignment in a function of Python."""
    line = wrapped(f"{name} = {right}")
    return line if "\n" not in line else wrapped(f"{name} = ({right})")
