"""EquationRegressor on laws of physics and of other fields: the share found exactly, with and without units.

    python benchmarks/laws.py feynman --units --noise 0.01

The suite is `feynman`, `other-fields`, or a file of lines such as
`name | target [unit] = formula | variable [unit] low high; ...`. Points are uniform in the ranges; noise is normal, a
share of the target's root mean square. Without noise an equation is exact when its error on fresh points is below 1e-6
of their spread, with noise when it is the law once its constants are fitted to the law. Times are the processor's.

Published for the Feynman equations, %: AI Feynman 55.8 (SRBench), PhySO with units 58.4, 58.4, 57.9 and 53.4 at noise
0, .001, .01 and .1.
"""

import argparse
from pathlib import Path

import numpy as np

from sparsedyn.equations import text
from sparsedyn_papers.laws import SUITES, read_laws, suite
from sparsedyn_papers.laws.recovery import recovered


def main() -> None:
    """Print a row for every law, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", help=f"{', '.join(SUITES)} or a file")
    parser.add_argument("--units", action="store_true", help="tell the regressor the units")
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=8, help="trials of networks where proposals leave something")
    parser.add_argument("--only", nargs="*", default=[], help="names of laws")
    given = parser.parse_args()
    laws = suite(given.suite) if given.suite in SUITES else read_laws(Path(given.suite).read_text(encoding="utf-8"))
    rows = []
    for law in laws:
        if given.only and law.name not in given.only:
            continue
        made = recovered(
            law, points=given.points, noise=given.noise, units=given.units, seed=given.seed, trials=given.trials
        )
        rows.append((made.found, made.seconds, made.networks))
        mark, networks = "found" if made.found else "-", "networks" if made.networks else ""
        print(f"{law.name:26s} {mark:6s}{made.seconds:7.2f} s  {networks:9s}{text(made.equation, 5)[:110]}", flush=True)
    table = np.array(rows, float)
    print(
        f"{given.suite}, noise {given.noise:g}, {'with' if given.units else 'without'} units, seed {given.seed}: "
        f"{int(table[:, 0].sum())} of {len(table)} ({100 * table[:, 0].mean():.1f} %); CPU seconds median "
        f"{np.median(table[:, 1]):.2f}, most {table[:, 1].max():.1f}; networks for {int(table[:, 2].sum())}"
    )


if __name__ == "__main__":
    main()
