"""Tables that this package wrote: the columns and their roles are known from the description."""

from collections.abc import Mapping
from typing import Any

from ..options import ReadOptions
from ..tables import Columns, Table, arguments
from ..trajectories import Trajectories, restored


def restore_table(table: Table, description: Mapping[str, Any], columns: Columns) -> Trajectories:
    """Build trajectories from a described table; edits that broke it raise `DataError`."""
    states, inputs = list(description.get("state_names", ())), list(description.get("input_names", ()))
    known = Columns(states, inputs, time="time", trajectory="trajectory")
    found = arguments(table, known, ReadOptions())
    # Rows may have been deleted or re-ordered by whoever edited the file: the labels are those that are
    # there.
    description = {**description, "labels": found["labels"]}
    return restored(description, found["states"], found["inputs"], found["time"], columns)
