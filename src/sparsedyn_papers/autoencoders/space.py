"""What a search of SINDy autoencoders tries: choices and ranges by dotted key, as a table of its spec."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, create_model, model_validator

from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.spec import Count, Fractions, Table, distinct

FIXED = {"training.members": "a trial is one ensemble, and the best of a larger one is better by itself"}
"""Keys that a search cannot compare, and why."""


class Range(Table):
    """Numbers from `low` to `high`, on a logarithmic scale with `log`; whole numbers of a key that takes only such."""

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


def space_table(tables: Mapping[str, type[Table]]) -> type[Table]:
    """Return a table with a key such as "model.latent" for every key of `tables`: a list to choose from, or a range."""
    fields: dict[str, Any] = {}
    for name, table in tables.items():
        for key, hint in get_type_hints(table, include_extras=True).items():
            if key in table.model_fields:
                fields[f"{name}.{key}"] = (_dimension(f"{name}.{key}", hint), None)
    return create_model("Space", __base__=Table, **fields)


def quoted(space: Any) -> Any:
    """Refuse keys without quotes, which TOML reads as a table in a table."""
    for key, inner in space.items() if isinstance(space, Mapping) else ():
        if isinstance(inner, Mapping) and inner and "." not in key:
            name = f"{key}.{next(iter(inner))}"
            raise Misfit((key,), f'a key of the space needs quotes around it. Write "{name}" = [...].')
    return space


class AbstractSearchSpec(Table):
    """A search in so many `trials`, each an ensemble with values that those before it make promising.

    After each share of training in `rungs` a trial is compared with those that came as far before, and given up by the
    `pruner`'s rule: `successive-halving` keeps the best third, `median` the better half.
    """

    trials: Count = 20
    pruner: Literal["successive-halving", "median", "none"] = "successive-halving"
    rungs: Fractions = (0.1, 0.3)

    @model_validator(mode="after")
    def _rungs_increase(self) -> "AbstractSearchSpec":
        if list(self.rungs) != sorted(self.rungs):
            raise Misfit(("rungs",), "expected increasing shares of training. Sort them.")
        return self


def _dimension(key: str, hint: Any) -> Any:
    if key in FIXED:
        return Annotated[None, BeforeValidator(lambda _: _refuse(key))]
    # Strict as tables are.
    strict = ConfigDict(strict=True)
    several = Annotated[tuple[hint, ...], Field(strict=False, min_length=1), AfterValidator(distinct)]
    choices, one = TypeAdapter[Any](several, config=strict), TypeAdapter[Any](hint, config=strict)

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping | Range):
            return choices.validate_python(value)
        found = value if isinstance(value, Range) else Range.model_validate(value)
        # As the key has them: whole, or not.
        ends = {name: one.validate_python(getattr(found, name)) for name in ("low", "high")}
        return found.model_copy(update=ends)

    return Annotated[Any, BeforeValidator(read)]


def _refuse(key: str) -> None:
    raise Misfit((), f"cannot be searched: {FIXED[key]}. Remove it.")
