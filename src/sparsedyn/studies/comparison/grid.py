"""The search of a comparison: a grid of settings by successive halving, and the checks of the rest of such a study."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sparsedyn.studies.comparison.tables import DataSpec, ModelSpec, TechniqueSpec, TrainingSpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.search.space import AbstractSpace, space_table
from sparsedyn.studies.search.wording import Wording
from sparsedyn.studies.spec import Count, Table

FIXED = {
    "training.members": "a rung says how many networks of each combination it trains",
    "training.epochs": "a rung says how long it trains",
    "training.equal_steps": "a rung says how long it trains",
    "training.select": "a search judges the weights at the end of training",
    "training.derivative": "losses against other targets cannot be compared",
    "training.rollout": "losses over other horizons cannot be compared",
    "training.method": "how forecasts are integrated does not change the validation loss",
}
"""Keys that a search cannot compare, and why."""


def layers_text(hidden: Any) -> str:
    """Write the widths of hidden layers: "2 x 25"."""
    widths = [int(width) for width in hidden]
    alike = len(set(widths)) == 1
    return f"{len(widths)} x {widths[0]}" if alike else "-".join(map(str, widths)) or "no hidden layer"


PLAIN = ("model.hidden", "model.activation", "training.optimizer", "training.schedule", "training.learning_rate")
"""Axes whose values need no name in labels."""
WORDING = Wording(
    names=dict.fromkeys(PLAIN, ""),
    titles={"model.hidden": "hidden layers", "training.batch": "batch size"},
    formats={"model.hidden": layers_text},
)

if TYPE_CHECKING:
    Grid = AbstractSpace
else:
    Grid = space_table(
        "Grid",
        {"model": ModelSpec, "training": TrainingSpec},
        first=("model.hidden", "training.optimizer", "training.learning_rate", "training.batch"),
        fixed=FIXED,
    )


class RungSpec(Table):
    """One short training of a search: `epochs` over `train` trajectories; the best share `keep` trains on."""

    epochs: Count
    train: Count | None = None
    members: Count = 1
    keep: Annotated[float, Field(gt=0, lt=1)]


class GridSearchSpec(Table):
    """A grid of settings, searched by successive halving; the study's training is the last rung.

    `grid` has the values to try by key, e.g. `"training.batch" = [32, 64]`; all combinations of them are tried.
    """

    grid: Grid = Grid()
    rungs: Annotated[tuple[RungSpec, ...], Field(strict=False)] = ()


def check_search(
    search: GridSearchSpec,
    data: DataSpec,
    training: TrainingSpec,
    averages: Sequence[dict[str, Any]],
    techniques: Sequence[TechniqueSpec],
) -> None:
    """Raise `Misfit` where the rest of the study is incompatible with its search."""
    if not search.grid.axes():
        raise Misfit(
            ("search", "grid"),
            'expected values to try; there are none. Add e.g. "training.learning_rate" = [0.01, 0.001].',
        )
    if not search.rungs:
        raise Misfit(
            ("search", "rungs"),
            "expected at least one short training; there is none. Add e.g. rungs = [{ epochs = 1, keep = 0.25 }].",
        )
    if not data.validation:
        raise Misfit(
            ("data", "validation"), "a search judges by the validation loss; expected at least 1 trajectory, got 0."
        )
    if len(data.train) > 1:
        raise Misfit(("data", "train"), f"a search trains on one set; got {len(data.train)}. Keep one count.")
    for i, rung in enumerate(search.rungs):
        if rung.train is not None and rung.train > data.train[0]:
            raise Misfit(
                ("search", "rungs", i, "train"),
                f"expected at most the {data.train[0]} trajectories of data.train; got {rung.train}.",
            )
    if len(techniques) > 1:
        raise Misfit(
            ("techniques", 1), f"a search has one technique for all combinations; got {len(techniques)}. Keep one."
        )
    _check_technique(techniques[0], training, averages)


def _check_technique(technique: TechniqueSpec, training: TrainingSpec, averages: Sequence[dict[str, Any]]) -> None:
    for path, given in ((("averages",), averages), (("techniques", 0, "averages"), technique.averages)):
        if given is not None and [average["type"] for average in given] != ["none"]:
            raise Misfit(path, 'a search judges weights as trained. Write averages = ["none"].')
    own = technique.training.given()
    select = own.get("select", training.select)
    if select != "last":
        where = ("techniques", 0, "training") if "select" in own else ("training",)
        raise Misfit(
            (*where, "select"), f'{FIXED["training.select"]}; got "{select}". Write select = "last" in [training].'
        )
