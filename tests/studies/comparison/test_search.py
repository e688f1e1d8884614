"""Studies that search a grid: what is tried, what goes on, and that a stop changes nothing in the results."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sparsedyn import studies
from sparsedyn.cli import app
from sparsedyn.data import Trajectories, read
from sparsedyn.plotting.style import render
from sparsedyn.studies import runner
from sparsedyn.studies.comparison import search as search_runner
from sparsedyn.studies.comparison.budgets import budgets, cells_of, cost, later_cost
from sparsedyn.studies.comparison.cells import groups_of, points_of
from sparsedyn.studies.comparison.document import document
from sparsedyn.studies.comparison.searched import TERMS, search_record
from sparsedyn.studies.publish.studies import read as read_study
from sparsedyn.studies.reading import parse, stored_spec
from sparsedyn.studies.search.halving import rungs_left
from sparsedyn.studies.search.losses_by_value import losses_by_value
from sparsedyn.studies.search.page import search_blocks
from sparsedyn.studies.search_files import SearchFiles
from sparsedyn.studies.toml import to_toml

pytestmark = pytest.mark.usefixtures("kept_compiled")
Dotted = Callable[[], AbstractContextManager[None]]
TOML = """
name = "small-search"
seed = 3
horizons = [20, 60]

[data]
system = "lotka-volterra"
train = 3
validation = 2
test = 4
steps = 60
dt = 0.2

[training]
members = 2
epochs = 20
batch = 16
clip = inf
select = "last"

[search]
rungs = [{ epochs = 8, train = 2, keep = 0.9 }]

[search.grid]
"model.hidden" = [[4], [6]]
"training.optimizer" = ["sgd"]
"training.learning_rate" = [0.05, 0.001, 9.0]

[[techniques]]
label = "Dense"
"""
LABELS = [f"1 x {width}, sgd, {rate}" for width in (4, 6) for rate in ("0.05", "0.001", "9")]

# What is replaced in the study above, by what, the line that the message must name, words it must hold.
BAD = {
    "unknown key": ('"training.optimizer"', '"training.optimzer"', 26, ("unknown key", "'training.optimizer'")),
    "key of the data": ('"training.optimizer"', '"data.steps"', 26, ("unknown key", "training.batch")),
    "unknown value": ('["sgd"]', '["sgd", "adma"]', 26, ("training.optimizer[2]", "one of adam", "'adam'")),
    "negative rate": ("0.001, 9.0", "-0.001, 9.0", 27, ("learning_rate[2]", "more than 0", "-0.001")),
    "same value": ("0.001, 9.0", "0.001, 0.001", 27, ("distinct", "0.001 twice")),
    "no quotes": ('"training.optimizer"', "training.optimizer", 26, ("quotes", '"training.optimizer" = [...]')),
    "no list": ('["sgd"]', '"sgd"', 26, ("a list in brackets", 'Write ["sgd"]')),
    "members": (
        '"training.optimizer" = ["sgd"]',
        '"training.members" = [2]',
        26,
        ("cannot be searched", "a rung says"),
    ),
    "nothing to try": (TOML[TOML.index('"model.hidden"') : TOML.index("[[tech")], "", 24, ("there are none",)),
    "share of all": ("keep = 0.9", "keep = 1.0", 22, ("rungs[1].keep", "less than 1")),
    "too many trajectories": ("train = 2", "train = 4", 22, ("rungs[1].train", "at most the 3", "got 4")),
    "no rungs": ("[{ epochs = 8, train = 2, keep = 0.9 }]", "[]", 22, ("search.rungs", "at least one")),
    "rungs left out": ("rungs = [{ epochs = 8, train = 2, keep = 0.9 }]", "", 21, ("search.rungs", "Add e.g. rungs")),
    "other weights": ('select = "last"\n', "", 14, ("training.select", 'Write select = "last"')),
    "no validation": ("validation = 2", "validation = 0", 9, ("data.validation", "at least 1")),
    "averages": ("seed = 3", 'seed = 3\naverages = ["swa"]', 4, ("averages", "as trained")),
    "several sizes": ("train = 3", "train = [1, 3]", 8, ("data.train", "one set")),
    "one folder": (
        "0.001, 9.0",
        "0.001, 0.0010000001",
        27,
        ("grid.training.learning_rate[3]", "folder", "1-x-4-sgd-0-001"),
    ),
    "two techniques": ('label = "Dense"', 'label = "Dense"\n[[techniques]]\nlabel = "B"', 31, ("one technique",)),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, dotted: Dotted) -> tuple[Path, list[studies.Event]]:
    """The search, run whole and without interruption, and what it told."""
    directory = tmp_path_factory.mktemp("search") / "out"
    events: list[studies.Event] = []
    with dotted():
        studies.run(parse(TOML, "a.toml"), directory, on_event=events.append)
    return directory, events


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_line(case: str):
    old, new, line, words = BAD[case]
    assert TOML.count(old) == 1
    with pytest.raises(studies.StudyError) as caught:
        parse(TOML.replace(old, new), "a.toml")
    assert str(caught.value).startswith(f"a.toml, line {line}, ")
    assert all(word in str(caught.value) for word in words), caught.value


TABLES = """
[[claims]]
source = "P"
claim = "c"
comparisons = [{ lower = "1 x 4, sgd, 0.05", higher = "1 x 6, sgd, 9" }]

