"""Pages of the documentation from stored studies: what they say, where their links lead, that bytes are equal."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sparsedyn import studies
from sparsedyn.studies import runner
from sparsedyn.studies.comparison.contents import contents_of
from sparsedyn.studies.document import writing
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.studies import publish, read
from sparsedyn.studies.stored import write_arrays
from sparsedyn_papers.claims.findings import findings_of
from sparsedyn_papers.claims.verdicts import verdicts

SHOWN = """
[published]
source = "A & B 2020"
horizons = [20]

[[published.rows]]
cell = "Dense"
diverged = [12.5]
rfmse = [0.25]

[[panels]]
title = "Forecasts"
figure = "Fig. 4"
cells = ["Magnitude + L1 + SWA", "Dense"]
kind = "fan"

[[panels]]
title = "Shares and errors"
figure = "Fig. 6 and 7"
cells = ["Dense", "Magnitude + L1"]

[[claims]]
source = "A & B 2020"
claim = "Pruned networks *never* diverge more."
comparisons = [{ lower = "Magnitude + L1", higher = "Dense", horizon = 60 }]

[[claims]]
source = "C 2021"
claim = "Pruning leaves fewer weights."
comparisons = [{ lower = "Magnitude + L1", higher = "Dense", metric = "active" }]
"""

pytestmark = pytest.mark.usefixtures("kept_compiled", "coarse")

SEARCH = """
name = "small-search"
horizons = [20, 60]
data = { system = "lotka-volterra", train = 3, validation = 2, test = 3, steps = 60, dt = 0.2 }
training = { members = 2, epochs = 2, batch = 16, select = "last" }

[search]
rungs = [{ epochs = 1, train = 2, keep = 0.5 }]
grid = { "training.learning_rate" = [0.01, 0.02] }

[[techniques]]
label = "Dense"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of seconds, with published values, panels and claims."""
    place = tmp_path_factory.mktemp("publish")
    text = Path(__file__).with_name("tiny.toml").read_text(encoding="utf-8")
    text = text.replace("epochs = 12", "epochs = 2") + SHOWN
    (place / "tiny.toml").write_text(text, encoding="utf-8")
    finish(place / "tiny.toml", place / "tiny")
    return place / "tiny"


@pytest.fixture(scope="module")
def pages(study: Path) -> Path:
    publish([study], study.with_name("pages"), results=study.with_name("kept"))
    return study.with_name("pages")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pictures empty, which take most of the time."""
    monkeypatch.setattr(writing, "drawn", lambda picture: b"")


