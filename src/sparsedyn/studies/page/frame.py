"""The frame of every report: title, what it is about, the answer, a menu, sections; nothing is fetched to show it."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template

from sparsedyn.studies.page.write import section


def framed(
    title: str, leads: Sequence[str], answer: Sequence[str], parts: Sequence[tuple[str, str, str]], *, scripts: str = ""
) -> str:
    """Return the page (HTML).

    `title` and `leads` are plain text, the sentences of the `answer` HTML; `parts` are name, heading and body of every
    section, those with an empty body left out. `scripts` come after the page's own.
    """
    shown = [part for part in parts if part[2]]
    sentences = "".join(f"<p>{sentence}</p>" for sentence in answer)
    own = f"<script>{asset('page.js')}</script>"
    return Template(asset("page.html")).substitute(
        title=escape(title),
        style=asset("page.css"),
        summary="".join(f'<p class="lead">{escape(text)}</p>' for text in leads if text),
        menu="\n".join(f'<a href="#{name}">{escape(heading)}</a>' for name, heading, _ in shown),
        body=f'<div class="answer"><h2>In short</h2>{sentences}</div>\n' + "\n".join(section(*part) for part in shown),
        scripts="\n".join(text for text in (own, scripts) if text),
    )


def asset(name: str) -> str:
    """Return one of the files that pages are made of."""
    return files("sparsedyn.studies.page").joinpath(name).read_text(encoding="utf-8")
