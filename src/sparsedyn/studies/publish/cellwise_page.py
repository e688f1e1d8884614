"""A study of equation learners as one page of the documentation: what its report says and shows."""

from collections.abc import Mapping
from typing import Any

from sparsedyn.studies.cellwise.page import Page, Section, Table
from sparsedyn.studies.markdown import plain
from sparsedyn.studies.publish import words
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.page import GENERATED, commanded, machine, picture_of, source_line
from sparsedyn.studies.reading import AnyStudySpec


def markdown(page: Page, spec: AnyStudySpec, run: Mapping[str, Any]) -> str:
    """Return the page (Markdown) with links to the files of its pictures; empty sections are left out."""
    line = command(spec)
    size = plain(f"Seed {spec.seed}; {page.size}")
    parts = [
        ("In short", "\n\n".join(words.from_html(sentence) for sentence in page.answer)),
        ("What was run", commanded(line, " ".join([size, *machine(run)]))),
        *((section.heading, _section(section, page, spec)) for section in page.sections),
        ("What the numbers mean", "\n".join(f"- **{plain(k)}**: {plain(v)}" for k, v in page.meanings.items())),
    ]
    sections = [f"## {heading}\n\n{body}" for heading, body in parts if body]
    lead = [words.paragraphs(spec.description)] if spec.description else []
    return "\n\n".join([f"# {plain(spec.title or spec.name)}", GENERATED, *lead, *sections]) + "\n"


def _section(section: Section, page: Page, spec: AnyStudySpec) -> str:
    lead = [plain(section.lead)] if section.lead else []
    body = [_table(section.table)] if section.table is not None else []
    pictures = [picture_of(p, spec.name, source_line(spec)) for p in page.pictures if p.part == section.name]
    return "\n\n".join([*lead, *body, *pictures])


def _table(table: Table) -> str:
    names = [plain(column.name) for column in table.columns]
    rows = [[words.from_html(cell) for cell in row] for row in table.rows]
    return words.aligned(names, rows, [i == 0 or column.text for i, column in enumerate(table.columns)])
