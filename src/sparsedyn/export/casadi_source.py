"""CasADi: a Python module that makes functions of SX, and these functions themselves."""

from typing import Any, NamedTuple

from sparsedyn.export.extras import needed
from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import Casadi, wrapped
from sparsedyn.export.program import Program
from sparsedyn.export.python import STEPS, assigned

FUNCTIONS = {"rhs": ("f", "xdot"), "step": ("step", "x_next"), "output": ("output", "y")}
"""What functions and their results are called."""


class Functions(NamedTuple):
    """Functions of CasADi of `x` and `u`, columns in the data's units; `None` where a model has none.

    `f` gives derivatives `xdot`, `step` the states of the next row `x_next`, `output` outputs `y`. `states`, `inputs`
    and `outputs` are the names in the data, `dt` is the time of a step.
    """

    f: Any
    step: Any
    output: Any
    states: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dt: float


def written(program: Program) -> str:
    """Return a program as a module with `f`, `step`, `output`, and names of variables."""
    printer = Casadi()
    lines = [*(f"# {comment(line)}" for line in facts(program)), "", "import casadi", ""]
    for name, part in (("STATES", program.states), ("INPUTS", program.inputs), ("OUTPUTS", program.outputs)):
        lines.append(f"{name} = ({''.join(ascii(one.name) + ', ' for one in part)})")
    lines.append(f"DT = {program.dt!r}")
    for function, (block, _) in program.blocks.items():
        lines += ["", "", f"def _{function}(x, u):"]
        reads = block.reads
        for array, part in (("x", program.states), ("u", program.inputs)):
            lines += [f"    {one.identifier} = {array}[{i}]" for i, one in enumerate(part) if one.identifier in reads]
        lines += [assigned(name, printer.right(right)) for name, right in block.assignments]
        results = [f"r{i + 1}" for i in range(len(block.results))]
        lines += [assigned(name, printer.right(right)) for name, right in zip(results, block.results, strict=True)]
        lines.append(wrapped(f"return casadi.vertcat({', '.join(results)})"))
    functions = list(program.blocks)
    if program.rhs is not None:
        functions.append("step")
        lines += ["", "", "def _step(x, u):", f"    h = {program.dt / program.substeps!r}"]
        lines += [f"    for _ in range({program.substeps}):"]
        lines += [f"        {line.replace('rhs(', '_rhs(')}" for line in STEPS[program.method]]
        lines.append("    return x")
    lines += ["", ""]
    for array, part in (("_x", program.states), ("_u", program.inputs)):
        symbols = ", ".join(f'casadi.SX.sym("{one.identifier}")' for one in part)
        lines.append(wrapped(f"{array} = casadi.vertcat({symbols})" if part else f"{array} = casadi.SX(0, 1)", 0))
    for function in functions:
        name, result = FUNCTIONS[function]
        arguments = f'[_x, _u], [_{function}(_x, _u)], ["x", "u"], ["{result}"]'
        lines.append(f'{name} = casadi.Function("{name}", {arguments})')
    return "\n".join(lines) + "\n"


def functions_of(program: Program, what: str) -> Functions:
    """Return the functions that the module of a program makes; `what` needs them."""
    needed("casadi", "casadi", what)
    made: dict[str, Any] = {}
    exec(compile(written(program), "<exported model>", "exec"), made)
    f, step, output = (made.get(name) for name in ("f", "step", "output"))
    return Functions(f, step, output, made["STATES"], made["INPUTS"], made["OUTPUTS"], program.dt)


def do_mpc_model(program: Program, what: str) -> Any:
    """Return a model of do-mpc, in discrete time, not set up yet."""
    functions, do_mpc = functions_of(program, what), needed("do_mpc", "do-mpc", what)
    casadi = needed("casadi", "casadi", what)
    if functions.step is None:
        raise ValueError(f"model: expected a model of dynamics; {program.source} has no states that move.")
    made = do_mpc.model.Model("discrete", "SX")
    x, u = (
        casadi.vertcat(*(made.set_variable(kind, one.identifier) for one in part)) if part else casadi.SX(0, 1)
        for kind, part in (("_x", program.states), ("_u", program.inputs))
    )
    following = functions.step(x, u)
    for i, one in enumerate(program.states):
        made.set_rhs(one.identifier, following[i])
    for i, one in enumerate(program.outputs):
        made.set_expression(one.identifier, functions.output(x, u)[i])
    return made
