"""What models are exported to, run: C by ctypes, JavaScript by Node, structured text and Python by Python."""

import ctypes
import json
import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")


def in_c(
    compiler: str, text: str, folder: Path, double: bool, name: str = "sparsedyn"
) -> dict[str, Callable[..., Any]]:
    """The functions of a header, of arrays."""
    (folder / "model.c").write_text(text)
    run = [compiler, *FLAGS, "-shared", "-fPIC", folder / "model.c", "-o", folder / "model.so", "-lm"]
    subprocess.run(run, check=True, capture_output=True)
    library = ctypes.CDLL(str(folder / "model.so"))
    kind = np.float64 if double else np.float32

    def function(of: str) -> Callable[..., Any]:
        def call(x: np.ndarray, u: np.ndarray, width: int) -> np.ndarray:
            out = np.full(width, np.nan, kind)
            parts = [np.ascontiguousarray(one, kind) for one in (x, u)]
            getattr(library, of)(*(ctypes.c_void_p(one.ctypes.data) for one in (*parts, out)))
            return out

        def slopes(x: np.ndarray, u: np.ndarray, width: int) -> np.ndarray:
            by_x, by_u = np.full((width, len(x)), np.nan, kind), np.full((width, len(u)), np.nan, kind)
            parts = [np.ascontiguousarray(one, kind) for one in (x, u)]
            getattr(library, of)(*(ctypes.c_void_p(one.ctypes.data) for one in (*parts, by_x, by_u)))
            return np.concatenate([by_x, by_u], axis=1)

        def inside(x: np.ndarray, u: np.ndarray) -> bool:
            parts = [np.ascontiguousarray(one, kind) for one in (x, u)]
            return bool(getattr(library, of)(*(ctypes.c_void_p(one.ctypes.data) for one in parts)))

        if of.endswith("_inside"):
            return inside
        if of.endswith("_jacobian"):
            return slopes

        return call

    keys = ("rhs", "step", "output", "inside", "rhs_jacobian", "step_jacobian", "output_jacobian")
    found = {key: f"{name}_{key}" for key in keys if hasattr(library, f"{name}_{key}")}
    return {key: function(of) for key, of in found.items()}


def in_node(node: str, text: str, x: np.ndarray, u: np.ndarray, folder: Path, call: str) -> Any:
    """What JavaScript gives for `call`, of the object `m`, a state `x` and inputs `u`."""
    (folder / "model.js").write_text(text)
    script = (
        "const m = require('./model.js'); const {x, u} = JSON.parse(require('fs').readFileSync(0));"
        f"console.log(JSON.stringify((() => {{ {call} }})()));"
    )
    given = json.dumps({"x": np.asarray(x).tolist(), "u": np.asarray(u).tolist()})
    done = subprocess.run([node, "-e", script], input=given, capture_output=True, text=True, cwd=folder, check=True)
    return json.loads(done.stdout)


def in_st(text: str, number: Callable[[Any], Any] = float) -> dict[str, "FunctionBlock"]:
    """The function blocks of a structured text, run by Python with numbers of this precision."""
    text = re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)
    blocks: dict[str, FunctionBlock] = {}
    for name, body in re.findall(r"FUNCTION_BLOCK (\w+)\n(.*?)END_FUNCTION_BLOCK", text, re.DOTALL):
        blocks[name] = FunctionBlock(name, body, blocks, number)
    return blocks


class FunctionBlock:
    """A function block: assignments, counted loops, and calls of other blocks."""

    functions: ClassVar[dict[str, Any]] = {
        name.upper(): getattr(math, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "sqrt")
    }
    functions |= {"LN": math.log, "ABS": abs, "EXPT": pow, "MAX": max, "MIN": min}
    functions |= {"SEL": lambda g, no, yes: yes if g else no, "LIMIT": lambda low, v, high: min(max(low, v), high)}

    def __init__(self, name: str, text: str, known: dict[str, "FunctionBlock"], number: Callable[[Any], Any]):
        self.number = number
        sections = re.findall(r"^(VAR[\w ]*)$(.*?)^END_VAR$", text, re.DOTALL | re.MULTILINE)
        self.declared = {k: re.findall(r"(\w+) : (\w+)(?: := \S+)?;", body) for k, body in sections}
        constants = dict(sections).get("VAR CONSTANT", "")
        self.constants = {one: number(value) for one, value in re.findall(r"(\w+) : \w+ := (\S+);", constants)}
        names = [one.lower() for part in self.declared.values() for one, _ in part]
        assert len(set(names)) == len(names), "a name is declared twice"
        self.blocks = {one: known[kind] for one, kind in self.declared.get("VAR", ()) if kind in known}
        body = re.sub(r"^(VAR[\w ]*)$(.*?)^END_VAR$", "", text, flags=re.DOTALL | re.MULTILINE)
        lines, depth = [], 0
        for statement in re.split(r";|\bDO\b", " ".join(body.split())):
            statement = statement.strip()
            if loop := re.fullmatch(r"FOR (\w+) := (\d+) TO (\d+)", statement):
                lines.append(f"for {loop[1]} in range({loop[2]}, {loop[3]} + 1):")
                depth = 1
            elif statement == "END_FOR":
                depth = 0
            elif statement:
                lines.append("    " * depth + statement.replace(":=", "=").replace(" AND ", " and "))
        self.code = compile("\n".join(lines), name, "exec")
        self.values: dict[str, Any] = {}

    def __call__(self, **given: float) -> None:
        assert list(given) == [name for name, _ in self.declared["VAR_INPUT"]]
        self.values = {**self.functions, **self.blocks, **self.constants, **given}
        exec(self.code, {"__builtins__": {"range": range}}, self.values)

    def __getattr__(self, name: str) -> float:
        return self.values[name]

    def results(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """What the block gives, in the order of its declarations."""
        inputs = [name for name, _ in self.declared["VAR_INPUT"]]
        self(**dict(zip(inputs, map(self.number, [*x, *u]), strict=True)))
        return np.asarray([self.values[name] for name, _ in self.declared["VAR_OUTPUT"]])
