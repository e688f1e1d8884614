"""Published values beside ours: what is compared, what is said of it, and how it is written."""

import re
from pathlib import Path

import pandas as pd
import pytest

from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.page.assemble import assemble
from sparsedyn.studies.page.contents import Contents, read_contents
from sparsedyn.studies.page.published import published_markdown, published_section

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


def contents(directory: Path, spec: str = SPEC) -> Contents:
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
    directory.mkdir(exist_ok=True)
    pd.DataFrame(rows).to_parquet(directory / "results.parquet", index=False)
    (directory / "study.toml").write_text(spec, encoding="utf-8")
    return read_contents(directory)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    return contents(tmp_path_factory.mktemp("study"))


def tables(text: str) -> list[list[list[str]]]:
    """Return the cells of every Markdown table, rulers left out."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    return [[re.split(r" \| ", line[2:-2]) for line in [b[0], *b[2:]]] for b in blocks]


def pair(ours: str, theirs: str, interval: str = "", place: str = "") -> str:
    """Return a cell of a table: ours with its interval above the published value with its place."""
    left = f"{ours} <small>({interval})</small>" if interval else ours
    return f"{left}<br>*{theirs} <small>{place}</small>*" if place else f"{left}<br>*{theirs}*"


def test_shares_stand_beside_ours_with_their_place(made: Contents):
    shares, _, _ = tables(published_markdown(made))
    assert shares == [
        ["configuration", "10 steps: ours<br>published", "100 steps: ours<br>published"],
        # The very end of an interval belongs to it.
        ["Dense \\| &lt;b&gt;", pair("0.0", "0", "0–1.0", "within"), pair("20.0", "12", "12.0–30.0", "within")],
        ["L1", pair("2.0", "3.25", "1.0–3.0", "above"), pair("100.0", "60.5", "99.0–100", "below")],
        ["L1 + SWA", pair("2.0", "–", "1.0–3.0"), pair("10.0", "1", "5.0–15.0", "below")],
        ["Dense \\| &lt;b&gt; + SWA", pair("–", "4"), pair("–", "5")],
    ]


def test_errors_and_sparsity(made: Contents):
    _, errors, sparsity = tables(published_markdown(made))
    assert errors[1:3] == [
        ["Dense \\| &lt;b&gt;", pair("0.056 ± 0.041", "0.10 ± 0.04"), pair("0.27 ± 0.22", "0.125")],
        ["L1", pair("0.024 ± 0.040", "0.20 ± 0.05"), pair("–", "–")],
    ]
    assert errors[3] == ["L1 + SWA", pair("0.024 ± 0.040", "–"), pair("1.23 ± 0.50", "–")]
    assert sparsity[1:] == [
        ["Dense \\| &lt;b&gt;", pair("0.0", "0")],
        ["L1", pair("0.0", "33")],
        ["L1 + SWA", pair("45.7", "–")],
        ["Dense \\| &lt;b&gt; + SWA", pair("–", "–")],
    ]


def test_the_sentence_counts_rows_that_can_be_compared(made: Contents):
    sentence = "The published share at 100 steps lies within our 95 % interval for 1 of 3 rows."
    assert published_markdown(made).startswith(sentence)
    assert f"<p>{sentence}</p>" in published_section(made)


def test_words_of_others_are_no_markdown(made: Contents):
    text = published_markdown(made)
    assert r"Published values: A &amp; B, tables\_2 to \*4\*." in text
    assert text.endswith("\n\nFirst line goes on.\n\nSecond &lt;note&gt;.\n")


def test_section_marks_places_and_escapes(made: Contents):
    section = published_section(made)
    assert section.count('<td class="near" title="the published share lies within our 95 % interval">') == 2
    assert '<td title="the published share lies below our 95 % interval">60.5<small>below</small></td>' in section
    assert "<b>" not in section
    assert "Dense | &lt;b&gt; + SWA" in section
    assert "nan" not in section
    assert "Published values: A &amp; B, tables_2 to *4*." in section
    assert "First line goes on.</p>" in section
    assert "Second &lt;note&gt;." in section
    assert "not widened" in section
    assert section.count("<table>") == 3


def test_the_page_has_the_section(made: Contents):
    page = assemble(made, [])
    results, beside = page.index('<section id="results"'), page.index('<section id="published"')
    assert results < beside
    assert "<h2>Beside the published figures</h2>" in page
    assert 'id="panels"' not in page


def test_only_shares(tmp_path: Path):
    spec = (
        SPEC[: SPEC.index("horizons = [10, 100]\nrows")] + 'horizons = [10]\nrows = [{ cell = "L1", diverged = [2] }]'
    )
    made = contents(tmp_path, spec)
    assert len(tables(published_markdown(made))) == 1
    assert "for 1 of 1 row." in published_section(made)


def test_horizons_that_are_not_ours_are_not_compared(tmp_path: Path):
    spec = SPEC.split("[published]")[0].replace("[10, 100]", "[7, 10, 100]") + (
        '[published]\nsource = "A"\nhorizons = [7]\nrows = [{ cell = "L1", diverged = [2] }]'
    )
    text = published_markdown(contents(tmp_path, spec))
    assert tables(text)[0][1] == ["L1", pair("–", "2")]
    assert "lies within" not in text


@pytest.mark.parametrize("spec", ['name = "old"\nhorizons = [10]', "", "not = = toml", SPEC.split("[published]")[0]])
def test_without_published_values_there_is_nothing(tmp_path: Path, spec: str):
    made = contents(tmp_path, spec)
    assert published_section(made) == ""
    assert published_markdown(made) == ""
    assert 'id="published"' not in assemble(made, [])


def test_a_broken_spec_is_named(tmp_path: Path):
    made = contents(tmp_path, SPEC.replace("diverged = [nan, 1]", "diverged = [1]"))
    with pytest.raises(StudyError, match=r"study\.toml, line \d+, published\.rows\[3\]\.diverged: expected 2 values"):
        published_section(made)
