"""Pages of the documentation from stored studies: what they say, where their links lead, that bytes are equal."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from sparsedyn import studies
from sparsedyn.studies.comparison import runner
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.kinds import publish
from sparsedyn.studies.markdown import plain
from sparsedyn.studies.page.contents import read_contents
from sparsedyn.studies.publish import write
from sparsedyn.studies.publish.choice import shown_fans
from sparsedyn.studies.publish.claims_page import claims_page
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.page import GENERATED
from sparsedyn.studies.publish.slim import write_arrays
from sparsedyn.studies.publish.tables import results_tables
from sparsedyn.studies.publish.words import from_html, paragraphs, table
from sparsedyn.studies.store import Store
from sparsedyn_papers.claims.verdicts import Verdict

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


SEARCH = """
name = "small-search"
horizons = [20, 60]
data = { system = "lotka-volterra", train = 3, validation = 2, test = 3, steps = 60, dt = 0.2 }
training = { members = 2, epochs = 2, batch = 16, select = "last" }

[search]
rungs = [{ epochs = 1, train = 2, keep = 0.5 }]
grid = { "model.hidden" = [[4], [6]] }

[[techniques]]
label = "Dense"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of seconds, with published values, panels and claims."""
    place = tmp_path_factory.mktemp("publish")
    text = Path(__file__).with_name("tiny.toml").read_text(encoding="utf-8")
    text = text.replace("epochs = 30", "epochs = 2") + SHOWN
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
    monkeypatch.setattr(write, "drawn", lambda picture: b"")


def finish(spec: Path, folder: Path) -> None:
    """Run a study without its report, whose drawing takes longer than the study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "write_report", lambda directory: directory)
        studies.run(studies.load(spec), folder)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_page_has_its_sections_in_order(pages: Path) -> None:
    text = (pages / "tiny.md").read_text(encoding="utf-8")
    assert text.startswith("# Dense against pruned on Lotka-Volterra\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "What was run",
        "Results",
        "Beside the published figures",
        "Pictures",
        "What it says about the claims",
    ]
    assert "Seed 3; 4 configurations of 2 networks; 3 trajectories for training, 1 for validation, 4 for test" in text
    assert "Wall time" in text
    assert "With Python" in text


def test_every_picture_is_there_with_caption_command_and_seed(pages: Path) -> None:
    text = (pages / "tiny.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\[!\[.+\]\((.*)\)\]\((.*)\)\n\n\S.*<br>\n(.*)$", text, re.MULTILINE)
    assert len(linked) == text.count("![")
    assert {image for image, _, _ in linked} == {f"tiny/{file.name}" for file in (pages / "tiny").iterdir()}
    assert all(image == link for image, link, _ in linked)
    assert {source for _, _, source in linked} == {"<small>`sparsedyn study run tiny.toml`, seed 3</small>"}


def test_forecasts_over_time_are_those_of_the_papers_figures(pages: Path) -> None:
    names = {file.name for file in (pages / "tiny").iterdir()}
    assert {name for name in names if name.startswith("fan-")} == {"fan-dense.png", "fan-magnitude-l1-swa.png"}
    # The panel of that figure is no chart of bars; the other one is.
    assert {name for name in names if name.startswith("panel-")} == {"panel-2-diverged.png", "panel-2-rfmse.png"}
    assert "Like the paper's Fig. 4." in (pages / "tiny.md").read_text(encoding="utf-8")


def test_without_such_figures_the_best_and_the_worst_are_shown(study: Path) -> None:
    spec, contents = Store(study).spec(), read_contents(study)
    assert shown_fans(contents, spec) == {"Magnitude + L1 + SWA": "Fig. 4", "Dense": "Fig. 4"}
    assert 1 <= len(shown_fans(contents, spec.model_copy(update={"panels": ()}))) <= 2


