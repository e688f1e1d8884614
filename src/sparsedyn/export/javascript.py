"""JavaScript: one constant, for a page and for Node."""

import json

from sparsedyn.export.header import facts
from sparsedyn.export.names import comment
from sparsedyn.export.printing import JavaScript, wrapped
from sparsedyn.export.program import Program, Variable

STEPS = {
    "euler": """
      const k1 = rhs(s, u);
      s = s.map((v, i) => v + h * k1[i]);""",
    "rk4": """
      const k1 = rhs(s, u);
      const k2 = rhs(s.map((v, i) => v + 0.5 * h * k1[i]), u);
      const k3 = rhs(s.map((v, i) => v + 0.5 * h * k2[i]), u);
      const k4 = rhs(s.map((v, i) => v + h * k3[i]), u);
      s = s.map((v, i) => v + h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i]));""",
}


def written(program: Program, name: str) -> str:
    """Return a program as an object with `rhs`, `step`, `output`, and what is known of the variables."""
    printer = JavaScript()
    lines = [*(f"// {comment(line)}" for line in facts(program)), f"const {name} = (() => {{", '  "use strict";']
    for part, variables in (("states", program.states), ("inputs", program.inputs), ("outputs", program.outputs)):
        lines.append(f"  const {part} = {_quoted([_known(one) for one in variables])};")
    lines.append(f"  const dt = {program.dt!r};")
    functions = list(program.blocks)
    for function, (block, _) in program.blocks.items():
        lines.append(f"  function {function}(x, u) {{")
        reads = block.reads
        for array, own in (("x", program.states), ("u", program.inputs)):
            lines += [
                f"    const {one.identifier} = {array}[{i}];" for i, one in enumerate(own) if one.identifier in reads
            ]
        lines += [wrapped(f"const {left} = {printer.right(right)};") for left, right in block.assignments]
        results = [printer.right(right) for right in block.results]
        lines += [wrapped(f"const r{i + 1} = {right};") for i, right in enumerate(results)]
        lines += [wrapped(f"return [{', '.join(f'r{i + 1}' for i in range(len(results)))}];"), "  }"]
    if program.rhs is not None:
        functions.append("step")
        lines += ["  function step(x, u) {", f"    const h = {program.dt / program.substeps!r};"]
        lines += ["    let s = Array.from(x);", f"    for (let j = 0; j < {program.substeps}; ++j) {{"]
        lines += [STEPS[program.method].removeprefix("\n"), "    }", "    return s;", "  }"]
    lines += [f"  return {{ states, inputs, outputs, dt, {', '.join(functions)} }};", "})();"]
    return "\n".join([*lines, f'if (typeof module !== "undefined") module.exports = {name};']) + "\n"


def _known(one: Variable) -> dict[str, str | float | None]:
    return {"name": one.name, "unit": one.unit, "mean": one.mean, "std": one.std, "min": one.low, "max": one.high}


def _quoted(values: list[dict[str, str | float | None]]) -> str:
    """JSON that stays text inside a script element."""
    return json.dumps(values, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
