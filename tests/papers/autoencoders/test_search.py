"""Searches of SINDy autoencoders: trials chosen by Optuna, given up at rungs, stopped and resumed."""

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn import studies
from sparsedyn.plotting.style import render
from sparsedyn.studies import publish
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import writing
from sparsedyn.studies.events import CellProgress
from sparsedyn.studies.reading import parse
from sparsedyn.studies.runner import run_as
from sparsedyn.studies.search.page import search_blocks, search_sentences
from sparsedyn.studies.stored import StoredStudy
from sparsedyn.studies.toml import to_toml
from sparsedyn_papers.autoencoders.cells import cells_of
from sparsedyn_papers.autoencoders.kind import kind
from sparsedyn_papers.autoencoders.objective import error_of, objective_of
from sparsedyn_papers.autoencoders.search import search_record
from sparsedyn_papers.autoencoders.searched import terms_of
from sparsedyn_papers.autoencoders.spec import AutoencodersSpec

needs_optuna = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs the extra search")

TOML = """
kind = "autoencoders"
name = "tiny-search"
title = "A search of seconds"

[data]
system = "lifted-lorenz"
train = 6
test = 3
settings = { steps = 40, dimension = 12 }

[model]
widths = [6]

[training]
members = 1
recipe = "as-published"
batch = 40
epochs = 20
every = 10
refinement = 2

[search]
trials = 4
rungs = [0.2, 0.5]

[search.space]
"training.derivative" = { low = 1e-5, high = 1e-1, log = true }
"training.rate" = [1e-3, 1e-2]
"""

PUBLISHED = 'recipe = "as-published"\nbatch = 40\nepochs = 20\nevery = 10\nrefinement = 2\n'

# What is replaced in the study above, by what, the line that the message must name, words it must hold.
BAD = {
    "unquoted": ('"training.rate" =', "training.rate =", 29, ("search.space.training", "needs quotes")),
    "unknown": ('"training.rate"', '"training.rates"', 29, ("Did you mean 'training.rate'?",)),
    "members": ('"training.rate" = [1e-3, 1e-2]', '"training.members" = [1, 2]', 29, ("cannot be searched",)),
    "twice": ("[1e-3, 1e-2]", "[1e-3, 1e-3]", 29, ("expected distinct entries",)),
    "choice": ("[1e-3, 1e-2]", "[1e-3, -1.0]", 29, ("training.rate[2]", "expected more than 0")),
    "empty range": ("high = 1e-1", "high = 1e-6", 28, ("derivative.high", "expected more than low")),
    "logarithm": ("low = 1e-5", "low = 0.0", 28, ("derivative.low", "begins above zero")),
    "end": ("low = 1e-5", "lo = 1e-5", 28, ("derivative.lo", "Did you mean 'low'?")),
    "pruner": ("trials = 4", 'pruner = "halving"', 24, ("'successive-halving', 'median' or 'none'",)),
    "rungs": ("[0.2, 0.5]", "[0.5, 0.2]", 25, ("search.rungs", "increasing")),
    "grid too": ("[search]", '[grid]\n"model.latent" = [1, 2]\n[search]', 25, ("search", "got a [grid] too")),
    "seeds": ("[data]", "seeds = [0, 1]\n[data]", 6, ("seeds", "a trial of a search has one seed")),
    "recipe": (PUBLISHED, "", 23, ("is for recipe", "in [training]")),
}  # fmt: skip


def spec_of(text: str = TOML) -> AutoencodersSpec:
    spec = parse(text, "tiny.toml")
    assert isinstance(spec, AutoencodersSpec)
    return spec


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said_with_its_line(name: str):
    old, new, line, words = BAD[name]
    with pytest.raises(studies.StudyError) as caught:
        parse(TOML.replace(old, new, 1), "tiny.toml")
    message = str(caught.value)
    assert f"line {line}," in message
    for word in words:
        assert word in message


def test_a_search_is_written_and_read_again():
    spec = spec_of(TOML.replace("[1e-3, 1e-2]", "{ low = 1, high = 2 }").replace('"training.rate"', '"model.latent"'))
    assert spec_of(to_toml(spec.resolved())).resolved() == spec.resolved()
    assert spec.dimensions()["model.latent"].model_dump() == {"low": 1, "high": 2, "log": False}
    assert [cell.slug for cell in cells_of(spec)] == ["trial-01", "trial-02", "trial-03", "trial-04"]
    assert spec.replaced(members=3).training.members == 3


def member(decoder: Any, derivative: float, terms: int, **changed: Any) -> dict[str, Any]:
    errors = {"held_out": {"decoder": decoder, "derivative": derivative, "latent": 1e-9}}
    return {"errors": errors, "terms": terms, "alive": True, "bounded": True} | changed


def test_the_objective_weighs_held_out_errors_and_terms():
    assert objective_of([member(0.1, 0.2, 7)]) == pytest.approx(math.log(0.3) + 7 * math.log(1.1))
    # An equation without terms explains nothing: it is no match for one that does.
    assert objective_of([member(1e-3, 1e-3, 7)]) < objective_of([member(1e-3, 1.0, 0)])
    assert objective_of([member(1e-4, 1e-3, 60)]) > objective_of([member(1e-3, 2e-3, 7)])
    assert objective_of([member(0.5, 0.5, 0, bounded=False)]) == pytest.approx(math.log(100))
    assert objective_of([member(None, 1.0, 1), member(1.0, 1.0, 1, alive=False)]) == math.inf
    table = pd.DataFrame({"decoder": [np.nan, 0.5], "derivative": [1.0, 0.5], "terms": [1, 60]})
    assert error_of(table) == pytest.approx(0.0)


