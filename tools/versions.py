"""Check what pyproject.toml promises: versions at both ends, packages that install, dependencies without known holes.

    python tools/versions.py lowest                     # the suite under the oldest versions that are allowed
    python tools/versions.py highest --python 3.13      # and under the newest, with another Python
    python tools/versions.py lowest -- tests/data       # a part of it; what follows goes to pytest
    python tools/versions.py packages                   # wheel and sdist: built, installed, used
    python tools/versions.py audit                      # requirements.lock, by pip-audit

Needs uv (`pip install uv`) and a package index; `audit` needs the advisory service of PyPI. Everything is made in a
temporary folder, which is removed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESOLUTIONS = {"lowest": "lowest-direct", "highest": "highest"}
USED = """
import numpy as np, sparsedyn
from sparsedyn.estimators import load
data = sparsedyn.simulate(sparsedyn.systems.Duffing(), trajectories=3, steps=50, seed=0)
model = sparsedyn.SparseTimeStepper((4,), members=1, epochs=1, select="last")
sparsedyn.estimators.fit_together([model], data)
model.save("m.safetensors")
np.testing.assert_array_equal(load("m.safetensors").forecast(data).predicted, model.forecast(data).predicted)
"""


def main() -> int:
    """Run the check that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=[*RESOLUTIONS, "packages", "audit"])
    parser.add_argument("--python", default=sys.executable, help="an interpreter, or its version, as uv finds it")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments = parser.parse_args(sys.argv[1:split])
    with tempfile.TemporaryDirectory() as folder:
        try:
            if arguments.check == "packages":
                packages(Path(folder), arguments.python)
            elif arguments.check == "audit":
                return audit(ROOT / "requirements.lock")
            else:
                suite(Path(folder), arguments.python, RESOLUTIONS[arguments.check], sys.argv[split + 1 :])
        except subprocess.CalledProcessError as error:
            return error.returncode
    return 0


def suite(folder: Path, interpreter: str, resolution: str, arguments: Sequence[str]) -> None:
    """Install the package with its tests, as `resolution` says, show what it was, and run them."""
    python = environment(folder, interpreter)
    run(uv(), "pip", "install", "--quiet", "--python", python, "--resolution", resolution, "-e", f"{ROOT}[test]")
    run(uv(), "pip", "list", "--python", python)
    settings = {name: str(folder / name) for name in ("PYTHONPYCACHEPREFIX", "NUMBA_CACHE_DIR")}
    # Old packages among newer ones are warned of what they use, which is no business of this one; nor of the tests
    # that a test starts, which know the environment and no arguments.
    kinds = ("Deprecation", "PendingDeprecation", "Future")
    settings["PYTEST_ADDOPTS"] = " ".join(f"-Wdefault::{kind}Warning" for kind in kinds)
    run(python, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={folder / 'pytest'}", *arguments, **settings)


def packages(folder: Path, interpreter: str) -> None:
    """Build a wheel and an sdist, and use each in an environment of its own, away from the sources."""
    run(uv(), "build", "--quiet", "--out-dir", str(folder / "built"), str(ROOT))
    built = sorted(path for path in (folder / "built").iterdir() if path.suffix in (".whl", ".gz"))
    for number, package in enumerate(built):
        place = folder / str(number)
        python = environment(place, interpreter)
        run(uv(), "pip", "install", "--quiet", "--python", python, str(package))
        run(str(Path(python).with_name("sparsedyn")), "--version", cwd=place)
        run(python, "-W", "error", "-c", USED, cwd=place)
        print(f"{package.name}: {package.stat().st_size / 1e6:.1f} MB, works", flush=True)


def audit(lock: Path) -> int:
    """Say which versions of a lock file have known holes; what the service does not know is not taken for safe."""
    command = (uv(), "tool", "run", "pip-audit", "--no-deps", "--disable-pip", "--format", "json", "-r", str(lock))
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except ValueError:
        sys.exit(done.stderr)
    known = [one for one in found if "vulns" in one]
    bad = [f"{one['name']} {one['version']}: {hole['id']}" for one in known for hole in one["vulns"]]
    print("\n".join([*bad, f"{len(known)} of {len(found)} packages are known to the service, {len(bad)} holes."]))
    return 1 if bad or len(known) < len(found) else 0


def environment(folder: Path, interpreter: str) -> str:
    """Make a virtual environment, and return its interpreter."""
    run(uv(), "venv", "--quiet", "--python", interpreter, "--no-python-downloads", str(folder / "venv"))
    return str(folder / "venv" / "bin" / "python")


def uv() -> str:
    """Return the path of uv."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        sys.exit("uv: expected it beside this Python or on the path; it is not there. Install it: pip install uv.")
    return found


def run(*command: str, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command, in an environment that does not know these sources."""
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(command, check=True, cwd=cwd, env=known | environment)


if __name__ == "__main__":
    sys.exit(main())
