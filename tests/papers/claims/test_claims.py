"""Claims of a study: what is compared, what is concluded, how it is told, and which claims are refused."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparsedyn.equations import kappa
from sparsedyn.studies import StudyError, StudySpec
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.comparison.kind import COMPARISON
from sparsedyn.studies.document.html import to_html
from sparsedyn.studies.reading import parse
from sparsedyn.studies.toml import to_toml
from sparsedyn_papers.claims.findings import Findings, findings_from, findings_of
from sparsedyn_papers.claims.page import claims_page
from sparsedyn_papers.claims.section import BADGES, claims_sections
from sparsedyn_papers.claims.verdicts import VERDICTS, Verdict, attainable, verdicts

from ...studies.synthetic_study import Made, contents, make_study, stored

TINY = (Path(__file__).parents[2] / "studies" / "tiny.toml").read_text(encoding="utf-8")
LABELS = ("Dense", "Dense + SWA", "Magnitude + L1", "Magnitude + L1 + SWA")
MEMBERS, TRAJECTORIES = 10, 12


def study(*claims: list[dict[str, Any]]) -> StudySpec:
    """The tiny study with claims, each a list of comparisons."""
    text = TINY
    for i, comparisons in enumerate(claims):
        text += "\n" + to_toml(
            {"claims": [{"source": f"Paper {i + 1}", "claim": "It is so.", "comparisons": comparisons}]}
        )
    return parse(text, "tiny.toml")


def versus(lower: str, higher: str, **more: Any) -> dict[str, Any]:
    return {"lower": lower, "higher": higher, **more}


def made_cell(
    risk: float, *, error: float = 0.2, small: float = 0.0, seed: int = 0, members: int = MEMBERS
) -> StoredCell:
    """A cell whose forecasts diverge with chance `risk` at the longest horizon, and never before."""
    rng = np.random.default_rng(seed)
    member, trajectory = np.meshgrid(range(members), range(TRAJECTORIES), indexing="ij")
    parts = []
    for horizon in (20, 60):
        diverged = rng.random(member.shape) < risk * (horizon == 60)
        rfmse = np.where(diverged, np.nan, error * rng.lognormal(0, 0.2, member.shape))
        columns = {"member": member, "trajectory": trajectory, "rfmse": rfmse, "diverged": diverged}
        parts.append(pd.DataFrame({name: values.ravel() for name, values in columns.items()}).assign(horizon=horizon))
    sparsity = {"small": (small + rng.uniform(0, 0.01, members)).tolist()}
    card = {"weights": 1000, "members": members, "alive": [True] * members, "sparsity": sparsity}
    return StoredCell("cell", card, {}, {"forecasts": pd.concat(parts, ignore_index=True)})


def scattered(cell: StoredCell, width: float) -> StoredCell:
    """A cell whose members' errors lie this far around 0.5."""
    table = cell.tables["forecasts"].assign(diverged=False)
    shift = np.random.default_rng(2).normal(size=MEMBERS) * width
    return cell._replace(tables={"forecasts": table.assign(rfmse=0.5 + shift[table["member"]])})


def agreeing(cell: StoredCell, share: float) -> StoredCell:
    """A cell whose members' maps are those of one, all but this share of entries drawn anew."""
    rng = np.random.default_rng(1)
    common, own = rng.uniform(size=(8, 13)) < 0.4, rng.uniform(size=(MEMBERS, 8, 13)) < 0.4
    maps = np.where(rng.uniform(size=own.shape) < share, common, own)
    return cell._replace(arrays={"strength": maps.astype(np.float32)})


GOOD, ALSO_GOOD, BAD = made_cell(0.02, seed=1), made_cell(0.02, seed=2), made_cell(0.6, error=0.8, seed=3)
CELLS = {"Dense": BAD, "Dense + SWA": made_cell(0.6, error=0.8, seed=4), "Magnitude + L1": GOOD}
CELLS["Magnitude + L1 + SWA"] = ALSO_GOOD
HOLDS = versus("Magnitude + L1", "Dense")
REVERSED = versus("Dense", "Magnitude + L1")
OPEN = versus("Magnitude + L1", "Magnitude + L1 + SWA")


