"""The report on governing equations from one trajectory: shares beside published ones, and what was found."""

import math
from typing import Any

import numpy as np
import pandas as pd

from sparsedyn.studies.document import Column, Document, Section, Table, code, plain
from sparsedyn.studies.document.frame import framed
from sparsedyn.studies.document.words import DASH, duration, listing, percent, plural
from sparsedyn.studies.stored import StoredStudy

MEASURES = ("reconstruction", "generalization", "exact")
MEANINGS = {
    "reconstruction": "The share of systems whose found equations, simulated from the first initial state, have a "
    "variance-weighted R^2 above 0.9 with the true trajectory without noise.",
    "generalization": "The same from a second initial state, which no method sees.",
    "exact form": "The share whose equations are the true ones but for the values of coefficients and constants: with "
    "other numbers, the truth agrees with them to 1e-5 over the range of the states, and they have as many numbers.",
    "CPU": "Processor seconds of a fit, which depend on the machine and on what else runs.",
}


def shares_of(results: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of every method and level of noise, means over systems and realizations."""
    grouped = results.groupby(["noise", "method"], sort=False, as_index=False)
    return grouped.agg(
        reconstruction=("reconstruction", "mean"),
        generalization=("generalization", "mean"),
        exact=("exact", "mean"),
        empty=("empty", "mean"),
        systems=("system", "nunique"),
    )


def document(study: StoredStudy[Any]) -> Document:
    """Return the report."""
    results = study.results
    shares = shares_of(results)
    levels = list(dict.fromkeys(results["noise"]))
    left_out = sorted({method for cell in study.cells for method in cell.facts["left_out"]})
    systems = results["system"].nunique()
    return framed(
        study,
        [
            Section("results", "Results", [_table(study, shares, level) for level in levels]),
            Section("systems", "Every system", [_systems(study, level) for level in levels]),
        ],
        size=f"{plural(systems, 'system')}, 150 rows on [0, 10], noise {listing([f'{one:g}' for one in levels])}.",
        answer=_answer(shares),
        meanings=MEANINGS,
        notes=[f"Not installed, and left out: {listing(left_out)}."] if left_out else [],
    )


def _answer(shares: pd.DataFrame) -> list[str]:
    first = shares[shares["method"] == shares["method"].iloc[0]]
    return [
        f"Noise {row['noise']:g}: {row['method']} reconstructs **{percent(row['reconstruction'])}**, generalizes for "
        f"{percent(row['generalization'])}, and has the exact form for {_share(row['exact'])}."
        for row in first.to_dict(orient="records")
    ]


def _seconds(study: StoredStudy[Any], method: str, level: float) -> list[float]:
    return [
        float(row["cpu_seconds"])
        for cell in study.cells
        for row in cell.facts["methods"]
        if (cell.facts["noise"], row["method"]) == (level, method)
    ]


def _table(study: StoredStudy[Any], shares: pd.DataFrame, level: float) -> Table:
    """Our shares and published ones at a level of noise."""
    columns = [Column(f"noise {level:g}", text=True), *(Column(name) for name in ("reconstruction", "generalization"))]
    columns += [Column("exact form"), Column("CPU: median"), Column("most")]
    rows = []
    for row in shares[shares["noise"] == level].to_dict(orient="records"):
        seconds = _seconds(study, row["method"], level)
        own = [_share(row[name]) for name in MEASURES]
        rows.append([plain(row["method"]), *own, duration(float(np.median(seconds))), duration(max(seconds))])
    for one in study.spec.published:
        if one.noise == level:
            theirs = [_share(one.shares.get(name, math.nan)) for name in MEASURES]
            rows.append([f"published: {plain(one.method)}", *theirs, DASH, DASH])
    return Table(columns, rows)


def _systems(study: StoredStudy[Any], level: float) -> Table:
    """What the first method found for every system."""
    first = study.results["method"].iloc[0]
    columns = [Column(f"noise {level:g}", text=True), Column("truth", text=True), Column(f"{first}", text=True)]
    columns += [Column("explains both"), Column("exact form")]
    own = study.results[(study.results["method"] == first) & (study.results["noise"] == level)]
    own = own[own["realization"] == 0]
    rows = [
        [
            plain(row["system"]),
            code(row["truth"]),
            code(row["equations"]),
            _mark(row["reconstruction"] and row["generalization"]),
            _mark(row["exact"] == 1),
        ]
        for row in own.to_dict(orient="records")
    ]
    return Table(columns, rows)


def _mark(good: bool) -> str:
    return "yes" if good else "no"


def _share(value: float) -> str:
    return DASH if math.isnan(value) else percent(value)
