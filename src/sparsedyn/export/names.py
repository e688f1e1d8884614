"""Names of the data as identifiers of any language, and as comments that nothing in them can end."""

import re
from collections.abc import Iterable, Sequence

from sparsedyn.export.program import Variable

LONGEST = 40
"""Characters of an identifier: old compilers tell no more apart."""
PLAIN = re.compile(r"[A-Za-z0-9 _.,:;()=+^|@/-]")
"""What a comment may hold: no language here ends a comment with these, as long as there is no `*` and no `<`."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")
RESERVED = (
    "arguments async await break case catch class const continue debugger default delete do else enum eval export "
    "extends false finally for function if implements import in instanceof interface let module new null package "
    "private protected public return static super switch this throw true try typeof undefined var void while with yield"
)
"""Words that JavaScript has no constants of. Other targets use the name of an export with an ending."""


def variables(
    prefix: str,
    names: Sequence[str],
    units: Iterable[str] | None = None,
    means: Iterable[float | None] | None = None,
    stds: Iterable[float | None] | None = None,
    ranges: Sequence[tuple[float, float]] = (),
) -> tuple[Variable, ...]:
    """Return variables with identifiers such as `x_level`, different also where case makes no difference."""
    count = len(names)
    lows, highs = zip(*ranges, strict=True) if len(ranges) == count and ranges else (None, None)
    columns = [[None] * count if column is None else list(column) for column in (means, stds, lows, highs)]
    of = ["" for _ in names] if units is None else list(units)
    return tuple(
        Variable(name, identifier, unit, *(None if one is None else float(one) for one in known))
        for name, identifier, unit, *known in zip(names, identifiers(prefix, names), of, *columns, strict=True)
    )


def identifiers(prefix: str, names: Sequence[str]) -> list[str]:
    """Return an identifier for each name: prefix, underscore, and what of the name is letters and digits.

    None is a keyword anywhere, since none has this prefix.
    """
    found: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        bare = re.sub(r"[^A-Za-z0-9]+", "_", name)[:LONGEST].strip("_") or str(number)
        candidate, i = f"{prefix}_{bare}", 1
        while candidate.lower() in taken:
            i += 1
            candidate = f"{prefix}_{bare}_{i}"
        taken.add(candidate.lower())
        found.append(candidate)
    return found


def comment(text: str) -> str:
    """Return a text for a comment of any language; characters that might end one, or act in it, by their codes."""
    return "".join(char if PLAIN.fullmatch(char) else f"[U+{ord(char):02X}]" for char in text)


def check_name(name: str) -> None:
    """Raise `ValueError` for a name of an export that is no identifier, or a keyword somewhere."""
    if not (isinstance(name, str) and NAME.fullmatch(name) and len(name) <= LONGEST and name not in RESERVED.split()):
        raise ValueError(
            f"name: expected a letter, then letters and digits, parts joined by single underscores, at most {LONGEST} "
            f"characters, and no keyword of JavaScript; got {name!r}."
        )
