"""The report of a comparison: one page that needs nothing else, pictures, and the words that sum it up."""

import base64
import dataclasses
import hashlib
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from sparsedyn.plotting import style
from sparsedyn.studies.comparison.document import Addition, document
from sparsedyn.studies.comparison.notes import notes
from sparsedyn.studies.comparison.results_table import results_table
from sparsedyn.studies.document import Section, Text
from sparsedyn.studies.document.markdown import to_markdown
from sparsedyn.studies.document.writing import write_report
from sparsedyn.studies.errors import StudyError

from ..synthetic_study import TECHNIQUES, Made, contents, make_study, stored

pytestmark = pytest.mark.usefixtures("coarse")
SMALL = Made(
    techniques=(("<b>L1</b> & $x$", 0.5, 0.1, 0.0), ("DSR", 0.5, 0.9, 1.0)),
    averages=("none", "swa"), members=3, trajectories=4, fans=2, states=2, inputs=1, rows=300, points=40,
    horizons=(30, 300), dead=("DSR",),
)  # fmt: skip
# Loading and attributes that make a browser fetch something.
FETCHING = {"src", "href", "srcset", "action", "data", "poster", "background"}


class Page(HTMLParser):
    """What a test wants to know of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.fetched: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self.inside = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.fetched += [value or "" for name, value in attrs if name in FETCHING]
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self.inside == "script" else self.text).append(data)


def report(directory: Path) -> Path:
    return write_report(document(stored(directory)), directory)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_study(tmp_path_factory.mktemp("study") / "small", SMALL)
    report(directory)
    return directory


@pytest.fixture(scope="module")
def page(study: Path) -> Page:
    return Page(study / "report.html")


@pytest.mark.slow
def test_page_needs_nothing_else(page: Page):
    assert all(target.startswith(("data:image/png;base64,", "#")) for target in page.fetched)
    assert "default-src 'none'" in page.source
    style = page.source.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    # Plotly once, and our own scripts.
    assert sum("plotly.js v" in script[:300] for script in page.scripts) == 1


@pytest.mark.slow
def test_labels_are_shown_and_escaped(page: Page):
    text = "".join(page.text)
    for label in ("<b>L1</b> & $x$", "<b>L1</b> & $x$ + SWA", "DSR", "Synthetic <study> & co"):
        assert label in text
    assert "<b>L1</b>" not in page.source
    assert escape("<b>L1</b> & $x$") in re.sub(r"<script.*?</script>", "", page.source, flags=re.DOTALL)


@pytest.mark.slow
def test_charts_choose_configuration_and_trajectory(page: Page):
    fans, errors = (script for script in page.scripts if "Plotly.newPlot" in script[:300])
    assert fans.count('"method":"update"') == 4 + 2
    assert fans.count(r'"label":"\u003cb\u003e') == 0
    assert r"&lt;b&gt;L1&lt;\u002fb&gt;" in fans or "&lt;b&gt;L1" in fans
    assert errors.count('"name"') >= 4


@pytest.mark.slow
def test_every_picture_is_there_twice_and_in_the_page(study: Path, page: Page):
    names = {path.stem for path in (study / "figures").glob("*.png")}
    assert {"divergence", "rfmse", "error-over-time", "sparsity-error", "input-output", "training", "cost"} <= names
    assert len([name for name in names if name.startswith("fan-")]) == 4
    for name in names:
        png, pdf = (study / "figures" / f"{name}.{kind}" for kind in ("png", "pdf"))
        assert png.read_bytes().startswith(b"\x89PNG")
        assert pdf.read_bytes().startswith(b"%PDF")
        assert base64.b64encode(png.read_bytes()).decode() in page.source
    assert len(page.images) == len(names)
    assert all(image["alt"] and image["width"] and image["height"] for image in page.images)
    assert not list(study.rglob("*.tmp"))


@pytest.mark.slow
def test_equal_files_give_equal_bytes(study: Path, tmp_path: Path):
    again = make_study(tmp_path / "small", SMALL)
    report(again)
    digests = []
    for directory in (study, again):
        files = [directory / "report.html", *sorted((directory / "figures").iterdir())]
        digests.append([(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files])
    assert digests[0] == digests[1]


@pytest.fixture
def unsaved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay every figure out, but save a dot in its place: half the time."""
    dot = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAGg5tZQAAAABJRU5ErkJggg=="
    )
    monkeypatch.setattr(style, "_saved", lambda figure, kind: dot)