@pytest.mark.parametrize(
    ("comparisons", "verdict"),
    [
        ([HOLDS], "confirmed"),
        ([HOLDS, versus("Magnitude + L1 + SWA", "Dense + SWA", metric="error")], "confirmed"),
        ([HOLDS, OPEN], "partly confirmed"),
        ([HOLDS, REVERSED, OPEN], "mixed"),
        ([REVERSED], "reversed"),
        ([REVERSED, OPEN], "partly reversed"),
        ([OPEN], "not supported at this n"),
        ([OPEN, versus("Dense", "Magnitude + L1", horizon=20)], "not supported at this n"),
    ],
)
def test_verdicts(comparisons: list[dict[str, Any]], verdict: str):
    (found,) = verdicts(study(comparisons), CELLS)
    assert found.verdict == verdict
    assert (found.source, found.claim) == ("Paper 1", "It is so.")
    assert (found.members, found.trajectories) == (MEMBERS, TRAJECTORIES)


def test_the_sentence_names_the_numbers():
    (found,) = verdicts(study([HOLDS]), CELLS)
    result = found.compared[0].result
    assert result is not None
    shares = [
        cell.tables["forecasts"][cell.tables["forecasts"]["horizon"] == 60]["diverged"].mean() for cell in (GOOD, BAD)
    ]
    assert (result.lower, result.higher) == pytest.approx(shares)
    start = (
        f"Magnitude + L1 diverged in {100 * shares[0]:.1f} % of forecasts at 60 steps against {100 * shares[1]:.1f} %"
    )
    assert found.sentence.startswith(
        f"{start} for Dense (difference {100 * (shares[0] - shares[1]):.1f} points, 95 % -"
    )
    assert found.sentence.endswith("; adjusted p below 0.001): holds.")


def test_several_comparisons_are_counted():
    (found,) = verdicts(study([HOLDS, OPEN, REVERSED, OPEN]), CELLS)
    assert found.tally == "Of 4 comparisons 1 holds, 1 is reversed and 2 are open"
    assert found.sentence.startswith(f"{found.tally}: Magnitude + L1 diverged")
    assert found.sentence.count(";") == 3 + 4
    assert found.sentence.endswith("open.")


def test_lost_forecasts_do_not_flatter():
    # The few forecasts that are left are better than all of the other side.
    lossy = made_cell(0.8, error=0.05, seed=5)
    cells = {**CELLS, "Dense": lossy}
    (found,) = verdicts(study([versus("Magnitude + L1", "Dense", metric="error")]), cells)
    assert found.verdict == "confirmed"
    result = found.compared[0].result
    part = lossy.tables["forecasts"][lossy.tables["forecasts"]["horizon"] == 60]
    assert result.higher == pytest.approx(part["rfmse"].fillna(3.0).mean())
    assert "diverged forecasts counted as 3" in found.sentence


def test_active_weights():
    cells = {**CELLS, "Magnitude + L1": made_cell(0, small=0.75, seed=6)}
    cells["Magnitude + L1"].facts["alive"][0] = False
    (found,) = verdicts(study([versus("Magnitude + L1", "Dense", metric="active")]), cells)
    (one,) = found.compared
    assert found.verdict == "confirmed"
    assert one.members == (MEMBERS - 1, MEMBERS)
    assert one.result.lower == pytest.approx(
        1000 * (1 - np.mean(cells["Magnitude + L1"].facts["sparsity"]["small"][1:])), abs=1
    )
    assert re.match(r"Magnitude \+ L1 had 24\d active weights a network against 99\d for Dense", one.sentence)
    # Networks have no horizon, and no test trajectories.
    assert (one.horizon, found.trajectories, found.size) == (None, 0, "9 networks a side")


