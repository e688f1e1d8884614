"""Documents as Markdown and as HTML: each piece of content once, both from the same blocks, and hostile names inert."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest
from markdown_it import MarkdownIt
from matplotlib.figure import Figure

from sparsedyn.studies.document import (
    Block,
    Chart,
    Column,
    Document,
    Entry,
    Fold,
    Picture,
    Section,
    Table,
    Text,
    bold,
    code,
    paragraphs,
    plain,
)
from sparsedyn.studies.document.charts import chart_text
from sparsedyn.studies.document.html import to_html
from sparsedyn.studies.document.markdown import to_markdown
from sparsedyn.studies.document.writing import GENERATED, write_page, write_report

HOSTILE = [
    "</script><script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1)) ![i](http://evil)",
    "<http://evil> &lt;b&gt; &#60;",
    "# heading",
    "1. one\n2. two",
    "- item",
    "> quote\n\n    code",
    "`code` ``x` *b* __u__ ~~s~~ a|b \\| \\",
    ": definition",
    "!!! note",
    "{{ 7 * 7 }} {% raw %} ${x} {: .c}",
    "| a | b |\n| - | - |",
    "a\n===",
    "*[abbr]: x",
]
TAGS = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "br", "small", "strong", "em"}


def dot() -> Figure:
    return Figure(figsize=(0.2, 0.1))


class Reading(HTMLParser):
    """The tags of a page, and the text outside of scripts."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["script"]:
            self.words.append(data)


def named(name: str, *blocks: Block) -> Document:
    """Return a document with a user's `name` wherever one may stand."""
    table = Table([Column(plain(name), text=True), Column("value")], [[plain(name), Entry("1", plain(name), "best")]])
    return Document(name, paragraphs(name), [Section("one", plain(name), [Text(plain(name)), table, *blocks])])


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_inert_in_markdown(name: str):
    text = to_markdown(named(name), folder="x", remark="", source="")
    shown = Reading(MarkdownIt("commonmark").enable("table").enable("strikethrough").render(text))
    assert set(shown.tags) <= TAGS
    assert not shown.attributes or {key for key, _ in shown.attributes} == {"style"}
    words = " ".join("".join(shown.words).split())
    assert words.count(" ".join(name.split("\n\n")[0].split())) >= 5


def test_titles_are_inert_also_where_a_theme_unescapes_them():
    text = to_markdown(Document("</title><b>1 < 2 <!--", [], []), folder="x", remark="", source="")
    head = Reading(unescape("<title>" + re.sub("<[^>]*>", "", MarkdownIt().render(text)) + "</title>"))
    assert head.tags == ["title"]
    assert "".join(head.words).replace("\u2060", "").strip() == "</title><b>1 < 2 <!--"


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_inert_in_html(name: str):
    empty = Reading(to_html(named("x"), {}))
    page = Reading(to_html(named(name), {}))
    assert set(page.tags) == set(empty.tags)
    assert page.tags.count("script") == empty.tags.count("script")
    assert " ".join(name.split()) in " ".join("".join(page.words).split())


def test_names_in_charts_cannot_end_the_script():
    name = "</script><b>%{x}"
    chart = Chart("c", plain(name), lambda: go.Figure(go.Scatter(y=[1], name=chart_text(name))))
    source = to_html(named(name, chart), {})
    drawing = next(part for part in source.split("<script>") if "Plotly.newPlot" in part and name[:2] not in part[:200])
    assert "</script><b>" not in source
    assert "%{" not in drawing.rpartition('"name"')[2][:60]


def test_code_keeps_what_is_in_it():
    assert code("x*y_1 < 2") == "`x*y_1 < 2`"
    assert code("a`b``c") == "``` a`b``c ```"
    assert code(" \n") == "–"
    assert code("x" * 500).endswith("x… (500 characters)`")
    assert bold("a*b") == r"**a\*b**"


WIDE = Table(
    [
        Column("configuration", text=True),
        Column("diverged, %", over="10 steps\n(1 s)", group=True),
        Column("RFMSE", over="10 steps\n(1 s)"),
        Column("diverged, %", over="20 steps", group=True),
        Column("RFMSE", over="20 steps"),
        Column("weights", over="size", group=True),
    ],
    [["a | b", Entry("1.0", "0–2", "best", 1.0), Entry("0.1", mark="near"), "2.0", "0.2", "30"]],
    sortable=True,
    apart=True,
)


