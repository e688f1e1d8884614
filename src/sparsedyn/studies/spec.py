"""The base of all specs of studies: tables, common types of values, common keys."""

from collections.abc import Collection
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from sparsedyn.studies.errors import StudyError, near_miss

Spec = TypeVar("Spec", bound="AbstractStudySpec")


def one_of(known: Collection[str]) -> AfterValidator:
    """A validator that accepts only the names in `known`."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"expected one of {', '.join(known)}; got {name!r}.{near_miss(name, known)}")
        return name

    return AfterValidator(check)


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse duplicate values."""
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise ValueError(f"expected distinct entries; got {twice[0]!r} twice. Remove one.")
    return values


def listed(value: Any) -> Any:
    """Accept a single value in place of a list of one."""
    return value if isinstance(value, list | tuple) else (value,)


Count = Annotated[int, Field(ge=1)]
Word = Annotated[str, Field(min_length=1)]
# TOML has lists where these models, being frozen, have tuples.
Names = Annotated[tuple[Word, ...], BeforeValidator(listed), Field(strict=False), AfterValidator(distinct)]
Some = Field(strict=False, min_length=1)
Counts = Annotated[tuple[Count, ...], BeforeValidator(listed), Some, AfterValidator(distinct)]
Levels = Annotated[
    tuple[Annotated[float, Field(ge=0, le=1)], ...], BeforeValidator(listed), Some, AfterValidator(distinct)
]
Fractions = Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Some, AfterValidator(distinct)]


class Table(BaseModel):
    """A TOML table: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def given(self) -> dict[str, Any]:
        """Return the keys that were given, without those left at their defaults."""
        return {name: getattr(self, name) for name in self.__class__.model_fields if name in self.model_fields_set}


SHOWN = ("title", "description")
"""The keys of a study that change nothing in its results."""


class AbstractStudySpec(Table):
    """The keys that studies of every kind have; the specs of a kind have one value for `kind`, its name."""

    kind: str
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    title: str = ""
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @property
    def members(self) -> int | None:
        """The networks of an ensemble, as the study says for all cells; None where there are none."""
        return None

    def computed(self) -> dict[str, Any]:
        """Return the resolved study without what is only shown: two studies that agree in this have equal results."""
        return {key: value for key, value in self.resolved().items() if key not in SHOWN}

    def resolved(self) -> dict[str, Any]:
        """Return the study as plain tables, defaults written out."""
        return self.model_dump(mode="json", exclude_none=True)

    def replaced(self: Spec, *, members: int | None = None, seed: int | None = None) -> Spec:
        """Return this study with another number of members everywhere, or another seed.

        Raises `StudyError` for members of a study that has none.
        """
        table = self.resolved()
        if seed is not None:
            table["seed"] = seed
        if members is not None:
            table = self.with_members(table, members)
        return type(self).model_validate(table)

    def with_members(self, table: dict[str, Any], members: int) -> dict[str, Any]:
        """Return the resolved `table` of this study with so many members."""
        raise StudyError(f"{self.name}: members are those of ensembles, and its cells have none. Leave --members out.")

    def with_images(self: Spec, folder: str) -> Spec:
        """Return this study with images from `folder`; raises `StudyError` for one that uses none."""
        raise StudyError(f"{self.name}: images are for studies of digits; it has none. Leave --mnist out.")
