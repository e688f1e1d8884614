"""`sparsedyn equations`: the equations of a model file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sparsedyn.cli import equation_options, options
from sparsedyn.cli.equation_options import EXACT, SHOWN
from sparsedyn.cli.errors import guarded
from sparsedyn.cli.model_file import with_statements
from sparsedyn.cli.output import show_json, show_text

HELP = """
Print the equations of a model, in the names and units of its data.

MODEL is a file of any model that has equations: written by `sparsedyn sindy -o`, `sparsedyn fit --outputs`, `sparsedyn
equation -o`, or by `save` in Python. Networks have none.

Examples:

```
sparsedyn equations tank.safetensors
sparsedyn equations tank.safetensors --latex --digits 3
sparsedyn equations tank.safetensors --json
```

`dx/dt` is the derivative of x by the time in seconds, `x[k+1]` the value of the next row. With --json: `{"equations":
["dx/dt = ..."], "latex": [...]}` and more, constants with all their digits unless --digits is given.
"""

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file.", show_default=False)]
Latex = Annotated[
    bool,
    typer.Option(
        "--latex", help="Print LaTeX, an equation a line, without dollar signs.", rich_help_panel=options.OUTPUT
    ),
]


@guarded
def equations(
    model: Model,
    latex: Latex = False,
    digits: equation_options.Digits = None,
    as_json: options.Json = False,
) -> None:
    """Print equations."""
    fitted = with_statements(model)
    if as_json:
        show_json({"model": str(model), "kind": type(fitted).__name__, **statement_facts(fitted, digits or EXACT)})
        return
    for statement in fitted.statements():
        shown = statement.latex if latex else statement.text
        show_text(shown(digits or SHOWN))


def statement_facts(fitted: Any, digits: int) -> dict[str, list[str]]:
    """Return equations as text and as LaTeX, for JSON."""
    found = fitted.statements()
    return {"equations": [one.text(digits) for one in found], "latex": [one.latex(digits) for one in found]}
