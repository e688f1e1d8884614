"""The command `sparsedyn`: its groups, and what holds for all of them.

Nothing heavy is imported before a command runs, so that help answers at once.
"""

from typing import Annotated

import typer

from sparsedyn.cli import equation, equations, explore, export, fit, forecast, info, look, simulate, sindy, study

app = typer.Typer(
    name="sparsedyn",
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("simulate")(simulate.simulate)
app.command("look", help=look.HELP)(look.look)
app.command("fit", help=fit.HELP)(fit.fit)
app.command("forecast", help=forecast.HELP)(forecast.forecast)
app.command("sindy", help=sindy.HELP)(sindy.sindy)
app.command("equations", help=equations.HELP)(equations.equations)
app.command("equation", help=equation.HELP)(equation.equation)
app.command("export", help=export.HELP)(export.export)
app.command("explore", help=explore.HELP)(explore.explore)
app.add_typer(study.app, name="study")
app.command("info")(info.info)


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=info.show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Learn sparse, stable models of controlled dynamical systems from trajectories, and forecast with them.

    Three commands make a round trip: make data (or bring your own), learn from it, see how far ahead it
    forecasts.

    ```
    sparsedyn simulate lotka-volterra -o prey.csv --trajectories 12
    sparsedyn fit prey.csv -o prey.safetensors
    sparsedyn forecast prey.safetensors prey.csv --horizons 100,1000
    ```

    `sparsedyn look plant.csv` shows what your own file holds, and which options it needs.

    The equations that trajectories follow, and a formula for one column of a table in the others:

    ```
    sparsedyn sindy prey.csv
    sparsedyn equation pendulum.csv --target period --inputs length,gravity
    ```

    A model as code, for a controller or a page:

    ```
    sparsedyn export prey.safetensors --to c -o prey.h --double
    ```

    A model as a page with sliders, for whoever has a browser:

    ```
    sparsedyn explore prey.safetensors prey.csv -o prey.html
    ```

    A study compares sparsification techniques on the same data, from simulation to an illustrated report:

    ```
    sparsedyn study run aluminum-quick
    ```

    Results go to standard output, progress and remarks to standard error. Exit codes: 0 success, 1 unexpected
    failure, 2 wrong usage, 3 data or a file that cannot be used, 4 a study that cannot be used, 130
    interrupted, 141 the output was closed by its reader, 143 terminated.
    """
