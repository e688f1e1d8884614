"""The tables that papers add to the spec of a comparison: published figures, arrangements of cells, claims."""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from sparsedyn.studies.comparison.spec import Horizons, StudySpec
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.spec import Names, Some, Table, Word


def share(percent: float) -> float:
    """Refuse what is neither a percentage of the whole nor NaN."""
    if not (math.isnan(percent) or 0 <= percent <= 100):
        raise ValueError(f"expected percent, from 0 to 100, or nan; got {percent:g}.")
    return percent


def magnitude(value: float) -> float:
    """Refuse what is neither a finite number from 0 nor NaN."""
    if not (math.isnan(value) or 0 <= value < math.inf):
        raise ValueError(f"expected a finite number of at least 0, or nan; got {value:g}.")
    return value


Shares = Annotated[tuple[Annotated[float, AfterValidator(share)], ...], Some]
Errors = Annotated[tuple[Annotated[float, AfterValidator(magnitude)], ...], Some]


class PublishedRow(Table):
    """What others reported of one cell, a value per horizon of `published.horizons`: percent, RFMSE; NaN where none."""

    cell: Word
    diverged: Shares
    rfmse: Errors | None = None
    rfmse_std: Errors | None = None
    sparsity: Annotated[float, Field(ge=0, le=100)] | None = None


class PublishedSpec(Table):
    """Figures that others reported for the same comparison, shown beside ours. `notes` say what is known of them."""

    source: Word
    notes: str = ""
    horizons: Horizons
    rows: Annotated[tuple[PublishedRow, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _a_row_per_cell_and_a_value_per_horizon(self) -> "PublishedSpec":
        labels = [row.cell for row in self.rows]
        for i, row in enumerate(self.rows):
            if row.cell in labels[:i]:
                raise Misfit(("rows", i, "cell"), f"expected a row per cell; got {row.cell!r} twice. Remove one.")
            for name in ("diverged", "rfmse", "rfmse_std"):
                values = getattr(row, name)
                if values is not None and len(values) != len(self.horizons):
                    raise Misfit(
                        ("rows", i, name),
                        f"expected {len(self.horizons)} values, one per horizon of published.horizons; got "
                        f"{len(values)}.",
                    )
        return self


class PanelSpec(Table):
    """One arrangement of cells: a `comparison`, drawn as bars (share diverged) and violins (error), or a `fan` of each
    cell's forecasts. `figure` names the paper's figure.
    """

    title: Word
    figure: str = ""
    cells: Annotated[Names, Field(min_length=1)]
    kind: Literal["comparison", "fan"] = "comparison"


class ComparisonSpec(Table):
    """One comparison that a claim rests on: `lower` has the lower `metric` than `higher`, at `horizon` rows."""

    lower: Word
    higher: Word
    metric: Literal["diverged", "error", "active", "disagreement", "spread"] = "diverged"
    horizon: Annotated[int, Field(ge=2)] | None = None


class ClaimSpec(Table):
    """A statement of a paper, and the comparisons that would have to come out significant if it held."""

    source: Word
    claim: Word
    comparisons: Annotated[tuple[ComparisonSpec, ...], Field(strict=False, min_length=1)]


TABLES: dict[str, Any] = {
    "published": (PublishedSpec | None, None),
    "panels": (Annotated[tuple[PanelSpec, ...], Field(strict=False)], ()),
    "claims": (Annotated[tuple[ClaimSpec, ...], Field(strict=False)], ()),
}
"""Their annotations and defaults, by their keys."""


def published_of(spec: StudySpec) -> PublishedSpec | None:
    """Return the published figures of a study."""
    found: PublishedSpec | None = spec.added("published")
    return found


def panels_of(spec: StudySpec) -> tuple[PanelSpec, ...]:
    """Return the arrangements of cells of a study."""
    return spec.added("panels") or ()


def claims_of(spec: StudySpec) -> tuple[ClaimSpec, ...]:
    """Return the claims of a study."""
    return spec.added("claims") or ()
