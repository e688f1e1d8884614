"""How files and folders of results reach the disk: whole or not at all, also where the process or the machine stops.

What is written goes to a temporary name beside its own, is synced, and is renamed; then the folder is synced, which has
the name. Every change on the disk is one of the first functions here: tests put others in their places, which fail or
keep a journal.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<process>\d+)\.tmp(\.\w+)?")


def sync(path: Path) -> None:
    """Return when the content of a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def rename(old: Path, new: Path) -> None:
    """Give a file or folder another name, in the place of what has it."""
    os.replace(old, new)


def make(folder: Path) -> None:
    """Make a folder, in one that is there."""
    folder.mkdir(exist_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there."""
    path.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder and what is in it, in no order."""
    shutil.rmtree(folder, ignore_errors=True)


def make_all(folder: Path) -> None:
    """Make a folder, and those above it that are missing."""
    if not folder.is_dir():
        make_all(folder.parent)
        make(folder)
        sync(folder.parent)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there; a folder is whole or gone."""
    if path.is_dir():
        gone = temporary_of(path)
        remove_tree(gone)
        rename(path, gone)
        remove_tree(gone)
    else:
        remove_file(path)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write a file to, which replaces `path` on success and is removed on failure."""
    make_all(path.parent)
    remove_abandoned(path)
    temporary = temporary_of(path)
    try:
        yield temporary
        sync(temporary)
        rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            remove_file(temporary)
        raise
    sync(path.parent)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill with files, which replaces `folder` on success and is removed on failure."""
    make_all(folder.parent)
    remove_abandoned(folder)
    temporary = temporary_of(folder)
    remove_tree(temporary)
    make(temporary)
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            sync(file)
        sync(temporary)
        remove(folder)
        rename(temporary, folder)
    except BaseException:
        remove_tree(temporary)
        raise
    sync(folder.parent)


def temporary_of(path: Path) -> Path:
    """Return a name beside `path` for this process; the suffix stays, since some writers choose the format by it."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")


def is_temporary(path: Path) -> bool:
    """Whether a name is one of `temporary_of`, or one of an earlier version."""
    return TEMPORARY.fullmatch(path.name) is not None or (path.name.startswith(".") and path.suffix == ".tmp")


def remove_abandoned(path: Path) -> None:
    """Remove what processes that are gone have left of writing `path`."""
    for other in path.parent.glob(f".{_literal(path.name)}.*.tmp*"):
        found = TEMPORARY.fullmatch(other.name)
        if found is not None and found["name"] == path.name and not _runs(int(found["process"])):
            _remove_temporary(other)


def remove_temporaries(folder: Path) -> None:
    """Remove all temporary files and folders below a folder that no other process writes to."""
    for path in [path for path in folder.rglob(".*") if is_temporary(path)]:
        _remove_temporary(path)


def _remove_temporary(path: Path) -> None:
    remove_tree(path) if path.is_dir() else remove_file(path)


def _literal(name: str) -> str:
    """Return a pattern that matches nothing but this name."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _runs(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    if os.name == "nt":
        # Asking would end it there.
        return process == os.getpid()
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
