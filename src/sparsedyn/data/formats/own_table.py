"""Tables that this package wrote: the columns and their roles are known from the description."""

from collections.abc import Mapping
from typing import Any

from ..tables import Columns
from ..trajectories import Trajectories, restored


def own_columns(description: Mapping[str, Any]) -> Columns:
    """Return which columns a described table has."""
    states, inputs = list(description.get("state_names", ())), list(description.get("input_names", ()))
    return Columns(states, inputs, time="time", trajectory="trajectory")


def restore_table(found: Mapping[str, Any], description: Mapping[str, Any], columns: Columns) -> Trajectories:
    """Build trajectories from the `arguments` of a described table; edits that broke it raise `DataError`."""
    # Rows may have been deleted or re-ordered by whoever edited the file: the labels are those that are
    # there.
    description = {**description, "labels": found["labels"]}
    return restored(description, found["states"], found["inputs"], found["time"], columns)