def test_without_optuna_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(studies.StudyError, match=r'pip install "sparsedyn\[search\]"'):
        studies.run(spec_of(), tmp_path / "study")


def stored(number: int, state: str, objective: float | None, rungs: list[float]) -> StoredCell:
    values = {"training.derivative": 10.0 ** -(1 + number % 4), "training.rate": (1e-3, 1e-2)[number % 2]}
    errors = {part: {"decoder": 0.01, "derivative": 0.02, "latent": 0.03} for part in ("held_out", "test")}
    members = [{"errors": errors, "terms": 9}] if state == "complete" else []
    found = {"values": values, "state": state, "objective": objective, "rungs": rungs}
    facts = {"label": f"trial {number}", **found, "members": members, "best": 0}
    return StoredCell(f"trial-{number:02d}", facts, {})


def test_trials_are_told_and_drawn():
    spec = spec_of(TOML.replace("trials = 4", "trials = 9"))
    done = [stored(number, "complete", -3.0 - number, [0.5, 0.1]) for number in range(1, 6)]
    cells = [
        *done,
        stored(6, "pruned", None, [0.7]),
        stored(7, "pruned", None, [0.2, 0.4]),
        stored(8, "complete", None, []),
    ]
    study = StoredStudy(spec, {"cells": {"trial-01": {"seconds": 3.0}}}, cells, pd.DataFrame())
    record, terms = search_record(spec, cells), terms_of(study)
    lead, rungs, title, table, picture = search_blocks(record, terms)
    assert "8 trials of weight dx and rate" in lead.markdown
    assert rungs.rows == [
        ["1", "8", "0.2", "0.20", "0", "7"],
        ["2", "7", "0.5", "0.10", "0", "6"],
        ["3", "6", "1", "−8.00", "1", "–"],
    ]
    assert title.markdown == "**All trials**"
    assert [row[0] for row in table.rows] == ["5", "4", "3", "2", "1", "8", "7", "6"]
    assert table.rows[0][3].text == "−8.00"
    assert table.rows[-1][3].note == "rung 1: 0.70, given up"
    assert table.rows[4][-1] == "3.0 s"
    sentences = " ".join(search_sentences(record, terms))
    assert "Of 8 trials, 6 were trained to the end and 2 given up" in sentences
    assert "weight dx 0.01, rate 0.01" in sentences
    assert "By rate, the least objective" in sentences
    assert "The next best trial has −7.00." in sentences
    assert "Rank correlation of the objective with weight dx" in sentences
    assert render(picture.draw(), "png")[0].startswith(b"\x89PNG")
    assert record.best is not None
    assert record.best.number == 5
    # StoredCell trials have no number for what is not finite.
    assert [one.objective for one in record.tried[5:]] == [math.inf] * 3
    nothing = search_record(spec, cells[5:])
    assert "None has a finite objective" in search_sentences(nothing, terms)[0]
    assert render(search_blocks(nothing, terms)[-1].draw(), "png")[0].startswith(b"\x89PNG")


@pytest.mark.slow
@needs_optuna
@pytest.mark.usefixtures("dotted_reports", "hasty_readings")
def test_a_stopped_search_goes_on_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPARSEDYN_CACHE", str(tmp_path / "cache"))
    spec = spec_of()
    studies.run(spec, tmp_path / "whole")
    results = pd.read_parquet(tmp_path / "whole/results.parquet")
    assert list(results["trial"]) == [1, 2, 3, 4]
    assert set(results["state"]) == {"complete", "pruned"}
    assert (results["objective"].notna() == (results["state"] == "complete")).all()
    assert results["rung_1"].notna().all()
    page = (tmp_path / "whole/report.html").read_text()
    assert "All trials" in page
    assert "given up after a share of training" in page
    assert not (tmp_path / "whole/groups").exists()

    def stop_behind_the_first_rung(event: studies.Event) -> None:
        if isinstance(event, CellProgress) and event.number == 1 and "step 40" in event.remark:
            raise KeyboardInterrupt

    target = tmp_path / "stopped"
    with pytest.raises(studies.StudyInterrupted, match="with 0 of 4 cells finished"):
        run_as(kind(every=0.0), spec, target, on_event=stop_behind_the_first_rung)
    assert sorted(p.suffix for p in target.glob("groups/*")) == [".json", ".safetensors"]
    studies.resume(target)
    # What is read off a network of seconds by nearly singular least squares changes with the place of arrays in memory.
    again = pd.read_parquet(target / "results.parquet")
    singular = ["residual", *(name for name in results if name.startswith("parameter_"))]
    pd.testing.assert_frame_equal(again.drop(columns=singular), results.drop(columns=singular), check_exact=True)
    np.testing.assert_allclose(again["residual"], results["residual"], rtol=1e-6)
    # Published from what was kept, the page is the same; its pictures are drawn in other tests.
    monkeypatch.setattr(writing, "drawn", lambda picture: b"")
    publish([target], tmp_path / "pages", results=tmp_path / "kept")
    publish([tmp_path / "kept/tiny-search"], tmp_path / "again")
    assert (tmp_path / "pages/tiny-search.md").read_bytes() == (tmp_path / "again/tiny-search.md").read_bytes()
    monkeypatch.setitem(sys.modules, "optuna", None)
    studies.report(target)
