"""Putting the page together: sections in reading order, with style, scripts and data inside it."""

from collections.abc import Iterator, Sequence

from plotly.offline import get_plotlyjs

from sparsedyn.studies.page.answer import answer, most_and_least_stable
from sparsedyn.studies.page.claims import claims_section
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.explorer import as_script, explorer_data
from sparsedyn.studies.page.frame import asset, framed
from sparsedyn.studies.page.how import how_it_was_run, notes, study_facts
from sparsedyn.studies.page.metrics import metrics
from sparsedyn.studies.page.picture import Picture
from sparsedyn.studies.page.published import published_section
from sparsedyn.studies.page.table import main_table, sparsity_table
from sparsedyn.studies.page.write import figure, fold
from sparsedyn.studies.search.section import search_section

Drawn = Sequence[tuple[Picture, bytes]]

KEY = """<p class="caption"><span class="key best">best</span> of its column;
<span class="key near">tinted</span>: the interval overlaps with that of the best, so the two cannot be told apart
here. RFMSE is compared only where at least half of the forecasts did not diverge. Small numbers: 95 % intervals.
Click a heading to sort.</p>"""


def assemble(contents: Contents, drawn: Drawn) -> str:
    """Return the page (HTML) with the `drawn` pictures in it; a browser fetches nothing to show it."""
    data = as_script(explorer_data(contents))
    parts = list(_parts(contents, drawn, bool(data)))
    title, *leads = study_facts(contents)
    return framed(title, leads, _answer(contents), parts, scripts=_scripts(data))


def _parts(contents: Contents, drawn: Drawn, explorable: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, heading and body of every section; those with an empty body are left out."""
    yield "search", "The search", search_section(contents.directory, _figures(drawn, "search"))
    yield "results", "Results", _results(contents)
    yield "claims", "What it says about the claims", claims_section(contents)
    yield "published", "Beside the published figures", published_section(contents)
    yield "horizons", "At the horizons", _figures(drawn, "horizons")
    yield "panels", "In the paper's arrangement", _figures(drawn, "panels")
    yield "time", "Over time", _figures(drawn, "time")
    yield "data", "The data", _figures(drawn, "data")
    yield "fans", "Forecasts against truth", _fans(contents, drawn)
    yield "explore", "Explore", asset("explorer.html") if explorable else ""
    yield "sparsity", "What sparsity costs", _figures(drawn, "sparsity")
    yield "maps", "What reaches what", _figures(drawn, "maps")
    yield "training", "Training", _figures(drawn, "training")
    yield "how", "How it was run", how_it_was_run(contents.run, contents.spec)
    yield "cost", "Cost", _figures(drawn, "cost")
    yield "metrics", "What the numbers mean", metrics()


def _answer(contents: Contents) -> list[str]:
    longest = contents.horizons[-1]
    labels = {key: look.label for key, look in contents.looks.items()}
    return answer(contents.at(longest), labels, contents.horizon_names()[longest])


def _results(contents: Contents) -> str:
    squared = main_table(contents, "squared")
    more = fold("The same with squared errors, the other reading of the RFMSE", squared) if squared else ""
    sparsity = fold("Sparsity told three ways", sparsity_table(contents))
    key = KEY if len(contents.looks) > 1 else ""
    return key + main_table(contents) + notes(contents) + more + sparsity


def _figures(drawn: Drawn, part: str) -> str:
    return "".join(figure(png, p.alt, p.caption) for p, png in drawn if p.part == part)


def _fans(contents: Contents, drawn: Drawn) -> str:
    """Show the most and the least stable cell at once, the others to unfold."""
    pictures = {p.name: (p, png) for p, png in drawn if p.part == "fans"}
    cells = most_and_least_stable(contents.at(contents.horizons[-1]))
    names = [f"fan-{contents.cells[cell].slug}" for cell in cells if cell in contents.cells]
    chosen = [pictures[name] for name in names if name in pictures]
    others = [one for name, one in pictures.items() if name not in names]
    if len(pictures) <= 3 or not chosen:
        return _figures(list(pictures.values()), "fans")
    lead = "<p>The most and the least stable configuration; the others are folded away below.</p>"
    return lead + _figures(chosen, "fans") + fold(f"The other {len(others)}", _figures(others, "fans"))


def _scripts(data: str) -> str:
    """What draws; Plotly, several megabytes, only if there is something for it to draw."""
    if not data:
        return ""
    return (
        f'<script type="application/json" id="explorer-data">{data}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>{asset('explorer.js')}</script>"
    )
