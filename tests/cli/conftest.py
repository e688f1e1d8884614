"""A tiny round trip that the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sparsedyn.cli import app
from sparsedyn.data import read

Run = Callable[..., Result]

QUICK = ("--hidden", "6", "--members", "2", "--epochs", "2", "--batch", "32")


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
