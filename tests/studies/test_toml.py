"""TOML documents: what is written reads back as it was, and every key is found in its line."""

import tomllib
from typing import Any

import pytest

from sparsedyn.studies.toml import line_of, to_toml


@pytest.mark.parametrize(
    "table",
    [
        {"a": 1, "b": -1.5, "c": True, "d": 'quote " and \\ and é\n\x7f', "e": [1, 2], "f": []},
        {"t": {"x": {"deep": [1, {"y": {}}]}}, "plain": 1e-05, "list": [{"a": 1}, {"a.b": "c d"}]},
        {"empty": {}, "inf": float("inf")},
    ],
)
def test_toml_is_written_as_it_is_read(table: dict[str, Any]):
    assert tomllib.loads(to_toml(table)) == table


LINES = '''\
a = 1 # comment = 2
"b c" = [
  1, # one
  { d = "]", e = [2, 3] },
]
text = """two
lines"""
[t.u]
v.w = 'x'
[[l]]
[[l]]
m = 2024-01-01 12:00:00
[l.n]
o = -1.5e+3
[[l.p]]
q = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b c",), 2),
        (("b c", 0), 3),
        (("b c", 1, "e", 1), 4),
        (("text",), 6),
        (("t", "u"), 8),
        (("t", "u", "v", "w"), 9),
        (("l", 0), 10),
        (("l", 1), 11),
        (("l", 1, "m"), 12),
        (("l", 1, "n", "o"), 14),
        (("l", 1, "p", 0, "q"), 16),
        (("l", 1, "p", 0, "missing"), 15),
        (("t", "u", "missing"), 8),
        (("missing",), 1),
    ],
)
def test_the_line_of_a_key(path: tuple[str | int, ...], line: int):
    tomllib.loads(LINES)
    assert line_of(LINES, path) == line
    assert line_of(LINES.replace("\n", "\r\n"), path) == line
