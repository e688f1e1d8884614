"""Trajectories from a file and the options that describe its columns."""

import re
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsedyn._warnings import SparsedynWarning
from sparsedyn.cli.output import note
from sparsedyn.data.options import ReadOptions, flags

if TYPE_CHECKING:
    from sparsedyn.data import Trajectories

VALUE = re.compile(r"([^=]+?)\s*=\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
"""An input that stays the same: its name and value."""
RANGE = re.compile(r"(.*?)(\d+)\.\.(.*?)(\d+)")
MAX_DIGITS = 18
"""Digits of the numbers at the ends of a range; more would be slow to convert."""
MAX_NAMES = 100_000
"""Names that a range may stand for."""


class ColumnOptions(NamedTuple):
    """The options that say which columns play which role, as they were typed.

    `None` means that the option was not given, an empty text that there is no such column.
    """

    states: str | None = None
    inputs: str | None = None
    time: str | None = None
    trajectory: str | None = None
    dt: float | None = None
    reading: ReadOptions = ReadOptions()

    @property
    def given(self) -> dict[str, Any]:
        """The options that were given, as JSON values."""
        columns = {name: value for name, value in self._asdict().items() if value is not None and name != "reading"}
        return columns | ({"reading": changed} if (changed := self.reading.changed()) else {})

    @classmethod
    def restored(cls, given: dict[str, Any]) -> "ColumnOptions":
        """Return the options whose `given` a file has."""
        known = {name: value for name, value in given.items() if name in cls._fields}
        return cls(**known | {"reading": ReadOptions.given(**known.get("reading", {}))})

    def over(self, other: "ColumnOptions") -> "ColumnOptions":
        """Return `other` with the options given here in place of its own; --dt and --time drop each other."""
        if self.dt is not None:
            other = other._replace(time=None)
        if self.time is not None:
            other = other._replace(dt=None)
        typed = {name: value for name, value in self.given.items() if name != "reading"}
        return other._replace(**typed, reading=self.reading.over(other.reading))

    def options(self) -> str:
        """Write the options as they are typed, so that a shell takes them."""
        typed = [f"--{name} {shlex.quote(str(value))}" for name, value in self.given.items() if name != "reading"]
        return " ".join([*typed, *([flags(changed)] if (changed := self.reading.changed()) else [])]) or "none"


def read_columns(path: Path, columns: ColumnOptions, only: str | None = None, **streaming: Any) -> "Trajectories":
    """Read the columns of a file, and keep the trajectories `only`; raises `DataError`.

    What is `streaming` goes to `sparsedyn.read`. What was cut or merged on the way is written to standard error.
    """
    from sparsedyn.data import read

    inputs, constants = parted(columns.inputs)
    with remarks():
        data = read(
            path,
            states=expanded(columns.states or None),
            inputs=[] if inputs == "" else expanded(inputs),
            time=columns.time or None,
            trajectory=columns.trajectory or None,
            dt=columns.dt,
            **streaming,
            **columns.reading.changed(),
        )
    data = with_constants(data, constants) if constants else data
    return data if only is None else data[chosen(only, data.labels)]


def rows_apart(path: Path, columns: ColumnOptions, only: str | None) -> "tuple[Trajectories, ColumnOptions]":
    """Read records, and return them with the options that were used: without times, rows are one apart."""
    from sparsedyn.data import DataError

    if columns.time is not None or columns.dt is not None:
        return read_columns(path, columns, only), columns
    counted = columns._replace(dt=1.0)
    try:
        return read_columns(path, columns, only), columns
    except DataError as error:
        try:
            return read_columns(path, counted, only), counted
        except DataError as other:
            # Only a file that describes itself has times of its own, and refuses others.
            raise (error if "--dt" not in str(error) and "dt" in str(other) else other) from other


def parted(inputs: str | None) -> tuple[str | None, dict[int, tuple[str, float]]]:
    """Return the inputs that are columns, and by their places those that stay the same, such as pressure=2.5."""
    if inputs is None or "=" not in inputs:
        return inputs, {}
    pieces = [name for piece in inputs.split(",") for name in written_out(piece.strip())]
    constants = {place: (found[1], float(found[2])) for place, p in enumerate(pieces) if (found := VALUE.fullmatch(p))}
    return ",".join(piece for place, piece in enumerate(pieces) if place not in constants), constants


def with_constants(data: "Trajectories", constants: Mapping[int, tuple[str, float]]) -> "Trajectories":
    """Return the data with further inputs, each at its place among all."""
    import numpy as np

    names, units = list(data.input_names), list(data.input_units)
    inputs = list(data.inputs)
    for place, (name, value) in sorted(constants.items()):
        names.insert(place, name)
        units.insert(place, "")
        inputs = [np.insert(u, place, value, axis=1) for u in inputs]
    return _again(data, data.states, inputs, data.time, data.state_names, names, units)


@contextmanager
def remarks(*, quiet: bool = False) -> Iterator[None]:
    """Write the package's warnings to standard error, as remarks."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", SparsedynWarning)
        yield
    for warning in found:
        if issubclass(warning.category, SparsedynWarning):
            note(f"{warning.message}", quiet=quiet)


def expanded(names: str | None) -> str | list[str] | None:
    """Return the names in a comma separated text, ranges such as x1..x8 written out; a text without ranges as it is."""
    if names is None or ".." not in names:
        return names
    return [name for piece in names.split(",") for name in written_out(piece.strip())]


def written_out(piece: str) -> list[str]:
    """Return what a range such as x1..x8 or 0..7 stands for; anything else stands for itself.

    Raises `DataError` for a range of more names than any file has columns.
    """
    found = RANGE.fullmatch(piece)
    if found is None:
        return [piece]
    prefix, first, other, last = found.groups()
    if max(len(first), len(last)) > MAX_DIGITS or int(last) - int(first) >= MAX_NAMES:
        from sparsedyn.data import DataError

        raise DataError(f"{piece[:60]!r}: expected a range of at most {MAX_NAMES} names. Correct its ends.")
    numbers = range(int(first), int(last) + 1)
    return [f"{prefix}{i}" for i in numbers] if numbers and other in ("", prefix) else [piece]


def chosen(only: str, labels: Sequence[str]) -> list[int]:
    """Return the positions of the trajectories that a text such as 0,1 or 0..9 or run-a names, in the file's order.

    Raises `DataError` for one that is not there.
    """
    from sparsedyn.data import DataError

    names = [only] if only in labels else [n for p in only.split(",") for n in written_out(p.strip())]
    found = set()
    for name in names:
        if name in labels:
            found.add(labels.index(name))
        elif name.isdigit() and int(name) < len(labels):
            found.add(int(name))
        else:
            known = ", ".join(labels[:10]) + (", ..." if len(labels) > 10 else "")
            raise DataError(
                f"--only: there is no trajectory {name!r}. There are {len(labels)}: {known}. Give labels, or "
                f"numbers from 0 to {len(labels) - 1}."
            )
    return sorted(found)


def rows_of(data: "Trajectories", parts: Sequence[slice]) -> "Trajectories":
    """Return a part of the rows of each trajectory; time starts at zero again."""
    states = [states[part] for states, part in zip(data.states, parts, strict=True)]
    inputs = [inputs[part] for inputs, part in zip(data.inputs, parts, strict=True)]
    times = [time[part] for time, part in zip(data.time, parts, strict=True)]
    return _again(data, states, inputs, times, data.state_names, data.input_names)


def renamed(data: "Trajectories", state_names: Sequence[str], input_names: Sequence[str]) -> "Trajectories":
    """Return the same numbers under other names."""
    return _again(data, data.states, data.inputs, data.time, state_names, input_names)


def _again(
    data: "Trajectories",
    states: Sequence[Any],
    inputs: Sequence[Any],
    times: Sequence[Any],
    state_names: Sequence[str],
    input_names: Sequence[str],
    input_units: Sequence[str] | None = None,
) -> "Trajectories":
    from sparsedyn.data import Trajectories

    clock: dict[str, Any] = {"dt": data.dt} if data.regular else {"time": list(times), "gaps": "keep"}
    return Trajectories(
        list(states),
        list(inputs) if input_names else None,
        **clock,
        state_names=state_names,
        input_names=input_names or None,
        state_units=data.state_units,
        input_units=input_units or data.input_units or None,
        labels=data.labels,
    )
