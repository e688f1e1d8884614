"""Text files as lines, some at a time: of a large file only a part is in memory."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from ..errors import DataError

BLOCK = 1_000_000
"""Characters that are read at a time."""
BEGINNING = 32_000_000
"""Characters within which the names of columns must come."""
LONGEST = 10_000_000
"""Characters of a line, at most."""


class TextFile(NamedTuple):
    """A text file, the encoding it is in, and how many lines it has."""

    path: Path
    encoding: str
    errors: str
    size: int

    def blocks(self, first: int = 0, last: int | None = None, size: float = BLOCK) -> Iterator[tuple[int, list[str]]]:
        """Yield lines from `first` up to before `last`, some at a time, each time with the place of the first of them.

        What is within quotes stays together: a cell may go over lines.
        """
        last = self.size if last is None else last
        place, rest = 0, ""
        with self._opened() as file:
            while place < last:
                text = file.read(BLOCK)
                rest += text
                if text and (len(rest) < size or (rest.count('"') % 2 and len(rest) < LONGEST)):
                    continue
                lines = rest.removesuffix("\n").split("\n") if not text else rest.split("\n")
                rest = lines.pop() if text else ""
                _check_length(lines if not text else [*lines, rest], place)
                lower, upper = max(0, first - place), max(0, min(last - place, len(lines)))
                if lower < upper:
                    yield place + lower, lines[lower:upper]
                place += len(lines)
                if not text:
                    return

    def beginning(self, size: int = BEGINNING) -> list[str]:
        """Return the first lines, of so many characters, within which by default the names of columns must come."""
        return next((lines for _, lines in self.blocks(size=size)), [])

    def first(self) -> str:
        """Return the first line, or the beginning of a long one."""
        with self._opened() as file:
            return file.readline(BLOCK)

    def _opened(self) -> TextIO:
        # Whatever ends lines; `splitlines` would take other characters for ends as well.
        return open(self.path, encoding=self.encoding, errors=self.errors, newline=None)


def text_file(path: Path, encoding: str | None, errors: str = "strict") -> TextFile:
    """Return a file as lines: in UTF-8, what a byte-order mark says, or else the encoding that is given.

    `errors` says what becomes of bytes that are not of that encoding.

    **Raises:** `DataError` naming the line for bytes that are none of these.
    """
    with open(path, "rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return _counted(TextFile(path, "utf-16", "replace", 0))
    try:
        return _counted(TextFile(path, "utf-8-sig", "strict", 0))
    except UnicodeDecodeError:
        line = _first_bad_line(path)
    if encoding is None:
        raise DataError(f"line {line} is no UTF-8 text; save the file as CSV in UTF-8, or say its encoding.")
    try:
        return _counted(TextFile(path, encoding, errors, 0))
    except UnicodeDecodeError as error:
        raise DataError(f"line {line} is no {encoding} text either ({error.reason}); give another encoding.") from error


def _counted(file: TextFile) -> TextFile:
    """Return the file with the number of its lines, all of which are in its encoding."""
    count, text = 0, "\n"
    with file._opened() as handle:
        while more := handle.read(BLOCK):
            text = more
            count += text.count("\n")
    return file._replace(size=count + (not text.endswith("\n")))


def _first_bad_line(path: Path) -> int:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    with open(path, "rb") as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
                line += block.count(b"\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
    return line


def _check_length(lines: list[str], first: int) -> None:
    longest = max(map(len, lines), default=0)
    if longest > LONGEST:
        number = first + 1 + next(i for i, line in enumerate(lines) if len(line) == longest)
        raise DataError(f"line {number} has at least {longest} characters; expected at most {LONGEST}. Is it a table?")
