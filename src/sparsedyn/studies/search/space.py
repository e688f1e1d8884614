"""The space of a search: values and ranges by dotted key, checked against the tables of the study's spec."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, create_model, model_validator

from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.wording import Wording, value_text
from sparsedyn.studies.slugs import slug_of
from sparsedyn.studies.spec import Table, distinct


class Range(Table):
    """Numbers from `low` to `high`, on a logarithmic scale with `log`; integers for a key that takes only integers."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> "Range":
        if not self.low < self.high:
            raise Misfit(("high",), f"expected more than low; got low = {self.low:g}, high = {self.high:g}.")
        if self.log and self.low <= 0:
            raise Misfit(("low",), f"a logarithmic scale begins above zero; got {self.low:g}. Write e.g. low = 1e-6.")
        return self


def axis_text(tried: Range | Sequence[Any]) -> str:
    """Write the values that a search tries for one key."""
    if not isinstance(tried, Range):
        return ", ".join(value_text(value) for value in tried)
    return f"{tried.low:g} to {tried.high:g}{' (logarithmic)' if tried.log else ''}"


class AbstractSpace(Table):
    """A table with a key such as "model.hidden" for every key of other tables: a list of values to try, or a range."""

    @model_validator(mode="before")
    @classmethod
    def _quoted(cls, given: Any) -> Any:
        """Refuse keys without quotes, which TOML reads as a table in a table."""
        for key, inner in given.items() if isinstance(given, Mapping) else ():
            if isinstance(inner, Mapping) and inner and "." not in key:
                name, what = f"{key}.{next(iter(inner))}", cls.__name__.lower()
                raise Misfit((key,), f'a key of the {what} needs quotes around it. Write "{name}" = [...].')
        return given

    def axes(self) -> dict[str, Any]:
        """Return what is tried, by dotted key: tuples of values, and ranges."""
        return {key: value for key in type(self).model_fields if (value := getattr(self, key)) is not None}


def space_table(
    name: str,
    tables: Mapping[str, type[Table]],
    *,
    first: Sequence[str] = (),
    fixed: Mapping[str, str] | None = None,
    ranges: bool = False,
) -> type[AbstractSpace]:
    """Return a table called `name` with a key for every key of `tables`.

    Keys come in the order of the tables, those named `first` before them; axes named first vary slowest. `fixed` are
    keys that cannot be searched, and why. Without `ranges` every axis is a list of values.
    """
    hints = {f"{table}.{key}": hint for table, spec in tables.items() for key, hint in _hints(spec).items()}
    fields: dict[str, Any] = {}
    for key in dict.fromkeys([*first, *hints]):
        if key in (fixed or {}):
            fields[key] = (_refused((fixed or {})[key]), None)
        else:
            fields[key] = ((_values_or_range if ranges else _values)(hints[key]), None)
    return create_model(name, __base__=AbstractSpace, **fields)


def _hints(table: type[Table]) -> dict[str, Any]:
    hints = get_type_hints(table, include_extras=True)
    return {key: hints[key] for key in table.model_fields}


def _refused(why: str) -> Any:
    def refuse(value: Any) -> None:
        raise Misfit((), f"cannot be searched: {why}. Remove it.")

    return Annotated[None, BeforeValidator(refuse)]


def _values(hint: Any) -> Any:
    return Annotated[tuple[hint, ...], Field(strict=False, min_length=1), AfterValidator(distinct)] | None


def _values_or_range(hint: Any) -> Any:
    # Strict as tables are.
    strict = ConfigDict(strict=True)
    several = Annotated[tuple[hint, ...], Field(strict=False, min_length=1), AfterValidator(distinct)]
    values, one = TypeAdapter[Any](several, config=strict), TypeAdapter[Any](hint, config=strict)

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping | Range):
            return values.validate_python(value)
        found = value if isinstance(value, Range) else Range.model_validate(value)
        # As the key has them: whole, or not.
        ends = {name: one.validate_python(getattr(found, name)) for name in ("low", "high")}
        return found.model_copy(update=ends)

    return Annotated[Any, BeforeValidator(read)]


@dataclass(frozen=True)
class Combination:
    """One point of a grid: its number, counted from 0, what it is called, and its values by dotted key."""

    number: int
    label: str
    values: Mapping[str, Any]


def combinations(axes: Mapping[str, Sequence[Any]], wording: Wording) -> list[Combination]:
    """Return all points of a grid; the axes named first vary slowest."""
    points = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    return [Combination(number, wording.label(point), point) for number, point in enumerate(points)]


def check_folders(points: Sequence[Combination], axes: Mapping[str, Sequence[Any]], path: tuple[str, ...]) -> None:
    """Raise `Misfit` for two points of one folder; `path` leads to the grid."""
    folders: dict[str, Combination] = {}
    for point in points:
        other = folders.setdefault(slug_of(point.label), point)
        if other is not point:
            # Names are made of the values: two that are equal have a value that is written like another one.
            key = next(key for key in axes if other.values[key] != point.values[key])
            one, two = other.values[key], point.values[key]
            raise Misfit(
                (*path, key, axes[key].index(two)),
                f"expected values that give every combination a folder of its own; got {one!r} and {two!r}, for which "
                f"it is {slug_of(point.label)!r}. Change one.",
            )
