"""Whatever a user gets wrong on the command line: one clear message, the right exit code, no file left behind."""

import json
import shutil

import numpy as np
import pytest

from sparsedyn.cli import fit as fit_command
from sparsedyn.cli.output import as_typed

from .conftest import QUICK

COLUMNS = ("--states", "a,b", "--inputs", "c", "--time", "t", "--trajectory", "id")
FIT = ("fit", "table.csv", *COLUMNS, "-o", "new", *QUICK)
PREY = ("fit", "prey.npz", "-o", "new", *QUICK)
FORECAST = ("forecast", "model.safetensors", "table.csv")

# What is typed, in a folder with prey.npz, table.csv, model.safetensors; the exit code; what the message says.
CASES: dict[str, tuple[tuple[object, ...], int, tuple[str, ...]]] = {
    "unknown command": (("fti",), 2, ("fti",)),
    "unknown option": ((*FIT, "--member", 3), 2, ("--member",)),
    "no output": (("fit", "prey.npz"), 2, ("--output",)),
    "unknown plant": (("simulate", "duffin", "-o", "new.csv"), 2, ("'duffin'", "'duffing'")),
    "unknown suffix": (("simulate", "duffing", "-o", "new.txt"), 2, ("new.txt", ".csv")),
    "no trajectories": (("simulate", "duffing", "-o", "new.csv", "--trajectories", 0), 2, ("--trajectories", "1")),
    "negative sample time": (("simulate", "duffing", "-o", "new.csv", "--dt", -1), 2, ("--dt", "positive")),
    "output folder missing": (("simulate", "duffing", "-o", "no/new.csv"), 2, ("no", "Make it first")),
    "output is a folder": (("fit", "prey.npz", "-o", "."), 2, ("folder",)),
    "output exists": (("fit", "prey.npz", "-o", "table.csv"), 2, ("exists already", "--force")),
    "no data file": (("fit", "prey.npy", "-o", "new"), 3, ("prey.npy",)),
    "misspelt data file": (("fit", "pray.npz", "-o", "new"), 3, ("pray.npz", "'prey.npz'")),
    "data is a folder": (("fit", ".", "-o", "new"), 3, ("a folder of data files of one kind", "of the kinds")),
    "columns not said": (("fit", "table.csv", "-o", "new"), 3, ("states", "'a'")),
    "misspelt column": ((*FIT, "--states", "a,bb"), 3, ("'bb'", "The columns are")),
    "column in two roles": ((*FIT, "--inputs", "b,c"), 3, ("'b'", "state", "input")),
    "text column": ((*FIT, "--inputs", "remark"), 3, ("'remark'", "number")),
    "time and dt": ((*FIT, "--dt", 0.1), 3, ("both are given",)),
    "unknown trajectory": ((*FIT, "--only", "6"), 3, ("'6'", "0 to 5")),
    "no validation file": ((*FIT, "--validation", "none.csv"), 3, ("none.csv",)),
    "constant column": (("fit", "constant.npz", "--states", "x1,x2", "--dt", 1, "-o", "new"), 3, ("'x2'", "constant")),
    "hole in the data": (("fit", "hole.npz", "--states", "x1,x2", "--dt", 1, "-o", "new"), 3, ("row 3", "NaN")),
    "pickle": (("fit", "pickle.npz", "--states", "x1", "--dt", 1, "-o", "new"), 3, ("never loaded",)),
    "widths": ((*PREY, "--hidden", "8,x"), 2, ("--hidden", "8,x")),
    "width zero": ((*PREY, "--hidden", "0"), 2, ("--hidden", "at least 1")),
    "technique": ((*PREY, "--technique", "l7"), 2, ("--technique", "l7", "Did you mean")),
    "share as percent": ((*PREY, "--technique", "magnitude:75"), 2, ("0.75",)),
    "activation": ((*PREY, "--activation", "rele"), 2, ("--activation", "'relu'")),
    "average": ((*PREY, "--average", "mean"), 2, ("--average", "swa")),
    "dense and a technique": ((*PREY, "--technique", "none", "--technique", "l1"), 2, ("none, on its own",)),
    "late pruning and average": (
        (*PREY, "--technique", '{ type = "magnitude", timing = { type = "one-shot", at = 0.9 } }', "--average", "swa"),
        2,
        ("average", "end the pruning earlier"),
    ),
    "learning rate": ((*PREY, "--learning-rate", -1), 2, ("--learning-rate", "positive", "-1")),
    "hold out too much": ((*PREY, "--hold-out", 1), 2, ("--hold-out",)),
    "not a number": ((*PREY, "--members", "ten"), 2, ("--members",)),
    "no model": (("forecast", "nodel", "table.csv"), 3, ("nodel", "none")),
    "model is something else": (("forecast", "table.csv", "table.csv"), 3, ("table.csv", "safetensors")),
    "model is cut short": (("forecast", "short.safetensors", "table.csv"), 3, ("short.safetensors", "cut short")),
    "horizons not numbers": ((*FORECAST, "--horizons", "10,x"), 2, ("--horizons", "10,x")),
    "horizon of one row": ((*FORECAST, "--horizons", "1"), 2, ("--horizons",)),
    "horizon too long": ((*FORECAST, "--horizons", "61"), 3, ("60", "61")),
    "other variables": (("forecast", "model.safetensors", "prey.npz"), 3, ("--states a,b",)),
    "other sample time": ((*FORECAST, "--dt", 0.1), 3, ("sample time", "0.1")),
    "other unit": (("forecast", "model.safetensors", "grams.csv"), 3, ("'a'", "unit")),
    "pictures into a file": ((*FORECAST, "-o", "prey.npz"), 2, ("prey.npz", "file")),
    "unknown study": (("study", "run", "aluminum-quik"), 4, ("aluminum-quik", "'aluminum-quick'")),
    "study with a wrong key": (("study", "run", "wrong.toml"), 4, ("wrong.toml", "line 2", "horizon")),
    "study that is no TOML": (("study", "show", "table.csv"), 4, ("table.csv", "TOML")),
    "nothing to resume": (("study", "resume", "."), 4, (".",)),
    "nothing to report": (("study", "report", "nowhere"), 4, ("nowhere",)),
    "study into a foreign folder": (("study", "run", "aluminum-quick", "-o", "."), 4, ("Choose another folder",)),
}


