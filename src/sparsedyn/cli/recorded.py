"""Recorded trajectories for a model that is fitted: the columns given, else those of training."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sparsedyn.cli.output import note
from sparsedyn.cli.source import ColumnOptions, read_columns, renamed

if TYPE_CHECKING:
    from sparsedyn.cli.model_file import Fitted
    from sparsedyn.data import Trajectories


def recorded(
    model: "Fitted",
    path: Path,
    given: ColumnOptions,
    known: ColumnOptions,
    only: str | None,
    *,
    quiet: bool = False,
) -> "Trajectories":
    """Read the recorded trajectories: the columns given on the command line, else those of training."""
    from sparsedyn.data import DataError

    own = ColumnOptions(states=",".join(model.state_names_), inputs=",".join(model.input_names_))
    columns = given.over(known.over(own))
    try:
        return named_alike(read_columns(path, columns, only), model, quiet=quiet)
    except DataError as error:
        if not given.given and not given.reading.named:
            # A file that describes itself refuses column options; any other needs them.
            try:
                return read_columns(path, own, only)
            except DataError:
                pass
        raise DataError(f"{error}\nColumn options, as in training unless given: {columns.options()}.") from error


def named_alike(data: "Trajectories", model: "Fitted", *, quiet: bool = False) -> "Trajectories":
    """Return the data under the names of the model, and in its order.

    Names of the model in another order are sorted by name. Columns of other names stand for those of the model by
    their places; raises `DataError` where some of them are called as a column of the model at another place.
    """
    states, inputs = model.state_names_, model.input_names_
    if (data.state_names, data.input_names) == (states, inputs):
        return data
    if sorted(data.state_names) == sorted(states) and sorted(data.input_names) == sorted(inputs):
        note(f"Columns are taken by name, in the order of the model: {_listed(states, inputs)}.", quiet=quiet)
        return data.select(states, inputs)
    if len(data.state_names) != len(states) or len(data.input_names) != len(inputs):
        # The model says what it expected.
        return data
    check_places((*data.state_names, *data.input_names), (*states, *inputs), _listed(states, inputs))
    return renamed(data, states, inputs)


def check_places(given: Sequence[str], expected: Sequence[str], wanted: str) -> None:
    """Raise `DataError` where a column takes the place of another, but is called as one of the model elsewhere."""
    for name, place in zip(given, expected, strict=True):
        if name != place and name in expected:
            from sparsedyn.data import DataError

            raise DataError(
                f"column {name!r}: expected the columns in the order of the model, {wanted}; got one of them where the "
                f"model has {place!r}, along with others of new names. Give them in that order (--states, --inputs); "
                "rename in the file what only seems to be a column of the model, or, where the file has no names, give "
                "positions from 0 in place of x1, x2, ..."
            )


def _listed(states: Sequence[str], inputs: Sequence[str]) -> str:
    return ColumnOptions(states=",".join(states), inputs=",".join(inputs) or None).options()
