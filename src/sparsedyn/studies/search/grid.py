"""The grid of a search as a table of its spec, and what else such a study must look like."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, create_model

from sparsedyn.studies.errors import Misfit

if TYPE_CHECKING:
    from sparsedyn.studies.comparison.spec import StudySpec

AXES = ("model.hidden", "training.optimizer", "training.learning_rate", "training.batch")
"""The usual axes, in the order in which a combination's label names them; others follow."""

FIXED = {
    "training.members": "a rung says how many networks of each combination it trains",
    "training.epochs": "a rung says how long it trains",
    "training.equal_steps": "a rung says how long it trains",
    "training.select": "a search judges the weights at the end of training",
    "training.derivative": "losses against other targets cannot be compared",
    "training.method": "how forecasts are integrated does not change the validation loss",
}
"""Keys that a search cannot compare, and why."""


def grid_table(base: type[BaseModel], tables: Mapping[str, type[BaseModel]]) -> type[BaseModel]:
    """Return a table with a key such as "model.hidden" for every key of `tables`: a list of values to try."""
    found = {f"{name}.{key}": hint for name, table in tables.items() for key, hint in _hints(table).items()}
    keys = [*AXES, *(key for key in found if key not in AXES)]
    fields: dict[str, Any] = {key: (_values_of(key, found[key]), None) for key in keys}
    return create_model("Grid", __base__=base, **fields)


def quoted(grid: Any) -> Any:
    """Refuse keys without quotes, which TOML reads as a table in a table."""
    for key, inner in grid.items() if isinstance(grid, Mapping) else ():
        if isinstance(inner, Mapping) and inner:
            name = f"{key}.{next(iter(inner))}"
            raise Misfit((key,), f'a key of the grid needs quotes around it. Write "{name}" = [...].')
    return grid


def axes_of(spec: "StudySpec") -> dict[str, tuple[Any, ...]]:
    """Return the values that are tried, by dotted key; empty for a study that searches nothing."""
    grid = None if spec.search is None else spec.search.grid
    fields = {} if grid is None else type(grid).model_fields
    return {key: getattr(grid, key) for key in fields if getattr(grid, key) is not None}


def check_search(spec: "StudySpec") -> None:
    """Raise `Misfit` where the rest of the study does not go with its search."""
    search = spec.search
    if search is None:
        return
    if not axes_of(spec):
        raise Misfit(
            ("search", "grid"),
            'expected values to try; there are none. Add e.g. "training.learning_rate" = [0.01, 0.001].',
        )
    if not search.rungs:
        raise Misfit(
            ("search", "rungs"),
            "expected at least one short training; there is none. Add e.g. rungs = [{ epochs = 1, keep = 0.25 }].",
        )
    if not spec.data.validation:
        raise Misfit(
            ("data", "validation"), "a search judges by the validation loss; expected at least 1 trajectory, got 0."
        )
    if len(spec.data.train) > 1:
        raise Misfit(("data", "train"), f"a search trains on one set; got {len(spec.data.train)}. Keep one count.")
    for i, rung in enumerate(search.rungs):
        if rung.train is not None and rung.train > spec.data.train[0]:
            raise Misfit(
                ("search", "rungs", i, "train"),
                f"expected at most the {spec.data.train[0]} trajectories of data.train; got {rung.train}.",
            )
    if len(spec.techniques) > 1:
        raise Misfit(
            ("techniques", 1), f"a search has one technique for all combinations; got {len(spec.techniques)}. Keep one."
        )
    _check_technique(spec)


def _check_technique(spec: "StudySpec") -> None:
    technique = spec.techniques[0]
    for path, averages in ((("averages",), spec.averages), (("techniques", 0, "averages"), technique.averages)):
        if averages is not None and [average["type"] for average in averages] != ["none"]:
            raise Misfit(path, 'a search judges weights as trained. Write averages = ["none"].')
    select = {**spec.training.model_dump(), **technique.training.given()}["select"]
    if select != "last":
        where = ("techniques", 0, "training") if "select" in technique.training.given() else ("training",)
        raise Misfit(
            (*where, "select"), f'{FIXED["training.select"]}; got "{select}". Write select = "last" in [training].'
        )


def _hints(table: type[BaseModel]) -> dict[str, Any]:
    hints = get_type_hints(table, include_extras=True)
    return {key: hints[key] for key in table.model_fields}


def _values_of(key: str, hint: Any) -> Any:
    if key in FIXED:
        return Annotated[None, BeforeValidator(lambda _: _refuse(key))]
    return Annotated[tuple[hint, ...], Field(strict=False, min_length=1), AfterValidator(_distinct)] | None


def _refuse(key: str) -> None:
    raise Misfit((), f"cannot be searched: {FIXED[key]}. Remove it.")


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = [value for i, value in enumerate(values) if value in values[:i]]
    if twice:
        raise ValueError(f"expected distinct values; got {twice[0]!r} twice. Remove one.")
    return values
