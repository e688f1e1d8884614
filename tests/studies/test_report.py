"""The report of a study: one page that needs nothing else, pictures, and the words that sum it up."""

import base64
import dataclasses
import hashlib
import json
import re
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sparsedyn.plotting import style
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.contents import read_contents
from sparsedyn.studies.page.how import notes
from sparsedyn.studies.report import write_report

from .synthetic_study import TECHNIQUES, Made, make_study

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


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_study(tmp_path_factory.mktemp("study") / "small", SMALL)
    write_report(directory)
    return directory


@pytest.fixture(scope="module")
def page(study: Path) -> Page:
    return Page(study / "report.html")


def test_page_needs_nothing_else(page: Page):
    assert all(target.startswith(("data:image/png;base64,", "#")) for target in page.fetched)
    assert "default-src 'none'" in page.source
    style = page.source.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    # Plotly once, and our own scripts.
    assert sum("plotly.js v" in script[:300] for script in page.scripts) == 1


def test_labels_are_shown_and_escaped(page: Page):
    text = "".join(page.text)
    for label in ("<b>L1</b> & $x$", "<b>L1</b> & $x$ + SWA", "DSR", "Synthetic <study> & co"):
        assert label in text
    outside_scripts = re.sub(r"<script.*?</script>", "", page.source, flags=re.DOTALL)
    assert "<b>L1</b>" not in outside_scripts
    assert escape("<b>L1</b> & $x$") in outside_scripts


def test_a_label_cannot_end_the_script(page: Page):
    data = next(script for script in page.scripts if script.startswith('{"timeLabel"'))
    assert "<" not in data
    assert json.loads(data)["cells"][0]["label"] == "<b>L1</b> & $x$"


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


def test_equal_files_give_equal_bytes(tmp_path: Path):
    made = dataclasses.replace(SMALL, techniques=SMALL.techniques[:1], states=1, averages=("none",))
    directory = make_study(tmp_path, made)
    digests = []
    for _ in range(2):
        files = [write_report(directory), *sorted((directory / "figures").iterdir())]
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
        pytest.param({"members": 1, "trajectories": 1, "fans": 1}, id="one member, one trajectory"),
        pytest.param({"members": 25, "states": 9, "inputs": 0}, id="many members and states, no inputs"),
        pytest.param({"states": 1, "inputs": 0, "dt": 1e-3}, id="one state, no inputs"),
        pytest.param({"train": (1, 5, 20), "averages": ("none",)}, id="several training sizes"),
        pytest.param({"techniques": (("DSR", 0.5, 0.9, 1.0),), "dead": ("DSR",)}, id="all diverged, dead members"),
    ],
)
def test_edge_cases(tmp_path: Path, changes: dict[str, object]):
    usual = {"techniques": TECHNIQUES[2:3], "points": 20}
    made = dataclasses.replace(SMALL, **{**usual, **changes})  # type: ignore[arg-type]
    directory = make_study(tmp_path / "study", made)
    page = Page(write_report(directory))
    assert (directory / "figures" / "training-size.png").exists() == (len(made.train) > 1)
    assert "nan" not in re.sub(r"<script.*?</script>", "", page.source, flags=re.DOTALL).split("<body>")[1].split()


@pytest.mark.usefixtures("unsaved")
def test_sixteen_cells(tmp_path: Path):
    techniques = tuple((f"Technique {i}, a label that is rather long", 0.5, 0.2, 0.1) for i in range(8))
    made = dataclasses.replace(SMALL, techniques=techniques, states=1, points=10)
    directory = make_study(tmp_path / "study", made)
    # The fans of a cell are like those of any other.
    for path in sorted(directory.glob("cells/*/curves.npz"))[1:]:
        path.unlink()
    assert len(Page(write_report(directory)).images) == 10


@pytest.mark.usefixtures("unsaved")
def test_only_results_are_needed(tmp_path: Path):
    directory = make_study(tmp_path / "study", SMALL)
    for path in ("run.json", "study.toml", "data/test.npz"):
        (directory / path).unlink()
    for path in directory.glob("cells/*/*"):
        path.unlink()
    page = Page(write_report(directory))
    assert {image["alt"].split(":")[0] for image in page.images if image["alt"]} == {"Bar chart", "Scatter plot"}
    # Without the test data nobody knows the sample time.
    assert "300 steps." in "".join(page.text)
    assert not any("plotly.js v" in script[:300] for script in page.scripts)


def test_missing_and_damaged_files_are_named(tmp_path: Path):
    with pytest.raises(StudyError, match=r"results\.parquet: expected the results of a study; there is no such file"):
        write_report(tmp_path)
    directory = make_study(tmp_path / "study", SMALL)
    broken = next(directory.glob("cells/*/curves.npz"))
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(StudyError, match=r"finished cell; curves\.npz cannot be read .*publish and keep") as kept:
        write_report(directory)
    assert str(kept.value).startswith(f"{broken.parent}: ")
    (directory / "data" / "train.npz").touch()
    fix = f"Remove the folder cells/{broken.parent.name}, then run: sparsedyn study resume {directory}"
    with pytest.raises(StudyError, match=re.escape(fix)):
        write_report(directory)


def test_notes_tell_of_lost_members_and_redrawn_trajectories(study: Path):
    text = unescape(notes(read_contents(study)))
    assert "DSR (1 of 3), DSR + SWA (1 of 3)" in text
    assert "2 trajectories blew up" in text
