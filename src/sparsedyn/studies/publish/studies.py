"""Publish studies of any kind, and read what is stored of one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from sparsedyn.studies.providers import providers
from sparsedyn.studies.publish.pages import Overview, write_pages
from sparsedyn.studies.publish.publication import publication
from sparsedyn.studies.stored import StoredStudy


def read(directory: str | Path) -> StoredStudy[Any]:
    """Return what is stored of the study in `directory`, that of its run or one of what was kept of it.

    Raises `StudyError` for a study that is not finished or has lost files.
    """
    return publication(Path(directory)).study()


def publish(
    directories: Sequence[str | Path],
    output: str | Path,
    *,
    results: str | Path | None = None,
    tell: Callable[[str], None] = print,
) -> list[Path]:
    """Write a page with its pictures for every finished study, and one page of all claims; return the files written.

    Into `output` go `NAME.md` and `NAME/*.png` of each study, and `claims.md`; pictures that an earlier page shows and
    that are not drawn any more are removed. With `results`, what the pages are made from goes to `results/NAME`, from
    which the same pages can be published again: some megabytes for a comparison of techniques, some hundred kilobytes
    for a study of equation learners. Equal folders give equal bytes. The page of a study of which only record and
    claims were kept stays as it is, and `tell` is given a message that says so. Raises `StudyError`, before anything
    is written, for a folder that is not a finished study or has lost files, for two of one name, and for places that
    are files or hold something else (see `check_places`).
    """
    studies = {folder: publication(folder) for folder in map(Path, directories)}
    target = None if results is None else Path(results)
    return write_pages(studies, Path(output), target, overviews=_overviews(), tell=tell)


def _overviews() -> dict[str, Overview]:
    """Return the pages about all published studies that packages offer."""
    return {name: resolve_name(place) for one in providers().values() for name, place in one.pages.items()}
