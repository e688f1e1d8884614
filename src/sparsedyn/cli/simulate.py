"""`sparsedyn simulate`: trajectories of a plant in a file."""

from pathlib import Path
from typing import Annotated

import typer

from sparsedyn.cli import options
from sparsedyn.cli.errors import UsageProblem, guarded, parameters
from sparsedyn.cli.files import check_new_file
from sparsedyn.cli.output import note, plural, show_json, show_pairs
from sparsedyn.cli.values import check_choice, check_positive
from sparsedyn.systems.catalogue import SYSTEMS

SUFFIXES = (".csv", ".parquet", ".nc", ".npz")
"""The keys of `sparsedyn.data.io.FORMATS`, here for messages that come before the formats are imported."""


@guarded
def simulate(
    system: Annotated[
        str,
        typer.Argument(
            metavar="SYSTEM",
            help=f"The plant: {', '.join(SYSTEMS)}.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=f"File to write; its suffix is the format: {', '.join(SUFFIXES)}.",
            rich_help_panel=options.OUTPUT,
            show_default=False,
        ),
    ],
    trajectories: Annotated[int, typer.Option(min=1, help="Number of trajectories.")] = 10,
    steps: Annotated[int, typer.Option(min=2, help="Rows of each trajectory, the initial condition included.")] = 1000,
    dt: Annotated[
        float | None,
        typer.Option(metavar="TIME", help="Sample time in the plant's unit of time; by default the plant's own."),
    ] = None,
    seed: options.Seed = 0,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Simulate a plant and write its trajectories to a file.

    Every trajectory starts from a random initial condition and is driven by the plant's own random excitation.
    A trajectory that blows up is drawn again; the summary says how many were. States and inputs are written
    with their names, units and sample time, so that no column has to be described when the file is read. The
    same seed always gives the same trajectories.

    | plant | states | inputs | sample time |
    |---|---|---|---|
    | aluminum-cell | 8 masses and temperatures | 5: feeds, current, distance | 10 s |
    | duffing | position, velocity | 1: force | 0.05 s |
    | lorenz63 | x, y, z | none | 0.01 |
    | lotka-volterra | prey, predators | 1: harvest | 0.05 |
    | pendulum | angle, velocity | none | 0.02 |
    | two-tanks | upper, lower level | 2: pump, valve | 2 s |

    Examples:

    ```
    sparsedyn simulate lotka-volterra -o prey.csv
    sparsedyn simulate aluminum-cell -o train.npz --trajectories 40 \\
        --steps 5000 --seed 1
    ```
    """
    check_choice("SYSTEM", system, SYSTEMS)
    check_positive("--dt", dt)
    check_new_file(output, force=force)
    if output.suffix.lower() not in SUFFIXES:
        raise UsageProblem(f"--output: expected one of the suffixes {', '.join(SUFFIXES)}; got {output.name!r}.")
    # What can be said without JAX has been said.
    from sparsedyn.data import write
    from sparsedyn.systems import simulate as simulated

    note(f"Simulating {plural(trajectories, 'trajectory')} of {steps:,} rows.", quiet=quiet)
    with parameters():
        data = simulated(system, trajectories, steps, seed, dt=dt)
    write(data, output)
    facts = {
        "file": str(output),
        "system": system,
        "trajectories": len(data),
        "steps": steps,
        "dt": data.dt,
        "seed": seed,
        "redrawn": data.attrs["redrawn"],
        "states": list(data.state_names),
        "inputs": list(data.input_names),
    }
    if as_json:
        show_json(facts)
        return
    words = {
        name: ", ".join(value) or "none" if isinstance(value, list) else str(value) for name, value in facts.items()
    }
    show_pairs(words.items())
