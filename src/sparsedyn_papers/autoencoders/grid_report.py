"""The report on a grid of configurations: one table, the best row explained, and maps."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.document import Column, Picture, Table, plain
from sparsedyn.studies.document.words import DASH, duration
from sparsedyn.studies.search.wording import value_text
from sparsedyn_papers.autoencoders.ranking import first, loss, or_nan
from sparsedyn_papers.autoencoders.spec import WORDING, AutoencodersSpec
from sparsedyn_papers.delft2024.published import BEST
from sparsedyn_papers.figures.grid_map import grid_maps

DOWN = ("model.latent", "model.widths")
"""Axes that go downwards in maps."""


def grid_table(spec: AutoencodersSpec, cells: Sequence[StoredCell], seconds: Mapping[str, float]) -> Table:
    """Return all configurations, that of the least reconstruction loss first."""
    axes = list(spec.axes())
    columns = [
        Column("rank", text=True),
        *(Column(WORDING.title(key), group=i == 0) for i, key in enumerate(axes)),
        Column("reconstruction loss", group=True),
        Column("decoder"),
        Column("derivative"),
        Column("latent"),
        Column("terms", group=True),
        Column("time"),
    ]
    rows = []
    for number, cell in enumerate(sorted(cells, key=loss), 1):
        best = first(cell)
        rows.append(
            [
                str(number),
                *(plain(value_text(cell.facts["values"][key])) for key in axes),
                _number(loss(cell)),
                *(_number(best["errors"]["test"][name]) for name in ("decoder", "derivative", "latent")),
                str(best["terms"]),
                duration(seconds[cell.slug]) if cell.slug in seconds else DASH,
            ]
        )
    return Table(columns, rows)


def grid_sentences(spec: AutoencodersSpec, cells: Sequence[StoredCell]) -> list[str]:
    """Return what came out, and which values are better than others, all else being equal."""
    best = min(cells, key=loss)
    chosen = ", ".join(f"{WORDING.title(key)} {value_text(value)}" for key, value in best.facts["values"].items())
    sentences = [
        f"Of {len(cells)} combinations the least reconstruction loss on test data, **{_number(loss(best))}**, has "
        f"**{plain(chosen)}**; its error of the derivative is "
        f"{_number(first(best)['errors']['test']['derivative'])}."
    ]
    for key, values in spec.axes().items():
        if len(values) > 1:
            means = {value_text(value): _geometric_mean(cells, key, value) for value in values}
            listed = ", ".join(f"{_number(mean)} with {plain(value)}" for value, mean in means.items())
            sentences.append(f"By {plain(WORDING.title(key))}, the geometric mean of the loss is {listed}.")
    sentences.append(
        "A weight of zero leaves the equation out of what is trained, so the loss of reconstruction says nothing about "
        "whether an equation holds: that is what the error of the derivative is for."
    )
    own = ", ".join(f"{name} {BEST[name]}" for name in ("batch", "latent", "weight dx", "weight dz", "widths"))
    sentences.append(
        f"The blog of 2024 found a validation loss of {BEST['loss']} with {own}, in {BEST['seconds']:.0f} s a run; its "
        "training lengths are not known in full, so that values compare in order of magnitude only."
    )
    return sentences


def grid_pictures(spec: AutoencodersSpec, cells: Sequence[StoredCell]) -> list[Picture]:
    """Return the maps of all configurations."""
    axes = spec.axes()
    down = [key for key in axes if key in DOWN] or list(axes)[:1]
    across = [key for key in axes if key not in down]
    rows, columns = (list(product(*(axes[key] for key in keys))) for keys in (down, across))
    place = {
        (
            tuple(_plain(cell.facts["values"][k]) for k in down),
            tuple(_plain(cell.facts["values"][k]) for k in across),
        ): cell
        for cell in cells
    }

    def values(read: Any) -> Float[np.ndarray, "row column"]:
        table = np.full((len(rows), len(columns)), np.nan)
        for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
            cell = place.get((tuple(_plain(v) for v in row), tuple(_plain(v) for v in column)))
            if cell is not None:
                table[i, j] = read(cell)
        return table

    losses = values(loss)
    if np.isnan(losses).all():
        return []
    best = np.unravel_index(int(np.nanargmin(losses)), losses.shape)
    measures = {
        "reconstruction loss on test data": losses,
        "relative error of the derivative": values(lambda cell: or_nan(first(cell)["errors"]["test"]["derivative"])),
    }
    return [
        Picture(
            "grid",
            "Maps of all configurations: reconstruction loss, error of the derivative.",
            "All configurations, darker is worse; the frame marks the least reconstruction loss.",
            partial(
                grid_maps,
                measures,
                rows=[
                    ", ".join(f"{WORDING.title(k)} {value_text(v)}" for k, v in zip(down, row, strict=True))
                    for row in rows
                ],
                columns=["\n".join(value_text(v) for v in column) for column in columns],
                across=" / ".join(WORDING.title(key) for key in across),
                best=(int(best[0]), int(best[1])),
                title="All configurations",
            ),
        )
    ]


def _geometric_mean(cells: Sequence[StoredCell], key: str, value: Any) -> float:
    losses = [loss(cell) for cell in cells if _plain(cell.facts["values"][key]) == _plain(value)]
    finite = [math.log(loss) for loss in losses if math.isfinite(loss) and loss > 0]
    return math.exp(sum(finite) / len(finite)) if finite else math.nan


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.2e}".replace("e-0", "e−").replace("e-", "e−").replace("e+00", "")
