"""`sparsedyn export`: a model file as code, for controllers, simulators and pages."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sparsedyn._disk import replacing
from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.output import note, show_json
from sparsedyn.cli.values import check_choice

TARGETS = {
    "c": "C99, one header that needs math.h alone",
    "st": "IEC 61131-3 structured text, function blocks",
    "python": "Python source, NumPy alone",
    "javascript": "JavaScript, for a page or Node",
    "sympy": "Python source that makes SymPy expressions",
    "latex": "equations for LaTeX with amsmath",
    "casadi": "a Python module that makes functions of CasADi's SX; importing it needs CasADi",
    "fmu": "an FMU for co-simulation with its sources, FMI 2.0 or 3.0; needs a C compiler",
    "onnx": "ONNX, opset 17; needs the extra onnx",
}
SINGLE = ("c", "st", "onnx")
"""Targets that have single precision, which is the default there."""
NAMED = ("c", "st", "javascript", "fmu")

HELP = (
    """
Write a model as code that runs where Python does not.

MODEL is a file of any model but an autoencoder. Scaling is folded in, and only weights that are not zero are written.

| target | what is written |
|---|---|
"""
    + "".join(f"| {target} | {what} |\n" for target, what in TARGETS.items())
    + """
Examples:

```
sparsedyn export cell.safetensors --to c -o cell.h --double
sparsedyn export cell.safetensors --to st -o cell.st --member mean
sparsedyn export tank.safetensors --to javascript -o tank.js --name tank
```

C, structured text and ONNX have single precision, unless --double is given; all else is in double precision.
C has a self-test: compile the header with -DSPARSEDYN_SELF_TEST.
"""
)

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)]
To = Annotated[
    str, typer.Option("--to", metavar="TARGET", help=f"What to write: {', '.join(TARGETS)}.", show_default=False)
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="FILE", help="File to write.", rich_help_panel=options.OUTPUT, show_default=False
    ),
]
Member = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Member of an ensemble, from 0, or mean: the mean of the derivatives of all. By default the one with the "
        "least error at the end of training.",
    ),
]
Double = Annotated[bool, typer.Option("--double", help="Double precision in C, structured text and ONNX.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="What names of functions begin with.")]
Fmi = Annotated[int, typer.Option(min=2, max=3, metavar="VERSION", help="Of an FMU: 2 for FMI 2.0, 3 for FMI 3.0.")]
Only = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Only what this state or output needs: the states that it depends on, and their inputs."
    ),
]
Jacobian = Annotated[bool, typer.Option("--jacobian", help="In C, functions of derivatives, too.")]
Substeps = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="NUMBER",
        help="Runge-Kutta steps a row, for equations in continuous time; by default as many as are right to 1e-9.",
    ),
]


@guarded
def export(
    model: Model,
    to: To,
    output: Output,
    member: Member = None,
    double: Double = False,
    name: Name = "sparsedyn",
    substeps: Substeps = None,
    only: Only = None,
    jacobian: Jacobian = False,
    fmi: Fmi = 2,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Write a model as code."""
    check_choice("--to", to, TARGETS)
    check_new_file(output, force=force)
    if jacobian and to != "c":
        raise UsageProblem(f"--jacobian: expected --to c, which alone has functions of derivatives; got --to {to}.")
    chosen = _member(member)
    # What can be said without JAX has been said.
    import sparsedyn.export as room
    from sparsedyn.estimators import load

    further: dict[str, Any] = {"only": only} | ({"double": double} if to in SINGLE else {})
    further |= {"jacobian": True} if jacobian else {}
    further |= {"name": name} if to in NAMED else {}
    further |= {"version": fmi} if to == "fmu" else {}
    further |= {"substeps": substeps} if to not in ("sympy", "latex") else {}
    fitted = load(model)
    with parameters():
        try:
            made = getattr(room, f"to_{to}")(fitted, chosen, **further)
        except ImportError as error:
            raise UsageProblem(str(error)) from error
    content = made.SerializeToString() if to == "onnx" else made if to == "fmu" else made.encode()
    with replacing(output) as temporary:
        temporary.write_bytes(content)
    facts = {"file": str(output), "model": str(model), "target": to, "bytes": len(content)}
    if as_json:
        show_json(facts)
        return
    note(f"{output}: {TARGETS[to]}, {facts['bytes']:,} bytes.", quiet=quiet)


def _member(given: str | None) -> int | str | None:
    if given is None or given == "mean":
        return given
    if not given.isdecimal():
        raise UsageProblem(f"--member: expected the number of a member, from 0, or mean; got {given!r}.")
    return int(given)
