"""Studies of laws found from tables as a kind of study: `kind = "laws"`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sparsedyn.equations import text
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.errors import Misfit, near_miss
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.slugs import slug_of
from sparsedyn.studies.spec import AbstractStudySpec, Levels, Names, Some, distinct, listed, one_of
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Summary, listed_cells
from sparsedyn.studies.units import StudyRun, Unit, one_by_one
from sparsedyn_papers.laws.recovery import recovered
from sparsedyn_papers.laws.report import document, shares_of, told
from sparsedyn_papers.laws.table import SUITES, Law, suite
from sparsedyn_papers.published import PublishedShares

Units = Annotated[tuple[bool, ...], BeforeValidator(listed), Some, AfterValidator(distinct)]
DIGITS = 5


class LawsSpec(AbstractStudySpec):
    """Laws of a suite, from so many points: every law, level of noise, and with or without units, is a cell.

    `laws` are their names, all without; `noise` is a share of the target's root mean square; `trials` are those of
    networks where proposals leave something.
    """

    kind: Literal["laws"]
    suite: Annotated[str, one_of(SUITES)]
    laws: Names | None = None
    points: Annotated[int, Field(ge=24)] = 1000
    noise: Levels = (0.0,)
    units: Units = (False, True)
    trials: Annotated[int, Field(ge=0)] = 8
    published: Annotated[tuple[PublishedShares, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _laws_there(self) -> "LawsSpec":
        known = [law.name for law in suite(self.suite)]
        for place, name in enumerate(self.laws or ()):
            if name not in known:
                raise Misfit(("laws", place), f"there is no law {name!r} in {self.suite}.{near_miss(name, known)}")
        return self


@dataclass(frozen=True)
class LawCell(Cell):
    """A law, a level of noise, and whether units are told."""

    law: Law
    noise: float
    units: bool


def cells(spec: LawsSpec, store: Store | None = None) -> list[LawCell]:
    """Return all cells: levels of noise, within them with and without units, within them laws."""
    return [
        LawCell(
            slug_of(f"{law.name} {level:g} {'units' if units else 'plain'}"),
            f"{law.name}, noise {level:g}, {told(units)}",
            law,
            level,
            units,
        )
        for level in spec.noise
        for units in spec.units
        for law in suite(spec.suite)
        if spec.laws is None or law.name in spec.laws
    ]


def compute(store: Store, spec: LawsSpec, cell: LawCell, on_progress: OnProgress) -> Outcome:
    """Fit a law's table."""
    made = recovered(
        cell.law, points=spec.points, noise=cell.noise, units=cell.units, seed=spec.seed, trials=spec.trials
    )
    on_progress(1.0, "found" if made.found else "another equation")
    facts = {
        "law": cell.law.name,
        "truth": cell.law.formula,
        "noise": cell.noise,
        "units": cell.units,
        "equation": text(made.equation, DIGITS),
        "found": made.found,
        "error": made.error if np.isfinite(made.error) else None,
        "networks": made.networks,
        "cpu_seconds": made.seconds,
    }
    return Outcome(facts, {}, ("found: " if made.found else "not the law: ") + text(made.equation, DIGITS))


def results(spec: LawsSpec, stored: Sequence[StoredCell]) -> pd.DataFrame:
    """Return a row per cell."""
    names = ("law", "truth", "noise", "units", "equation", "found", "networks")
    return pd.DataFrame(
        [
            {"cell": cell.facts["label"]}
            | {name: cell.facts[name] for name in names}
            | {"error": np.nan if cell.facts["error"] is None else float(cell.facts["error"])}
            for cell in stored
        ]
    )


def summary(spec: LawsSpec, store: Store, results: pd.DataFrame) -> Summary:
    """Return the share of laws found, by noise and units."""
    rows = [
        (f"noise {row['noise']:g}, {told(row['units'])}", f"{row['found']} of {row['laws']}", str(row["networks"]))
        for row in shares_of(results).to_dict(orient="records")
    ]
    return Summary([Listing(("laws", "found", "with networks"), rows)], results.to_dict(orient="records"))


def units(run: StudyRun[LawsSpec]) -> Iterator[Unit]:
    """Yield a unit for every cell."""
    return one_by_one(run, cells(run.spec), compute)


LAWS = Kind(
    spec=LawsSpec,
    overview=lambda spec: listed_cells(cells(spec)),
    cells=cells,
    units=units,
    results=results,
    document=document,
    summary=summary,
)