@pytest.mark.usefixtures("unsaved")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(
            {"members": 1, "trajectories": 1, "fans": 1}, id="one member, one trajectory", marks=pytest.mark.slow
        ),
        pytest.param(
            {"members": 25, "states": 9, "inputs": 0, "averages": ("none",)},
            id="many members and states, no inputs",
            marks=pytest.mark.slow,
        ),
        pytest.param({"states": 1, "inputs": 0, "dt": 1e-3}, id="one state, no inputs"),
        pytest.param({"train": (1, 5), "averages": ("none",)}, id="several training sizes", marks=pytest.mark.slow),
        pytest.param(
            {"techniques": (("DSR", 0.5, 0.9, 1.0),), "dead": ("DSR",)},
            id="all diverged, dead members",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_edge_cases(tmp_path: Path, changes: dict[str, object]):
    usual = {"techniques": TECHNIQUES[2:3], "points": 20}
    made = dataclasses.replace(SMALL, **{**usual, **changes})  # type: ignore[arg-type]
    directory = make_study(tmp_path / "study", made)
    page = Page(report(directory))
    assert (directory / "figures" / "training-size.png").exists() == (len(made.train) > 1)
    assert "nan" not in re.sub(r"<script.*?</script>", "", page.source, flags=re.DOTALL).split("<body>")[1].split()


def test_sixteen_cells(tmp_path: Path):
    techniques = tuple((f"Technique {i}, a label that is rather long", 0.5, 0.2, 0.1) for i in range(8))
    made = dataclasses.replace(SMALL, techniques=techniques, states=1, points=10)
    found = document(stored(make_study(tmp_path / "study", made)))
    fans = next(section for section in found.sections if section.anchor == "fans")
    assert len(list(found.pictures())) == 10 + 15
    # The most and the least stable, and all others in a fold.
    assert len(fans.blocks) == 3
    assert fans.blocks[-1].title == "The other 14"
    assert [p.name for p in found.pictures(folded=False) if p.name.startswith("fan-")] == [
        p.name for p in fans.blocks[:2]
    ]


def test_what_is_not_stored_is_left_out(tmp_path: Path):
    directory = make_study(tmp_path / "study", SMALL)
    for path in ("run.json", "data/test.npz"):
        (directory / path).unlink()
    for path in directory.glob("cells/*/*"):
        path.unlink()
    found = document(stored(directory))
    assert [picture.name for picture in found.pictures()] == ["divergence", "sparsity-error"]
    assert [s.anchor for s in found.sections] == ["answer", "run", "results", "horizons", "sparsity", "meanings"]
    # Without the test data nobody knows the sample time.
    assert "forecasts of up to 300 steps." in to_markdown(found, folder="x", remark="", source="")


def test_damaged_files_are_named(tmp_path: Path):
    directory = make_study(tmp_path / "study", SMALL)
    broken = next(directory.glob("cells/*/curves.npz"))
    broken.write_bytes(broken.read_bytes()[:200])
    fix = f"Remove the folder cells/{broken.parent.name}, then run: sparsedyn study resume {directory}"
    with pytest.raises(StudyError, match=rf"finished cell; curves\.npz cannot be read .*{re.escape(fix)}") as caught:
        stored(directory)
    assert str(caught.value).startswith(f"{broken.parent}: ")


@pytest.mark.slow
def test_notes_tell_of_lost_members_and_redrawn_trajectories(study: Path):
    found = notes(contents(study))
    assert "DSR (1 of 3), DSR + SWA (1 of 3)" in found[0]
    assert "2 trajectories blew up" in found[1]


@pytest.mark.slow
def test_results_mark_the_best_and_its_like(study: Path):
    table = results_table(contents(study))
    rows = list(table.entries())
    assert [column.over for column in table.columns[1:5]] == ["30 steps\n(4.83 min)"] * 2 + [
        "300 steps\n(49.8 min)"
    ] * 2
    assert [row[0].text for row in rows][2] == "DSR"
    assert "best" in {row[1].mark for row in rows}
    assert all(entry.note for row in rows[:2] for entry in row[1:5])
    text = to_markdown(document(stored(study)), folder="x", remark="", source="")
    assert re.search(r"\*\*[\d.]+\*\*<br><small>", text)
    assert "**Size of one network (mean over members)**" in text


@pytest.mark.slow
def test_the_other_reading_is_folded_away(study: Path):
    shown = contents(study)
    squared = results_table(shown, "_squared")
    assert [column.name for column in squared.columns] == [column.name for column in results_table(shown).columns]
    found = document(stored(study))
    results = next(section for section in found.sections if section.anchor == "results")
    assert "squared errors" in results.blocks[-1].title
    lacking = stored(study)
    lacking = dataclasses.replace(lacking, results=lacking.results.drop(columns="rfmse_squared"))
    results = next(section for section in document(lacking).sections if section.anchor == "results")
    assert len(results.blocks) == 2


@pytest.mark.slow
def test_additions_follow_the_results_and_choose_forecasts(study: Path):
    addition = Addition(
        sections=lambda shown: [Section("own", "Own", [Text(f"{len(shown.cells)} cells")])],
        shown=lambda shown: {"DSR + SWA": "Like Fig. 1."},
    )
    found = document(stored(study), [addition])
    assert [section.anchor for section in found.sections][2:5] == ["results", "own", "horizons"]
    first = next(section for section in found.sections if section.anchor == "fans").blocks[0]
    assert first.name == "fan-dsr---swa-40"
    assert first.caption.endswith("Like Fig. 1.")


def test_sizes_of_training_sets_are_told(tmp_path: Path):
    made = dataclasses.replace(SMALL, train=(1, 5), averages=("none",), techniques=TECHNIQUES[:1])
    shown = contents(make_study(tmp_path / "study", made))
    assert list(shown.looks) == ["Dense, 1 trajectories", "Dense, 5 trajectories"]
    assert isinstance(shown.lookup("Dense, 1 trajectories", 30), pd.Series)
    assert shown.lookup("nobody", 30) is None
