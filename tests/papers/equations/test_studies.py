"""Studies of equation learners: suites, the criterion, and whole studies in small, stopped and gone on with."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sparsedyn import studies
from sparsedyn.cli import app
from sparsedyn.cli.study_progress import words
from sparsedyn.equations import parsed
from sparsedyn.studies import publish
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.reading import parse
from sparsedyn.studies.store import Store
from sparsedyn_papers.benchmarks.functions import Function
from sparsedyn_papers.benchmarks.strogatz import SYSTEMS
from sparsedyn_papers.equations import composite, functions_report
from sparsedyn_papers.equations.criterion import assessed, skeleton
from sparsedyn_papers.equations.kind import EQUATIONS
from sparsedyn_papers.equations.samples import sampled
from sparsedyn_papers.equations.spec import FunctionsSpec
from sparsedyn_papers.equations.suites import SUITES
from sparsedyn_papers.kim2019 import as_published
from sparsedyn_papers.kim2019.digits import DigitsResult, DigitsTrial
from sparsedyn_papers.kim2019.propagation import PropagationResult, PropagationTrial

FUNCTIONS = {function.name: function for suite in SUITES.values() for function in suite}
TOML = """
kind = "equations"
name = "tiny"
title = "A study of seconds"

[functions]
suite = "table5"
functions = ["x", "x^2"]
primitives = { constant = 1, identity = 1, square = 1, product = 1 }
points = 32
held_out = 16
regularizers = ["l05"]
trials = 2
networks = 2
generations = 1
steps = 20
"""

# What is replaced in the study above, by what, the line that the message must name, words it must hold.
BAD = {
    "kind": ('"equations"', '"equation"', 2, ("kind", "expected one of 'comparison', 'equations'")),
    "no experiment": (TOML[TOML.index("[functions]") :], "", 1, ("[functions], [digits], [propagation]", "got none")),
    "two experiments": ("[functions]", "[digits]\n[functions]", 6, ("got [functions] and [digits]",)),
    "suite": ('"table5"', '"table4"', 7, ("functions.suite", "Did you mean 'table5'?")),
    "function": ('"x^2"', '"x^4"', 8, ("functions[2]", "expected functions of the suite 'table5'")),
    "unknown key": ("trials", "trails", 13, ("unknown key", "Did you mean 'trials'?")),
    "primitive": ("square", "squared", 9, ("functions.primitives", "unknown primitive 'squared'")),
    "count": ("identity = 1", "identity = 0", 9, ("at least 1",)),
    "text": ("points = 32", 'points = "32"', 10, ("a whole number", "without quotes")),
    "empty range": ("points = 32", "domain = [1, -1]", 10, ("low < high", "[1, -1]")),
    "regularizer": ('["l05"]', '["l1"]', 12, ("regularizers[1]", "'l05' or 'l0'")),
    "networks as published": ("networks = 2", 'networks = 2\nrecipe = "as-published"', 14, ('recipe = "search"',)),
    "noise": ("points = 32", "noise = -0.1", 10, ("at least 0",)),
}

# Right-hand sides as they stand in the literature.
RIGHT: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "bacterial respiration": lambda x, y: (20 - x - x * y / (1 + 0.5 * x**2), 10 - x * y / (1 + 0.5 * x**2)),
    "bar magnets": lambda a, b: (0.5 * np.sin(a - b) - np.sin(a), 0.5 * np.sin(b - a) - np.sin(b)),
    "glider": lambda v, a: (-0.05 * v**2 - np.sin(a), v - np.cos(a) / v),
    "Lotka-Volterra competition": lambda x, y: (3 * x - 2 * x * y - x**2, 2 * y - x * y - y**2),
    "predator and prey": lambda x, y: (x * (4 - x - y / (1 + x)), y * (x / (1 + x) - 0.075 * y)),
    "shear flow": lambda a, b: (np.cos(a) / np.tan(b), (np.cos(b) ** 2 + 0.1 * np.sin(b) ** 2) * np.sin(a)),
    "van der Pol": lambda x, y: (10 * (y - (x**3 - x) / 3), -x / 10),
}


def columns_of(function: Function, count: int = 400) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(*box, count) for name, box in zip(function.inputs, function.beyond, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_trajectories_follow_their_equations(name: str):
    system = dataclasses.replace(SYSTEMS[name], span=0.01)
    states = system.trajectories()
    assert states.shape == (4, 100, 2)
    slopes = (states[:, 2:] - states[:, :-2]) / (2 * 0.01 / 99)
    expected = np.stack(RIGHT[name](states[:, 1:-1, 0], states[:, 1:-1, 1]), axis=-1)
    np.testing.assert_allclose(slopes, expected, rtol=1e-4, atol=1e-4)
    for function, i in ((f, i) for i, f in enumerate(f for f in SUITES["strogatz"] if f.system is SYSTEMS[name])):
        np.testing.assert_allclose(function.values(states[:, 1:-1].reshape(-1, 2)), expected[..., i].ravel())
        whole = SYSTEMS[name].trajectories()
        for values, (low, high) in zip(np.moveaxis(whole, -1, 0), function.beyond, strict=True):
            assert low <= values.min()
            assert values.max() <= high


@pytest.mark.slow
def test_suites_have_what_they_should():
    assert [len(SUITES[name]) for name in ("table5", "three-layers", "own", "strogatz")] == [10, 1, 20, 14]
    table5 = SUITES["table5"]
    assert np.mean([f.published["l05"] for f in table5]) == pytest.approx(0.435)
    assert np.mean([f.published["l0"] for f in table5]) == pytest.approx(0.70)
    for function in FUNCTIONS.values():
        columns = columns_of(function)
        assert np.isfinite(function.values(np.stack(list(columns.values()), axis=1))).all()
        found = assessed(function.truth, function.truth, columns)
        assert found.success
        assert found.right
        for inner, outer in zip(function.domain, function.beyond, strict=True):
            assert outer[0] <= inner[0]
            assert inner[1] <= outer[1]


@pytest.mark.parametrize(
    ("name", "found", "success", "right"),
    [
        ("x^3", "1.0000001*x**3", True, True),
        ("x^3", "1.003*x**3 + 0.02", True, True),
        ("x^3", "1.04*x**3", False, True),
        ("x^3", "1.06*x**3", False, False),
        ("x^3", "x**3 + 0.2*x", False, False),
        # Small, but there: the truth has no such term.
        ("x^3", "0.975*x**3 + 0.0914*x", False, False),
        ("x^3", "x**3 + 1e-9*sin(3*x)", True, True),
        ("x^2 + y - 2 z", "1.001*x**2 + 1.001*y - 1.999*z + 0.06*x", False, False),
        ("exp(-x^2)", "0.999999*exp(-1.0000002*x**2)", True, True),
        ("sin(2 pi x)", "sin(6.2831853*x)", True, True),
        ("x y", "0.25*(x + y)**2 - 0.25*(x - y)**2", True, True),
        ("shear flow, phi'", "sin(theta)*(0.551 + 0.4501*cos(2*phi))", True, True),
        ("addition of velocities", "(x0 + x1)/(1.01 + 0.99*x0*x1)", False, True),
        ("x", "sqrt(x)", False, False),
        ("x", "0", False, False),
    ],
)
def test_the_criterion(name: str, found: str, success: bool, right: bool):
    function = FUNCTIONS[name]
    own = assessed(parsed(found, function.inputs), function.truth, columns_of(function))
    assert (own.success, own.right) == (success, right), own


def test_structures_leave_constants_out():
    same = ("2.5*sin(3*x + 1)*y", "y*sin(0.1*x - 4)")
    assert skeleton(parsed(same[0], "xy")) == skeleton(parsed(same[1], "xy"))
    others = ("sin(3*x)*y", "sin(3*x + 1)", "cos(3*x + 1)*y", "sin(3*x**2 + 1)*y", "x*sin(3*x + 1)*y")
    assert len({skeleton(parsed(text, "xy")) for text in (*same, *others)}) == 6


def test_samples_know_nothing_of_what_lies_beyond():
    function = FUNCTIONS["x y"]
    settings = FunctionsSpec(suite="table5", noise=0.1, points=400)
    data = sampled(function, settings, seed=0, data_seed=1)
    assert [len(part.x) for part in data[:2]] == [400, 128]
    assert np.abs(data.train.x).max() < 1
    assert max(np.abs(column).max() for column in data.beyond.values()) > 1.9
    clean = function.values(data.train.x)
    assert np.std(data.train.dx[:, 0] - clean) / np.sqrt(np.mean(clean**2)) == pytest.approx(0.1, rel=0.15)
    wider = sampled(function, settings.model_copy(update={"extrapolation": (-9.0, 9.0)}), seed=0, data_seed=1)
    for own, other in zip(data.train + data.held_out, wider.train + wider.held_out, strict=True):
        np.testing.assert_array_equal(own, other)
    assert not np.array_equal(sampled(function, settings, seed=0, data_seed=2).train.x, data.train.x)
    points = np.concatenate([part.x for part in sampled(FUNCTIONS["glider, v'"], settings, seed=0, data_seed=0)[:2]])
    assert len(np.unique(points, axis=0)) == 400


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_line(case: str):
    old, new, line, said = BAD[case]
    assert TOML.count(old) == 1
    with pytest.raises(studies.StudyError) as caught:
        parse(TOML.replace(old, new), "a.toml")
    assert str(caught.value).startswith(f"a.toml, line {line}, ")
    assert all(word in str(caught.value) for word in said), caught.value


def test_built_in_studies_have_their_cells():
    counts = {
        "kim2019-table5": 20,
        "kim2019-table5-noise": 20,
        "kim2019-three-layers": 2,
        "kim2019-as-published": 20,
        "kim2019-digits": 1,
        "kim2019-kinematics": 1,
        "kim2019-oscillator": 1,
        "strogatz": 14,
        "strogatz-noise": 14,
        "twenty-laws": 20,
    }
    for name, count in counts.items():
        spec = studies.load(name)
        cells = EQUATIONS.cells(spec, Store(Path()))
        assert (spec.name, len(cells), len({cell.slug for cell in cells})) == (name, count, count)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[studies.Event]]:
    directory = tmp_path_factory.mktemp("equations") / "out"
    events: list[studies.Event] = []
    studies.run(parse(TOML, "a.toml"), directory, on_event=events.append)
    return directory, events


@pytest.mark.slow
def test_a_study_tells_what_it_does_and_leaves_results(finished: tuple[Path, list[studies.Event]]):
    directory, events = finished
    kinds = [type(event) for event in events if not isinstance(event, studies.CellProgress)]
    each = [studies.CellStarted, studies.CellStored]
    assert kinds == [*each, *each, studies.ReportStarted, studies.StudyFinished]
    assert all(words(event) for event in events if not isinstance(event, studies.CellProgress))
    results = pd.read_parquet(directory / "results.parquet")
    assert list(results["cell"]) == ["x, L0.5", "x^2, L0.5"]
    assert list(results["published"]) == [1.0, 0.6]
    assert (results["share"] == results["reached"] / 2).all()
    page = (directory / "report.html").read_text()
    for text in ("A study of seconds", "The automatic choice found", "of all trials found theirs", "1 of 1"):
        assert text in page
    for cell in ("01-x-l05-0", "02-x-2-l05-0"):
        facts = json.loads((directory / "cells" / cell / "cell.json").read_text())
        assert len(facts["trials"]) == 2
        assert facts["chosen"] == int(np.argmin([trial["score"] for trial in facts["trials"]]))


@pytest.mark.slow
def test_a_study_goes_on_after_a_stop_to_the_same_results(finished: tuple[Path, list[studies.Event]], tmp_path: Path):
    directory, _ = finished

    def stop(event: studies.Event) -> None:
        if isinstance(event, studies.CellStarted) and event.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(studies.StudyInterrupted, match="with 1 of 2 cells finished"):
        studies.run(parse(TOML, "a.toml"), tmp_path, on_event=stop)
    done = tmp_path / "cells" / "01-x-l05-0" / "cell.json"
    before = done.stat().st_mtime_ns
    # What is there can be shown, and another study has no place there.
    assert studies.report(tmp_path).is_file()
    with pytest.raises(studies.StudyError, match="differs in seed"):
        studies.run(parse(TOML, "a.toml"), tmp_path, seed=1)
    studies.resume(tmp_path)
    assert done.stat().st_mtime_ns == before
    for name in (
        "results.parquet",
        "cells/02-x-2-l05-0/cell.json",
        "cells/02-x-2-l05-0/arrays.npz",
        "figures/found.png",
    ):
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes()
    (done.with_name("arrays.npz")).unlink()
    with pytest.raises(studies.StudyError, match="Remove the folder cells/01-x-l05-0"):
        studies.resume(tmp_path)


@pytest.mark.usefixtures("dotted_reports")
@pytest.mark.slow
def test_as_published_counts_what_is_not_finite_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = as_published.fit
    calls: list[int] = []

    def some_die(*args: object, **kwargs: object) -> object:
        found = own(*args, **kwargs)
        calls.append(1)
        return found._replace(alive=np.asarray([len(calls) > 1, True]))

    monkeypatch.setattr(as_published, "fit", some_die)
    toml = TOML.replace("networks = 2\ngenerations = 1\n", 'recipe = "as-published"\n').replace('["x", "x^2"]', '["x"]')
    studies.run(parse(toml, "a.toml"), tmp_path)
    (row,) = pd.read_parquet(tmp_path / "results.parquet").to_dict("records")
    assert len(calls) == 2
    assert row["not_finite"] == 1
    facts = json.loads((tmp_path / "cells" / "01-x-l05-0" / "cell.json").read_text())
    assert [trial["finite"] for trial in facts["trials"]] == [False, True]
    assert facts["chosen"] == 1
    assert list(facts["restarted"]) == ["0"]
    assert "did not end finite" in (tmp_path / "report.html").read_text()


def digits_result() -> DigitsResult:
    rng = np.random.default_rng(0)
    digit = (rng.integers(0, 10, 40).astype(float), rng.integers(0, 10, 30).astype(float))
    wanted = (rng.integers(0, 19, 50).astype(float), rng.integers(0, 19, 50).astype(float))
    eql = DigitsTrial("eql", 0, 0.1, (0.95, 0.9), (0.9, 0.85), (0.1, 0.2), 0.99, 3, "1.5*z1 + 1.5*z2 + 9")
    relu = DigitsTrial("relu", 0, 0.1, (0.95, 0.9), (0.0, 0.01), (0.1, 0.2), float("nan"), 99, "")
    latent = tuple(0.2 * d - 1 for d in digit)
    return DigitsResult((eql, relu), {"eql": eql, "relu": relu}, latent, digit, wanted, wanted)


def propagation_result() -> PropagationResult:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(5, 21, 2))
    curves = {"true": truth, "eql": truth + 0.01, "relu": truth + np.linspace(0, 9, 21)[:, None]}
    errors = {"eql": np.full(21, 0.01), "relu": np.where(np.arange(21) > 10, np.inf, 1.0)}
    eql = PropagationTrial("eql", 0, 0.1, 0.01, 0.01, 0.01, -0.9995, 4, ("u + v", "v + z"))
    relu = PropagationTrial("relu", 0, 0.1, 1.0, 1.0, float("inf"), 0.5, 99, ())
    parameter = (rng.uniform(size=8), rng.uniform(size=9))
    chosen = {"eql": eql, "relu": relu}
    return PropagationResult((eql, relu), chosen, parameter, parameter, curves, errors, np.arange(21.0), 5)


@pytest.mark.usefixtures("dotted_reports")
@pytest.mark.slow
def test_studies_inside_larger_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def digits(images: object, setting: object, *, trials: int, seed: int) -> DigitsResult:
        asked.append((trials, seed))
        return digits_result()

    monkeypatch.setattr(composite, "digits_experiment", digits)
    monkeypatch.setattr(composite, "propagation_experiment", lambda setting, *, trials, seed: propagation_result())
    runner = CliRunner()
    for table, texts in (
        ("[digits]\ntrials = 1\nseeds = [0, 4]", ("85.0 %", "y = 1.5*z1 + 1.5*z2 + 9", "83.0 %")),
        (
            '[propagation]\nsystem = "kinematics"\ntrials = 1',
            ("u' = u + v; v' = v + z", "−0.99950", "After 20 steps"),
        ),
    ):
        path = tmp_path / "study.toml"
        path.write_text(f'kind = "equations"\nname = "small"\n{table}\n')
        folder = tmp_path / table[1:7]
        result = runner.invoke(app, ["study", "run", str(path), "-o", str(folder), "--quiet"])
        assert result.exit_code == 0, result.output
        page = (folder / "report.html").read_text()
        assert all(text in page for text in texts), [text for text in texts if text not in page]
        results = pd.read_parquet(folder / "results.parquet")
        assert "Report:" in result.stdout
        assert results["equation"].iloc[0] in (texts[1], "u' = u + v; v' = v + z")
        published_again(folder, tmp_path / f"pages {table[1:7]}")
    assert asked == [(1, 0), (1, 4)]


@pytest.mark.usefixtures("dotted_reports")
@pytest.mark.slow
def test_the_command_line(tmp_path: Path, finished: tuple[Path, list[studies.Event]]):
    runner = CliRunner()
    shown = runner.invoke(app, ["study", "show", "kim2019-table5"])
    assert "# 20 cells, one after the other:" in shown.stdout
    assert parse(shown.stdout, "a.toml") == studies.load("kim2019-table5")
    assert json.loads(runner.invoke(app, ["study", "show", "strogatz", "--json"]).stdout)["cells"][0].endswith(
        "x', L0.5"
    )
    for option, message in ((("--members", "3"), "its cells have trials"), (("--mnist", "there"), "Leave --mnist out")):
        refused = runner.invoke(app, ["study", "run", "kim2019-table5", "-o", str(tmp_path / "o"), *option])
        assert refused.exit_code == 4
        assert message in refused.stderr.replace("\n", " ")
    missing = runner.invoke(
        app, ["study", "run", "kim2019-digits", "-o", str(tmp_path / "o"), "--mnist", str(tmp_path)]
    )
    assert missing.exit_code == 3
    assert "train-images-idx3-ubyte" in missing.stderr
    again = runner.invoke(app, ["study", "report", str(finished[0]), "--json"])
    assert [row["cell"] for row in json.loads(again.stdout)["results"]] == ["x, L0.5", "x^2, L0.5"]
    published = runner.invoke(app, ["study", "publish", str(finished[0]), "-o", str(tmp_path / "p")])
    assert published.stdout.split()[0] == str(tmp_path / "p" / "tiny.md")


def published_again(directory: Path, room: Path) -> str:
    """Publish a study, and again from what was kept of it, which must give the same; return its page."""
    publish([directory], room / "pages", results=room / "kept")
    (kept,) = (room / "kept").iterdir()
    publish([kept], room / "again", results=room / "kept again")
    for first, second in (("pages", "again"), ("kept", "kept again")):
        assert contents_of(room / first) == contents_of(room / second)
    (page,) = (path for path in (room / "pages").glob("*.md") if path.stem != "claims")
    text = page.read_text()
    linked = set(re.findall(r"\]\(([^)]*\.png)\)", text))
    assert linked == {str(path.relative_to(page.parent)) for path in page.parent.rglob("*.png")}
    assert all(text.count(link) == 2 for link in linked)
    # A table's rows are as long as its head.
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
    return text


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("dotted_reports")
@pytest.mark.slow
def test_pages_say_what_reports_say(finished: tuple[Path, list[studies.Event]], tmp_path: Path):
    directory, _ = finished
    before = contents_of(directory)
    text = published_again(directory, tmp_path)
    assert contents_of(directory) == before
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[:4] == ["In short", "What was run", "Results", "The equations that were chosen"]
    assert "The automatic choice found **" in text
    assert headings[-1] == "What the numbers mean"
    assert "```\nsparsedyn study run tiny.toml\n```\n\nSeed 0; 2 functions, 2 trials with L0.5" in text
    assert "Wall time" in text
    rows = {row["function"]: row for row in pd.read_parquet(directory / "results.parquet").to_dict("records")}
    for name, share in (("x", "100 %"), ("x^2", "60.0 %")):
        assert f"| `{name}` | {rows[name]['reached']} of 2 | {share} |" in text
        assert f"`{rows[name]['equation']}`" in text
    kept = tmp_path / "kept" / "tiny"
    assert studies.report(kept).is_file()
    assert (kept / "results.parquet").read_bytes() == (directory / "results.parquet").read_bytes()
    assert str(directory.parent) not in (kept / "run.json").read_text()


@pytest.mark.slow
def test_studies_that_cannot_be_published_are_refused(finished: tuple[Path, list[studies.Event]], tmp_path: Path):
    directory, _ = finished
    copy = shutil.copytree(directory, tmp_path / "copy")
    with pytest.raises(studies.StudyError, match=r"expected studies of different names.*also 'tiny'"):
        publish([directory, copy], tmp_path / "pages")
    (copy / "cells" / "02-x-2-l05-0" / "cell.json").unlink()
    with pytest.raises(studies.StudyError, match=r"1 of 2 cells are missing, the first is 'x\^2, L0.5'"):
        publish([copy], tmp_path / "pages")
    with pytest.raises(studies.StudyError, match="a new folder or one kept before"):
        publish([directory], tmp_path / "pages", results=shutil.copytree(directory, tmp_path / "k" / "tiny").parent)
    assert not (tmp_path / "pages").exists()


def test_only_fronts_that_show_something_are_shown():
    def cell(name: str, errors: list[float]) -> StoredCell:
        point = {"finite": True, "train": 0.0, "equation": ""}
        front = [{**point, "complexity": i, "held_out": error} for i, error in enumerate(errors)]
        return StoredCell(name, {"front": front}, {})

    cells = [cell("a", [1.0, 1.0, 2.0, 0.1]), cell("b", [1.0, 0.5, 0.7, 0.1]), cell("c", [1.0, 0.5, 0.1])]
    assert [len(functions_report.steps(one)) for one in cells] == [2, 3, 3]
    assert functions_report.example(cells) is cells[1]
    assert functions_report.example(cells[:1]) is None
    assert [len(one.facts["front"]) for one in functions_report.kept(cells)] == [0, 4, 0]
