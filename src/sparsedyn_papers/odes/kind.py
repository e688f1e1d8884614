"""Studies of governing equations from one short trajectory as a kind of study: `kind = "odes"`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sparsedyn.equations import text
from sparsedyn.studies.cell_files import StoredCell
from sparsedyn.studies.cells import Cell, OnProgress, Outcome
from sparsedyn.studies.errors import Misfit
from sparsedyn.studies.kind import Kind
from sparsedyn.studies.slugs import slug_of
from sparsedyn.studies.spec import AbstractStudySpec, Counts, Levels, Some, distinct, listed, one_of
from sparsedyn.studies.store import Store
from sparsedyn.studies.summary import Listing, Summary, listed_cells
from sparsedyn.studies.units import StudyRun, Unit, one_by_one
from sparsedyn_papers.odes.forms import exact
from sparsedyn_papers.odes.methods import METHODS, available
from sparsedyn_papers.odes.report import document, shares_of
from sparsedyn_papers.odes.systems import System, explains, simulated, suite
from sparsedyn_papers.published import PublishedShares

DIGITS = 5


class OdesSpec(AbstractStudySpec):
    """Systems of ODEBench with noise `x (1 + s xi)`: every system, level `s` and realization is a cell of all methods.

    `systems` are their numbers, all without; `noise` the levels; without noise there is one realization. Methods that
    are not installed are left out, which the report says.
    """

    kind: Literal["odes"]
    systems: Counts | None = None
    noise: Levels = (0.0, 0.01, 0.05)
    realizations: Annotated[int, Field(ge=1)] = 1
    methods: Annotated[
        tuple[Annotated[str, one_of(METHODS)], ...], BeforeValidator(listed), Some, AfterValidator(distinct)
    ] = tuple(METHODS)
    published: Annotated[tuple[PublishedShares, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _systems_there(self) -> "OdesSpec":
        known = [system.id for system in suite()]
        for place, number in enumerate(self.systems or ()):
            if number not in known:
                raise Misfit(("systems", place), f"there is no system {number}. Known: {', '.join(map(str, known))}.")
        return self


@dataclass(frozen=True)
class SystemCell(Cell):
    """A system, a level of noise, and which realization of it."""

    system: System
    noise: float
    realization: int


def cells(spec: OdesSpec, store: Store | None = None) -> list[SystemCell]:
    """Return all cells: systems, within them levels of noise, within them realizations."""
    found = []
    for system in suite():
        if spec.systems is not None and system.id not in spec.systems:
            continue
        for level in spec.noise:
            for turn in range(spec.realizations if level else 1):
                several = level and spec.realizations > 1
                label = f"{system.name}, noise {level:g}" + (f", realization {turn + 1}" if several else "")
                slug = slug_of(f"{system.id:02d} {system.name} {level:g} {turn}")
                found.append(SystemCell(slug, label, system, level, turn))
    return found


def compute(store: Store, spec: OdesSpec, cell: SystemCell, on_progress: OnProgress) -> Outcome:
    """Fit all methods to the first trajectory, and simulate what they find from both initial states."""
    system = cell.system
    plants = [simulated(system.field, start) for start in system.starts]
    first = plants[0]
    assert first is not None
    seed = spec.seed + cell.realization
    noisy = first * (1 + cell.noise * np.random.default_rng(seed).normal(size=first.shape))
    rows = []
    used = [method for method in spec.methods if available(method)]
    for place, method in enumerate(used):
        found = METHODS[method](noisy, spec.seed)
        good = [
            plant is not None and explains(simulated(found.field, start), plant)
            for plant, start in zip(plants, system.starts, strict=True)
        ]
        row: dict[str, Any] = {"method": method, "reconstruction": good[0], "generalization": good[1]}
        row |= {"empty": found.empty, "warned": found.warned, "cpu_seconds": found.seconds}
        if found.equations is not None:
            row |= {"equations": [text(one, DIGITS) for one in found.equations]}
        if method == "EquationLearner" and found.equations is not None:
            row |= {"exact": exact(system.truth, found.equations, first)}
        rows.append(row)
        on_progress((place + 1) / len(used), method)
    own = rows[0] if rows else {}
    facts = {
        "system": system.name,
        "truth": [text(one, DIGITS) for one in system.truth],
        "noise": cell.noise,
        "realization": cell.realization,
        "methods": rows,
        "left_out": [method for method in spec.methods if method not in used],
    }
    return Outcome(facts, {"states": noisy}, "; ".join(own.get("equations", ())))


def results(spec: OdesSpec, stored: Sequence[StoredCell]) -> pd.DataFrame:
    """Return a row per cell and method."""
    return pd.DataFrame(
        [
            {
                "cell": cell.facts["label"],
                "system": cell.facts["system"],
                "noise": cell.facts["noise"],
                "realization": cell.facts["realization"],
                "method": row["method"],
                **{name: bool(row[name]) for name in ("reconstruction", "generalization", "empty", "warned")},
                "exact": float(row["exact"]) if "exact" in row else np.nan,
                "truth": "; ".join(cell.facts["truth"]),
                "equations": "; ".join(row.get("equations", ())),
            }
            for cell in stored
            for row in cell.facts["methods"]
        ]
    )


def summary(spec: OdesSpec, store: Store, results: pd.DataFrame) -> Summary:
    """Return the shares of every method by noise."""
    measures = ("reconstruction", "generalization", "exact")
    rows = [
        (f"{row['method']}, noise {row['noise']:g}", *(f"{row[name]:.3f}" for name in measures))
        for row in shares_of(results).to_dict(orient="records")
    ]
    columns = ("method", "reconstruction", "generalization", "exact form")
    return Summary([Listing(columns, rows)], results.to_dict(orient="records"))


def units(run: StudyRun[OdesSpec]) -> Iterator[Unit]:
    """Yield a unit for every cell."""
    return one_by_one(run, cells(run.spec), compute)


ODES = Kind(
    spec=OdesSpec,
    overview=lambda spec: listed_cells(cells(spec)),
    cells=cells,
    units=units,
    results=results,
    document=document,
    summary=summary,
)
