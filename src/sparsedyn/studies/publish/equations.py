"""Publishing a study of equation learners."""

import shutil
from functools import partial
from pathlib import Path

from sparsedyn.studies.equations.experiments import experiment_of
from sparsedyn.studies.equations.files import collect, results_of, stored_cells
from sparsedyn.studies.equations.report import LAYOUTS, page_of
from sparsedyn.studies.equations.spec import EquationsSpec
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.equations_page import markdown
from sparsedyn.studies.publish.publication import Draft, Publication, check_none_missing
from sparsedyn.studies.publish.slim import write_arrays
from sparsedyn.studies.store import Store, read_json, write_json


def publication(spec: EquationsSpec, directory: Path) -> Publication:
    """Return how the study in `directory` is published."""
    return Publication(
        spec,
        check=partial(check_finished, spec, directory),
        slim=partial(slim, spec, directory),
        draft=partial(draft, spec),
    )


def draft(spec: EquationsSpec, room: Path) -> Draft:
    """Return the page of the study whose slim folder is `room`."""
    store = Store(room)
    cells, run = stored_cells(store, spec), _run(store)
    page = page_of(spec, cells, results_of(spec, cells), run)
    return Draft(markdown(page, spec, run), page.pictures)


def slim(spec: EquationsSpec, source: Path, target: Path) -> None:
    """Write the slim form of the study in `source` to the empty folder `target`; of a slim folder, its copy."""
    store, room = Store(source), Store(target)
    cells = LAYOUTS[spec.experiment].slim(stored_cells(store, spec))
    for cell in cells:
        write_json(room.cell(cell.slug) / "cell.json", cell.facts)
        write_arrays(room.cell(cell.slug) / "arrays.npz", cell.arrays)
    collect(room, spec, cells)
    if store.run_file.is_file():
        # As typed it may name folders of the machine; this is the same run wherever it is typed.
        write_json(room.run_file, {**_run(store), "command": command(spec).text})
    shutil.copyfile(store.spec_file, room.spec_file)


def check_finished(spec: EquationsSpec, directory: Path) -> None:
    """Raise `StudyError` for a study that is not finished or has lost files."""
    store = Store(directory)
    check_none_missing(store, experiment_of(spec).cells(spec))
    stored_cells(store, spec)


def _run(store: Store) -> dict[str, object]:
    return read_json(store.run_file) if store.run_file.is_file() else {}
