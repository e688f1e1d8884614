"""Published values beside ours: what is compared, what is said of it, and how it is written."""

import io

import pandas as pd
import pytest
from PIL import Image

from sparsedyn.studies.comparison.contents import Contents, contents_of
from sparsedyn.studies.comparison.document import document
from sparsedyn.studies.document import Block, Entry, Table, Text
from sparsedyn.studies.document.html import to_html
from sparsedyn.studies.reading import parse
from sparsedyn.studies.stored import StoredStudy
from sparsedyn_papers.comparisons.addition import PAPERS
from sparsedyn_papers.comparisons.published import published_sections

SPEC = """
name = "beside"
horizons = [10, 100]
averages = ["none", "swa"]
data = { system = "aluminum-cell", train = 2, validation = 1, test = 2, steps = 100 }

[[techniques]]
label = "Dense | <b>"

[[techniques]]
label = "L1"

[published]
source = "A & B, tables_2 to *4*"
notes = \"\"\"
First line
goes on.

Second <note>.
\"\"\"
horizons = [10, 100]
rows = [
  { cell = "Dense | <b>", diverged = [0, 12], rfmse = [0.1, 0.125], rfmse_std = [0.04, nan], sparsity = 0 },
  { cell = "L1", diverged = [3.25, 60.5], rfmse = [0.2, nan], rfmse_std = [0.05, nan], sparsity = 33 },
  { cell = "L1 + SWA", diverged = [nan, 1] },
  { cell = "Dense | <b> + SWA", diverged = [4, 5] },
]
"""
ROWS = [
    ("Dense | <b>", "Dense | <b>", "none", 10, (0.0, 0.0, 0.01), (0.056, 0.0412), 0.0),
    ("Dense | <b>", "Dense | <b>", "none", 100, (0.2, 0.12, 0.3), (0.27, 0.223), 0.0),
    ("L1", "L1", "none", 10, (0.02, 0.01, 0.03), (0.024, 0.04), 0.0),
    ("L1", "L1", "none", 100, (1.0, 0.99, 1.0), (float("nan"), float("nan")), 0.0),
    ("L1 + SWA", "L1", "swa", 10, (0.02, 0.01, 0.03), (0.024, 0.04), 0.4567),
    ("L1 + SWA", "L1", "swa", 100, (0.1, 0.05, 0.15), (1.234, 0.5), 0.4567),
]


def _png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 2)).save(stream, format="PNG")
    return stream.getvalue()


PNG = _png()


def contents(spec: str = SPEC) -> Contents:
    """Return a study of three finished cells and a fourth that is not."""
    rows = [
        {
            "cell": cell, "technique": technique, "average": average, "train_trajectories": 2, "members": 3,
            "horizon": horizon, "forecasts": 6, "diverged": share[0], "diverged_low": share[1],
            "diverged_high": share[2], "rfmse": error[0], "rfmse_low": error[0], "rfmse_high": error[0],
            "rfmse_std": error[1], "nonzeros": 90.0, "weights": 100, "sparsity_exact": zeros,
        }
        for cell, technique, average, horizon, share, error, zeros in ROWS
    ]  # fmt: skip
    return contents_of(StoredStudy(parse(spec, "study.toml"), {}, [], pd.DataFrame(rows)))


def blocks(made: Contents) -> list[Block]:
    """Return what stands in the section of published values, nothing without one."""
    return [block for section in published_sections(made) for block in section.blocks]


@pytest.fixture(scope="module")
def made() -> Contents:
    return contents()


def tables(made: Contents) -> list[list[list[Entry]]]:
    """Return the rows of every table."""
    return [list(block.entries()) for block in blocks(made) if isinstance(block, Table)]


def row(label: str, *pairs: tuple[str, str] | tuple[str, str, str, str]) -> list[Entry]:
    """Return a row of a table: ours and published values, with our interval and the place of the published one."""
    found = [Entry(label)]
    for ours, theirs, interval, place in (pair if len(pair) == 4 else (*pair, "", "") for pair in pairs):
        found += [Entry(ours, interval), Entry(theirs, place, "near" if place == "within" else "")]
    return found


