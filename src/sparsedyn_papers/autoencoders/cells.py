"""Cells of a study of SINDy autoencoders: configurations, each trained as one ensemble."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparsedyn.studies.cells import Cell
from sparsedyn.studies.search.space import combinations
from sparsedyn.studies.slugs import slug_of
from sparsedyn_papers.autoencoders.spec import WORDING, AutoencodersSpec
from sparsedyn_papers.autoencoders.spec_tables import NetworkSpec, RecipeSpec


@dataclass(frozen=True)
class AutoencoderCell(Cell):
    """A configuration with a seed of data and networks; `values` are its values on the axes of a grid."""

    model: NetworkSpec
    training: RecipeSpec
    noise: float
    seed: int
    values: Mapping[str, Any]


def cells_of(spec: AutoencodersSpec) -> list[AutoencoderCell]:
    """Return all cells, each with every seed; those of a search have values when their turn comes."""
    if spec.search is not None:
        return trial_cells(spec)
    found = []
    single = len(spec.seeds) == 1
    for number, (label, model, training, noise, values) in enumerate(_configurations(spec), 1):
        for seed in spec.seeds:
            slug = slug_of(f"{number:02d} {label}" + ("" if single else f" seed {seed}"))
            name = label if single else f"{label}, seed {seed}"
            found.append(AutoencoderCell(slug, name, model, training, noise, seed, values))
    return found


def trial_cells(spec: AutoencodersSpec) -> list[AutoencoderCell]:
    """Return the trials of a search, with the study's own tables."""
    count = 0 if spec.search is None else spec.search.trials
    return [
        AutoencoderCell(
            f"trial-{number:02d}", f"trial {number}", spec.model, spec.training, spec.data.noise, spec.seeds[0], {}
        )
        for number in range(1, count + 1)
    ]


def _configurations(
    spec: AutoencodersSpec,
) -> list[tuple[str, NetworkSpec, RecipeSpec, float, dict[str, Any]]]:
    axes = spec.axes()
    if axes:
        points = combinations(axes, WORDING)
        return [(one.label, *at_point(spec, one.values), spec.data.noise, dict(one.values)) for one in points]
    if not spec.cells:
        return [(spec.data.system, spec.model, spec.training, spec.data.noise, {})]
    return [
        (
            cell.label,
            spec.model.model_copy(update=cell.model.given()),
            spec.training.model_copy(update=cell.training.given()),
            spec.data.noise if cell.noise is None else cell.noise,
            {},
        )
        for cell in spec.cells
    ]


def at_point(spec: AutoencodersSpec, point: Mapping[str, Any]) -> tuple[NetworkSpec, RecipeSpec]:
    """Return the study's tables with these values by dotted key."""
    changes: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
    for key, value in point.items():
        table, _, name = key.partition(".")
        changes[table][name] = value
    return spec.model.model_copy(update=changes["model"]), spec.training.model_copy(update=changes["training"])
