"""`sparsedyn equation`: a formula for one column of a table in the others."""

import re
import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsedyn.cli import equation_options, options
from sparsedyn.cli.equation_options import EXACT, SHOWN
from sparsedyn.cli.errors import UsageProblem, guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.output import findings, note, number, plural, show_json, show_table, show_text
from sparsedyn.cli.reading import PLAIN, reads
from sparsedyn.cli.source import expanded, remarks
from sparsedyn.data.options import ReadOptions

if TYPE_CHECKING:
    import pandas as pd

    from sparsedyn.data.tables import Table
    from sparsedyn.estimators import EquationRegressor
    from sparsedyn.models import Primitive

DECIMAL = re.compile(r"[0-9]{1,9}")
POOR = 0.3
"""Error above which a remark says that the equation explains little."""

HELP = """
Find an equation for one column of a table in the others.

DATA is a .csv or .parquet file with column names and a row per sample, in any order; it needs no column of times.
Small networks whose units are functions such as sin, products and quotients are trained, refined and pruned, many at
once. The equation is what the best of them computes, in the column names and units of the table. A third of the rows is
held out to judge equations: the choice weighs the larger of the errors on training and held-out rows against the number
of symbols.

The error is a root mean square, as a share of the target's standard deviation: 0.01 leaves 1 % unexplained. The table
below the equation is the Pareto front: the simpler equations, and the error of each.

Examples:

```
sparsedyn equation pendulum.csv --target period --inputs length,gravity
sparsedyn equation pump.parquet --target power -o pump.safetensors
sparsedyn equation wave.csv --target y --inputs x1..x3 --json \\
    --primitives constant,identity:3,sin:2,product:2 --hidden 1
```

With --json: `{"equation": "...", "error": ..., "complexity": ..., "latex": "...", "front": [...]}` and more, constants
with all their digits unless --digits is given. In Python, `sparsedyn.load` reads a file written with -o.
"""


@guarded
@reads
def equation(
    data: equation_options.Data,
    target: equation_options.Target,
    inputs: equation_options.Inputs = None,
    trials: equation_options.Trials = 8,
    seed: options.Seed = 0,
    primitives: equation_options.Primitives = "general",
    hidden: equation_options.Hidden = 2,
    generations: equation_options.Generations = 4,
    output: equation_options.Output = None,
    digits: equation_options.Digits = None,
    front: equation_options.Front = True,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
    reading: ReadOptions = PLAIN,
) -> None:
    """Search for the equation and show it."""
    if output is not None:
        check_new_file(output, force=force)
    regressor = unfitted(trials=trials, seed=seed, primitives=primitives, hidden=hidden, generations=generations)
    X, y = columns(data, target, inputs, reading, quiet=quiet)
    note(
        f"Searching for {target} in {', '.join(map(str, X.columns))}: {plural(len(X), 'row')}, "
        f"{plural(trials, 'trial')}, {plural(generations, 'generation')} at most.",
        quiet=quiet,
    )
    began = clock.monotonic()
    search(regressor, data, X, y, quiet=quiet)
    if output is not None:
        regressor.save(output)
    found = facts(regressor, target, EXACT if digits is None else digits)
    if as_json:
        show_json(found | {"rows": len(X), "seconds": clock.monotonic() - began, "model": output and str(output)})
    else:
        show(facts(regressor, target, digits or SHOWN), front=front)
        note(f"The regressor is in {output}.", quiet=quiet or output is None)
    if found["error"] > POOR:
        note(
            f"The equation leaves {100 * found['error']:.0f} % of the target's standard deviation unexplained: "
            "the data are noisy, a column is missing, or the function needs other --primitives or a larger --hidden.",
            quiet=quiet,
        )


def unfitted(*, primitives: str, **settings: Any) -> "EquationRegressor":
    """Return the estimator that the options describe; raises `UsageProblem`."""
    chosen = functions(primitives)
    from sparsedyn.estimators import EquationRegressor

    with parameters():
        regressor = EquationRegressor(primitives=chosen, **settings)
        regressor.check_parameters()
    return regressor