@pytest.fixture(scope="module")
def folder(prey, table, model, tmp_path_factory):
    """A folder with good files and bad ones."""
    place = tmp_path_factory.mktemp("bad")
    for path in (prey, table, model):
        shutil.copy(path, place)
    (place / "short.safetensors").write_bytes(model.read_bytes()[:1000])
    rng = np.random.default_rng(0)
    states = rng.normal(size=(30, 2))
    hole, constant = states.copy(), states.copy()
    hole[3, 1] = np.nan
    constant[:, 1] = 4.0
    np.savez(place / "hole.npz", data=hole)
    np.savez(place / "constant.npz", data=constant)
    np.savez(place / "pickle.npz", data=np.array([{"a": 1}], dtype=object))
    (place / "wrong.toml").write_text('name = "wrong"\nhorizon = [10]\n')
    lines = table.read_text().splitlines()
    where = lines[0].split(",").index("a")
    rows = [line.split(",") for line in lines[1:]]
    for row in rows:
        row[where] = str(1000 * float(row[where]))
    (place / "grams.csv").write_text("\n".join([lines[0], *(",".join(row) for row in rows)]) + "\n")
    return place


@pytest.mark.parametrize("case", CASES)
def test_one_clear_message(run, folder, monkeypatch, case):
    args, code, fragments = CASES[case]
    monkeypatch.chdir(folder)
    before = sorted(p.name for p in folder.rglob("*"))
    result = run(*args)
    text = " ".join(result.stderr.replace("│", " ").split())
    assert result.exit_code == code, text
    assert result.stdout == ""
    assert all(fragment in text for fragment in fragments), text
    assert "Traceback" not in text
    assert "unexpected" not in text
    assert sorted(p.name for p in folder.rglob("*")) == before


def test_debug_shows_where_an_error_arose(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = run("fit", "hole.npz", "--states", "x1,x2", "--dt", 1, "-o", "new", "--debug")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "DataError" in result.stderr


def fail(*args, **options):
    raise RuntimeError("the roof fell in")


def test_the_unexpected_is_told_without_a_traceback(run, prey, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_command, "train", fail)
    result = run("fit", prey, "-o", tmp_path / "m", *QUICK)
    assert result.exit_code == 1
    assert "RuntimeError: the roof fell in" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(run, prey, tmp_path, monkeypatch):
    monkeypatch.setattr("sparsedyn.training.save_arrays", fail)
    result = run("fit", prey, "-o", tmp_path / "m", *QUICK)
    assert result.exit_code == 1
    # The checkpoint stays: the same command need not train again.
    assert [p.name for p in tmp_path.iterdir()] == [".m.checkpoint"]


def test_a_failure_while_drawing_leaves_no_half_picture(run, model, table, tmp_path, monkeypatch):
    monkeypatch.setattr("pandas.DataFrame.to_csv", fail)
    result = run("forecast", model, table, "-o", tmp_path / "p")
    assert result.exit_code == 1
    assert all(p.suffix == ".png" for p in (tmp_path / "p").iterdir())


def test_errors_leave_standard_output_to_json(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = run(*FORECAST, "--horizons", "61", "--json")
    assert result.exit_code == 3
    with pytest.raises(json.JSONDecodeError):
        json.loads(result.stdout)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("Cut it with gaps='cut' (--gaps cut), or not.", "Cut it with --gaps cut, or not."),
        ("where the clock stood: time_zone='UTC', say (--time-zone UTC).", "where the clock stood: --time-zone UTC."),
        ("say day_first=True (--day-first) or day_first=False (--month-first).", "say --day-first or --month-first."),
        ("give date_format= (--date-format)", "give --date-format"),
        (
            "Give separator=';', skip_rows=2 (--separator ';' --skip-rows 2). In short: like='x-y' (--like-x-y).",
            "Give --separator ';' --skip-rows 2. In short: --like-x-y.",
        ),
        ("column (--x) and f(x=1)", "column (--x) and f(x=1)"),
    ],
)
def test_options_are_spelt_as_they_are_typed(text, typed):
    assert as_typed(text) == typed
