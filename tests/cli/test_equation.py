"""`sparsedyn equation`: the equation of a table, what is printed of it, and every way to ask for it wrongly."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import EquationLearner, Trajectories, load
from sparsedyn.equations import compiled, parsed

QUICK = ("--primitives", "constant,identity:2,product", "--hidden", 1, "--trials", 2, "--generations", 2)
ROWS = 40


def plant() -> pd.DataFrame:
    """Power of a pump, with columns that have nothing to do with it."""
    head, flow = np.random.default_rng(0).uniform(0.5, 2.0, (2, ROWS))
    remark = np.resize(["calm", "windy"], ROWS)
    return pd.DataFrame({"head": head, "remark": remark, "flow": flow, "power": 9.81 * head * flow + 0.73})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, as CSV and as Parquet, and with tables that are spoilt in one way each."""
    place = tmp_path_factory.mktemp("equation")
    frame = plant()
    frame.to_csv(place / "pump.csv")  # with the index, a column without a name
    frame.to_parquet(place / "pump.parquet")
    frame.head(8).to_csv(place / "few.csv", index=False)
    frame.assign(flow=2.0).to_csv(place / "still.csv", index=False)
    frame.assign(power=2.0).to_csv(place / "idle.csv", index=False)
    frame.assign(flow=np.where(frame.index == 4, np.nan, frame["flow"])).to_csv(place / "hole.csv", index=False)
    words = frame["flow"].astype(str).mask(frame.index == 5, "n/a?")
    frame.assign(flow=words).to_csv(place / "words.csv", index=False)
    frame[["power", "remark"]].to_csv(place / "alone.csv", index=False)
    frame.head(0).to_csv(place / "rowless.csv", index=False)
    frame[["head", "flow", "power"]].to_csv(place / "commas.csv", sep=";", decimal=",", index=False)
    (place / "nothing.csv").write_text("")
    (place / "twice.csv").write_text("flow,flow,power\n1,2,3\n")
    (place / "ragged.csv").write_text("flow,power\n1,2\n1,2,3\n")
    (place / "broken.parquet").write_bytes(b"PAR1")
    return place


@pytest.fixture(scope="module")
def found(run, folder):
    """What a search with --json and -o printed, and its file."""
    path = folder / "pump.safetensors"
    result = run("equation", folder / "pump.csv", "--target", "power", *QUICK, "--json", "-o", path)
    assert result.exit_code == 0, result.stderr
    return result, path


def test_json_is_the_equation(found):
    result, path = found
    facts = json.loads(result.stdout)
    assert {"equation", "error", "complexity", "latex", "front"} <= set(facts)
    assert (facts["target"], facts["inputs"], facts["rows"]) == ("power", ["head", "flow"], ROWS)
    assert facts["error"] < 1e-9
    assert "head" in facts["latex"]
    errors = [row["error"] for row in facts["front"]]
    assert errors == sorted(errors, reverse=True)
    assert facts["front"][-1]["equation"] == facts["equation"]
    # What is printed, what the file predicts, and the table are the same.
    frame = plant()
    columns = frame[["head", "flow"]]
    printed = compiled([parsed(facts["equation"], ["head", "flow"])], ["head", "flow"])(columns.to_numpy())[:, 0]
    np.testing.assert_allclose(printed, frame["power"], rtol=1e-9)
    np.testing.assert_allclose(printed, load(path).predict(columns), rtol=1e-12)
    assert str(path) == facts["model"]


def test_what_is_left_out_is_said(found):
    result, _ = found
    assert "Left out because they are not named columns of numbers: '', 'remark'" in result.stderr
    assert "Searching for power in head, flow: 40 rows, 2 trials" in result.stderr


def test_for_people(run, folder):
    path = folder / "pump.parquet"
    args = ("equation", path, "--target", "power", "--inputs", "flow,head", *QUICK, "--digits", 2)
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[0] == "power = 9.8*flow*head + 0.73"
    assert "complexity" in result.stdout
    quiet = run(*args, "--quiet", "--no-front")
    assert quiet.stderr == ""
    assert len(quiet.stdout.splitlines()) == 2


@pytest.mark.slow
def test_a_poor_equation_is_said_to_be_one(run, tmp_path):
    rng = np.random.default_rng(1)
    pd.DataFrame(rng.normal(size=(ROWS, 3)), columns=["x1", "x2", "y"]).to_csv(tmp_path / "noise.csv", index=False)
    args = ("equation", tmp_path / "noise.csv", "--target", "y", "--inputs", "x1..x2", *QUICK, "--generations", 1)
    result = run(*args, "--json")
    assert json.loads(result.stdout)["inputs"] == ["x1", "x2"]
    assert "unexplained" in result.stderr


