"""Where in a TOML text a key stands: `tomllib` gives no lines, and an error message needs one."""

import re
from collections.abc import Iterator
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|\n"
    r"|[\[\]{},=]"
    r"|[^\s\[\]{},=\#\"']+",
    re.DOTALL,
)


class Token(NamedTuple):
    text: str
    line: int


def lines_of(text: str) -> dict[KeyPath, int]:
    """Map the path of every key, table and list entry of a valid TOML text to its line, counted from 1.

    A path is what leads to the value in the parsed document, for example `("techniques", 0, "label")`.
    """
    return _Walk(text).lines


def line_at(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Return the line of `path`, or of the nearest table around it; 1 for the document itself."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Walk:
    """One pass over the tokens. The text has passed `tomllib`, so nothing is checked here again."""

    def __init__(self, text: str):
        self.tokens = list(_tokens(text))
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.entries: dict[KeyPath, int] = {}
        table: KeyPath = ()
        while self.skip_blank():
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def skip_blank(self) -> bool:
        while self.peek() == "\n" or self.peek().startswith("#"):
            self.at += 1
        return self.at < len(self.tokens)

    def header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; a part that names a list of tables stands for its latest entry."""
        line = self.take().line
        repeated = self.peek() == "["
        if repeated:
            self.take()
        parts, path = self.key("]"), ()  # type: tuple[list[str], KeyPath]
        for part in parts[:-1]:
            path = (*path, part)
            if path in self.entries:
                path = (*path, self.entries[path])
        path = (*path, parts[-1])
        while self.peek() == "]":
            self.take()
        if repeated:
            self.entries[path] = self.entries.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, self.entries[path])
        self.lines[path] = line
        return path

    def pair(self, table: KeyPath) -> None:
        line = self.tokens[self.at].line
        path = table
        for part in self.key("="):
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.take()
        self.value(path)

    def key(self, end: str) -> list[str]:
        """Read a dotted key up to, not including, the token `end`."""
        text = []
        while self.peek() != end:
            text.append(self.take().text)
        return [_unquoted(part) for part in re.findall(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[^.\s]+', " ".join(text))]

    def value(self, path: KeyPath) -> None:
        if self.peek() == "[":
            self.take()
            number = 0
            while self.skip_blank() and self.peek() != "]":
                self.lines[(*path, number)] = self.tokens[self.at].line
                self.value((*path, number))
                number += 1
                self.skip_blank()
                if self.peek() == ",":
                    self.take()
            self.take()
        elif self.peek() == "{":
            self.take()
            while self.skip_blank() and self.peek() != "}":
                self.pair(path)
                self.skip_blank()
                if self.peek() == ",":
                    self.take()
            self.take()
        else:
            while self.peek() not in ("", ",", "]", "}", "\n") and not self.peek().startswith("#"):
                self.take()


def _tokens(text: str) -> Iterator[Token]:
    line, seen = 1, 0
    for match in TOKEN.finditer(text.replace("\r\n", "\n")):
        line += match.string.count("\n", seen, match.start())
        seen = match.start()
        yield Token(match.group(), line)


def _unquoted(part: str) -> str:
    return part[1:-1] if part[0] in "\"'" else part
