"""Names for the columns of an array that has none."""

from typing import Any

from ..errors import DataError
from ..names import RESERVED, check_distinct
from ..tables import Columns, listed


def name_positions(width: int, columns: Columns) -> tuple[list[str], Columns]:
    """Return a name for each of `width` columns, and the request in these names.

    Positions (0, 1, ...) become x1, x2, ... for states and u1, u2, ... for inputs. Names x1, x2, ... mean the
    first, second, ... column. As many other names as there are columns name them in order, states first.

    **Raises:** `DataError` for positions that are not there or asked twice, and names that mean no column.
    """
    states, inputs = listed(columns.states), listed(columns.inputs)
    asked = [*states, *inputs]
    names = [f"x{i + 1}" for i in range(width)]
    rest = list(range(width))
    for role in RESERVED:
        if getattr(columns, role) is not None:
            place = _position(str(getattr(columns, role)), width)
            rest.remove(place)
            names[place] = role
            request: dict[str, Any] = {role: role}
            columns = columns._replace(**request)
    if asked and all(_is_position(name) for name in asked):
        check_distinct(asked, "states and inputs together")
        names = [name if name in RESERVED else f"column {i}" for i, name in enumerate(names)]
        new_states = [f"x{k + 1}" for k in range(len(states))]
        new_inputs = [f"u{k + 1}" for k in range(len(inputs))]
        for name, new in zip(asked, [*new_states, *new_inputs], strict=True):
            names[_position(name, width)] = new
        return names, columns._replace(states=new_states, inputs=new_inputs)
    unknown = [name for name in asked if name not in names]
    if unknown and len(asked) == len(rest):
        for i, name in zip(rest, asked, strict=True):
            names[i] = name
    elif unknown:
        raise DataError(
            f"{unknown[0]!r} means none of the {width} columns, which have no names. Choose columns by "
            f"position (states=[0, 1], inputs=[2]), by the names x1 to x{width}, or name all {len(rest)} of "
            "them in order, states first."
        )
    return names, columns._replace(states=states, inputs=inputs)


def _is_position(name: str) -> bool:
    return name.removeprefix("-").isdigit()


def _position(name: str, width: int) -> int:
    position = int(name) if _is_position(name) else -1
    if name.startswith("x") and name[1:].isdigit():
        position = int(name[1:]) - 1
    if not 0 <= position < width:
        raise DataError(
            f"there is no column {name!r}: the array has {width} columns, positions 0 to {width - 1} (or "
            f"names x1 to x{width})."
        )
    return position
