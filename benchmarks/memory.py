"""How much memory reading takes: the most that a process has had, as a multiple of the arrays that it ends with.

    python benchmarks/memory.py                      # 2,000,000 rows of 12 columns, as CSV and Parquet
    python benchmarks/memory.py --rows 200000

Files are made first, in a temporary folder; every one is read by a process of its own, whose peak is that of Linux
(VmHWM), less what it had after reading a small file of the same kind.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

STATES, INPUTS = [f"x{i}" for i in range(1, 9)], [f"u{i}" for i in range(1, 4)]
READ = """
import json, sys, time
from sparsedyn.data import read

def memory(what):
    line = next(line for line in open("/proc/self/status") if line.startswith(what))
    return int(line.split()[1]) * 1024

small, large = sys.argv[1:]
options = dict(states="{states}", inputs="{inputs}", time="t", trajectory="run")
read(small, **options)
before, started = memory("VmRSS"), time.process_time()
data = read(large, **options)
arrays = sum(a.nbytes for part in (data.states, data.inputs, data.time) for a in part)
print(json.dumps([memory("VmHWM") - before, arrays, time.process_time() - started, len(data)]))
""".format(states=",".join(STATES), inputs=",".join(INPUTS))


def main() -> None:
    """Make the files, read them, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--suffix", action="append", help=".csv or .parquet; may be given several times")
    arguments = parser.parse_args()
    print(f"{'file':10} {'MB on disk':>10} {'MB of arrays':>12} {'MB at most':>10} {'ratio':>6} {'CPU s':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in arguments.suffix or (".csv", ".parquet"):
            small, large = Path(folder) / f"small{suffix}", Path(folder) / f"large{suffix}"
            made(small, 1000)
            made(large, arguments.rows)
            done = subprocess.run(
                [sys.executable, "-c", READ, str(small), str(large)], capture_output=True, text=True, check=True
            )
            peak, arrays, seconds, _ = json.loads(done.stdout)
            size = large.stat().st_size
            print(
                f"{suffix:10} {size / 1e6:10.0f} {arrays / 1e6:12.0f} {peak / 1e6:10.0f} "
                f"{peak / arrays:6.2f} {seconds:6.1f}"
            )
            large.unlink()


def made(path: Path, rows: int) -> None:
    """Write a table of four runs, some rows at a time."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    rng, writer, each = np.random.default_rng(0), None, max(1, rows // 4)
    for start in range(0, rows, 100_000):
        count = min(100_000, rows - start)
        row = np.arange(start, start + count)
        columns = {"run": row // each, "t": (row % each) * 0.01}
        columns |= {name: rng.normal(size=count) for name in (*STATES, *INPUTS)}
        table = pa.table(columns)
        if writer is None:
            writer = (pc.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter)(path, table.schema)
        writer.write_table(table)
    writer.close()


if __name__ == "__main__":
    main()