def test_claims_are_grouped_and_linked(pages: Path) -> None:
    text = (pages / "claims.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["A &amp; B 2020", "C 2021", "How it was tested"]
    assert r"| Pruned networks \*never\* diverge more. | **" in text
    assert text.count("[tiny](tiny.md)") == 5
    assert "[tiny](tiny.md): With as few networks" in text
    links = re.findall(r"\]\(([^)]*\.md)\)", text)
    assert all((pages / link).is_file() for link in links)


def test_claims_page_without_claims_says_so() -> None:
    assert "None of the published studies" in claims_page({"one": []})
    verdict = Verdict("P", "A claim.", "not yet known", ())
    assert "In all: 2 not yet known." in claims_page({"one": [verdict], "two": [verdict]})


def test_slim_folder_gives_the_same_bytes(study: Path, pages: Path, tmp_path: Path) -> None:
    kept = study.with_name("kept")
    publish([kept / "tiny"], tmp_path / "again", results=tmp_path / "kept")
    assert digests(tmp_path / "again") == digests(pages)
    assert digests(tmp_path / "kept") == digests(kept)


@pytest.mark.usefixtures("undrawn")
def test_slim_folder_can_be_kept_in_its_own_place(study: Path, pages: Path, tmp_path: Path) -> None:
    kept = shutil.copytree(study.with_name("kept"), tmp_path / "kept")
    publish([kept / "tiny"], tmp_path / "again", results=kept)
    assert digests(kept) == digests(study.with_name("kept"))


@pytest.mark.usefixtures("undrawn")
def test_publishing_leaves_the_study_alone(study: Path, pages: Path, tmp_path: Path) -> None:
    before = digests(study)
    publish([study], tmp_path / "again")
    assert digests(study) == before
    assert (tmp_path / "again" / "tiny.md").read_bytes() == (pages / "tiny.md").read_bytes()


def test_slim_folder_is_small_and_names_no_place(study: Path, pages: Path) -> None:
    kept = study.with_name("kept") / "tiny"
    names = set(digests(kept))
    assert {"study.toml", "run.json", "results.parquet", "data/test.npz", "cells/dense/cell.json"} <= names
    assert not any("model" in name or "train" in name for name in names)
    assert str(study.parent) not in (kept / "run.json").read_text(encoding="utf-8")
    cells = read_contents(kept).cells
    assert "fan_states" in cells["Dense"].curves
    assert "fan_states" not in cells["Dense + SWA"].curves


@pytest.mark.usefixtures("undrawn")
def test_pictures_that_are_gone_are_removed(study: Path, tmp_path: Path) -> None:
    old = tmp_path / "pages" / "tiny" / "fan-old.png"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    others = [old.with_name("mine.png"), old.with_name("notes.txt"), old.with_name("sub") / "fan-old.png"]
    others[-1].parent.mkdir()
    for other in others:
        other.write_bytes(b"mine")
    page = tmp_path / "pages" / "tiny.md"
    links = "[![a](tiny/fan-old.png)](tiny/fan-old.png) [b](tiny/notes.txt) [c](tiny/sub/fan-old.png)"
    # What others wrote says nothing of whose the pictures are.
    page.write_text(links)
    publish([study], tmp_path / "pages")
    assert old.exists()
    page.write_text(f"{GENERATED}\n\n{links}")
    publish([study], tmp_path / "pages")
    assert not old.exists()
    assert all(other.exists() for other in others)
    assert "(tiny/agreement.png)" in page.read_text(encoding="utf-8")
    assert (tmp_path / "pages" / "tiny" / "agreement.png").is_file()


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
def test_a_spec_beside_the_pages_makes_no_study_of_their_folder(study: Path, tmp_path: Path) -> None:
    shutil.copy(study / "study.toml", tmp_path)
    (tmp_path / "data").mkdir()
    publish([study], tmp_path / "pages", results=tmp_path / "kept")
    assert (tmp_path / "pages" / "tiny.md").is_file()


def test_refuses_to_keep_over_another_study_that_is_to_be_published(study: Path, pages: Path, tmp_path: Path) -> None:
    other = shutil.copytree(study.with_name("kept") / "tiny", tmp_path / "kept" / "tiny")
    spec = other / "study.toml"
    spec.write_text(spec.read_text(encoding="utf-8").replace('name = "tiny"', 'name = "other"'), encoding="utf-8")
    before = digests(other)
    with pytest.raises(StudyError, match="it is to be published"):
        publish([study, other], tmp_path / "pages", results=tmp_path / "kept")
    assert digests(other) == before
    assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("forecasts.parquet", False),
        ("curves.npz", False),
        ("history.parquet", False),
        ("model.safetensors", False),
        ("forecasts.parquet", True),
        ("curves.npz", True),
    ],
)
def test_refuses_a_finished_cell_that_has_lost_a_file(
    name: str, kept: bool, study: Path, pages: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(study.with_name("kept") / "tiny" if kept else study, tmp_path / "study")
    (source / "cells" / "dense" / name).unlink()
    fix = "publish and keep the study anew" if kept else r"Remove the folder cells/dense, then run: sparsedyn study re"
    with pytest.raises(StudyError, match=rf"dense: expected .*; {name} is missing\..*{fix}"):
        publish([source], tmp_path / "pages")
    assert not (tmp_path / "pages").exists()


def test_refuses_to_keep_over_a_study(study: Path, tmp_path: Path) -> None:
    before = digests(study)
    with pytest.raises(StudyError, match="expected a new folder or one kept before"):
        publish([study], tmp_path / "pages", results=study.parent)
    assert digests(study) == before
    assert not (tmp_path / "pages").exists()


@pytest.mark.usefixtures("undrawn")
def test_search_shows_its_rungs_also_from_a_slim_folder(tmp_path: Path) -> None:
    (tmp_path / "search.toml").write_text(SEARCH, encoding="utf-8")
    finish(tmp_path / "search.toml", tmp_path / "search")
    publish([tmp_path / "search"], tmp_path / "pages", results=tmp_path / "kept")
    text = (tmp_path / "pages" / "small-search.md").read_text(encoding="utf-8")
    assert "## The search\n\n<p>2 combinations of hidden layers." in text
    assert "(small-search/search.png)" in text
    assert "What matters</h3>" not in text
    publish([tmp_path / "kept" / "small-search"], tmp_path / "again", results=tmp_path / "kept")
    assert digests(tmp_path / "again") == digests(tmp_path / "pages")
    (tmp_path / "search" / "search" / "rung-2.parquet").unlink()
    with pytest.raises(StudyError, match="its search is still going on"):
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


def test_results_mark_the_best_and_its_like(study: Path) -> None:
    text = results_tables(read_contents(study))
    rows = [line for line in text.splitlines() if line.startswith("| Dense |")]
    assert len(rows) == 3
    assert all(line.count("|") in (4, 7) for line in rows)
    assert re.search(r"\*\*[\d.]+\*\*<br><small>", text)


def test_words_are_left_alone_by_markdown() -> None:
    assert plain("a_b *c* <d> & `e` |f| [g]") == r"a\_b \*c\* &lt;d&gt; &amp; \`e\` \|f\| \[g\]"
    assert paragraphs("one\ntwo\n\n- three\n\n1. # four\n") == "one two\n\n\\- three\n\n1\\. # four"
    assert paragraphs("2.5 and\n# no heading") == "2\\.5 and # no heading"
    assert (
        from_html("<b>L1 &lt;x_1&gt;</b>, test <span>trajectory</span> 3.")
        == r"**L1 &lt;x\_1&gt;**, test trajectory 3."
    )
    assert from_html("of <code>a*b_1 &lt; |c|</code>.") == r"of `a*b_1 < \|c\|`."
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| :-- | --: |\n| 1 | 2 |"


def test_arrays_have_no_date(tmp_path: Path) -> None:
    arrays = {"x": np.arange(3.0), "y": np.array(True)}
    write_arrays(tmp_path / "a.npz", arrays)
    write_arrays(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert all(np.array_equal(stored[name], array) for name, array in arrays.items())
