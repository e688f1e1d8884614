"""The report on laws from tables: the share found beside published ones, times, and every law."""

from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.document import Column, Document, Section, Table, code, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import DASH, duration, listing, percent, plural
from sparsedyn.studies.stored import StoredStudy

MEANINGS = {
    "found": "Without noise: an error below 1e-6 of the target's spread on fresh points. With noise: the equation has "
    "the form of the law, so that other constants make it the law to 1e-6.",
    "with units": "Units of all columns and of the target are told.",
    "networks": "Laws for which networks were trained, since proposals left something.",
    "CPU": "Processor seconds of a fit, which depend on the machine and on what else runs.",
}


def told(units: bool) -> str:
    """Say whether units are told."""
    return "with units" if units else "without units"


def shares_of(results: pd.DataFrame) -> pd.DataFrame:
    """Return how many laws are found, by noise and units."""
    grouped = results.groupby(["noise", "units"], sort=False, as_index=False)
    return grouped.agg(found=("found", "sum"), laws=("law", "count"), networks=("networks", "sum"))


def document(study: StoredStudy[Any]) -> Document:
    """Return the report."""
    shares = shares_of(study.results)
    levels = [f"{one:g}" for one in dict.fromkeys(study.results["noise"])]
    laws = study.results["law"].nunique()
    return framed(
        study,
        [Section("results", "Results", [_table(study, shares)]), Section("laws", "Every law", [_laws(study)])],
        size=f"{plural(laws, 'law')}, {study.spec.points} points each, noise {listing(levels)}.",
        answer=[
            f"Noise {row['noise']:g}, {told(row['units'])}: **{row['found']} of {row['laws']}** "
            f"({percent(row['found'] / row['laws'])})."
            for row in shares.to_dict(orient="records")
        ],
        meanings=MEANINGS,
    )


def _table(study: StoredStudy[Any], shares: pd.DataFrame) -> Table:
    columns = [Column("method", text=True), Column("noise"), Column("found"), Column("networks")]
    columns += [Column("CPU: median"), Column("most")]
    rows = []
    for row in shares.to_dict(orient="records"):
        way = (row["noise"], row["units"])
        seconds = [
            float(cell.facts["cpu_seconds"])
            for cell in study.cells
            if (cell.facts["noise"], cell.facts["units"]) == way
        ]
        times = [duration(float(np.median(seconds))), duration(max(seconds))]
        share = percent(row["found"] / row["laws"])
        title = f"EquationRegressor, {told(row['units'])}"
        rows.append([title, f"{row['noise']:g}", share, str(row["networks"]), *times])
    for one in study.spec.published:
        share = percent(one.shares["found"])
        rows.append([f"published: {plain(one.method)}", f"{one.noise:g}", share, DASH, DASH, DASH])
    return Table(columns, rows)


def _laws(study: StoredStudy[Any]) -> Table:
    """A row per law: the truth, and where it was found, or what was found instead."""
    ways = list(dict.fromkeys(zip(study.results["noise"], study.results["units"], strict=True)))
    columns = [Column("law", text=True), Column("truth", text=True)]
    columns += [Column(f"noise {noise:g}, {told(bool(units))}", text=True) for noise, units in ways]
    lookup = {(cell.facts["law"], cell.facts["noise"], cell.facts["units"]): cell.facts for cell in study.cells}
    truths = {cell.facts["law"]: cell.facts["truth"] for cell in study.cells}
    rows = []
    for law, truth in truths.items():
        rows.append([plain(law), code(truth), *(_entry(lookup.get((law, *way))) for way in ways)])
    return Table(columns, rows)


def _entry(facts: Any) -> str:
    if facts is None:
        return DASH
    return "found" if facts["found"] else code(facts["equation"])
