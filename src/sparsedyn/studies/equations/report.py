"""The report of a study of equation learners: figures as PNG and PDF, and a report.html that needs nothing else."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from sparsedyn.studies.equations import embedded_page, functions_page
from sparsedyn.studies.equations.files import Stored
from sparsedyn.studies.equations.page import Material, Page
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.page.frame import framed
from sparsedyn.studies.page.how import how_it_was_run
from sparsedyn.studies.page.write import definitions, figure
from sparsedyn.studies.report import stored_pictures
from sparsedyn.studies.store import Store, read_json, write_text

PAGES: dict[str, Callable[[Material], Page]] = {
    "functions": functions_page.page,
    "digits": embedded_page.digits_page,
    "propagation": embedded_page.propagation_page,
}


def write_report(store: Store, spec: EquationsSpec, cells: Sequence[Stored], results: pd.DataFrame) -> Path:
    """Write `figures/*` and `report.html` into a study's directory, and return the page's path."""
    run = read_json(store.run_file) if store.run_file.is_file() else {}
    seconds = {slug: float(cell["seconds"]) for slug, cell in run.get("cells", {}).items()}
    page = PAGES[spec.experiment](Material(spec, cells, results, seconds))
    drawn = list(stored_pictures(page.pictures, store.directory / "figures"))
    sections = [
        (name, heading, body + "".join(figure(png, p.alt, p.caption) for p, png in drawn if p.part == name))
        for name, heading, body in page.sections
    ]
    sections.append(("how", "How it was run", how_it_was_run(run, store.spec_file.read_text(encoding="utf-8"))))
    sections.append(("meanings", "What the numbers mean", definitions(page.meanings.items())))
    target = store.directory / "report.html"
    leads = [spec.description.strip(), page.size]
    write_text(target, framed(spec.title or spec.name, leads, page.answer, sections))
    return target