def test_disagreement():
    cells = {**CELLS, "Magnitude + L1": agreeing(GOOD, 0.9), "Dense": agreeing(BAD, 0.4)}
    (found,) = verdicts(study([versus("Magnitude + L1", "Dense", metric="disagreement")]), cells)
    alike = kappa(cells["Dense"].arrays["strength"] > 0)
    assert found.verdict == "confirmed"
    assert found.compared[0].result.higher == pytest.approx(1 - alike[~np.eye(MEMBERS, dtype=bool)].mean())
    assert "(one minus the mean kappa of their maps)" in found.sentence


def test_spread_over_members():
    low, high = (scattered(GOOD, width) for width in (0.01, 0.3))
    spec = study([versus("Magnitude + L1", "Dense", metric="spread")])
    (found,) = verdicts(spec, {**CELLS, "Magnitude + L1": low, "Dense": high})
    assert found.verdict == "confirmed"
    assert "from their median" in found.sentence
    # Where nearly all is lost, errors are at their bound: that is no stable training.
    lost = low._replace(tables={"forecasts": low.tables["forecasts"].assign(diverged=True, rfmse=np.nan)})
    (found,) = verdicts(spec, {**CELLS, "Magnitude + L1": lost, "Dense": high})
    assert found.verdict == "not yet known"


def test_what_is_not_stored_is_not_yet_known():
    spec = study([versus("Magnitude + L1", "Dense", metric="disagreement")], [HOLDS])
    found = verdicts(spec, CELLS)
    assert [one.verdict for one in found] == ["not yet known", "confirmed"]
    assert found[0].sentence.startswith("Not known: maps of what depends on what")
    few = {**CELLS, "Dense": BAD._replace(tables={})}
    assert [one.verdict for one in verdicts(spec, few)] == ["not yet known"] * 2


def test_unfinished_cells_are_not_yet_known():
    cells = {label: cell for label, cell in CELLS.items() if label != "Dense"}
    (found,) = verdicts(study([HOLDS, OPEN]), cells)
    assert found.verdict == "not yet known"
    assert found.compared[0].sentence == "Not yet known: no results of Dense yet."
    assert found.compared[1].outcome == "open"
    (found,) = verdicts(study([HOLDS]), {})
    assert (found.size, found.members) == ("", 0)


@pytest.mark.slow
def test_all_comparisons_of_a_study_are_corrected_together():
    cells = {**CELLS, "Dense": made_cell(0.12, seed=7)}
    (alone,) = verdicts(study([HOLDS]), cells)
    assert alone.compared[0].outcome == "holds"
    p = alone.compared[0].p
    together = verdicts(study([HOLDS], *([[OPEN]] * 39)), cells)
    assert together[0].compared[0].p == pytest.approx(min(1, 40 * p))
    assert together[0].compared[0].outcome == "open"


def test_few_networks_cannot_decide():
    few = {
        label: made_cell(risk, members=4, seed=i)
        for i, (label, risk) in enumerate(zip(LABELS, (1, 1, 0, 0), strict=True))
    }
    # The most extreme of 70 divisions and its mirror image: 0.029.
    (alone,) = verdicts(study([HOLDS]), few)
    assert alone.verdict == "confirmed"
    assert attainable([alone])
    (both,) = verdicts(study([HOLDS, OPEN]), few)
    assert both.verdict == "not supported at this n"
    assert not attainable([both])
    assert findings_of([both]).how_tested[-1].endswith("It takes more members to tell.")
    assert attainable(verdicts(study([HOLDS]), {}))


def test_equal_results_give_equal_verdicts():
    spec = study([HOLDS, OPEN], [versus("Magnitude + L1", "Dense", metric="error")])
    assert verdicts(spec, CELLS) == verdicts(spec, CELLS)
    assert verdicts(study(), CELLS) == []


