"""`look`, and the commands it names: a raw log with every obstacle, looked at, fitted and forecast."""

import contextlib
import importlib.util
import json
import shlex
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import SparsedynWarning
from sparsedyn.cli.reading import OPTIONS, reading_of
from sparsedyn.cli.source import ColumnOptions
from sparsedyn.data import ReadOptions

from .conftest import QUICK

DOCS = Path(__file__).parents[2] / "docs"


def page():
    """The module that runs the tutorial."""
    spec = importlib.util.spec_from_file_location("raw_log", DOCS / "raw_log.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The log of the tutorial, which has every obstacle: see its first paragraph."""
    folder = tmp_path_factory.mktemp("log")
    with contextlib.chdir(folder):
        exec(compile(page().blocks()[0], "raw-log.md", "exec"), {})
    return folder / "log.csv"


def test_three_commands_take_a_raw_log_to_a_forecast(run, log, monkeypatch):
    monkeypatch.chdir(log.parent)
    look, fit, forecast = page().commands()
    seen = run(*look, "--json")
    assert seen.exit_code == 0, seen.stderr
    facts = json.loads(seen.stdout)
    assert facts["options"] == {
        "separator": ";", "decimal": ",", "encoding": "cp1252", "skip_rows": 3, "units_row": True,
        "missing": ["Bad Input"], "true": ["ein"], "false": ["aus"], "day_first": True, "gaps": "cut",
        "time_zone": "Europe/Berlin",
    }  # fmt: skip
    assert (facts["states"], facts["inputs"]) == (["Füllstand"], ["Ventil", "Pumpe"])
    assert facts["time"]["step"] == 60.0
    assert (facts["time"]["gaps"], facts["time"]["duplicates"], facts["time"]["backward"]) == (1, 1, 0)
    assert (log.parent / "pictures" / "columns.png").read_bytes().startswith(b"\x89PNG")
    shown = page().PAGE.read_text(encoding="utf-8")
    assert [finding for finding in facts["time"]["findings"] if finding not in shown] == []
    # What look says next is what the page gives, but for the row that is there twice.
    proposed = shlex.split(facts["next"])[1:-4]
    assert [*proposed, "--duplicates", "first"] == fit[: len(proposed) + 2]

    fitted = run(*fit, *QUICK)
    assert fitted.exit_code == 0, fitted.stderr
    said = " ".join(fitted.stderr.split())
    assert "1 rows of a time that another row has were merged with it (first)" in said
    assert "Cut at gaps: 1 trajectory of 390 rows became 4 of 388; lost are 2 rows with missing cells" in said

    scores = run(*forecast, "--horizons", "10", "--json")
    assert scores.exit_code == 0, scores.stderr
    assert len(json.loads(scores.stdout)["trajectories"]) == 4
    assert (log.parent / "forecast" / "forecast-0.4.png").exists()


@pytest.mark.slow
def test_the_same_log_in_python_gives_the_law(log, monkeypatch, capsys):
    monkeypatch.chdir(log.parent)
    namespace = {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        exec(compile(page().blocks()[1], "raw-log.md", "exec"), namespace)
    kinds = [warning.category for warning in said if "gaps" in str(warning.message)]
    assert kinds == [SparsedynWarning]
    found = namespace["found"].coefficients()["Füllstand"]
    assert found["Füllstand"] == pytest.approx(-0.001756, abs=1e-5)
    assert found["Ventil Pumpe"] == pytest.approx(0.005268, abs=1e-5)


def test_what_look_shows(run, log):
    shown = run("look", log)
    text = " ".join(shown.stdout.split())
    assert "text that is not UTF-8, cp1252 perhaps, cells between ;" in text
    assert "--encoding cp1252" in text
    assert "60 steps backward" in text or "1 step backward" in text
    assert "Next" in text
    assert "sparsedyn fit" in text


ODD = {
    "--pivot 'the tag=value'": lambda table: table.melt("t", var_name="the tag", value_name="value").sort_values("t"),
    "--restarts sort": lambda table: table[::-1],
    "--restarts cut": lambda table: pd.concat([table, table]),
    "--missing -999 --gaps cut": lambda table: table.assign(x=table["x"].where(table.index % 20 > 1, -999)),
    "--unwrap x=360": lambda table: table.assign(x=(table["t"] ** 2 / 3) % 360),
}


@pytest.mark.parametrize("expected", ODD)
def test_the_next_command_has_the_options_that_are_needed(run, tmp_path, expected):
    time = np.arange(60.0)
    table = pd.DataFrame({"t": time, "x": np.sin(time / 5), "u": np.repeat([0.0, 1.0, 0.5], 20)})
    ODD[expected](table).to_csv(tmp_path / "log.csv", index=False)
    seen = run("look", str(tmp_path / "log.csv"), "--json")
    assert seen.exit_code == 0, seen.stderr
    following = json.loads(seen.stdout)["next"]
    assert following.endswith(f"--states x --inputs u --time t {expected} -o model.safetensors")


@pytest.mark.parametrize(("rows", "words"), [("", "0 rows"), ("0,1.5\n", "1 row")])
def test_no_command_is_proposed_for_too_few_rows(run, tmp_path, rows, words):
    path = tmp_path / "short.csv"
    path.write_text(f"t,x\n{rows}")
    shown = run("look", path).stdout
    assert f"{words}, at least 2 are needed" in shown
    assert "sparsedyn fit" not in shown
    assert json.loads(run("look", path, "--json").stdout)["next"] is None


def test_a_folder_is_looked_at_file_by_file(run, log, tmp_path):
    refused = run("look", log.parent)
    assert refused.exit_code == 3
    assert "this is a folder" in refused.stderr
    assert f"Give one of its files, {log}, say." in refused.stderr
    assert "There is no such file in it." in run("look", tmp_path).stderr


def test_options_of_reading_are_usage(run, log):
    wrong = run("look", log, "--decimal", ";")
    assert (wrong.exit_code, "--decimal" in wrong.stderr) == (2, True)
    other = run("fit", log, "--states", "Füllstand", "--dt", 1, "-o", log.parent / "none", *QUICK)
    assert other.exit_code == 3
    assert "--skip-rows 3 --units-row" in " ".join(other.stderr.split())


def test_column_options_can_be_pasted():
    reading = ReadOptions(missing=("Bad Input",))
    typed = ColumnOptions(states="Level [m],Temp (degC)", inputs="", dt=0.5, reading=reading)
    assert shlex.split(typed.options()) == [
        "--states", "Level [m],Temp (degC)", "--inputs", "", "--dt", "0.5", "--missing", "Bad Input",
    ]  # fmt: skip


KEPT = ReadOptions(
    separator=";", decimal=",", skip_rows=1, units_row=True, encoding="cp1252", gaps="cut", missing=("n/a",), resample=2
)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ({"separator": ",", "decimal": "."}, {"separator": ",", "decimal": "."}),
        ({"skip_rows": 0, "units_row": False}, {"skip_rows": 0, "units_row": False}),
        ({"encoding": "", "missing": "", "resample": 0.0}, {"encoding": None, "missing": (), "resample": None}),
        ({"gaps": "refuse"}, {"gaps": "refuse"}),
        ({}, {}),
    ],
)
def test_options_that_are_typed_come_before_those_of_a_model(typed, left):
    given = reading_of(dict.fromkeys(OPTIONS) | typed)
    assert given.over(KEPT) == replace(KEPT, **left)