def test_shares_stand_beside_ours_with_their_place(made: Contents):
    shares, _, _ = tables(made)
    assert shares == [
        # The very end of an interval belongs to it.
        row(r"Dense \| &lt;b&gt;", ("0.0", "0", "0–1.0", "within"), ("20.0", "12", "12.0–30.0", "within")),
        row("L1", ("2.0", "3.25", "1.0–3.0", "above"), ("100.0", "60.5", "99.0–100", "below")),
        row("L1 + SWA", ("2.0", "–", "1.0–3.0", ""), ("10.0", "1", "5.0–15.0", "below")),
        row(r"Dense \| &lt;b&gt; + SWA", ("–", "4"), ("–", "5")),
    ]
    columns = next(block for block in blocks(made) if isinstance(block, Table)).columns
    assert [(column.name, column.over) for column in columns] == [
        ("configuration", ""), ("ours", "10 steps"), ("published", "10 steps"), ("ours", "100 steps"),
        ("published", "100 steps"),
    ]  # fmt: skip


def test_errors_and_sparsity(made: Contents):
    _, errors, sparsity = tables(made)
    assert errors[:3] == [
        row(r"Dense \| &lt;b&gt;", ("0.056 ± 0.041", "0.10 ± 0.04"), ("0.27 ± 0.22", "0.125")),
        row("L1", ("0.024 ± 0.040", "0.20 ± 0.05"), ("–", "–")),
        row("L1 + SWA", ("0.024 ± 0.040", "–"), ("1.23 ± 0.50", "–")),
    ]
    assert sparsity == [
        row(r"Dense \| &lt;b&gt;", ("0.0", "0")),
        row("L1", ("0.0", "33")),
        row("L1 + SWA", ("45.7", "–")),
        row(r"Dense \| &lt;b&gt; + SWA", ("–", "–")),
    ]


def test_the_sentence_counts_rows_that_can_be_compared(made: Contents):
    sentence = "The published share at 100 steps lies within our 95 % interval for 1 of 3 rows."
    assert blocks(made)[0] == Text(sentence)


def test_words_of_others_are_no_markdown(made: Contents):
    _, caveat, *_, last = (block.markdown for block in blocks(made) if isinstance(block, Text))
    assert r"Published values: A &amp; B, tables\_2 to \*4\*." in last
    assert last.endswith("\n\nFirst line goes on.\n\nSecond &lt;note&gt;.")
    assert "not widened" in caveat
    html = to_html(document(made.study, [PAPERS]), {name: PNG for name in ("divergence", "sparsity-error")})
    assert html.count('class="near"') == 2
    assert "<td>60.5<small>below</small></td>" in html
    assert "<b>" not in html
    assert "nan" not in html.split("<body>")[1].split()


def test_the_report_has_the_section(made: Contents):
    anchors = [section.anchor for section in document(made.study, [PAPERS]).sections]
    assert anchors[2:5] == ["results", "published", "horizons"]


def test_only_shares():
    spec = (
        SPEC[: SPEC.index("horizons = [10, 100]\nrows")] + 'horizons = [10]\nrows = [{ cell = "L1", diverged = [2] }]'
    )
    made = contents(spec)
    assert len(tables(made)) == 1
    assert "for 1 of 1 row." in blocks(made)[0].markdown


def test_horizons_that_are_not_ours_are_not_compared():
    spec = SPEC.split("[published]")[0].replace("[10, 100]", "[7, 10, 100]") + (
        '[published]\nsource = "A"\nhorizons = [7]\nrows = [{ cell = "L1", diverged = [2] }]'
    )
    made = contents(spec)
    assert tables(made)[0] == [row("L1", ("–", "2"))]
    assert not any("lies within our 95 % interval for" in b.markdown for b in blocks(made) if isinstance(b, Text))


def test_without_published_values_there_is_nothing():
    assert published_sections(contents(SPEC.split("[published]")[0])) == []
