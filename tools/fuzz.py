"""Fuzz every reader with damaged files, for as long as you like.

    python tools/fuzz.py --cases 100000                 # over all targets; go on with the same command after Ctrl-C
    python tools/fuzz.py --cases 2000 --target csv      # of one of them
    python tools/fuzz.py --guided csv --cases 20000     # by coverage: pip install atheris

Case N of a target is the same in every run. Counted are crashes of the process, cases that take more than 5 s of
computation, cases that take more memory than SPARSEDYN_MEMORY (set to 300 MB here) allows, and errors that are none of
the package's own. Files that did so are kept in fuzz-found/, to become tests in tests/fuzz/found/. The exit status is 1
where there are any.
"""

import argparse
import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOUND = Path("fuzz-found")
STATE = FOUND / "state.json"
BUDGET_MB = 300
CPU_SECONDS, WALL_SECONDS = 5, 600
BLOCK = 2000
"""Cases of one process, which then begins anew: what libraries keep is not mistaken for what a file takes."""
SHARES = {"netcdf": 0.01, "model": 0.1, "spec": 0.1, "csv": 0.15}
"""Of the targets whose cases take longer, those of NetCDF starting a process each, so many to one of others."""

sys.path.insert(0, str(ROOT))


class Hang(BaseException):
    """A case takes too long; no handler of errors stops it."""


def main() -> int:
    """Run what is asked for, and say what was found."""
    arguments = parser().parse_args()
    if arguments.worker:
        name, first, last = arguments.worker
        worker(name, int(first), int(last), arguments.seed)
        return 0
    if arguments.guided:
        guided(arguments.guided, arguments.cases)
        return 0
    return campaign(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--cases", type=int, default=100_000, help="how many, over all targets")
    made.add_argument("--target", action="append", help="only this one; may be given several times")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--guided", metavar="TARGET", help="let Atheris choose cases by coverage")
    made.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    return made


def campaign(arguments: argparse.Namespace) -> int:
    """Go through the targets in turn, a block of cases at a time, from where the last run stopped."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from tests.fuzz.targets import TARGETS

    names = arguments.target or list(TARGETS)
    FOUND.mkdir(exist_ok=True)
    state: dict[str, Any] = (
        json.loads(STATE.read_text()) if STATE.is_file() else {"done": {}, "refused": {}, "found": []}
    )
    shares = {name: SHARES.get(name, 1.0) for name in names}
    wanted = {name: round(arguments.cases * share / sum(shares.values())) for name, share in shares.items()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("fuzzing", total=sum(wanted.values()))
        progress.update(bar, completed=sum(min(state["done"].get(n, 0), wanted[n]) for n in names))
        while left := [name for name in names if state["done"].get(name, 0) < wanted[name]]:
            for name in left:
                first = state["done"].get(name, 0)
                last = min(first + max(1, round(BLOCK * shares[name])), wanted[name])
                reached, refused, found = supervised(name, first, last, arguments.seed)
                state["done"][name] = reached
                state["refused"][name] = state["refused"].get(name, 0) + refused
                state["found"] += found
                STATE.write_text(json.dumps(state, indent=1))
                progress.update(bar, advance=reached - first, description=f"{name}, {len(state['found'])} found")
    for name in names:
        print(f"{name:12} {state['done'].get(name, 0):8} cases, {state['refused'].get(name, 0)} refused")
    kinds = Counter(one["kind"] for one in state["found"])
    print(", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing found")
    for one in state["found"]:
        print(f"  {one['target']} {one['case']}: {one['kind']}, {one['what']}")
    return 1 if state["found"] else 0


def supervised(name: str, first: int, last: int, seed: int) -> tuple[int, int, list[dict[str, Any]]]:
    """Run cases in a process of their own; return where it came to, how many were refused, and what was found."""
    command = [sys.executable, __file__, "--seed", str(seed), "--worker", name, str(first), str(last)]
    environment = {**os.environ, "SPARSEDYN_MEMORY": f"{BUDGET_MB} MB", "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    at, refused, found = first, 0, []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:
        assert process.stdout is not None
        while select.select([process.stdout], [], [], WALL_SECONDS)[0]:
            line = process.stdout.readline()
            if not line:
                break
            said = json.loads(line)
            if "begins" in said:
                at = said["begins"]
            elif "found" in said:
                found.append(keep(name, at, seed, *said["found"]))
            else:
                refused += said["refused"]
        else:
            process.kill()
            found.append(keep(name, at, seed, "hang", f"more than {WALL_SECONDS} s, outside of Python"))
            return at + 1, refused, found
    if process.returncode:
        found.append(keep(name, at, seed, "crash", f"exit status {process.returncode}"))
        return at + 1, refused, found
    return last, refused, found


def keep(name: str, number: int, seed: int, kind: str, what: str) -> dict[str, Any]:
    """Keep the file of a case."""
    content = case(name, number, seed)
    folder = FOUND / name
    folder.mkdir(exist_ok=True)
    (folder / f"{seed}-{number}").write_text(base64.encodebytes(content).decode())
    return {"target": name, "case": number, "kind": kind, "what": what}


def case(name: str, number: int, seed: int) -> bytes:
    """Return the file of a case."""
    from tests.fuzz.mutations import generator
    from tests.fuzz.targets import TARGETS

    return TARGETS[name].case(generator((seed, list(TARGETS).index(name), number)))


def worker(name: str, first: int, last: int, seed: int) -> None:
    """Run cases and say of each that it begins, and what was found."""
    from tests.fuzz.targets import TARGETS

    def late(*_: object) -> None:
        raise Hang

    signal.signal(signal.SIGPROF, late)
    target, refused = TARGETS[name], 0
    with tempfile.TemporaryDirectory() as folder:
        for seed_file in target.seeds():  # what is imported, compiled and kept by libraries is there from now on
            with contextlib.suppress(Exception):
                target.run(seed_file, Path(folder))
        for number in range(first, last):
            say({"begins": number})
            content = case(name, number, seed)
            before = memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            try:
                refused += bool(target.run(content, Path(folder)))
            except Hang:
                say({"found": ["hang", f"more than {CPU_SECONDS} s"]})
            except Exception as error:
                say({"found": ["wrong error", f"{type(error).__name__}: {str(error)[:300]}"]})
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            if (taken := memory("VmHWM") - before) > BUDGET_MB:
                say({"found": ["memory", f"{taken:.0f} MB"]})
    say({"refused": refused})


def memory(what: str) -> float:
    """Return the megabytes that this process has, or had at most."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1000
    return 0.0


def say(what: dict[str, Any]) -> None:
    """Tell the supervisor."""
    print(json.dumps(what), flush=True)


def guided(name: str, cases: int) -> None:
    """Let Atheris choose what is drawn; it stops at the first case that fails, and keeps it."""
    import atheris

    with atheris.instrument_imports(include=["sparsedyn"]):
        from tests.fuzz.targets import TARGETS
    target, folder = TARGETS[name], tempfile.TemporaryDirectory()

    def one(data: bytes) -> None:
        source = atheris.FuzzedDataProvider(data)
        target.run(target.case(lambda bound: source.ConsumeIntInRange(0, bound - 1)), Path(folder.name))

    os.environ["SPARSEDYN_MEMORY"] = f"{BUDGET_MB} MB"
    atheris.Setup([sys.argv[0], f"-runs={cases}", f"-timeout={CPU_SECONDS}", "-max_len=400"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
