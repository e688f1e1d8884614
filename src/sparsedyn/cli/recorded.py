"""Recorded trajectories for a model that is fitted: the columns given, else those of training."""

from pathlib import Path
from typing import TYPE_CHECKING

from sparsedyn.cli.source import ColumnOptions, read_columns, renamed

if TYPE_CHECKING:
    from sparsedyn.cli.model_file import Fitted
    from sparsedyn.data import Trajectories


def recorded(
    model: "Fitted", path: Path, given: ColumnOptions, known: ColumnOptions, only: str | None
) -> "Trajectories":
    """Read the recorded trajectories: the columns given on the command line, else those of training."""
    from sparsedyn.data import DataError

    own = ColumnOptions(states=",".join(model.state_names_), inputs=",".join(model.input_names_))
    columns = given.over(known.over(own))
    try:
        return named_alike(read_columns(path, columns, only), model)
    except DataError as error:
        if not given.given:
            # A file that describes itself refuses column options; any other needs them.
            try:
                return read_columns(path, own, only)
            except DataError:
                pass
        raise DataError(f"{error}\nColumn options, as in training unless given: {columns.options()}.") from error


def named_alike(data: "Trajectories", model: "Fitted") -> "Trajectories":
    """Return the data under the names of the model, where another file has as many columns of other names."""
    same = data.state_names == model.state_names_ and data.input_names == model.input_names_
    counts = (
        len(data.state_names) == len(model.state_names_),
        len(data.input_names) == len(model.input_names_),
    )
    if same or not all(counts):
        return data
    return renamed(data, model.state_names_, model.input_names_)