def finish(spec: Path, folder: Path) -> None:
    """Run a study without its report, whose drawing takes longer than the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "write_report", lambda document, directory: directory)
        studies.run(studies.load(spec), folder)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_page_has_its_sections_in_order(pages: Path) -> None:
    text = (pages / "tiny.md").read_text(encoding="utf-8")
    assert text.startswith("# Dense against pruned on Lotka-Volterra\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "In short",
        "What was run",
        "Results",
        "Beside the published figures",
        "The paper's arrangement",
        "What it says about the claims",
        "At the horizons",
        "Over time",
        "Forecasts against truth",
        "The data",
        "What sparsity costs",
        "What depends on what",
        "Training",
        "Cost",
        "What the numbers mean",
    ]
    assert "```\nsparsedyn study run tiny.toml\n```" in text
    assert "Seed 3; 4 configurations of 2 networks; 3 trajectories for training, 1 for validation, 4 for test" in text
    assert "Wall time" in text
    assert "With Python" in text


@pytest.mark.slow
def test_every_picture_is_there_with_caption_command_and_seed(pages: Path) -> None:
    text = (pages / "tiny.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\[!\[.+\]\((.*)\)\]\((.*)\)\n\n\S.*<br>\n(.*)$", text, re.MULTILINE)
    assert len(linked) == text.count("![")
    assert {image for image, _, _ in linked} == {f"tiny/{file.name}" for file in (pages / "tiny").iterdir()}
    assert all(image == link for image, link, _ in linked)
    assert {source for _, _, source in linked} == {"<small>`sparsedyn study run tiny.toml`, seed 3</small>"}


@pytest.mark.slow
def test_forecasts_over_time_are_those_of_the_papers_figures(pages: Path) -> None:
    names = {file.name for file in (pages / "tiny").iterdir()}
    assert {name for name in names if name.startswith("fan-")} == {"fan-dense.png", "fan-magnitude-l1-swa.png"}
    # The panel of that figure is no chart of bars; the other one is.
    assert {name for name in names if name.startswith("panel-")} == {"panel-2-diverged.png", "panel-2-rfmse.png"}
    assert "Like the paper's Fig. 4." in (pages / "tiny.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_claims_are_grouped_and_linked(pages: Path) -> None:
    text = (pages / "claims.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Verdicts", "A &amp; B 2020", "C 2021", "How it was tested"]
    assert r"| Pruned networks \*never\* diverge more. | " in text
    assert text.count("[tiny](tiny.md)") == 5
    assert "[tiny](tiny.md): With as few networks" in text
    links = re.findall(r"\]\(([^)]*\.md)\)", text)
    assert all((pages / link).is_file() for link in links)


@pytest.mark.slow
def test_a_kept_folder_gives_the_same_bytes(study: Path, pages: Path, tmp_path: Path) -> None:
    kept = study.with_name("kept")
    publish([kept / "tiny"], tmp_path / "again", results=tmp_path / "kept")
    assert digests(tmp_path / "again") == digests(pages)
    assert digests(tmp_path / "kept") == digests(kept)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_a_kept_folder_can_be_kept_in_its_own_place(study: Path, pages: Path, tmp_path: Path) -> None:
    kept = shutil.copytree(study.with_name("kept"), tmp_path / "kept")
    publish([kept / "tiny"], tmp_path / "again", results=kept)
    assert digests(kept) == digests(study.with_name("kept"))


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_publishing_leaves_the_study_alone(study: Path, pages: Path, tmp_path: Path) -> None:
    before = digests(study)
    publish([study], tmp_path / "again")
    assert digests(study) == before
    assert (tmp_path / "again" / "tiny.md").read_bytes() == (pages / "tiny.md").read_bytes()


@pytest.mark.slow
def test_a_kept_folder_has_few_files_and_names_no_place(study: Path, pages: Path) -> None:
    kept = study.with_name("kept") / "tiny"
    assert set(digests(kept)) == {
        "study.toml", "run.json", "results.parquet", "cells.json", "arrays.npz", "forecasts.parquet", "history.parquet",
        "test.npz",
    }  # fmt: skip
    assert str(study.parent) not in (kept / "run.json").read_text(encoding="utf-8")
    whole, found = read(study), read(kept)
    assert [cell.slug for cell in found.cells] == [cell.slug for cell in whole.cells]
    arrays = {cell.facts["label"]: cell.arrays for cell in found.cells}
    assert arrays["Dense"]["fan_states"].shape[1] == 1
    assert "fan_states" not in arrays["Dense + SWA"]
    pd.testing.assert_frame_equal(found.results, whole.results)
    for one, other in zip(found.cells, whole.cells, strict=True):
        scores = other.tables["forecasts"][["member", "trajectory", "horizon", "rfmse", "diverged"]]
        pd.testing.assert_frame_equal(one.tables["forecasts"], scores)


@pytest.mark.slow
def test_a_kept_folder_can_be_reported(study: Path, pages: Path, tmp_path: Path, undrawn: None) -> None:
    kept = shutil.copytree(study.with_name("kept") / "tiny", tmp_path / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "write_report", lambda document, directory: directory / document.title)
        assert studies.report(kept).name == "Dense against pruned on Lotka-Volterra"


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_a_page_is_left_as_it_is_without_what_it_is_made_from(study: Path, pages: Path, tmp_path: Path) -> None:
    bare, output, told = tmp_path / "kept" / "gone", tmp_path / "pages", []
    bare.mkdir(parents=True)
    spec = (study / "study.toml").read_text(encoding="utf-8")
    (bare / "study.toml").write_text(spec.replace('name = "tiny"', 'name = "gone"'), encoding="utf-8")
    shutil.copy(study / "run.json", bare)
    shutil.copytree(pages, output)
    (output / "gone.md").write_text("as it was")
    stored = read(study)
    findings = findings_of(verdicts(stored.spec, contents_of(stored).cells))
    (bare / "claims.json").write_text(json.dumps(findings.as_table()))
    publish([bare, study], output, results=tmp_path / "kept", tell=told.append)
    assert (output / "gone.md").read_text() == "as it was"
    assert len(told) == 1
    assert f"{output / 'gone.md'} is left as it is" in told[0]
    assert f"sparsedyn study publish runs/gone --keep {tmp_path / 'kept'}" in told[0]
    text = (output / "claims.md").read_text(encoding="utf-8")
    assert text.count("[gone](gone.md)") == text.count("[tiny](tiny.md)") == 5
    # Studies kept before stay on the page when another one is published.
    publish([study], output, results=tmp_path / "kept", tell=told.append)
    assert (output / "claims.md").read_text(encoding="utf-8") == text
    (bare / "claims.json").unlink()
    publish([bare, study], output, tell=told.append)
    assert "gone" not in (output / "claims.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_refuses_unfinished_studies_and_equal_names(study: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"expected studies of different names.*also 'tiny'"):
        publish([study, shutil.copytree(study, tmp_path / "copy")], tmp_path / "pages")
    half = shutil.copytree(study, tmp_path / "half")
    (half / "cells" / "dense" / "cell.json").unlink()
    with pytest.raises(StudyError, match=r"1 of 4 cells are missing, the first is 'Dense'\. Finish it first"):
        publish([half], tmp_path / "pages")
    with pytest.raises(StudyError, match=r"there is no study\.toml"):
        publish([tmp_path], tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


# The folders of pages and of what is kept, seen from a folder with a study, a slim one, a file and a spec.
REFUSED = {
    "both in one": ("pages", "pages", "a folder outside that of the pages"),
    "kept in the pages": ("pages", "pages/kept", "a folder outside that of the pages"),
    "pages in what is kept": ("new/tiny/pages", "new", "a folder outside of what is kept"),
    "kept in the study": ("pages", "runs/tiny", "a folder outside of studies; it is the folder of one"),
    "kept below the study": ("pages", "runs/tiny/new", "a folder outside of studies; it lies in"),
    "pages in the study": ("runs/tiny", None, "a folder outside of studies; it is the folder of one"),
    "pictures in the study": ("runs", None, "a folder for pictures; it holds a study"),
    "pictures in what is kept": ("kept", None, "a folder for pictures; it holds a study"),
    "kept over the study": ("pages", "runs", "a new folder or one kept before"),
    "kept over a spec": ("pages", "specs", "a new folder or one kept before"),
    "pages in a file": ("file", None, "a folder to write to; this is a file"),
    "pages below a file": ("file/pages", None, r"a folder to write to; .*file is a file"),
    "kept in a file": ("pages", "file", "a folder to write to; this is a file. Give --keep"),
    "kept below a file": ("pages", "file/kept", r"a folder to write to; .*file is a file"),
    "a file for pictures": ("taken", None, "a folder to write to; this is a file"),
    "a folder for the page": ("dir", None, "a file to write to; this is a folder"),
}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.slow
def test_refuses_places_before_anything_is_written(case: str, study: Path, pages: Path, tmp_path: Path) -> None:
    output, results, message = REFUSED[case]
    shutil.copytree(study, tmp_path / "runs" / "tiny")
    shutil.copytree(study.with_name("kept"), tmp_path / "kept")
    for folder in ("specs/tiny", "taken", "dir/tiny.md"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(study / "study.toml", tmp_path / "specs" / "tiny")
    for file in ("file", "taken/tiny"):
        (tmp_path / file).write_text("mine")
    (tmp_path / "runs" / "tiny" / "mine.png").write_text("mine")
    before = sorted(tmp_path.rglob("*")), digests(tmp_path)
    with pytest.raises(StudyError, match=message):
        publish([tmp_path / "runs" / "tiny"], tmp_path / output, results=results and tmp_path / results)
    assert (sorted(tmp_path.rglob("*")), digests(tmp_path)) == before


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_a_spec_beside_the_pages_makes_no_study_of_their_folder(study: Path, tmp_path: Path) -> None:
    shutil.copy(study / "study.toml", tmp_path)
    (tmp_path / "data").mkdir()
    publish([study], tmp_path / "pages", results=tmp_path / "kept")
    assert (tmp_path / "pages" / "tiny.md").is_file()


@pytest.mark.slow
def test_refuses_to_keep_over_another_study_that_is_to_be_published(study: Path, pages: Path, tmp_path: Path) -> None:
    other = shutil.copytree(study.with_name("kept") / "tiny", tmp_path / "kept" / "tiny")
    spec = other / "study.toml"
    spec.write_text(spec.read_text(encoding="utf-8").replace('name = "tiny"', 'name = "other"'), encoding="utf-8")
    before = digests(other)
    with pytest.raises(StudyError, match="it is to be published"):
        publish([study, other], tmp_path / "pages", results=tmp_path / "kept")
    assert digests(other) == before
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize("name", ["forecasts.parquet", "curves.npz", "history.parquet", "model.safetensors"])
@pytest.mark.slow
def test_refuses_a_finished_cell_that_has_lost_a_file(name: str, study: Path, tmp_path: Path) -> None:
    source = shutil.copytree(study, tmp_path / "study")
    (source / "cells" / "dense" / name).unlink()
    fix = "Remove the folder cells/dense, then run: sparsedyn study re"
    with pytest.raises(StudyError, match=rf"dense: expected .*; {name} is missing\..*{fix}"):
        publish([source], tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(("name", "why"), [("arrays.npz", "is missing"), ("forecasts.parquet", "cannot be read")])
@pytest.mark.slow
def test_refuses_a_kept_folder_that_is_damaged(name: str, why: str, study: Path, pages: Path, tmp_path: Path) -> None:
    source = shutil.copytree(study.with_name("kept") / "tiny", tmp_path / "study")
    (source / name).unlink()
    if why != "is missing":
        (source / name).write_bytes(b"PAR1")
    with pytest.raises(StudyError, match=rf"{name} {why}.*publish and keep it again"):
        publish([source], tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


@pytest.mark.slow
def test_refuses_to_keep_over_a_study(study: Path, tmp_path: Path) -> None:
    before = digests(study)
    with pytest.raises(StudyError, match="expected a new folder or one kept before"):
        publish([study], tmp_path / "pages", results=study.parent)
    assert digests(study) == before
    assert not (tmp_path / "pages").exists()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.slow
def test_search_shows_its_rungs_also_from_a_kept_folder(tmp_path: Path) -> None:
    (tmp_path / "search.toml").write_text(SEARCH, encoding="utf-8")
    finish(tmp_path / "search.toml", tmp_path / "search")
    publish([tmp_path / "search"], tmp_path / "pages", results=tmp_path / "kept")
    text = (tmp_path / "pages" / "small-search.md").read_text(encoding="utf-8")
    assert "## The search\n\n2 combinations of learning rate." in text
    assert "(small-search/search.png)" in text
    assert (tmp_path / "kept" / "small-search" / "rung-2.parquet").is_file()
    publish([tmp_path / "kept" / "small-search"], tmp_path / "again", results=tmp_path / "kept")
    assert digests(tmp_path / "again") == digests(tmp_path / "pages")
    (tmp_path / "search" / "search" / "rung-2.parquet").unlink()
    with pytest.raises(StudyError, match="its search is not finished"):
        publish([tmp_path / "search"], tmp_path / "pages")


def test_command_says_what_differs_from_the_builtin_study() -> None:
    quick = studies.load("aluminum-quick")
    assert command(quick).text == "sparsedyn study run aluminum-quick"
    assert command(quick.replaced(members=7)).text == "sparsedyn study run aluminum-quick --members 7"
    both = command(quick.replaced(members=7, seed=2))
    assert both.text == "sparsedyn study run aluminum-quick --members 7 --seed 2"
    assert both.builtin
    changed = command(quick.model_copy(update={"horizons": (10,)}))
    assert changed.text == "sparsedyn study run aluminum-quick.toml"
    assert not changed.builtin


def test_arrays_have_no_date(tmp_path: Path) -> None:
    arrays = {"x": np.arange(3.0), "y": np.array(True)}
    write_arrays(tmp_path / "a.npz", arrays)
    write_arrays(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert all(np.array_equal(stored[name], array) for name, array in arrays.items())
