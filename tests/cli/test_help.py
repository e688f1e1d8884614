"""Help is there for every command, says what there is, and answers before anything heavy is imported."""

import subprocess
import sys

import pytest

from sparsedyn.cli import fit_options, simulate
from sparsedyn.data.io import FORMATS
from sparsedyn.models import ACTIVATIONS
from sparsedyn.sparsify import TECHNIQUES
from sparsedyn.systems import SYSTEMS
from sparsedyn.training import AVERAGES

COMMANDS = (
    (),
    ("simulate",),
    ("look",),
    ("fit",),
    ("forecast",),
    ("equation",),
    ("sindy",),
    ("equations",),
    ("export",),
    ("explore",),
    ("info",),
    ("study",),
    ("study", "list"),
    ("study", "show"),
    ("study", "run"),
    ("study", "resume"),
    ("study", "collect"),
    ("study", "report"),
    ("study", "publish"),
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


@pytest.mark.parametrize("command", ["simulate", "fit", "forecast", "sindy"])
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
    assert all(name in text for name in (*TECHNIQUES, *ACTIVATIONS, *AVERAGES))


def test_names_that_are_checked_before_jax_is_imported_are_those_of_the_library():
    assert tuple(ACTIVATIONS) == fit_options.ACTIVATIONS
    assert ("none", *AVERAGES) == fit_options.AVERAGES
    assert tuple(FORMATS) == simulate.SUFFIXES


def test_version(run):
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("sparsedyn 0.")


LIGHT = """
import sys
from sparsedyn.cli import main
sys.argv = ["sparsedyn", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"jax", "numpy", "pandas", "matplotlib", "equinox", "scipy"} & set(sys.modules)
    print("imported:", *sorted(heavy), file=sys.stderr)
"""

# What is typed, the exit code, and a word of the answer.
AT_ONCE = {
    "help": (("--help",), 0, "Usage"),
    "help of fit": (("fit", "--help"), 0, "Usage"),
    "version": (("--version",), 0, "sparsedyn"),
    "unknown command": (("fti",), 2, "fti"),
    "unknown option": (("fit", "a.csv", "-o", "new", "--member", "3"), 2, "--member"),
    "missing argument": (("fit", "-o", "new"), 2, "DATA"),
    "missing option": (("simulate", "duffing"), 2, "--output"),
    "bad number": (("fit", "a.csv", "-o", "new", "--members", "ten"), 2, "--members"),
    "bad widths": (("fit", "a.csv", "-o", "new", "--hidden", "8,x"), 2, "--hidden"),
    "bad rate": (("fit", "a.csv", "-o", "new", "--learning-rate", "0"), 2, "--learning-rate"),
    "unknown technique": (("fit", "a.csv", "-o", "new", "--technique", "l7"), 2, "l7"),
    "unknown technique in TOML": (("fit", "a.csv", "-o", "new", "--technique", '{ type = "l7" }'), 2, "l7"),
    "unknown primitive": (("equation", "a.csv", "--target", "y", "--primitives", "sin,sinn:2"), 2, "sinn"),
    "help of sindy": (("sindy", "--help"), 0, "Usage"),
    "bad threshold": (("sindy", "a.csv", "--states", "x", "--threshold", "big"), 2, "--threshold"),
    "unknown function": (("sindy", "a.csv", "--states", "x", "--functions", "sni"), 2, "'sin'"),
    "bad bound": (("sindy", "a.csv", "--states", "x", "--bound", "x < 1"), 2, "--bound"),
    "help of equations": (("equations", "--help"), 0, "Usage"),
    "help of export": (("export", "--help"), 0, "Usage"),
    "help of explore": (("explore", "--help"), 0, "Usage"),
    "unknown target": (("export", "model", "--to", "cobol", "-o", "new"), 2, "javascript"),
    "Jacobian in another target": (("export", "model", "--to", "st", "-o", "new", "--jacobian"), 2, "--to c"),
    "bad member": (("export", "model", "--to", "c", "-o", "new", "--member", "all"), 2, "mean"),
    "technique out of range": (("fit", "a.csv", "-o", "new", "--technique", "magnitude:75"), 2, "0.75"),
    "unknown argument": (("fit", "a.csv", "-o", "new", "--technique", "magnitude:sparsty=0.5"), 2, "'sparsity'"),
    "argument of another kind": (("fit", "a.csv", "-o", "new", "--technique", "l1:half"), 2, "a number"),
    "arguments that do not go together": (("fit", "a.csv", "-o", "new", "--technique", "dsr:0.5,period=0.9"), 2, "end"),
    "unknown activation": (("fit", "a.csv", "-o", "new", "--activation", "rele"), 2, "relu"),
    "unknown plant": (("simulate", "duffin", "-o", "new.csv"), 2, "duffing"),
    "unknown suffix": (("simulate", "duffing", "-o", "new.txt"), 2, ".csv"),
    "bad horizons": (("forecast", "model", "a.csv", "--horizons", "x"), 2, "--horizons"),
    "studies": (("study", "list"), 0, "aluminum-quick"),
    "unknown study": (("study", "run", "aluminum-quik"), 4, "'aluminum-quick'"),
    "unknown study to show": (("study", "show", "aluminum-quik"), 4, "'aluminum-quick'"),
    "missing folder": (("equation", "a.csv", "--target", "y", "-o", "none/new"), 2, "none"),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_help_and_usage_errors_import_nothing_heavy(tmp_path, case):
    args, code, word = AT_ONCE[case]
    done = subprocess.run([sys.executable, "-c", LIGHT, *args], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (code, "imported:"), done.stderr
    assert word in done.stdout + done.stderr