[[panels]]
title = "t"
cells = ["1 x 4, sgd, 0.05"]

[published]
source = "P"
horizons = [20]
rows = [{ cell = "1 x 6, sgd, 9", diverged = [3.0] }]
"""


def test_claims_panels_and_published_figures_name_combinations():
    spec = parse(TOML + TABLES, "a.toml")
    assert spec.panels[0].cells == ("1 x 4, sgd, 0.05",)
    for place in ('lower = "1 x 4, sgd, 0.05"', 'cells = ["1 x 4, sgd, 0.05"]', 'cell = "1 x 6, sgd, 9"'):
        wrong = TABLES.replace(place, place.replace(place[place.index('"') : place.rindex('"') + 1], '"Dense"'))
        with pytest.raises(studies.StudyError, match=r"a\.toml, line \d+, .*got 'Dense'\. Its cells: '1 x 4, sgd, 0"):
            parse(TOML + wrong, "a.toml")


def test_a_message_does_not_list_hundreds_of_combinations():
    rates = ", ".join(f"{i / 1000}" for i in range(1, 301))
    with pytest.raises(studies.StudyError) as caught:
        parse((TOML + TABLES.replace("1 x 4, sgd, 0.05", "Dense")).replace("0.05, 0.001, 9.0", rates), "a.toml")
    assert "... (600 in all)." in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_search_is_written_and_read_again():
    spec = parse(TOML, "a.toml")
    assert parse(to_toml(spec.resolved()), "b.toml") == spec


def test_the_grid_is_crossed_and_what_shares_shapes_is_trained_together():
    spec = parse(TOML, "a.toml")
    points = points_of(spec)
    assert [point.label for point in points] == LABELS
    first, last = budgets(spec)
    assert (first.epochs, first.train, first.members, first.keep) == (8, 2, 1, 0.9)
    assert (last.epochs, last.train, last.members, last.keep) == (20, 3, 2, None)
    cells = cells_of(spec, points, first)
    assert cells[4].arguments["hidden"] == (6,)
    assert cells[4].arguments["learning_rate"] == 0.001
    assert (cells[4].arguments["epochs"], cells[4].arguments["members"], cells[4].train_trajectories) == (8, 1, 2)
    assert [len(group.cells) for group in groups_of(cells)] == [3, 3]


def test_members_given_at_the_command_line_are_those_of_the_last_rung():
    first, last = budgets(parse(TOML, "a.toml").replaced(members=7))
    assert (first.members, last.members) == (1, 7)


def test_the_grid_of_haugstvedt():
    spec = studies.load("haugstvedt2023-grid")
    points = points_of(spec)
    assert len(points) == 864
    assert len(groups_of(cells_of(spec, points, budgets(spec)[0]))) == 144
    assert points[0].label == "2 x 15, adam, 0.1, batch 32"
    assert rungs_left(864, [budget.keep for budget in budgets(spec)]) == [864, 108, 27, 6]


@pytest.mark.slow
def test_a_finished_search_has_its_tables_and_the_cells_that_were_left(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    files = {path.relative_to(directory).as_posix() for path in (directory / "search").rglob("*")}
    assert files == {"search/rung-1.parquet", "search/rung-2.parquet"}
    assert not list((directory / "groups").iterdir())
    first, second = SearchFiles(directory).rungs()
    assert sorted(first["label"]) == sorted(LABELS)
    assert set(second["label"]) == set(first.loc[first["kept"], "label"])
    assert all(len(values) == 1 for values in first["validation"])
    assert all(len(values) == 2 for values in second["validation"])
    results = pd.read_parquet(directory / "results.parquet")
    assert list(dict.fromkeys(results["cell"])) == second["label"].tolist()
    assert set(results["members"]) == {2}
    table = pd.read_parquet(directory / "search.parquet")
    assert table["label"].tolist()[: len(second)] == second["label"].tolist()
    assert len(table) == 6


@pytest.mark.slow
def test_the_record_says_how_far_every_combination_came(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    record = search_record(parse(TOML, "a.toml"), read_study(directory).tables)
    assert record is not None
    assert [one.label for one in record.tried] == LABELS
    assert [one.state for one in record.tried] == ["complete", "complete", "pruned"] * 2
    assert [len(one.rungs) for one in record.tried] == [2, 2, 1, 2, 2, 1]
    table = pd.read_parquet(directory / "search.parquet")
    assert record.best is not None
    assert (record.best.label, record.best.objective) == (table["label"][0], table["loss"][0])
    assert record.best.spread == (min(table["validation"][0]), max(table["validation"][0]))
    assert record.rungs[0] == {"epochs": 8, "trajectories": 2, "networks of each": 1}


@pytest.mark.slow
def test_a_learning_rate_that_blows_up_is_dropped(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    first = SearchFiles(directory).rungs()[0]
    fast = first["training.learning_rate"] == 9.0
    assert np.isinf(first.loc[fast, "loss"]).all()
    # A share of 0.9 would have kept all six.
    assert first["kept"].tolist() == (~fast).tolist()


@pytest.mark.slow
def test_the_loss_is_that_of_the_stored_networks(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    best = SearchFiles(directory).rungs()[-1].iloc[0]
    (history,) = [
        pd.read_parquet(path.parent / "history.parquet")
        for path in (directory / "cells").glob("*/cell.json")
        if f'"label": "{best["label"]}"' in path.read_text(encoding="utf-8")
    ]
    last = history[history["step"] == history["step"].max()]
    np.testing.assert_array_equal(best["validation"], last["validation"])


def test_the_search_is_not_given_the_test_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    given: list[Trajectories] = []

    class Chosen(Exception):
        pass

    def stop(search: search_runner.GridSearch) -> None:
        given.extend((search.train, search.validation))
        raise Chosen

    monkeypatch.setattr(search_runner.GridSearch, "choose", stop)
    with pytest.raises(Chosen):
        studies.run(parse(TOML, "a.toml"), tmp_path / "out")
    # Trajectories to train on and to validate; those to test are four.
    assert [len(part) for part in given] == [3, 2]


@pytest.mark.slow
def test_the_estimate_grows_with_the_work_and_ends_at_the_whole(finished: tuple[Path, list[studies.Event]]):
    directory, events = finished
    progress = [event for event in events if isinstance(event, studies.GroupProgress)]
    shares = [event.done / event.total for event in progress]
    assert shares == sorted(shares)
    assert progress[-1].done == progress[-1].total
    spec = parse(TOML, "a.toml")
    data = (read(directory / "data" / "train.npz"), read(directory / "data" / "validation.npz"))
    first, last = budgets(spec)
    groups = groups_of(cells_of(spec, points_of(spec), first))
    assert later_cost(groups, 6, [last], *data) > sum(cost(group, first, *data) for group in groups)


@pytest.mark.slow
def test_events_name_the_rungs(finished: tuple[Path, list[studies.Event]]):
    _, events = finished
    started = [event for event in events if isinstance(event, studies.GroupStarted)]
    assert started[0].labels == ("rung 1 of 2: 1 x 4, sgd (3 combinations)",)
    assert (started[0].number, started[0].groups, started[0].members) == (1, 2, 3)
    assert started[-1].labels == ("rung 2 of 2: 1 x 6, sgd (2 combinations)",)


@pytest.mark.slow
def test_the_report_tells_of_the_search(finished: tuple[Path, list[studies.Event]]):
    directory, _ = finished
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert '<a href="#search">The search</a>' in page
    assert (directory / "figures" / "search.png").is_file()
    record = search_record(parse(TOML, "a.toml"), read_study(directory).tables)
    assert record is not None
    lead, rungs, title, best, _, picture = search_blocks(record, TERMS)
    assert "No test trajectory was read for this choice" in lead.markdown
    assert title.markdown == "**All combinations**"
    assert [row[:5] + row[6:] for row in rungs.rows] == [
        ["1", "6", "8", "2", "1", "2", "4"],
        ["2", "4", "20", "3", "2", "0", "–"],
    ]
    assert [row[0] for row in best.rows] == list("123456")
    assert [row[4].note.endswith("given up") for row in best.rows] == [False] * 4 + [True] * 2
    assert picture.name == "search"
    assert len(*render(picture.draw(), "png")) > 1000


@pytest.mark.slow
def test_a_study_without_a_search_has_no_such_section(finished: tuple[Path, list[studies.Event]]):
    page = document(replace(read_study(finished[0]), tables={}))
    assert [section.blocks for section in page.sections if section.anchor == "search"] == []


def test_the_picture_counts_what_is_lost():
    loss = np.array([0.1, 0.5, np.inf, 50.0, np.nan, np.inf])
    figure = losses_by_value({"batch size": list("112222")}, loss, np.array([True] + [False] * 5))
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == ["4 lost"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2"]


def contents(directory: Path) -> dict[str, bytes]:
    """The results of a study and everything they are made from."""
    kinds = ("*.parquet", "*.json", "*.npz", "*.safetensors")
    files = [path for kind in kinds for path in directory.rglob(kind) if path.name != "run.json"]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in sorted(files)}


def stopping(at: Callable[[studies.Event], bool]) -> Callable[[studies.Event], None]:
    """Stop at the first event of a kind."""

    def hear(event: studies.Event) -> None:
        if at(event):
            raise KeyboardInterrupt

    return hear


@pytest.mark.slow
def test_stops_change_nothing(
    finished: tuple[Path, list[studies.Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole_run, _ = finished
    monkeypatch.setattr(runner, "write_report", lambda document, directory: directory / "report.html")
    directory, spec = tmp_path / "out", parse(TOML, "a.toml")
    fits = []
    fit = search_runner.fit_together
    monkeypatch.setattr(search_runner, "fit_together", lambda *a, **k: (fits.append(1), fit(*a, **k)))

    def second_group(steps: int) -> Callable[[studies.Event], bool]:
        """Whether training is under way in the second group of the rung with so many steps."""

        def holds(event: studies.Event) -> bool:
            is_there = isinstance(event, studies.GroupProgress) and event.number == 2
            return is_there and event.training.steps == steps and event.training.step > 3

        return holds

    with pytest.raises(studies.StudyInterrupted, match="0 of 2 rungs"):
        studies.run(spec, directory, on_event=stopping(second_group(8 * 7)))
    assert [path.name for path in (directory / "search" / "rung-1").iterdir()] == ["group-01.parquet"]
    assert len(fits) == 2
    with pytest.raises(studies.StudyError, match="at least one finished cell"):
        studies.report(directory)
    with pytest.raises(studies.StudyInterrupted, match="1 of 2 rungs"):
        studies.resume(directory, on_event=stopping(second_group(20 * 11)))
    # The first rung's second group, and both of the last.
    assert len(fits) == 2 + 1 + 2
    with pytest.raises(studies.StudyInterrupted, match="1 of 4 cells"):
        studies.resume(directory, on_event=stopping(lambda event: isinstance(event, studies.CellFinished)))
    events: list[studies.Event] = []
    studies.resume(directory, on_event=events.append)
    assert not any(isinstance(event, studies.GroupStarted) for event in events)
    assert contents(directory) == contents(whole_run)
    assert stored_spec(directory) == spec


@pytest.mark.slow
def test_a_search_in_which_everything_blows_up_says_so(tmp_path: Path):
    bad = TOML.replace("[0.05, 0.001, 9.0]", "[9.0]").replace("[[4], [6]]", "[[4]]")
    with pytest.raises(studies.StudyError, match="no combination came through rung 1"):
        studies.run(parse(bad, "a.toml"), tmp_path / "out")


@pytest.mark.slow
def test_the_command_line_shows_a_search_and_its_result(
    finished: tuple[Path, list[studies.Event]], monkeypatch: pytest.MonkeyPatch
):
    directory, _ = finished
    monkeypatch.setattr(runner, "write_report", lambda document, directory: directory / "report.html")
    shown = CliRunner().invoke(app, ["study", "show", "haugstvedt2023-grid"])
    assert shown.exit_code == 0
    assert shown.stdout.startswith("# 864 combinations: 12 model.hidden x 3 training.optimizer x ")
    assert "#   rung 2: 108 x 1 network, 3 epochs over 40 trajectories" in shown.stdout
    assert len(parse(shown.stdout, "shown.toml").search.rungs) == 3
    told = CliRunner().invoke(app, ["study", "show", "haugstvedt2023-grid", "--json"])
    assert [rung["combinations"] for rung in json.loads(told.stdout)["rungs"]] == [864, 108, 27, 6]
    result = CliRunner().invoke(app, ["study", "report", str(directory)])
    assert result.exit_code == 0
    assert "The best of 6 combinations by validation loss" in result.stdout
    assert result.stdout.count("1 x 4, sgd, 0.05") == 2
    content = json.loads(CliRunner().invoke(app, ["study", "report", str(directory), "--json"]).stdout)
    assert len(content["search"]) == 6
    assert content["search"][-1]["loss"] is None
