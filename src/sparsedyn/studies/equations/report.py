"""The report of a study of equation learners: figures as PNG and PDF, and a report.html that needs nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sparsedyn.studies.equations import embedded_page, functions_page
from sparsedyn.studies.equations.files import Stored
from sparsedyn.studies.equations.html import body
from sparsedyn.studies.equations.page import Material, Page
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.page.frame import framed
from sparsedyn.studies.page.how import how_it_was_run
from sparsedyn.studies.page.write import definitions, figure
from sparsedyn.studies.report import stored_pictures
from sparsedyn.studies.store import Store, read_json, write_text


@dataclass(frozen=True)
class Layout:
    """How an experiment is reported: its page, and its cells with no more than the page and the table need."""

    page: Callable[[Material], Page]
    slim: Callable[[Sequence[Stored]], list[Stored]]


LAYOUTS = {
    "functions": Layout(functions_page.page, functions_page.slim),
    "digits": Layout(embedded_page.digits_page, embedded_page.slim_digits),
    "propagation": Layout(embedded_page.propagation_page, embedded_page.slim_propagation),
}


def page_of(spec: EquationsSpec, cells: Sequence[Stored], results: pd.DataFrame, run: Mapping[str, Any]) -> Page:
    """Return what the report says and shows; `run` is the content of run.json."""
    seconds = {slug: float(cell["seconds"]) for slug, cell in run.get("cells", {}).items()}
    return LAYOUTS[spec.experiment].page(Material(spec, cells, results, seconds))


def write_report(store: Store, spec: EquationsSpec, cells: Sequence[Stored], results: pd.DataFrame) -> Path:
    """Write `figures/*` and `report.html` into a study's directory, and return the page's path."""
    run = read_json(store.run_file) if store.run_file.is_file() else {}
    page = page_of(spec, cells, results, run)
    drawn = list(stored_pictures(page.pictures, store.directory / "figures"))
    sections = [
        (
            section.name,
            section.heading,
            body(section) + "".join(figure(png, p.alt, p.caption) for p, png in drawn if p.part == section.name),
        )
        for section in page.sections
    ]
    sections.append(("how", "How it was run", how_it_was_run(run, store.spec_file.read_text(encoding="utf-8"))))
    sections.append(("meanings", "What the numbers mean", definitions(page.meanings.items())))
    target = store.directory / "report.html"
    leads = [spec.description.strip(), page.size]
    write_text(target, framed(spec.title or spec.name, leads, page.answer, sections))
    return target
