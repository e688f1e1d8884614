"""Study specs: what a TOML file becomes, and one clear message for everything that can be wrong with it."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from sparsedyn.estimators import SparseTimeStepper
from sparsedyn.sparsify import L1, TECHNIQUES, MagnitudePruning
from sparsedyn.studies import AbstractStudySpec, StudyError, list_studies, load
from sparsedyn.studies.comparison.cells import expand, groups_of
from sparsedyn.studies.comparison.spec import ModelSpec, TrainingSpec
from sparsedyn.studies.reading import parse
from sparsedyn.studies.toml import to_toml

TINY = Path(__file__).with_name("tiny.toml").read_text(encoding="utf-8")

PART = TINY[TINY.index("validation = 1") : TINY.index("batch = 16")]

# What is replaced in the tiny study, by what, the line that the message must name, words it must hold.
BAD: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "misspelt key": ("epochs = 12", "epoch = 30", 21, ("training.epoch", "'epochs'", "Known here: members")),
    "misspelt table": ("[forecast]", "[forcast]", 24, ("forcast", "unknown key", "'forecast'")),
    "key of another table": ("members = 2", "hidden = [8]", 20, ("training.hidden", "belongs in [model]")),
    "top-level key after a table": (
        "steps = 60",
        "steps = 60\ndescription = 'x'",
        14,
        ("data.description", "at the top of the file, before the first [table]"),
    ),
    "missing key": ("test = 4\n", "", 8, ("data.test", "missing", "test = 20")),
    "missing table": (TINY[TINY.index("[data]") : TINY.index("[model]")], "", 1, ("data", "[data]")),
    "no techniques": (TINY[TINY.index("[[techniques]]") :], "", 1, ("techniques", "[[techniques]], label =")),
    "text for a number": ("epochs = 12", 'epochs = "30"', 21, ("whole number", '"30"', "without quotes")),
    "fraction for a count": ("batch = 16", "batch = 16.5", 22, ("training.batch", "whole", "Write 16")),
    "number for a flag": ("hidden = [8]", "hidden = [8]\nskip = 1", 18, ("model.skip", "true or false")),
    "zero members": ("members = 2", "members = 0", 20, ("training.members", "at least 1", "got 0")),
    "empty layer": ("hidden = [8]", "hidden = [8, 0]", 17, ("model.hidden[2]", "at least 1", "got 0")),
    "number for a list": ("hidden = [8]", "hidden = 8", 17, ("model.hidden", "list", "Write [8]")),
    "negative rate": ("epochs = 12", "learning_rate = -1.0", 21, ("learning_rate", "more than 0", "-1.0")),
    "unknown optimizer": ("epochs = 12", 'optimizer = "adma"', 21, ("one of adam", "'adma'", "'adam'")),
    "unknown choice": ("epochs = 12", 'select = "first"', 21, ("'best' or 'last'", '"first"')),
    "unknown activation": ("hidden = [8]", 'activation = "rellu"', 17, ("one of relu", "'relu'")),
    "unknown plant": ("lotka-volterra", "lotka-voltera", 9, ("data.system", "'lotka-volterra'")),
    "plant and files": ("train = 3", 'files = ["a.csv"]\ntrain = 3', 10, ("exactly one", "both")),
    "neither plant nor files": ('system = "lotka-volterra"\n', "", 8, ("exactly one", "neither")),
    "plant without length": ("steps = 60\n", "", 8, ("data.steps", "missing", "steps = 5000")),
    "columns of a plant": ("train = 3", 'train = 3\nstates = ["a"]', 11, ("data.states", "Remove it")),
    "patience without validation": (
        PART,
        PART.replace("validation = 1", "validation = 0").replace("epochs = 12", "patience = 3"),
        21,
        ("training.patience", "needs validation trajectories"),
    ),
    "long horizon": ("[20, 60]", "[20, 61]", 5, ("horizons[2]", "at most the 60 rows", "61", "more steps")),
    "same horizon": ("[20, 60]", "[20, 20]", 5, ("horizons", "20 twice", "Remove one")),
    "horizon of one row": ("[20, 60]", "[1]", 5, ("horizons[1]", "at least 2", "got 1")),
    "no horizon": ("[20, 60]", "[]", 5, ("horizons", "at least 1 entry", "got an empty list")),
    "unknown average": ('["none", "swa"]', '["none", "swaa"]', 6, ("averages[2]", "none, swa, ema", "'swa'")),
    "argument of an average": (
        '["none", "swa"]',
        '["none", { type = "swa", begin = 0.5 }]',
        6,
        ("averages[2].begin", "unknown argument of swa", "start"),
    ),
    "average out of range": (
        '["none", "swa"]',
        '[{ type = "swa", start = 75 }]',
        6,
        ("averages[1]", "fractions of training", "75"),
    ),
    "average over changing masks": (
        '["none", "swa"]',
        '[{ type = "swa", start = 0.3 }]',
        31,
        ("Magnitude + L1 + SWA", "after the last mask change", "end the pruning earlier"),
    ),
    "unknown technique": ('"l1"', '"l11"', 33, ("technique[1]", "'l11'", "'l1'", "Known: l1, l2")),
    "argument of a technique": ("weight =", "wieght =", 33, ("technique[1]", "'wieght'", "'weight'")),
    "text in a technique": ("1e-4", '"small"', 33, ("technique[1].weight", "a number", '"small"')),
    "sparsity in percent": ("sparsity = 0.5", "sparsity = 50", 33, ("technique[2]", "75 % zeros are", "got 50")),
    "technique without a type": ('type = "l1", ', "", 33, ("technique[1]", "with a type")),
    "technique by name": ('{ type = "l1", weight = 1e-4 }', '"l1"', 33, ("technique[1]", 'a table such as')),
    "same label": ('"Magnitude + L1"', '"Dense"', 32, ("techniques[2].label", "'Dense' twice", "Rename")),
    "same folder": ('"Magnitude + L1"', '"dense?"', 28, ("would share the folder 'dense'", "another label")),
    "name of a folder": ('"tiny"', '"a/b"', 2, ("name", "letters, digits", '"a/b"')),
    "no quotes": ('"lotka-volterra"', "lotka-volterra", 9, ("not valid TOML", "need quotes")),
    "key twice": ("batch = 16", "batch = 16\nbatch = 17", 23, ("not valid TOML", "remove one")),
    "table twice": ("[forecast]", "[data]", 24, ("not valid TOML", "only once")),
    "open bracket": ("hidden = [8]", "hidden = [8", 19, ("not valid TOML",)),
}  # fmt: skip


def changed(old: str, new: str) -> str:
    assert old in TINY
    return TINY.replace(old, new, 1)


@pytest.mark.parametrize("case", BAD, ids=lambda name: name.replace(" ", "-"))
def test_a_bad_spec_gives_one_message_with_file_line_key_and_fix(case: str, tmp_path: Path):
    old, new, line, words = BAD[case]
    path = tmp_path / "study.toml"
    path.write_text(changed(old, new), encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line},"), message
    for word in words:
        assert word in message, message
    assert "\n" not in message


def test_every_problem_is_named_at_once():
    text = changed("epochs = 12", "epoch = 30").replace("members = 2", "members = 0")
    with pytest.raises(StudyError) as caught:
        parse(text, "my.toml")
    first, second = str(caught.value).splitlines()
    assert "line 20, training.members" in first
    assert "line 21, training.epoch" in second


def test_an_error_within_a_list_is_the_only_one():
    claim = """
