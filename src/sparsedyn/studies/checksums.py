"""Checksums of stored files: a folder's `SHA256SUMS`, in the form that `sha256sum --check` reads."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

SUMS = "SHA256SUMS"


def sums_of(folder: Path) -> str:
    """Return the lines of `SHA256SUMS` for all other files in a folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS and path.name[0] != ".")
    return "".join(f"{_digest(file)}  {file.name}\n" for file in files)


def faults(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder that are not as they were written, and what is wrong.

    A folder of an earlier version has no checksums, and no faults.
    """
    sums = folder / SUMS
    if not sums.is_file():
        return
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        file = folder / name
        if not name or "/" in name or "\0" in name:
            yield sums, f"has a line that is no checksum ({line[:80]!r})"
        elif not file.is_file():
            yield file, "is missing"
        elif _digest(file) != digest:
            yield file, "has changed since it was written, or its checksum has"


def checked(folder: Path) -> int:
    """Return how many files of a folder have a checksum."""
    sums = folder / SUMS
    return len(sums.read_bytes().splitlines()) if sums.is_file() else 0


def _digest(file: Path) -> str:
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
