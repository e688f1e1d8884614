"""Checks of the folders to which pages and kept studies are written."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sparsedyn.studies.errors import StudyError
from sparsedyn.studies.spec import AbstractStudySpec
from sparsedyn.studies.store import LOCK
from sparsedyn.studies.stored import CELLS, is_kept_file

PAGES, KEEP = "--output", "--keep"


def check_places(
    specs: Mapping[Path, AbstractStudySpec], others: Iterable[str], output: Path, results: Path | None
) -> None:
    """Raise `StudyError` where pages of the studies in `specs`, `others`, or what is kept, cannot be written."""
    names = [spec.name for spec in specs.values()]
    _check_free(output, PAGES)
    for page in (output / f"{name}.md" for name in (*others, *names)):
        if page.is_dir():
            raise _refused(page, "a file to write to", "this is a folder", PAGES)
    for name in names:
        _check_folder(output / name, PAGES)
        if is_study(output / name):
            raise _refused(output / name, "a folder for pictures", "it holds a study", PAGES)
    if results is None:
        return
    _check_free(results, KEEP)
    if _within(results, output):
        raise _refused(results, f"a folder outside that of the pages, {output}", "it is in there", KEEP)
    for source, spec in specs.items():
        target = results / spec.name
        _check_folder(target, KEEP)
        check_keepable(target)
        if _within(output, target):
            raise _refused(output, f"a folder outside of what is kept, {target}", "it is in there", PAGES)
        for other in specs:
            if other != source and other.resolve() == target.resolve():
                raise _refused(target, f"a new folder or one kept of {spec.name!r}", "it is to be published", KEEP)


def is_study(folder: Path) -> bool:
    """Whether `folder` is a study's: it has a spec and something that a run writes."""
    left = (LOCK, "run.json", "results.parquet", "cells", CELLS)
    return (folder / "study.toml").is_file() and any((folder / name).exists() for name in left)


def check_keepable(target: Path) -> None:
    """Raise `StudyError` where `target` holds anything but what was kept of a study before."""
    files = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    # A spec by itself may be a user's own file.
    alone = files == ["study.toml"]
    foreign = [file for file in files if alone or not is_kept_file(file)]
    if foreign:
        raise StudyError(
            f"{target}: expected a new folder or one kept before; it holds other files ({', '.join(foreign[:3])}"
            f"{', ...' if len(foreign) > 3 else ''}). Give --keep another folder."
        )


def _check_free(path: Path, option: str) -> None:
    """Refuse a file, a path below a file, and the folder of a study with everything in it."""
    _check_folder(path, option)
    whole = path.resolve()
    for folder in (whole, *whole.parents):
        if is_study(folder):
            where = "it is the folder of one" if folder == whole else f"it lies in {folder}"
            raise _refused(path, "a folder outside of studies", where, option)


def _check_folder(path: Path, option: str) -> None:
    whole = path.resolve()
    for place in (whole, *whole.parents):
        if place.exists() and not place.is_dir():
            where = "this is a file" if place == whole else f"{place} is a file"
            raise _refused(path, "a folder to write to", where, option)


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _refused(path: Path, expected: str, got: str, option: str) -> StudyError:
    return StudyError(f"{path}: expected {expected}; {got}. Give {option} another folder.")