def test_a_wide_table_is_divided_in_markdown_only():
    document = Document("t", [], [Section("s", "S", [WIDE])])
    text = to_markdown(document, folder="x", remark="", source="")
    assert text.split("\n\n")[2:] == [
        "**Diverged, %**",
        "| configuration | 10 steps<br>(1 s) | 20 steps |\n| :-- | --: | --: |\n"
        "| a \\| b | **1.0**<br><small>0–2</small> | 2.0 |",
        "**RFMSE**",
        "| configuration | 10 steps<br>(1 s) | 20 steps |\n| :-- | --: | --: |\n| a \\| b | *0.1* | 0.2 |",
        "**Size**",
        "| configuration | weights |\n| :-- | --: |\n| a \\| b | 30 |\n",
    ]
    html = to_html(document, {})
    assert html.count("<table") == 1
    assert '<th colspan="2" class="group">10 steps<br>(1 s)</th>' in html
    assert '<td class="best group" data-sort="1">1.0<small>0–2</small></td><td class="near" data-sort="0.1">' in html


def test_unknown_numbers_sort_last():
    assert [Entry("–", sort=float("nan")).key, Entry("1 %", sort=0.01).key, Entry("b").key] == ["", "0.01", "b"]


def test_rows_must_fit_the_columns():
    with pytest.raises(ValueError, match="expected 6 entries in a row; got 1"):
        list(Table(WIDE.columns, [["a"]]).entries())


def test_sections_that_are_empty_on_a_page_of_text_are_left_out():
    folded = Fold("more", [Picture("hidden", "a", "c", dot)])
    shown = Picture("shown", "what it shows", "**A** caption", dot)
    document = Document(
        "t", [], [Section("a", "Charts", [Chart("c", "", dot), folded]), Section("b", "B", [shown, folded])]
    )
    text = to_markdown(document, folder="x", remark="<!-- r -->", source="`cmd`")
    assert text == (
        "# t\n\n<!-- r -->\n\n## B\n\n[![what it shows](x/shown.png)](x/shown.png)\n\n**A** caption<br>\n"
        "<small>`cmd`</small>\n"
    )
    assert [p.name for p in document.pictures()] == ["hidden", "shown", "hidden"]
    assert [p.name for p in document.pictures(folded=False)] == ["shown"]


def test_a_report_needs_nothing_else(tmp_path: Path):
    blocks = [Picture("dot", "a dot", "A dot.", dot), Fold("more", [Chart("c", "A chart.", lambda: go.Figure())])]
    path = write_report(Document("T & co", ["about"], [Section("s", "S", blocks)]), tmp_path)
    source = path.read_text(encoding="utf-8")
    page = Reading(source)
    fetched = [value for key, value in page.attributes if key in ("src", "href", "action", "data")]
    assert all(str(value).startswith(("data:image/png;base64,", "#")) for value in fetched)
    assert "default-src 'none'" in source
    assert source.count("plotly.js v") == 1
    assert re.search(r'<img alt="a dot" width="20" height="10" src', source)
    assert {file.name for file in (tmp_path / "figures").iterdir()} == {"dot.png", "dot.pdf"}


def test_without_charts_there_is_no_plotly():
    assert "plotly.js v" not in to_html(named("x"), {})


def test_a_page_removes_pictures_of_its_own_only(tmp_path: Path):
    page, old = tmp_path / "n.md", tmp_path / "n" / "old.png"
    document = Document("t", [], [Section("s", "S", [Picture("dot", "a", "c", dot)])])
    write_page(document, tmp_path, "n", source="s")
    old.write_bytes(b"")
    page.write_text("[![a](n/old.png)](n/old.png)")
    write_page(document, tmp_path, "n", source="s")
    assert old.exists()
    page.write_text(f"{GENERATED} [![a](n/old.png)](n/old.png)")
    assert write_page(document, tmp_path, "n", source="s") == [page, tmp_path / "n" / "dot.png"]
    assert not old.exists()