@pytest.mark.slow
def test_info_says_what_is_in_a_file(run, found, model, tmp_path):
    text = run("info", found[1]).stdout
    assert all(word in text for word in ("EquationRegressor", "head, flow", "9.81*"))
    facts = json.loads(run("info", model, "--json").stdout)
    assert (facts["kind"], facts["states"], facts["members"]) == ("SparseTimeStepper", ["a", "b"], 2)
    decay = Trajectories(np.exp(-0.1 * np.arange(60))[:, None] * [[1.0]], dt=0.1, state_names=["c"])
    learner = EquationLearner(trials=1, primitives={"identity": 1}, hidden=1, generations=1, steps=20)
    learner.fit(decay).save(tmp_path / "decay.safetensors")
    shown = run("info", tmp_path / "decay.safetensors").stdout
    assert "EquationLearner" in shown
    assert "dc/dt = -" in shown


TO = ("--target", "power", *QUICK)

# What is typed, in that folder; the exit code; what the message says.
CASES: dict[str, tuple[tuple[object, ...], int, tuple[str, ...]]] = {
    "no target": (("pump.csv",), 2, ("--target",)),
    "no file": (("pomp.csv", *TO), 3, ("pomp.csv", "Did you mean 'pump.csv'?")),
    "empty file": (("nothing.csv", *TO), 3, ("nothing.csv", "empty")),
    "no rows": (("rowless.csv", *TO), 3, ("rowless.csv", "no rows")),
    "few rows": (("few.csv", *TO), 3, ("few.csv", "at least 12", "8")),
    "unknown suffix": (("pump.safetensors", *TO), 3, ("'.safetensors'", "'.csv'", "'.parquet'")),
    "damaged file": (("broken.parquet", *TO), 3, ("broken.parquet", "Parquet")),
    "a row too long": (("ragged.csv", *TO), 3, ("line 3", "3 cells")),
    "a name twice": (("twice.csv", *TO), 3, ("'flow'", "is there 2 times", "--no-header")),
    "misspelt target": (("pump.csv", "--target", "powr"), 3, ("'powr'", "Did you mean 'power'?")),
    "misspelt input": (("pump.csv", *TO, "--inputs", "head,flaw"), 3, ("'flaw'", "Did you mean 'flow'?")),
    "input twice": (("pump.csv", *TO, "--inputs", "head,head"), 3, ("--inputs", "'head'")),
    "target as an input": (("pump.csv", *TO, "--inputs", "head,power"), 3, ("'power'", "target")),
    "text as an input": (("pump.csv", *TO, "--inputs", "remark"), 3, ("'remark'", "line 2", "'calm'")),
    "text as the target": (("pump.csv", "--target", "remark", *QUICK), 3, ("'remark'", "a number is expected")),
    "a word among numbers": (("words.csv", *TO), 3, ("'flow'", "line 7", "'n/a?'")),
    "a hole": (("hole.csv", *TO), 3, ("'flow'", "line 6", "missing")),
    "constant input": (("still.csv", *TO), 3, ("still.csv", "'flow'", "constant")),
    "constant target": (("idle.csv", *TO), 3, ("idle.csv", "all 2")),
    "no inputs": (("alone.csv", *TO), 3, ("no column of numbers",)),
    "unknown primitive": (("pump.csv", *TO, "--primitives", "sine:2"), 2, ("--primitives", "'sine:2'", "general")),
    "no such primitives": (("pump.csv", *TO, "--primitives", "sin:0"), 2, ("sin", "at least 1")),
    "many primitives": (("pump.csv", *TO, "--primitives", "constant:99999999"), 2, ("'constant'", "at most 1000")),
    "no number": (("pump.csv", *TO, "--primitives", f"sin:{10**20}"), 2, ("--primitives", "sin:1")),
    "a long range": (("pump.csv", *TO, "--inputs", "x1..x99999999999"), 3, ("'x1..x99999999999'", "at most 100000")),
    "decimal commas": (("commas.csv", *TO), 3, ("'power'", "decimals are written with a point")),
    "no trials": (("pump.csv", *TO, "--trials", -1), 2, ("--trials",)),
    "no layers": (("pump.csv", *TO, "--hidden", 0), 2, ("--hidden",)),
    "output exists": (("pump.csv", *TO, "-o", "few.csv"), 2, ("exists already", "--force")),
}


@pytest.mark.parametrize("case", CASES)
def test_one_clear_message(run, folder, found, monkeypatch, case):
    args, code, fragments = CASES[case]
    monkeypatch.chdir(folder)
    before = sorted(p.name for p in folder.rglob("*"))
    result = run("equation", *args)
    text = " ".join(result.stderr.replace("│", " ").split())
    assert result.exit_code == code, text
    assert result.stdout == ""
    assert all(fragment in text for fragment in fragments), text
    assert text.count("Error") == 1 or code == 2
    assert "unexpected" not in text
    assert sorted(p.name for p in folder.rglob("*")) == before


def test_a_forecast_needs_a_model_of_dynamics(run, found, folder):
    result = run("forecast", found[1], folder / "pump.csv")
    assert result.exit_code == 3
    assert "this is an EquationRegressor" in result.stderr


def test_help_teaches(run):
    text = " ".join(run("equation", "--help").stdout.replace("│", " ").split())
    assert "Examples:" in text
    for word in ("--target", "general", "kim2019", "held out", "sparsedyn.load"):
        assert word in text
