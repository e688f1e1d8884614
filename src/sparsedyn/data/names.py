"""Checks of names, labels, units and column choices: clean texts come back, or `DataError` is raised."""

from collections.abc import Sequence

import numpy as np

from .errors import DataError, closest, listing

# Columns that files written by this package use for themselves.
RESERVED = ("trajectory", "time")


def text_tuple(values: object, count: int, argument: str, kind: str) -> tuple[str, ...]:
    """Return `count` clean strings; a lone string, a wrong count or odd characters raise `DataError`."""
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise DataError(f"{argument} is {values!r}; a list of {count} texts is expected, one for every {kind}.")
    if len(values) != count:
        several = "trajectories" if kind == "trajectory" else f"{kind}s"
        raise DataError(
            f"{argument}: {len(values)} given ({listing(values)}), but there are {count} {several}; give "
            f"one for every {kind}, in their order."
        )
    texts = tuple(str(value) for value in values)
    for text in texts:
        if not text.isprintable() or text != text.strip():
            raise DataError(
                f"{argument} holds {text!r}; surrounding blanks, line breaks and control characters are not "
                "allowed. Rename it."
            )
    return texts


def variable_names(values: object, count: int, prefix: str, argument: str) -> tuple[str, ...]:
    """Return one name for every variable, by default prefix1, prefix2, ..."""
    if values is None:
        return tuple(f"{prefix}{i + 1}" for i in range(count))
    names = text_tuple(values, count, argument, argument.removesuffix("_names"))
    for name in names:
        if not name:
            raise DataError(f"{argument} holds an empty name; every variable needs one.")
        if name in RESERVED:
            raise DataError(
                f"{argument} holds {name!r}, which files use for the {name} column; name the variable differently."
            )
    return names


def check_distinct(names: Sequence[str], argument: str) -> None:
    """Check that no name is there twice."""
    if len(set(names)) != len(names):
        twice = [name for i, name in enumerate(names) if name in names[:i]]
        raise DataError(f"{argument}: {twice[0]!r} is there more than once; each may be there only once.")


def trajectory_labels(values: object, count: int) -> tuple[str, ...]:
    """Return one distinct text per trajectory."""
    labels = text_tuple(values, count, "labels", "trajectory")
    if "" in labels:
        raise DataError("labels holds an empty text; every trajectory needs a label.")
    check_distinct(labels, "labels")
    return labels


def unit_texts(values: object, count: int, kind: str) -> tuple[str, ...]:
    """Return one unit for every variable, empty by default."""
    return ("",) * count if values is None else text_tuple(values, count, f"{kind}_units", kind)


def check_choice(states: Sequence[str], inputs: Sequence[str], known: Sequence[str]) -> None:
    """Check that the chosen columns exist, that there is a state, and that none is chosen twice."""
    check_known((*states, *inputs), known)
    if not states:
        raise DataError(f"no state is chosen; name at least one column as a state. The columns are: {listing(known)}.")
    check_distinct(states, "states")
    check_distinct(inputs, "inputs")
    for name in inputs:
        if name in states:
            raise DataError(
                f"column {name!r} is listed both as a state and as an input; a column is one or the other. "
                "Take it out of one of the two lists."
            )


def check_known(names: Sequence[str], known: Sequence[str]) -> None:
    """Check that every name is among the known columns."""
    for name in names:
        if name not in known:
            raise DataError(f"there is no column {name!r}.{closest(name, known)} The columns are: {listing(known)}.")
