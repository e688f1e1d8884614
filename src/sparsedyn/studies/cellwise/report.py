"""The report of a study: figures as PNG and PDF, and a report.html that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sparsedyn.studies.cell_files import Stored, run_facts
from sparsedyn.studies.cellwise.html import body
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.page.frame import framed
from sparsedyn.studies.page.how import how_it_was_run
from sparsedyn.studies.page.write import definitions, figure
from sparsedyn.studies.report import stored_pictures
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import Store, write_text


def write_report(
    kind: Kind, store: Store, spec: AbstractStudySpec, cells: Sequence[Stored], results: pd.DataFrame
) -> Path:
    """Write `figures/*` and `report.html` into a study's directory, and return the page's path."""
    run = run_facts(store)
    page = kind.page(spec, cells, results, run)
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
