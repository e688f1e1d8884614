"""Help is there for every command, says what there is, and answers before anything heavy is imported."""

import subprocess
import sys

import pytest

import sparsedyn.cli
from sparsedyn.models.mlp import ACTIVATIONS
from sparsedyn.sparsify import TECHNIQUES
from sparsedyn.systems import SYSTEMS

COMMANDS = (
    (),
    ("simulate",),
    ("fit",),
    ("forecast",),
    ("info",),
    ("study",),
    ("study", "list"),
    ("study", "show"),
    ("study", "run"),
    ("study", "resume"),
    ("study", "report"),
)


def words(text: str) -> str:
    """Return a text without the frames and line breaks that the width of the terminal makes."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(run, command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    text = words(result.stdout)
    assert "Usage:" in text
    # A sentence on what it does, more than a line of it.
    assert len(text) > 400
    if command != ("study", "list"):
        assert "sparsedyn " + " ".join(command) in text


@pytest.mark.parametrize("command", ["simulate", "fit", "forecast"])
def test_examples_and_defaults_are_shown(run, command):
    text = words(run(command, "--help").stdout)
    assert "Examples:" in text
    assert "default" in text


def test_no_arguments_show_the_help(run):
    result = run()
    assert "Commands" in result.stdout + result.stderr


def test_help_names_every_plant_with_its_sample_time(run):
    text = words(run("simulate", "--help").stdout)
    for name, system in SYSTEMS.items():
        assert name in text
        assert f"{system.dt:g}" in text


def test_help_names_every_technique_and_activation(run):
    text = words(run("fit", "--help").stdout)
    short = set(TECHNIQUES) - {"chain", "on"}  # which are written as TOML tables
    assert all(name in text for name in (*short, *ACTIVATIONS))


def test_version(run):
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("sparsedyn 0.")


LIGHT = """
import sys, types
package = types.ModuleType("sparsedyn")
package.__path__ = [sys.argv[1]]
sys.modules["sparsedyn"] = package
from sparsedyn.cli import app
sys.argv = ["sparsedyn", "fit", "--help"]
try:
    app()
except SystemExit as end:
    assert end.code == 0
heavy = {"jax", "numpy", "pandas", "matplotlib", "equinox"} & set(sys.modules)
sys.exit(f"imported for help: {heavy}" if heavy else 0)
"""


def test_help_imports_nothing_heavy():
    # The package's own __init__ is left out: only what the command line itself imports counts here.
    folder = next(iter(sparsedyn.__path__))
    done = subprocess.run([sys.executable, "-c", LIGHT, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
