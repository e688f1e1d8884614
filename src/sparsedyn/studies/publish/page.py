"""A study as one page of the documentation: what was run, the numbers, the pictures, what they say."""

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from itertools import groupby
from typing import Any

from PIL import Image

from sparsedyn.studies.comparison.spec import StudySpec
from sparsedyn.studies.figures import render
from sparsedyn.studies.markdown import plain
from sparsedyn.studies.page.contents import Contents
from sparsedyn.studies.page.how import notes, study_facts
from sparsedyn.studies.page.picture import Picture
from sparsedyn.studies.page.pictures import pictures
from sparsedyn.studies.page.write import duration, listing, plural
from sparsedyn.studies.publish import words
from sparsedyn.studies.publish.choice import shown_fans
from sparsedyn.studies.publish.command import Command, command
from sparsedyn.studies.publish.tables import results_tables
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.search.section import search_section

GENERATED = "<!-- Written by `sparsedyn study publish`: change the study, not this page. -->"
COLORS = 256
PROPER = {"python": "Python"}
# In the order of the page; a part that is not named here comes before the forecasts, under its own name.
HEADINGS = {
    "search": "What matters in the search",
    "panels": "The paper's arrangement",
    "data": "The data",
    "horizons": "At the horizons",
    "time": "Over time",
    "sparsity": "What sparsity costs",
    "maps": "What reaches what",
    "training": "Training",
    "cost": "Cost",
}
LAST = {"fans": "Forecasts against truth"}


def page(contents: Contents, spec: StudySpec, chosen: Sequence[Picture], published: str, claims: str) -> str:
    """Return the page (Markdown) with links to the files of the `chosen` pictures; empty sections are left out."""
    title, about, _ = study_facts(contents)
    parts = [
        ("What was run", what_was_run(contents, spec)),
        ("The search", _search(contents)),
        ("Results", results_tables(contents)),
        ("Beside the published figures", published),
        ("Pictures", _pictures(chosen, spec)),
        ("What it says about the claims", claims),
    ]
    sections = [f"## {heading}\n\n{body.strip()}" for heading, body in parts if body.strip()]
    lead = [words.paragraphs(about)] if about else []
    return "\n\n".join([f"# {plain(title)}", GENERATED, *lead, *sections]) + "\n"


def chosen_pictures(contents: Contents, spec: StudySpec) -> list[Picture]:
    """Return all pictures of the study in the order of the page; of the forecasts over time only some cells'."""
    figures = {
        f"fan-{contents.cells[key].slug}": figure
        for key, figure in shown_fans(contents, spec).items()
        if key in contents.cells
    }
    found = [_placed(p, figures.get(p.name, "")) for p in pictures(contents) if p.part != "fans" or p.name in figures]
    order = [*HEADINGS, *dict.fromkeys(p.part for p in found if p.part not in HEADINGS | LAST), *LAST]
    return sorted(found, key=lambda picture: order.index(picture.part))


def drawn(picture: Picture) -> bytes:
    """Return the picture's PNG, in at most 256 colours: a third of the bytes, and the same to the eye."""
    png, _ = render(picture.draw())
    image = Image.open(io.BytesIO(png)).convert("RGB")
    stream = io.BytesIO()
    few = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def what_was_run(contents: Contents, spec: StudySpec) -> str:
    """Return the command, seed, sizes, wall time and versions."""
    facts = " ".join([*_sizes(contents, spec), *machine(contents.run)])
    return f"{commanded(command(spec), facts)}\n\n{notes(contents)}"


def commanded(line: Command, facts: str) -> str:
    """Return a command with what is known of its run."""
    remark = "" if line.builtin else " The study is the `study.toml` of its folder, saved under that name."
    return f"```\n{line.text}\n```\n\n{facts}{remark}"


def machine(run: Mapping[str, Any]) -> Iterator[str]:
    """Say how long a study took, on what and with which versions, as far as `run` (run.json) knows."""
    seconds = run.get("seconds")
    if isinstance(seconds, int | float) and math.isfinite(seconds):
        device = f" on {run['device']}" if run.get("device") else ""
        yield plain(f"Wall time {duration(float(seconds))}{device}.")
    versions = run.get("versions")
    if versions:
        listed = ", ".join(f"{PROPER.get(name, name)} {version}" for name, version in versions.items())
        yield f"With {plain(listed)}."


def _search(contents: Contents) -> str:
    """The tables of a search (HTML, which Markdown leaves alone); empty for a study that searched nothing."""
    # What follows the tables is the picture, which is among the others here.
    return search_section(contents.directory, "").removesuffix("<h3>What matters</h3>")


def source_line(spec: AnyStudySpec) -> str:
    """Return what stands under every picture: the command and the seed that it comes from."""
    return words.small(f"`{command(spec).text}`, seed {spec.seed}")


def _sizes(contents: Contents, spec: StudySpec) -> Iterator[str]:
    members, trajectories = contents.ensemble()
    yield f"Seed {spec.seed}; {plural(len(contents.looks), 'configuration')} of {plural(members, 'network')};"
    train = plural(spec.data.train[0], "trajectory")
    if len(spec.data.train) > 1:
        train = f"{listing([str(count) for count in spec.data.train], 12)} trajectories"
    yield f"{train} for training, {spec.data.validation} for validation, {trajectories} for test;"
    yield f"forecasts of up to {contents.clock.horizon(contents.horizons[-1])}."


def _placed(picture: Picture, figure: str) -> Picture:
    """Say in the caption which figure of the paper a picture is like."""
    return replace(picture, caption=f"{picture.caption} Like the paper's {escape(figure)}.") if figure else picture


def _pictures(chosen: Iterable[Picture], spec: StudySpec) -> str:
    names, source = HEADINGS | LAST, source_line(spec)
    parts = []
    for part, group in groupby(chosen, key=lambda picture: picture.part):
        shown = "\n\n".join(picture_of(picture, spec.name, source) for picture in group)
        parts.append(f"### {names.get(part, part.capitalize())}\n\n{shown}")
    return "\n\n".join(parts)


def picture_of(picture: Picture, folder: str, source: str) -> str:
    """Return a picture with its caption and what it comes from."""
    file = f"{folder}/{picture.name}.png"
    # A link to itself: wider pictures than the page's column can be looked at in full size.
    image = f"[![{plain(picture.alt)}]({file})]({file})"
    return f"{image}\n\n{words.from_html(picture.caption)}<br>\n{source}"