def test_paragraphs():
    first, second = findings_of(verdicts(study([HOLDS, OPEN], [OPEN]), CELLS)).claims
    text = first.paragraph("(Paper 1)")
    assert text.startswith(
        "**Partly confirmed.** It is so. (Paper 1). 10 networks a side, 12 test trajectories.\n\n- Magnitude"
    )
    assert text.count("\n- ") == 2
    odd = replace(second, claim="a *b* <c>\n# d").paragraph("(P)")
    assert odd.startswith(r"**Not supported at this n.** a \*b\* &lt;c&gt; # d (P). 10 networks")
    assert findings_of([]).claims == ()


def test_drawn_divisions_have_a_smallest_p_value():
    # Of two sides of ten there are 184,756 divisions, of which 10,000 are drawn: no p-value is below 2 / 10,001.
    once = verdicts(study([HOLDS]), CELLS)
    assert attainable(once * 250)
    assert not attainable(once * 251)


CLAIM = '\n[[claims]]\nsource = "P"\nclaim = "c"\n\n[[claims.comparisons]]\n'
PUBLISHED = '\n[published]\nsource = "P"\nhorizons = [20]\nrows = [{ cell = "Dense", diverged = [3.0] }]\n'
REFUSED = {
    "lower": (
        CLAIM + 'lower = "Dens"\nhigher = "Dense + SWA"\n',
        "claims[1].comparisons[1].lower",
        "'Dens'. Did you mean 'Dense'?",
    ),
    "higher": (
        CLAIM + 'lower = "Dense"\nhigher = "xyz"\n',
        "claims[1].comparisons[1].higher",
        "Its cells: 'Dense', 'Dense + SWA', 'Magnitude + L1', 'Magnitude + L1 + SWA'.",
    ),
    "same": (CLAIM + 'lower = "Dense"\nhigher = "Dense"\n', "claims[1].comparisons[1].higher", "two different cells"),
    "horizon": (
        CLAIM + 'lower = "Dense"\nhigher = "Dense + SWA"\nhorizon = 30\n',
        "claims[1].comparisons[1].horizon",
        "one of the horizons of this study, 20, 60; got 30",
    ),
    "no horizon": (
        CLAIM + 'lower = "Dense"\nhigher = "Dense + SWA"\nmetric = "active"\nhorizon = 60\n',
        "claims[1].comparisons[1].horizon",
        "it has no horizon. Remove it.",
    ),
    "panel": ('\n[[panels]]\ntitle = "t"\ncells = ["Dense", "dense + swa"]\n', "panels[1].cells[2]", "'Dense + SWA'?"),
    "same published cell": (
        PUBLISHED.replace("}]", '}, { cell = "Dense", diverged = [4.0] }]'),
        "published.rows[2].cell",
        "'Dense' twice",
    ),
    "share above all": (PUBLISHED.replace("3.0", "150"), "published.rows[1].diverged[1]", "0 to 100, or nan; got 150"),
    "share below none": (PUBLISHED.replace("3.0", "-3"), "published.rows[1].diverged[1]", "got -3"),
    "negative error": (
        PUBLISHED.replace("[3.0]", "[3.0], rfmse = [-1.0]"),
        "published.rows[1].rfmse[1]",
        "at least 0, or nan; got -1",
    ),
    "infinite spread": (
        PUBLISHED.replace("[3.0]", "[3.0], rfmse = [nan], rfmse_std = [inf]"),
        "published.rows[1].rfmse_std[1]",
        "a finite number of at least 0, or nan; got inf",
    ),
    "empty panel": ('\n[[panels]]\ntitle = "t"\ncells = []\n', "panels[1].cells", "at least 1 entry in the list"),
    "published cell": (PUBLISHED.replace('"Dense"', '"DSR"'), "published.rows[1].cell", "got 'DSR'"),
    "published horizon": (PUBLISHED.replace("[20]", "[21]"), "published.horizons[1]", "20, 60; got 21"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_claims_must_fit_the_study(case: str):
    addition, key, words = REFUSED[case]
    with pytest.raises(StudyError) as caught:
        parse(TINY + addition, "tiny.toml")
    message = str(caught.value)
    assert re.match(r"tiny\.toml, line 3[4-9]|tiny\.toml, line 4\d", message)
    assert f", {key}: " in message
    assert words in message


def test_fitting_tables_are_taken():
    spec = parse(TINY + PUBLISHED.replace("[3.0]", "[nan], rfmse = [nan], rfmse_std = [0]"), "tiny.toml")
    assert spec.published is not None


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    techniques = (("Dense", 1.0, 0.3, 0.5), ("Magnitude + L1", 0.25, 0.1, 0.0))
    made = Made(
        techniques=techniques, members=6, trajectories=5, fans=1, states=2, inputs=1, rows=60, points=20,
        horizons=(20, 60),
    )  # fmt: skip
    return make_study(tmp_path_factory.mktemp("study") / "claims", made)


CLAIMED = {"source": "A & B", "claim": "<i>Pruned</i> is best", "comparisons": [HOLDS, OPEN]}


def test_a_section_of_the_report(directory: Path):
    (section,) = claims_sections(contents(directory, claims=[CLAIMED]))
    table, detail, how = section.blocks
    ((claim, verdict),) = table.entries()
    assert (claim.text, claim.note) == ("&lt;i&gt;Pruned&lt;/i&gt; is best", "A &amp; B")
    assert (verdict.text, verdict.mark) == ("✓ partly confirmed", "fair")
    assert detail.markdown.startswith(
        "**Partly confirmed.** &lt;i&gt;Pruned&lt;/i&gt; is best (A &amp; B). 6 networks a side, 5 test trajectories."
    )
    assert detail.markdown.count("\n- ") == 2
    assert "permutation test" in how.markdown
    whole = COMPARISON.document(stored(directory, claims=[CLAIMED]))
    assert [s.anchor for s in whole.sections][2:5] == ["results", "claims", "horizons"]
    html = to_html(replace(whole, sections=[section]), {})
    assert "<i>" not in html
    assert '<td class="fair text">✓ partly confirmed</td>' in html
    assert '<a href="#claims">What it says about the claims</a>' in html


def test_no_claims_no_section(directory: Path):
    assert claims_sections(contents(directory)) == []


def test_the_report_says_when_networks_are_too_few(directory: Path):
    claim = {"source": "P", "claim": "c", "comparisons": [HOLDS, *[OPEN] * 60]}
    (section,) = claims_sections(contents(directory, claims=[claim]))
    assert "It takes more members to tell" in section.blocks[-1].markdown


def test_every_verdict_has_a_badge():
    assert set(BADGES) == set(VERDICTS)
    assert {Verdict("", "", name, ()).verdict for name in VERDICTS} == set(BADGES)


def test_findings_are_the_same_from_a_file():
    found = findings_of(verdicts(study([HOLDS, OPEN], [REVERSED]), CELLS))
    assert [len(claim.sentences) for claim in found.claims] == [2, 1]
    assert findings_from(json.loads(json.dumps(found.as_table()))) == found


def test_the_page_of_claims_counts_and_groups():
    empty = claims_page({"one": Findings()})
    assert "None of the published studies" in empty.leads[0]
    found = findings_of(verdicts(study([HOLDS], [OPEN]), CELLS))
    page = claims_page({"one": found, "two": found})
    assert page.sections[0].blocks[1].markdown == "In all: 2 confirmed, 2 not supported at this n."
    assert [section.heading for section in page.sections] == ["Verdicts", "Paper 1", "Paper 2", "How it was tested"]
    assert [len(section.blocks) for section in page.sections] == [2, 2, 2, 1]
    assert "Study: [two](two.md)" in page.sections[1].blocks[1].markdown
    assert len(claims_page({"one": replace(found, attainable=False)}).sections[-1].blocks) == 2
