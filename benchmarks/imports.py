"""Times of imports and of the command line, as ratios to importing JAX and Equinox in the same run.

    python benchmarks/imports.py [RUNS]

Every line is the least processor time of RUNS processes (by default 5), which take turns, so that other work on the
machine slows all of them alike. Processor time, user and system together, is elapsed time on an idle core; unlike
elapsed time it does not count waiting for others.
"""

import os
import resource
import subprocess
import sys

REFERENCE = "import jax, equinox"
IMPORTS = (
    "import sparsedyn",
    "from sparsedyn import Trajectories",
    "from sparsedyn import L1, MagnitudePruning",
    "from sparsedyn import SparseTimeStepper",
    "from sparsedyn import SINDy",
    "from sparsedyn import EquationRegressor",
    "from sparsedyn import simulate",
    "from sparsedyn import *",
)
COMMANDS = (
    "--help",
    "fit --help",
    "study list",
    "study show aluminum-quik",
    "simulate duffin -o new.csv",
    "fit data.csv -o new --technique l7",
)


def processor_time(code: str, *args: str) -> float:
    """Return the processor time of a new Python process that runs `code`, whatever its exit code."""
    # Modules are compiled to bytecode once, as they are after an installation.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *args], env=environment, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line per import and per command."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    command_line = "from sparsedyn.cli import main; main()"
    cases = {code: (code,) for code in (REFERENCE, *IMPORTS)}
    cases |= {f"sparsedyn {text}": (command_line, *text.split()) for text in COMMANDS}
    best = dict.fromkeys(cases, float("inf"))
    # The first round warms the caches of files.
    for round_ in range(runs + 1):
        for name, case in cases.items():
            time = processor_time(*case)
            best[name] = min(best[name], time) if round_ else best[name]
    for name, time in best.items():
        print(f"{time:6.2f} s  {time / best[REFERENCE]:5.2f}  {name}")


if __name__ == "__main__":
    main()
