"""Publishing a study whose cells were computed one after the other."""

import shutil
from functools import partial
from pathlib import Path

from sparsedyn.studies.cell_files import run_facts, stored_cells, write_results
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.publish.cellwise_page import markdown
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.publication import Draft, Publication, check_none_missing
from sparsedyn.studies.publish.slim import write_arrays
from sparsedyn.studies.reading import AnyStudySpec
from sparsedyn.studies.store import Store, write_json


def publication(kind: Kind, spec: AnyStudySpec, directory: Path) -> Publication:
    """Return how the study in `directory` is published."""
    return Publication(
        spec,
        check=partial(check_finished, kind, spec, directory),
        slim=partial(slim, kind, spec, directory),
        draft=partial(draft, kind, spec),
    )


def draft(kind: Kind, spec: AnyStudySpec, room: Path) -> Draft:
    """Return the page of the study whose slim folder is `room`."""
    store = Store(room)
    cells, run = stored_cells(store, kind.cells(spec)), run_facts(store)
    page = kind.page(spec, cells, kind.results(spec, cells), run)
    return Draft(markdown(page, spec, run), page.pictures)


def slim(kind: Kind, spec: AnyStudySpec, source: Path, target: Path) -> None:
    """Write what the page is made from to the empty folder `target`; of a slim folder, its copy."""
    store, room = Store(source), Store(target)
    cells = kind.slim(spec, stored_cells(store, kind.cells(spec)))
    for cell in cells:
        write_json(room.cell(cell.slug) / "cell.json", cell.facts)
        write_arrays(room.cell(cell.slug) / "arrays.npz", cell.arrays)
    write_results(room, kind.results(spec, cells))
    if store.run_file.is_file():
        # As typed it may name folders of the machine; this is the same run wherever it is typed.
        write_json(room.run_file, {**run_facts(store), "command": command(spec).text})
    shutil.copyfile(store.spec_file, room.spec_file)


def check_finished(kind: Kind, spec: AnyStudySpec, directory: Path) -> None:
    """Raise `StudyError` for a study that is not finished or has lost files."""
    store, cells = Store(directory), kind.cells(spec)
    check_none_missing(store, cells)
    stored_cells(store, cells)
