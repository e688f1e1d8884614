"""Ctrl-C ends every command with one line and exit code 130."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from sparsedyn.cli import entry
from sparsedyn.cli.errors import interruption

COMMANDS = {
    "simulate": (("simulate", "duffing", "-o", "new.csv"), "sparsedyn.systems.simulate"),
    "fit": (("fit", "data.csv", "-o", "new"), "sparsedyn.data.read"),
    "forecast": (("forecast", "model", "data.csv"), "sparsedyn.estimators.load"),
    "equation": (("equation", "data.csv", "--target", "y"), "sparsedyn.data.io.read_table"),
    "info": (("info",), "sparsedyn.studies.catalogue.list_studies"),
    "study list": (("study", "list"), "sparsedyn.studies.catalogue.list_studies"),
    "study show": (("study", "show", "aluminum-quick"), "sparsedyn.studies.load"),
    "study run": (("study", "run", "aluminum-quick"), "sparsedyn.studies.run"),
    "study resume": (("study", "resume", "folder"), "sparsedyn.studies.resume"),
    "study report": (("study", "report", "folder"), "sparsedyn.studies.report"),
    "study publish": (("study", "publish", "folder"), "sparsedyn.studies.publish"),
}


def interrupt(*args, **options):
    raise KeyboardInterrupt


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_is_one_line(run, monkeypatch, tmp_path, command):
    args, place = COMMANDS[command]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, interrupt)
    result = run(*args)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith("Interrupted")
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_sigterm_is_one_line_with_an_exit_code_of_its_own(run, monkeypatch):
    def terminate(*args, **options):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("the signal was not heard")

    monkeypatch.setattr("sparsedyn.studies.catalogue.list_studies", terminate)
    result = run("study", "list")
    assert result.exit_code == 143
    assert result.stderr == "Terminated.\n"


def stopped_while_importing() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as stop:
        raise ImportError("a module is half imported") from stop


def test_what_an_interruption_brings_about_is_one():
    with pytest.raises(ImportError) as caught:
        stopped_while_importing()
    assert isinstance(interruption(caught.value), KeyboardInterrupt)
    other = ValueError("no")
    assert interruption(other) is other


def test_ctrl_c_before_a_command_has_begun_is_one_line(monkeypatch, capsys):
    ended = []
    monkeypatch.setitem(sys.modules, "sparsedyn.cli.app", SimpleNamespace(app=interrupt))
    monkeypatch.setattr(entry.os, "_exit", ended.append)
    entry.main()
    assert ended == [130]
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize("args", [("look", "plant.csv"), ("look", "plant.csv", "--json"), ("--help",), ("info",)])
def test_a_reader_who_has_enough_ends_a_command_quietly(tmp_path, args):
    (tmp_path / "plant.csv").write_text("t,x\n0,1\n1,2\n2,4\n")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", "from sparsedyn.cli.entry import main; main()", *args]
    ended = subprocess.run(command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")
