"""Training on data larger than memory: how quick it is beside training in memory, and how much memory it takes.

    python benchmarks/streaming.py                       # 4 GB streamed; 1 GB streamed and in memory
    python benchmarks/streaming.py --gigabytes 0.2 --beside 0.2

A folder of Parquet files is made first: 8 states and 5 inputs of runs of 20,000 rows, files ending within runs. Then
one process each reads it, with and without `stream`, and trains four networks for an epoch. Sizes are those of the
arrays, 8 bytes a number. A process that streams may have no more than 2 GB of memory of its own: the system refuses it
more (RLIMIT_DATA). Printed are the most that it had of its own (RssAnon), the most with pages of files (VmHWM), which
the system takes back when others need them, the rate of training, by the clock and by processor time, and a checksum of
the weights. All files are removed in the end.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

STATES, INPUTS = [f"x{i}" for i in range(1, 9)], [f"u{i}" for i in range(1, 6)]
NUMBERS = len(STATES) + len(INPUTS) + 1
RUN, FILE = 20_000, 510_000
"""Rows of a run and of a file."""
TURNS = 2
"""Times that each way is tried where both are, in turn; the quickest counts."""
LIMIT = 2 * 10**9
"""Bytes of memory of its own that a process may have that streams."""

FIT = """
import hashlib, json, sys, threading, time
import jax
from sparsedyn import SparseTimeStepper
from sparsedyn.data import read
from sparsedyn.estimators import fit_together

source, stream = sys.argv[1:]
most, ticks = [0], []

def memory(what):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))

def watch():
    while True:
        most[0] = max(most[0], memory("RssAnon"))
        time.sleep(0.02)

threading.Thread(target=watch, daemon=True).start()
began = time.perf_counter()
options = dict(states="{states}", inputs="{inputs}", time="t", trajectory="run")
data = read(source, **options, stream=stream or None)
reading = time.perf_counter() - began
held_out, train = data[:2], data[2:]
stepper = SparseTimeStepper((25, 25, 25), members=4, epochs=1, batch=128)
def tick(now):
    ticks.append((now.step, time.perf_counter(), time.process_time()))

fit_together([stepper], train, held_out, on_progress=tick)
# The first chunk compiles, and the last ends with forecasts.
(first, begin, spent), (last, end, at) = ticks[len(ticks) // 10], ticks[-2]
weights = hashlib.sha256(b"".join(leaf.tobytes() for leaf in jax.tree.leaves(stepper.models_))).hexdigest()
print(json.dumps(dict(rows=sum(data.lengths), reading=reading, rate=(last - first) * 128 / (end - begin),
                      effort=(last - first) * 128 / (at - spent),
                      whole=time.perf_counter() - began, own=most[0], most=memory("VmHWM"), weights=weights[:12])))
""".format(states=",".join(STATES), inputs=",".join(INPUTS))


def main() -> None:
    """Make the files, train, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=4.0, help="of data that are streamed")
    parser.add_argument(
        "--beside", type=float, default=1.0, help="gigabytes of data that are also trained on in memory"
    )
    parser.add_argument("--folder", type=Path, help="where the files are made; by default a temporary folder")
    arguments = parser.parse_args()
    head = ("", "GB", "rows", "read s", "samples/s", "a CPU s", "all s", "own GB", "with pages", "weights")
    print("{:9}{:>5}{:>12}{:>8}{:>11}{:>10}{:>7}{:>8}{:>12}  {}".format(*head))
    best: dict[tuple[float, str], tuple[float, float]] = {}
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for size, kinds in ((arguments.beside, ("memory", "streamed") * TURNS), (arguments.gigabytes, ("streamed",))):
            source, arrays = Path(folder) / "files", Path(folder) / "arrays"
            made(source, int(size * 1e9 / (8 * NUMBERS)))
            for kind in kinds:
                found = fitted(source, arrays if kind == "streamed" else None)
                before = best.get((size, kind), (0.0, 0.0))
                best[size, kind] = max(before[0], found["rate"]), max(before[1], found["effort"])
                print(
                    f"{kind:9}{size:5.1f}{found['rows']:12,}{found['reading']:8.0f}{found['rate']:11,.0f}"
                    f"{found['effort']:10,.0f}{found['whole']:7.0f}{found['own'] / 1e9:8.2f}"
                    f"{found['most'] / 1e9:12.2f}  {found['weights']}",
                    flush=True,
                )
            shutil.rmtree(source)
            shutil.rmtree(arrays)
    beside = best[arguments.beside, "memory"]
    for (size, kind), own in best.items():
        if kind == "streamed":
            clock, effort = (one / other for one, other in zip(own, beside, strict=True))
            print(
                f"{size:g} GB streamed beside {arguments.beside:g} GB in memory: {clock:.2f} by the clock, "
                f"{effort:.2f} by processor time"
            )


def fitted(source: Path, arrays: Path | None) -> dict[str, float]:
    """Read and train in a process of its own, and return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", FIT, str(source), str(arrays or "")],
        capture_output=True, text=True, preexec_fn=limited if arrays else None,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def limited() -> None:
    """Let the system refuse this process more memory."""
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))


def made(folder: Path, rows: int) -> None:
    """Write runs of a stable linear plant under random steps, some rows at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from scipy.signal import lfilter

    folder.mkdir()
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(len(INPUTS), len(STATES)))
    for number, start in enumerate(range(0, rows, FILE)):
        row = np.arange(start, min(start + FILE, rows))
        u = np.repeat(rng.normal(size=(len(row) // 50 + 1, len(INPUTS))), 50, axis=0)[: len(row)]
        x = lfilter([0.05], [1, -0.95], u @ mixing + 0.1 * rng.normal(size=(len(row), len(STATES))), axis=0)
        columns = {"run": row // RUN, "t": 0.1 * (row % RUN)}
        columns |= {name: x[:, i] for i, name in enumerate(STATES)} | {name: u[:, i] for i, name in enumerate(INPUTS)}
        pq.write_table(pa.table(columns), folder / f"part-{number}.parquet")


if __name__ == "__main__":
    main()
