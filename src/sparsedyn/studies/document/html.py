"""A document as a self-contained HTML page: style, scripts, pictures and data are in it."""

import base64
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from sparsedyn.plotting.style import DOTS_PER_INCH
from sparsedyn.studies.document.blocks import Chart, Column, Document, Fold, Picture, Table, Text
from sparsedyn.studies.document.charts import chart_html, plotly_script

ROOM = files("sparsedyn.studies.document")
PIXELS_PER_INCH = 100
"""How large pictures appear: letters of 9 points in them then match the small print around them."""


def to_html(document: Document, drawn: Mapping[str, bytes]) -> str:
    """Return the page with the PNGs of its pictures, by name, embedded; it needs no network."""
    charts = any(_has_chart(section.blocks) for section in document.sections)
    return (
        _environment()
        .get_template("page.html")
        .render(
            document=document,
            picture=lambda picture: _image(picture, drawn[picture.name]),
            plotly=Markup(plotly_script()) if charts else "",
        )
    )


@cache
def _environment() -> jinja2.Environment:
    markdown = MarkdownIt("commonmark", {"html": False})
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sparsedyn.studies.document", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["markdown"] = lambda text: Markup(markdown.render(text))
    environment.filters["inline"] = lambda text: Markup("<br>".join(map(markdown.renderInline, text.split("\n"))))
    environment.globals["heads"] = _heads
    environment.globals["chart"] = lambda chart: Markup(chart_html(chart))
    environment.globals["source"] = lambda name: Markup(ROOM.joinpath(name).read_text(encoding="utf-8"))
    for kind in (Text, Table, Picture, Chart, Fold):
        environment.tests[kind.__name__.lower()] = lambda block, kind=kind: isinstance(block, kind)
    return environment


def _heads(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Return the headings over columns with the number of columns below each, none where no column has one."""
    if not any(column.over for column in columns):
        return []
    return [(over, len(list(group))) for over, group in groupby(columns, key=lambda column: column.over)]


def _image(picture: Picture, png: bytes) -> Markup:
    # A PNG begins with its size: eight bytes of signature, eight of the first block's head, then the two numbers.
    sizes = struct.unpack(">II", png[16:24])
    width, height = (round(size * PIXELS_PER_INCH / DOTS_PER_INCH) for size in sizes)
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return Markup('<img alt="{}" width="{}" height="{}" src="{}">').format(picture.alt, width, height, source)


def _has_chart(blocks: Sequence[object]) -> bool:
    return any(isinstance(b, Chart) or (isinstance(b, Fold) and _has_chart(b.blocks)) for b in blocks)
