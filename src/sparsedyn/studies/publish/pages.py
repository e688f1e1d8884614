"""From study folders to pages, pictures and what is kept of them, each file written atomically."""

import shutil
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sparsedyn._disk import replacing
from sparsedyn.studies.document import Document, code
from sparsedyn.studies.document.writing import write_page
from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.publish.command import command
from sparsedyn.studies.publish.places import check_keepable, check_places, is_study
from sparsedyn.studies.publish.publication import Publication, publication
from sparsedyn.studies.stored import StoredStudy

Overview = Callable[[Mapping[str, StoredStudy[Any] | Path]], Document]
"""Makes a page about all studies, which are given by name; for a study without its files, the folder is given."""


def write_pages(
    studies: Mapping[Path, Publication],
    folder: Path,
    results: Path | None,
    *,
    overviews: Mapping[str, Overview],
    tell: Callable[[str], None],
) -> list[Path]:
    """Write the pages of the studies in some folders, and those about all of them; see `publish.studies`.

    `overviews` are the pages about all studies, those kept in `results` before included, by name. `tell` is given a
    message for every study whose page is left as it is.
    """
    own = ("index", *overviews)
    _check_names(studies, own)
    whole = {directory: study for directory, study in studies.items() if not study.is_bare}
    for study in whole.values():
        study.study()
    check_places({directory: study.spec for directory, study in studies.items()}, own, folder, results)
    written: list[Path] = []
    found: dict[str, StoredStudy[Any] | Path] = {}
    for directory, study in studies.items():
        name = study.spec.name
        if directory not in whole:
            tell(_left(directory, study, folder / f"{name}.md"))
            found[name] = directory
            continue
        with _kept(study) as room:
            found[name] = stored = study.keep(room)
            source = f"{code(command(study.spec).text)}, seed {study.spec.seed}"
            written += write_page(study.kind.document(stored), folder, name, source=source)
            if results is not None:
                written += _put(room, results / name)
    everything = found | _kept_before(results, found)
    for name, overview in overviews.items():
        written += write_page(overview(dict(sorted(everything.items()))), folder, name, source="")
    return written


def _kept_before(results: Path | None, found: Container[str]) -> dict[str, StoredStudy[Any] | Path]:
    """Return the studies in the folder `results` that are not among those found: overviews are about them too."""
    folders = sorted(results.iterdir()) if results is not None and results.is_dir() else []
    studies = [publication(path) for path in folders if path.name not in found and is_study(path)]
    return {one.spec.name: one.directory if one.is_bare else one.study() for one in studies}


def _left(directory: Path, study: Publication, page: Path) -> str:
    name = study.spec.name
    return (
        f"{directory}: what the page is made from is missing (cells.json, arrays.npz, results.parquet); {page} is left "
        f"as it is. To write it anew, run the study and keep it: sparsedyn study run {name} -o runs/{name}, then "
        f"sparsedyn study publish runs/{name} --keep {directory.parent}"
    )


def _check_names(studies: Mapping[Path, Publication], own: tuple[str, ...]) -> None:
    known: dict[str, Path] = {}
    for directory, study in studies.items():
        name = study.spec.name
        if name in known:
            raise StudyError(
                f"{directory}: expected studies of different names, which name their pages; {known[name]} is also "
                f"{name!r}. Publish one of them, or into another folder."
            )
        if name in own:
            raise StudyError(f"{directory}: its name {name!r} is that of another page. Rename the study.")
        known[name] = directory


@contextmanager
def _kept(study: Publication) -> Iterator[Path]:
    """Yield an empty temporary folder for what is kept of a study."""
    with TemporaryDirectory(prefix="sparsedyn-") as place:
        room = Path(place) / study.spec.name
        room.mkdir()
        yield room


def _put(room: Path, target: Path) -> list[Path]:
    """Put the kept folder `room` at `target`, in place of an older one; return the files written."""
    check_keepable(target)
    files = sorted(path.relative_to(room) for path in room.rglob("*") if path.is_file())
    for file in files:
        with replacing(target / file) as temporary:
            shutil.copyfile(room / file, temporary)
    for old in sorted(path for path in target.rglob("*") if path.is_file() and path.relative_to(target) not in files):
        old.unlink()
    return [target / file for file in files]