def functions(text: str) -> "str | dict[str | Primitive, int]":
    """Return the name of a set of primitives, or the counts of a list such as constant,identity:3,sin:2."""
    from sparsedyn.models.catalogue import PRIMITIVES, SETS

    if text in SETS:
        return text
    counts: dict[str | Primitive, int] = {}
    for piece in filter(None, map(str.strip, text.split(","))):
        name, _, count = piece.partition(":")
        if name not in PRIMITIVES or name in counts or not DECIMAL.fullmatch(count or "1"):
            raise UsageProblem(
                f"--primitives: expected {', '.join(SETS)}, or a list such as constant,identity:3,sin:2 of "
                f"{', '.join(PRIMITIVES)}, each once; got {piece!r}."
            )
        counts[name] = int(count or 1)
    return counts


def columns(
    path: Path, target: str, inputs: str | None, reading: ReadOptions, *, quiet: bool
) -> "tuple[pd.DataFrame, pd.Series]":
    """Read the inputs and the target; raises `DataError`."""
    import pandas as pd

    from sparsedyn.data import DataError
    from sparsedyn.data.io import read_table
    from sparsedyn.data.names import check_distinct, check_known
    from sparsedyn.data.tables import listed

    table = read_table(path, **reading.changed())
    known = [str(name) for name in table.frame.columns]
    try:
        check_known([target], known)
        # The target first: where decimals are written with commas no column has numbers, and the error says so.
        y = pd.Series(table.numbers(target), name=target)
        names = listed(expanded(inputs), known) if inputs else usable(table, target, quiet=quiet)
        check_known(names, known)
        check_distinct(names, "--inputs")
        if target in names:
            raise DataError(f"column {target!r} is the target and an input. Take it out of --inputs.")
        if not names:
            raise DataError(f"there is no column of numbers but the target {target!r} to explain it with. Add one.")
        return pd.DataFrame({name: table.numbers(name) for name in names}), y
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def usable(table: "Table", target: str, *, quiet: bool) -> list[str]:
    """Return the named columns of numbers other than the target, and write a remark on all others."""
    import pandas as pd

    found, others = [], []
    for name in map(str, table.frame.columns):
        column = table.frame[name]
        text = not pd.api.types.is_numeric_dtype(column)
        # A column with some numbers and some text is a mistake to report rather than a column to leave out.
        if not name or (text and pd.to_numeric(column.astype("string"), errors="coerce").isna().all()):
            others.append(repr(name))
        elif name != target:
            found.append(name)
    if others:
        note(f"Left out because they are not named columns of numbers: {', '.join(others)}.", quiet=quiet)
    return found


def search(regressor: "EquationRegressor", path: Path, X: "pd.DataFrame", y: "pd.Series", *, quiet: bool) -> None:
    """Fit the regressor; raises `DataError` with the file in front."""
    from sparsedyn.data import DataError

    try:
        with remarks(quiet=quiet):
            regressor.fit(X, y, progress=False if quiet else None)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def facts(regressor: "EquationRegressor", target: str, digits: int) -> dict[str, Any]:
    """Return what was found, for JSON."""
    from sparsedyn.equations import latex, text

    chosen = regressor.candidates_[0]
    table = regressor.pareto()
    return {
        "equation": text(chosen.expression, digits),
        "error": chosen.error,
        "complexity": chosen.complexity,
        "latex": latex(chosen.expression, digits),
        "target": target,
        "inputs": list(regressor.feature_names_in_),
        "trials": regressor.trials,
        "exact": None if regressor.found_ is None else int(regressor.found_.exact.sum()),
        "front": [
            {"complexity": row["complexity"], "error": row["error"], "equation": text(row["equation"], digits)}
            for row in table.to_dict(orient="records")
        ],
        "report": findings(regressor.report_),
    }


def show(found: dict[str, Any], *, front: bool) -> None:
    """Write the equation, its error and complexity, and the simpler equations."""
    show_text(f"{found['target']} = {found['equation']}")
    show_text(f"error {number(found['error'])}, complexity {found['complexity']}")
    if front:
        rows = [(row["equation"], str(row["complexity"]), number(row["error"])) for row in found["front"]]
        show_table(("equation", "complexity", "error"), rows)
