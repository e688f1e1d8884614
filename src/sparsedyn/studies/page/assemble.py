"""Putting the page together: sections in reading order, style, scripts and data inside it."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template

from plotly.offline import get_plotlyjs

from sparsedyn.studies.page.answer import answer, best_row
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.explorer import as_script, explorer_data
from sparsedyn.studies.page.how import how_it_was_run, metrics, notes, study_facts
from sparsedyn.studies.page.pictures import Picture
from sparsedyn.studies.page.table import main_table, sparsity_table
from sparsedyn.studies.page.write import figure, fold, section

Drawn = Sequence[tuple[Picture, bytes]]


def assemble(contents: Contents, drawn: Drawn) -> str:
    """Return the page (HTML) with the `drawn` pictures in it; a browser fetches nothing to show it."""
    data = as_script(explorer_data(contents))
    parts = [part for part in _parts(contents, drawn, bool(data)) if part[2]]
    title, summary = study_facts(contents)
    return Template(asset("page.html")).substitute(
        title=escape(title),
        style=asset("page.css"),
        summary=escape(summary),
        menu="\n".join(f'<a href="#{name}">{escape(heading)}</a>' for name, heading, _ in parts),
        body=_answer(contents) + "\n".join(section(*part) for part in parts),
        scripts=_scripts(data),
    )


def asset(name: str) -> str:
    """Return one of the files that the page is made of."""
    return files("sparsedyn.studies.page").joinpath(name).read_text(encoding="utf-8")


def _parts(contents: Contents, drawn: Drawn, explorable: bool) -> Iterator[tuple[str, str, str]]:
    """Yield name, heading and body of every section; those with an empty body are left out."""
    yield "results", "Results", _results(contents)
    yield "divergence", "Divergence and error at the horizons", _figures(drawn, "divergence")
    yield "time", "Error over time", _figures(drawn, "time")
    yield "explore", "Explore", asset("explorer.html") if explorable else ""
    yield "fans", "Forecasts against truth", _fans(contents, drawn)
    yield "sparsity", "What sparsity costs", _figures(drawn, "sparsity")
    yield "maps", "What reaches what", _figures(drawn, "maps")
    yield "training", "Training", _figures(drawn, "training")
    yield "how", "How it was run", how_it_was_run(contents)
    yield "metrics", "What the numbers mean", metrics()
    yield "cost", "Cost", _figures(drawn, "cost")


def _answer(contents: Contents) -> str:
    longest = contents.horizons[-1]
    labels = {key: look.label for key, look in contents.looks.items()}
    sentences = answer(contents.at(longest), labels, contents.horizon_names()[longest])
    return f'<div class="answer"><h2>In short</h2>{"".join(f"<p>{s}</p>" for s in sentences)}</div>'


def _results(contents: Contents) -> str:
    key = (
        '<p class="caption"><span class="key" style="background:var(--best);color:var(--best-ink);font-weight:700">best'
        '</span> of its column; <span class="key" style="background:var(--near)">tinted</span>: the interval overlaps '
        "with that of the best, so the two cannot be told apart here. Small numbers: 95 % intervals. Click a heading "
        "to sort.</p>"
    )
    squared = main_table(contents, "squared")
    more = fold("The same with squared errors (the reading of the paper's text)", squared) if squared else ""
    return (
        key
        + main_table(contents)
        + notes(contents)
        + more
        + fold("Sparsity told three ways", sparsity_table(contents))
    )


def _figures(drawn: Drawn, part: str) -> str:
    return "".join(figure(png, p.alt, p.caption) for p, png in drawn if p.part == part)


def _fans(contents: Contents, drawn: Drawn) -> str:
    """Show the most and the least stable technique at once, the others to unfold."""
    longest = contents.at(contents.horizons[-1])
    best = best_row(longest, "diverged")
    shown = {
        str(longest["cell"].iloc[i]) for i in (best, longest["diverged"].fillna(-1).argmax()) if i is not None
    }
    names = [f"fan-{contents.cells[key].slug}" for key in shown if key in contents.cells]
    all_fans = [(p, png) for p, png in drawn if p.part == "fans"]
    if not all_fans:
        return ""
    first = "".join(figure(png, p.alt, p.caption) for p, png in all_fans if p.name in names)
    rest = "".join(figure(png, p.alt, p.caption) for p, png in all_fans if p.name not in names)
    lead = "<p>The most and the least stable configuration:</p>" if rest and len(names) == 2 else ""
    return lead + first + (fold(f"The other {len(all_fans) - len(names)}", rest) if rest else "")


def _scripts(data: str) -> str:
    """The code of the page; Plotly, several megabytes, only if there is something for it to draw."""
    scripts = f"<script>{asset('page.js')}</script>"
    if not data:
        return scripts
    return (
        f'{scripts}\n<script type="application/json" id="explorer-data">{data}</script>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>{asset('explorer.js')}</script>"
    )
