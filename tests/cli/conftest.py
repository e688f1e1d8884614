"""A tiny round trip that the tests of the command line share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sparsedyn.cli import app
from sparsedyn.data import read

Run = Callable[..., Result]

QUICK = ("--hidden", "6", "--members", "2", "--epochs", "2", "--batch", "32")

TINY = """
name = "tiny"
title = "A study of seconds"
horizons = [10, 30]

[data]
system = "lotka-volterra"
train = 2
validation = 1
test = 2
steps = 30

[model]
hidden = [4]

[training]
members = 2
epochs = 1
batch = 16

[[techniques]]
label = "Dense"

[[techniques]]
label = "L1"
technique = [{ type = "l1", weight = 1e-3 }]
"""


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command line, given as separate texts, and return what came of it."""
    runner = CliRunner()

    def invoke(*args: object) -> Result:
        result = runner.invoke(app, [str(arg) for arg in args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def prey(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six trajectories in a file that describes itself."""
    path = tmp_path_factory.mktemp("data") / "prey.npz"
    result = run("simulate", "lotka-volterra", "-o", path, "--trajectories", 6, "--steps", 60)
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="session")
def table(prey: Path) -> Path:
    """The same as a table of a stranger's making, with columns of other names and one to ignore."""
    names = {"trajectory": "id", "time": "t", "prey": "a", "predators": "b", "harvest": "c"}
    frame = read(prey).to_pandas().rename(columns=names)
    frame["remark"] = "none"
    path = prey.with_name("table.csv")
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def model(run: Run, table: Path) -> Path:
    """A model of that table."""
    path = table.with_name("model.safetensors")
    columns = ("--states", "a,b", "--inputs", "c", "--time", "t", "--trajectory", "id")
    result = run("fit", table, *columns, "-o", path, *QUICK)
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture(scope="session")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that describes a study of seconds."""
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="session")
def finished(run: Run, spec: Path, dotted: Callable[[], AbstractContextManager[None]]) -> tuple[Path, Result]:
    """The folder of that study, finished, and the result of the command that ran it."""
    folder = spec.with_name("results")
    with dotted():
        result = run("study", "run", spec, "-o", folder)
    assert result.exit_code == 0, result.stderr
    return folder, result