[[claims]]
source = "me"
claim = "sparse is better"
comparisons = [{ lower = "Dense", higher = "Magnitude + L1", metric = "rmse" }]
"""
    with pytest.raises(StudyError, match=r"claims\[1\].comparisons\[1\].metric: expected one of .*\Z") as caught:
        parse(TINY + claim, "my.toml")
    assert "\n" not in str(caught.value)


def test_a_spec_of_another_kind_does_not_fill_the_screen():
    with pytest.raises(StudyError) as caught:
        parse("".join(f"key{i} = {i}\n" for i in range(40)), "my.toml")
    assert len(str(caught.value).splitlines()) < 12


def test_what_is_not_a_toml_file(tmp_path: Path):
    with pytest.raises(StudyError, match=r"aluminum-quik: there is no such file.*'aluminum-quick'"):
        load("aluminum-quik")
    with pytest.raises(StudyError, match="this is a folder"):
        load(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(StudyError, match="UTF-8"):
        load(tmp_path / "a.toml")


def test_cells_are_techniques_times_averages_with_overrides_and_defaults():
    spec = parse(TINY + "model = { hidden = [16, 16] }\ntraining = { epochs = 7 }\n", "tiny.toml")
    cells = expand(spec)
    assert [cell.label for cell in cells] == [
        "Dense",
        "Dense + SWA",
        "Magnitude + L1",
        "Magnitude + L1 + SWA",
    ]
    assert [cell.slug for cell in cells] == ["dense", "dense-swa", "magnitude-l1", "magnitude-l1-swa"]
    dense, pruned = cells[0].estimator(), cells[3].estimator()
    assert (dense.hidden, dense.epochs, dense.batch, dense.average) == ((8,), 12, 16, None)
    assert (pruned.hidden, pruned.epochs, pruned.batch, pruned.seed) == ((16, 16), 7, 16, 3)
    assert pruned.technique == [L1(1e-4), MagnitudePruning(0.5)]
    assert pruned.settings().average is not None


def test_a_plain_and_an_averaged_cell_share_a_computation():
    groups = groups_of(expand(parse(TINY, "tiny.toml")))
    assert [[cell.slug for cell in group.cells] for group in groups] == [
        ["dense", "dense-swa"],
        ["magnitude-l1", "magnitude-l1-swa"],
    ]
    assert [group.members for group in groups] == [4, 4]


def test_training_set_sizes_are_an_axis():
    cells = expand(parse(changed("train = 3", "train = [1, 3]"), "tiny.toml"))
    assert [(cell.label, cell.train_trajectories) for cell in cells[:4]] == [
        ("Dense, 1 trajectory", 1),
        ("Dense, 3 trajectories", 3),
        ("Dense + SWA, 1 trajectory", 1),
        ("Dense + SWA, 3 trajectories", 3),
    ]
    assert {len({cell.train_trajectories for cell in group.cells}) for group in groups_of(cells)} == {1}


def test_two_averages_of_one_type_are_told_apart_by_their_labels():
    averages = '["none", "swa", { type = "swa", start = 0.9, label = "late SWA" }]'
    cells = expand(parse(changed('["none", "swa"]', averages), "tiny.toml"))
    assert [cell.label for cell in cells[:3]] == ["Dense", "Dense + SWA", "Dense + late SWA"]
    assert [cell.average for cell in cells[:3]] == ["none", "swa", "late SWA"]


def test_members_and_seed_can_be_overridden_everywhere():
    spec = parse(TINY + "training = { members = 5, epochs = 7 }\n", "tiny.toml").replaced(members=3, seed=9)
    assert [cell.arguments["members"] for cell in expand(spec)] == [3, 3, 3, 3]
    assert [cell.arguments["epochs"] for cell in expand(spec)] == [12, 12, 7, 7]
    assert {cell.arguments["seed"] for cell in expand(spec)} == {9}


def test_the_resolved_spec_reads_back_as_itself():
    spec = parse(TINY + "model = { hidden = [16] }\naverages = ['ema']\n", "tiny.toml")
    again = parse(to_toml(spec.resolved()), "again.toml")
    assert again.resolved() == spec.resolved()
    assert expand(again) == expand(spec)
    pruning = spec.resolved()["techniques"][1]["technique"][1]
    assert pruning["timing"]["type"] == "cubic"


def test_data_files_are_looked_for_beside_the_spec(tmp_path: Path):
    text = changed('system = "lotka-volterra"', 'files = "a.csv"')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "study.toml").data.files == (str(tmp_path / "a.csv"),)


@pytest.mark.parametrize("table", [ModelSpec, TrainingSpec])
def test_defaults_are_the_estimators(table: type[ModelSpec | TrainingSpec]):
    parameters = inspect.signature(SparseTimeStepper).parameters
    for name, value in table():
        # Which training sets there are is the study's to know.
        if name != "equal_steps":
            assert value == parameters[name].default, name


def test_every_built_in_study_loads_and_is_described():
    studies = list_studies()
    assert "aluminum-quick" in studies
    for name, text in studies.items():
        spec = load(name)
        assert isinstance(spec, AbstractStudySpec)
        assert spec.name == name
        assert 0 < len(text) < 100
        written = to_toml(spec.resolved())
        assert to_toml(parse(written, "again.toml").resolved()) == written


def inline(table: dict[str, Any]) -> str:
    values = [f"{key} = {inline(v) if isinstance(v, dict) else json.dumps(v)}" for key, v in table.items()]
    return f"{{ {', '.join(values)} }}"


ALONE = {name: {"type": name} for name in TECHNIQUES} | {
    "phases": {"type": "phases", "technique": {"type": "l1"}},
    "on": {"type": "on", "where": [0], "technique": {"type": "magnitude"}},
}


@pytest.mark.parametrize("name", TECHNIQUES)
def test_what_is_left_at_its_default_is_the_same_training_when_it_is_read_again(name: str):
    text = TINY[: TINY.index('[[techniques]]\nlabel = "Mag')].replace('["none", "swa"]', '["ema"]')
    first = parse(f"{text}technique = [{inline(ALONE[name])}]\n", "first.toml")
    again = parse(to_toml(first.resolved()), "again.toml")
    (cell,), (other,) = expand(first), expand(again)
    assert other == cell
    fingerprints = [one.estimator().settings().fingerprint() for one in (cell, other)]
    assert fingerprints[0] == fingerprints[1]
